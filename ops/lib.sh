# shellcheck shell=bash
# Shared by ops/up, ops/test and .ci/run: step headings with elapsed time, apt packages, Swift, and processes that are
# started in a session of their own so that all of it can be stopped. Sourced, never run.

MUSTER_SWIFT_MIN=6.3
MUSTER_STOP_SECONDS=40
# So many of the lines that tell of failures are repeated at the end of `ops/test`.
# shellcheck disable=SC2034
MUSTER_FAILURE_LINES=100
# So many of them tell of one issue.
# shellcheck disable=SC2034
MUSTER_FAILURE_DETAIL_LINES=12

# shellcheck disable=SC2034
# Packages that the build and `muster dev` need. `package=path` counts as installed if the path (a glob) exists.
MUSTER_PACKAGES_RUN=(
    ca-certificates git curl openssl jq pkg-config binutils libc6-dev libstdc++-12-dev zlib1g-dev
    libssl-dev libpq-dev libmosquitto-dev
    'postgresql=/usr/lib/postgresql/*/bin/postgres' mosquitto=/usr/sbin/mosquitto mosquitto-clients
)
# Peers that the tests run against.
# shellcheck disable=SC2034
MUSTER_PACKAGES_TEST=(
    strongswan-pki libstrongswan-standard-plugins libcharon-extra-plugins softhsm2 opensc libengine-pkcs11-openssl gnutls-bin
    nginx-light=/usr/sbin/nginx haproxy=/usr/sbin/haproxy prometheus=/usr/bin/promtool python3-venv
)

_started=$SECONDS
_step_started=
_step_name=

# Seconds as m:ss.
clock() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

# Colours only where somebody sees them.
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
    _bold=$'\e[1m' _dim=$'\e[2m' _red=$'\e[31m' _plain=$'\e[0m'
else
    _bold='' _dim='' _red='' _plain=''
fi

# step TEXT: a heading; says first how long the step before took.
step() {
    step_end
    _step_name=$1 _step_started=$SECONDS
    printf '%s==> [%s] %s%s\n' "$_bold" "$(clock $((SECONDS - _started)))" "$1" "$_plain"
}

step_end() {
    [[ -n $_step_started ]] || return 0
    printf '%s    %s: %s%s\n' "$_dim" "$_step_name" "$(clock $((SECONDS - _step_started)))" "$_plain"
    _step_started=
}

say() { printf '    %s\n' "$*"; }
complain() { printf '%serror:%s %s\n' "$_red" "$_plain" "$*" >&2; }
die() {
    complain "$@"
    exit 1
}

