# shellcheck shell=bash
# `ops/bench --count`, which sources this: callgrind counts what the server executes for an enrollment, and what misses caches
# of a usual size. Two times differ by a tenth where two counts differ by a hundredth, so that small gains can be told; and
# it names the functions.

# Enrollments that are counted, so many at once. Each takes some fifty times as long as without callgrind.
counted=200
counted_at_once=50

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# count_instructions [OPTION OF VALGRIND...]
count_instructions() {
    local front port deadline settings=() urls='.pid = $pid' dev=$state/counted.json counts=$out/callgrind.out
    # valgrind knows neither all debug sections nor all calls that `muster dev` makes: what is counted is a `muster serve`
    # beside it, on the same record.
    objcopy --strip-debug "$programs/muster" "$state/muster"
    for front in est public operator metrics; do
        port=$(free_port)
        settings+=(--set "$front.listen=127.0.0.1:$port")
        urls+=" | .urls.$front |= sub(\":[0-9]+\$\"; \":$port\")"
    done
    taskset -c "$server_core" valgrind --tool=callgrind --instr-atstart=no --callgrind-out-file="$counts" \
        --cache-sim=yes --I1=32768,8,64 --D1=32768,8,64 --LL=524288,8,64 "$@" \
        "$state/muster" serve --config "$state/muster.yaml" "${settings[@]}" >>"$out/server.log" 2>&1 &
    # The trap ends it, if anything fails.
    other_server=$!
    jq --argjson pid "$other_server" "$urls" "$state/dev.json" >"$dev"
    deadline=$((SECONDS + 180))
    until curl -fsS "$(jq -r .urls.public "$dev")/readyz" >/dev/null 2>&1; do
        kill -0 "$other_server" 2>/dev/null || die "the server ended under callgrind; see $out/server.log"
        ((SECONDS < deadline)) || die "the server was not ready under callgrind within three minutes"
        sleep 0.2
    done
    sim load --dev "$dev" --devices 60 --warmup 20 --connections "$counted_at_once" >/dev/null ||
        die "nobody enrolled under callgrind"
    callgrind_control --instr=on "$other_server" >/dev/null 2>&1 || die "callgrind_control could not begin to count"
    sim load --dev "$dev" --devices "$counted" --warmup 0 --connections "$counted_at_once" >"$state/measured" ||
        die "nobody enrolled under callgrind"
    callgrind_control --instr=off "$other_server" >/dev/null 2>&1 || die "callgrind_control could not end to count"
    [[ $(jq .failed "$state/measured") == 0 ]] || die "some did not enroll under callgrind: $(<"$state/measured")"
    kill -TERM "$other_server"
    wait "$other_server" || die "the server ended with status $? under callgrind; see $out/server.log"
    other_server=
    callgrind_annotate --show-percs=no --threshold=99 "$counts" | swift demangle --simplified >"$out/callgrind.txt"
    say "of each enrollment, $(sed -n '/PROGRAM TOTALS/ {s/,//g; p; q}' "$out/callgrind.txt" | awk -v n="$counted" \
        '{printf "%d instructions; misses of instructions: %d in the first cache, %d in the second; of data: %d and %d",
            $1 / n, $4 / n, $7 / n, ($5 + $6) / n, ($8 + $9) / n}')"
    say "functions: $out/callgrind.txt; for kcachegrind or callgrind_annotate: $counts"
}
