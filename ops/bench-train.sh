# shellcheck shell=bash
# `ops/bench --train`, which sources this: plays devices against a release that counts how often each branch is taken, and
# keeps the counts where releases are optimized by them. What runs often then lies together, and what hardly ever runs
# does not stand between it.

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