# need_value OPTION VALUE...: refuses an option that is the last word.
need_value() { [[ $# -ge 2 && -n $2 && $2 != -* ]] || usage_error "$1 needs a value"; }

# need_number OPTION VALUE MIN MAX
need_number() {
    if [[ ! $2 =~ ^[1-9][0-9]{0,8}$ ]] || (($2 < $3 || $2 > $4)); then
        usage_error "$1 takes a whole number from $3 to $4, not '$2'"
    fi
}

usage_error() {
    complain "$1; see ${0##*/} --help"
    exit 64
}

## apt

_policy=/usr/sbin/policy-rc.d
_policy_is_ours=
_as_root=()

# allow_services: takes back the rule that keeps Debian from starting services; for a trap too.
allow_services() {
    if [[ -n $_policy_is_ours ]]; then "${_as_root[@]}" rm -f "$_policy"; fi
    _policy_is_ours=
}

_is_installed() {
    local package=${1%%=*} path=
    [[ $1 == *=* ]] && path=${1#*=}
    if [[ -n $path ]] && compgen -G "$path" >/dev/null; then return 0; fi
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]]
}

# install_packages PACKAGE[=PATH]...: installs by apt what is missing; asks nothing, and touches the lists only then.
# Debian starts a service that it installs. Nobody asked for one here: each runs from a folder of its own, on its own
# port. So what is new is not started and not enabled; what was there before is left as it is.
install_packages() {
    local package missing=() status=0
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        die "this needs Debian 12 (apt-get and dpkg-query were not found); install by hand: ${*%%=*}"
    fi
    for package in "$@"; do _is_installed "$package" || missing+=("${package%%=*}"); done
    if ((${#missing[@]} == 0)); then
        say "all $# packages are installed"
        return 0
    fi
    say "missing: ${missing[*]}"
    if ((EUID != 0)); then
        command -v sudo >/dev/null || die "packages are missing; run as root: apt-get install ${missing[*]}"
        _as_root=(sudo)
    fi
    local apt=(
        "${_as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300
        -o Acquire::Retries=3 -o Dpkg::Use-Pty=0
    )
    if [[ ! -e $_policy ]]; then
        _policy_is_ours=1
        printf '#!/bin/sh\nexit 101\n' | "${_as_root[@]}" install -m 0755 /dev/stdin "$_policy"
    fi
    "${apt[@]}" update </dev/null || say "apt-get update failed; trying with the lists that are here"
    "${apt[@]}" install --no-install-recommends "${missing[@]}" </dev/null || status=$?
    allow_services
    ((status == 0)) || die "apt-get could not install: ${missing[*]} (its own message is above)"
    if [[ -d /run/systemd/system ]]; then
        local unit
        for unit in postgresql mosquitto nginx haproxy prometheus; do
            if [[ " ${missing[*]} " == *" $unit "* || " ${missing[*]} " == *" $unit-light "* ]]; then
                "${_as_root[@]}" systemctl disable --quiet "$unit" 2>/dev/null || true
            fi
        done
    fi
}

## Swift

# swift_version SWIFT: such as 6.3.1; nothing if that program does not run.
swift_version() { "$1" --version 2>/dev/null </dev/null | sed -n 's/.*Swift version \([0-9.]*\).*/\1/p' | head -n 1; }

# find_swift: puts a Swift that is new enough on PATH, or says what is missing. sudo drops the caller's PATH, so the
# usual places are looked at too.
find_swift() {
    local folder version seen=() home
    home=$(getent passwd "${SUDO_USER:-$(id -un)}" | cut -d: -f6)
    for folder in "$(dirname "$(command -v swift || echo /nowhere/swift)")" \
        /opt/swift/usr/bin /opt/swift/bin /opt/swift*/usr/bin /usr/local/swift/usr/bin /usr/local/swift/bin \
        /usr/local/swift*/usr/bin /usr/share/swift/usr/bin /usr/libexec/swift/bin \
        "$home/.local/share/swiftly/bin" "$home/.swiftly/bin" "$home"/swift*/usr/bin; do
        [[ -x $folder/swift ]] || continue
        version=$(swift_version "$folder/swift") || version=
        seen+=("$folder/swift (${version:-does not run})")
        [[ -n $version ]] || continue
        if [[ $(printf '%s\n%s\n' "$MUSTER_SWIFT_MIN" "$version" | sort -V | head -n 1) == "$MUSTER_SWIFT_MIN" ]]; then
            export PATH="$folder:$PATH"
            say "Swift $version, $folder/swift"
            return 0
        fi
    done
    if ((${#seen[@]})); then complain "found, but too old: ${seen[*]}"; fi
    die "Swift $MUSTER_SWIFT_MIN or newer is needed, on PATH or under /opt/swift or /usr/local/swift;" \
        "get it from https://www.swift.org/install/linux/ (Debian 12) and run this again"
}

# need_scratch FOLDER: the build folder must be ours to write; one that root has made is not a user's.
need_scratch() {
    if ! mkdir -p "$1" 2>/dev/null || [[ ! -w $1 ]]; then
        die "the build folder $1 cannot be written by $(id -un); remove it, or name another in MUSTER_BUILD"
    fi
}

## Releases

_release=(swift build -c release --static-swift-stdlib)

# In a profile a function that is private to its file has the file's name before its own; without its folders, so that the
# profile fits any checkout.
# shellcheck disable=SC2034
pathless_names=(
    -Xswiftc -Xllvm -Xswiftc -static-func-full-module-prefix=false
    -Xcc -mllvm -Xcc -static-func-full-module-prefix=false
)

# branch_profile: the file by which this compiler optimizes releases for this kind of machine, if there is one: how often
# each branch is taken when devices enroll, counted by `ops/bench --train`.
branch_profile() {
    # shellcheck disable=SC2154 # Who sources this has set it.
    echo "$repository/ops/profiles/swift-$(swift_version swift)-$(uname -m).profdata"
}

# function_order PROFILE: the file beside it that names functions in the order in which they stand in a release: those side
# by side that call each other when devices enroll. By `ops/bench --order`.
function_order() { echo "${1%.profdata}.order"; }

# copy_by_content FILE FOLDER: copies it there under a name that is another one as soon as what is in it is: that alone has
# everything built anew that was built by it. Prints the path.
copy_by_content() {
    local copy
    copy=$2/$(sha256sum <"$1" | cut -c 1-16).${1##*.}
    cp "$1" "$copy"
    echo "$copy"
}

# compile_release PRODUCT FOLDER FLAG...
compile_release() { run "${_release[@]}" --product "$1" --scratch-path "$2" "${@:3}" || die "$1 did not build"; }

# build_release PRODUCT FOLDER [LINKER FLAG...]: by the profile, if there is one, with its functions in the order that is kept
# beside it, or as the flags say.
build_release() {
    local profile order counts flag flags=() placing=("${@:3}")
    profile=$(branch_profile)
    order=$(function_order "$profile")
    if [[ -f $profile ]]; then
        counts=$(copy_by_content "$profile" "$2")
        flags=(-Xswiftc -Xfrontend -Xswiftc "-ir-profile-use=$counts" -Xcc "-fprofile-use=$counts" "${pathless_names[@]}")
        # Each in a section of its own, which the linker can place.
        flags+=(-Xswiftc -Xfrontend -Xswiftc -function-sections -Xcc -ffunction-sections)
        if ((${#placing[@]} == 0)) && [[ -f $order ]]; then
            placing=("--symbol-ordering-file=$(copy_by_content "$order" "$2")")
        fi
        # What the program has no more, or in other words, stands where it stands.
        for flag in "${placing[@]}" --no-warn-symbol-ordering; do flags+=(-Xlinker "$flag"); done
    fi
    compile_release "$1" "$2" "${flags[@]}"
}

# release_programs FOLDER: where it has put them.
release_programs() { "${_release[@]}" --show-bin-path --scratch-path "$1"; }

## Processes

# Each child runs in a session of its own: a Ctrl-C on the terminal reaches this script alone, which then stops them
# in order. `child` is the one that is running in the foreground's stead.
child=

# run COMMAND...: runs to its end, as a foreground command would, but so that a trap runs at once. The shell has what it
# starts in the background ignore SIGINT, and that would be inherited all the way down; env undoes it.
run() {
    local status=0
    setsid env --default-signal=INT,QUIT "$@" </dev/null &
    child=$!
    wait "$child" || status=$?
    child=
    return "$status"
}

# session_processes SID: ids of the processes in that session.
session_processes() {
    local stat fields
    for stat in /proc/[0-9]*/stat; do
        { fields=$(<"$stat"); } 2>/dev/null || continue
        # The name in parentheses may hold spaces; state, parent, group and session come after it.
        read -r -a fields <<<"${fields##*) }"
        if [[ ${fields[3]:-} == "$1" && ${fields[0]} != Z ]]; then
            stat=${stat%/stat}
            echo "${stat##*/}"
        fi
    done
}

# processes_naming FOLDER [NAME...]: ids of the processes whose command line names the folder; of those names only, or
# of all but the shells that run this.
processes_naming() {
    local process name arguments folder=$1
    shift
    for process in /proc/[0-9]*; do
        { name=$(<"$process/comm"); } 2>/dev/null || continue
        if (($#)); then
            [[ " $* " == *" $name "* ]] || continue
        else
            case $name in bash | sh | sudo | env) continue ;; esac
        fi
        arguments=$(tr '\0' ' ' 2>/dev/null <"$process/cmdline") || continue
        # Followed by a slash, a space or nothing: /tmp/a is not named by /tmp/ab.
        if [[ "$arguments " == *"$folder/"* || "$arguments " == *"$folder "* ]]; then echo "${process##*/}"; fi
    done
}

# stop_session PID: SIGTERM to the leader, time to end in order, then whatever is left of its session is ended.
# Returns the leader's status.
stop_session() {
    local leader=$1 status=0 deadline=$((SECONDS + MUSTER_STOP_SECONDS)) left
    kill -TERM "$leader" 2>/dev/null || true
    while kill -0 "$leader" 2>/dev/null && ((SECONDS < deadline)); do sleep 0.1; done
    if kill -0 "$leader" 2>/dev/null; then
        complain "process $leader did not end in $MUSTER_STOP_SECONDS s; killing it"
    fi
    left=$(session_processes "$leader")
    # shellcheck disable=SC2086
    if [[ -n $left ]]; then kill -KILL $left 2>/dev/null || true; fi
    wait "$leader" 2>/dev/null || status=$?
    return "$status"
}

# stop_child: ends what `run` is running, all of its session at once.
stop_child() {
    local left
    [[ -n $child ]] || return 0
    left=$(session_processes "$child")
    # shellcheck disable=SC2086
    if [[ -n $left ]]; then kill -TERM $left 2>/dev/null || true; fi
    stop_session "$child" || true
    child=
}
