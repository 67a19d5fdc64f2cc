# shellcheck shell=bash
# `ops/bench --against PROGRAM`, which sources this: this build and another one, measured by turns. Both servers run all the
# time, each with a record of its own, and short loads go to one and to the other: whatever the machine does to one, it
# soon does to the other as well.

# Turns of each in a round, and devices in a turn.
turns=4
turn_devices=1000

# The server that waits for its turn.
other_state=
other_server=

take_turns() {
    local waiting_state=$state waiting_server=$server
    state=$other_state server=$other_server
    other_state=$waiting_state other_server=$waiting_server
}

measure_pairs() {
    local turn side before
    step "By turns: this build and $against"
    new_state
    start_server "$against"
    take_turns
    new_state
    start_server
    # Plans and statistics of the first thousands come and go.
    for side in other this; do
        enrolled 2500
        enrolled 500
        take_turns
    done
    before=$(floor)
    for ((turn = 1; turn <= rounds * turns; turn++)); do
        for side in this other; do
            sim load --dev "$state/dev.json" --devices "$turn_devices" --warmup 100 >"$state/measured" ||
                die "turn $turn failed: $(<"$state/measured")"
            keep "turn-$side" "$turn" "$(in_floors "$(<"$state/measured")" "$before")"
            take_turns
        done
        say "turn $turn: $(tail -2 "$raw" | jq -rs 'map("\(.perSecond | round)/s, \(.cpuMilliseconds * 1000 | round) µs of CPU") | "this \(.[0]); other \(.[1])"')"
    done
    stop_server
    take_turns
    stop_server
}
