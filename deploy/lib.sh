# lib.sh - what deploy/quickstart, tests/run and .ci/run share; sourced by them, never run
#
# Works as root, through sudo and as a user who may use sudo; from any working directory; without a network once the
# packages are there. Nothing here reads standard input.
#
# shellcheck shell=bash

set -euo pipefail
export LC_ALL=C.UTF-8
top=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
cd "$top"

say() {
    printf '\n== %s\n' "$*"
}

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# missing_packages GROUP...: those packages of deploy/packages.txt that are not installed
missing_packages() {
    local group package
    while read -r group package; do
        case " $* " in
        *" $group "*) ;;
        *) continue ;;
        esac
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s\n' "$package"
    done < <(grep '^[a-z]' deploy/packages.txt)
}

# need_packages GROUP...: install what is missing; asks no registry when nothing is
need_packages() {
    local -a missing apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120)
    local log
    command -v dpkg-query >/dev/null || die "this script knows Debian's packages only; deploy/packages.txt lists them"
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || die "run this as root, or install by hand: ${missing[*]}"
        apt=(sudo "${apt[@]}")
    fi
    say "installing ${missing[*]}"
    log=$(mktemp)
    # Lists that could not be renewed may still do.
    "${apt[@]}" update >"$log" 2>&1 </dev/null || true
    if ! "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1 </dev/null; then
        cat "$log" >&2
        rm -f "$log"
        die "could not install: ${missing[*]}"
    fi
    rm -f "$log"
}

# What root builds in a user's tree stays the user's.
give_build_back() {
    if [ "$(id -u)" = 0 ] && [ -d build ]; then
        chown -R --no-dereference --reference=. build
    fi
}

# build PRESET SECONDS [TARGET...]: configure and build within SECONDS; a tree that was moved is configured afresh
build() {
    local preset=$1 limit=$2 fresh='' log=build/$1/configure.log
    shift 2
    say "building (preset $preset)"
    mkdir -p "build/$preset"
    grep -qsxF "CMAKE_HOME_DIRECTORY:INTERNAL=$top" "build/$preset/CMakeCache.txt" || fresh=--fresh
    if ! timeout "$limit" cmake $fresh --preset "$preset" >"$log" 2>&1 </dev/null; then
        cat "$log"
        return 1
    fi
    timeout "$limit" cmake --build --preset "$preset" ${1:+--target "$@"} -- --quiet </dev/null
}

# run_tests PRESET SECONDS [CTEST-OPTION...]: run the tests of a test preset, add to passed, failed and skipped. Returns 0
# whether they pass or not.
passed=0 failed=0 skipped=0
run_tests() {
    local preset=$1 limit=$2 report status=0 counts
    shift 2
    say "testing (preset $preset)"
    report=$(mktemp)
    timeout -k 20 "$limit" ctest --preset "$preset" --output-junit "$report" "$@" </dev/null || status=$?
    awk -f tests/count.awk "$report" | sed '$d' | sed 's/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g'
    read -ra counts < <(awk -f tests/count.awk "$report" | tail -n 1)
    rm -f "$report"
    if [ "$status" -ne 0 ] && [ "${counts[1]}" = 0 ]; then
        printf 'failed: ctest --preset %s ended with status %s\n' "$preset" "$status"
        counts[1]=1
    fi
    passed=$((passed + counts[0])) failed=$((failed + counts[1])) skipped=$((skipped + counts[2]))
}

# The closing line, and the exit status that belongs to it.
sum_up() {
    printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}
