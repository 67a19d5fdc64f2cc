# shellcheck shell=bash
# `ops/bench --train` and `--order`, which source this: play devices against a release that counts how often each branch is
# taken, and one under callgrind, which counts who calls whom, and keep both where releases are built by them. What runs
# often then lies together, in the order in which it runs, and what hardly ever runs does not stand between it.

trained_by() { sim "$@" --dev "$state/dev.json" >/dev/null || die "nobody answered: muster-sim bench $*"; }

train() {
    local file runtime folder=$build/counting
    file=$(branch_profile)
    runtime=$(swiftc -print-target-info | jq -r .paths.runtimeResourcePath)/clang/lib/linux/libclang_rt.profile-$(uname -m).a
    [[ -f $runtime ]] || die "this Swift has no $runtime to count with"
    step "Build a release that counts"
    compile_release muster "$folder" "${pathless_names[@]}" \
        -Xswiftc -Xfrontend -Xswiftc -ir-profile-generate -Xcc -fprofile-generate \
        -Xlinker "$runtime" -Xlinker -u__llvm_profile_runtime

    step "Play devices against it"
    new_state
    export LLVM_PROFILE_FILE=$state/%p.profraw
    start_server "$folder/release/muster"
    unset LLVM_PROFILE_FILE
    # In numbers that say how much each matters: most of all a first boot, of many at once and of few.
    trained_by load --devices 1500
    trained_by load --devices 1500 --connections 1024
    trained_by load --devices 500 --rate 150
    trained_by load --devices 500 --mode kept
    trained_by authorize --rate 500 --seconds 4
    stop_server
    mkdir -p "${file%/*}"
    # Beside swift: another LLVM's tool writes what this one cannot read.
    "$(dirname "$(readlink -f "$(command -v swiftc)")")/llvm-profdata" merge --sparse "$state"/*.profraw -o "$file" ||
        die "the counts could not be put together"
    say "releases are optimized by $file from now on"
    rm -rf "$state"
    state=
}

# order_functions: of the release that was built.
order_functions() {
    local profile file
    profile=$(branch_profile)
    [[ -f $profile ]] || die "only releases that a profile optimizes have their functions ordered; there is none: --train"
    file=$(function_order "$profile")
    new_state
    start_server
    # C++ names as the linker knows them.
    count_instructions --demangle=no
    stop_server
    step "Order functions by who calls whom"
    python3 "$repository/ops/bench-calls.py" "$out/callgrind.out" "$counted" >"$state/calls"
    # lld prints the order that it has found by hfsort alone, and all functions in it.
    build_release muster "$build" "--call-graph-ordering-file=$state/calls" --call-graph-profile-sort=hfsort \
        "--print-symbol-order=$state/order"
    awk 'NR == FNR {called[$1]; called[$2]; next} $1 in called' "$state/calls" "$state/order" >"$file"
    [[ -s $file ]] || die "the linker has ordered nothing"
    say "functions of a release stand in the order of $file from now on"
    rm -rf "$state"
    state=
}
