# lib.sh - what the tests of drover-fetch share; sourced by them
#
# Given in the environment: FETCH (drover-fetch), LISTENER (listener.c). Each test has a folder of its own, a store in it, and
# servers on ports that the system chose; what was started ends with the test.
# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2001
set -euo pipefail
export LC_ALL=C
: "${FETCH:?drover-fetch}" "${LISTENER:?the listener}"

scratch=$(mktemp -d)
store=$scratch/store
servers=()
failures=0

# Nothing of the user's git or ssh has a say.
export HOME=$scratch/home GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=test GIT_AUTHOR_EMAIL=test@localhost
export GIT_COMMITTER_NAME=test GIT_COMMITTER_EMAIL=test@localhost
unset SSH_AUTH_SOCK NETRC http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY
mkdir "$HOME"
git config --global init.defaultBranch main
git config --global gc.auto 0

clean_up() {
    local pid
    for pid in ${servers[@]+"${servers[@]}"}; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$scratch"
}
trap clean_up EXIT

# skip REASON: ends the test as one that was not run
skip() {
    printf 'skipped: %s\n' "$1"
    exit 77
}

# need PROGRAM PACKAGE: skip the test when the program is not here
need() {
    PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null || skip "$1 is not here (Debian package $2)"
}

need git git

# serve MODE [PROGRAM...]: starts a server; its port is $port, its pid the last of $servers
serve() {
    local pipe=$scratch/port.$RANDOM
    mkfifo "$pipe"
    "$LISTENER" "$@" >"$pipe" 2>>"$scratch/servers.log" &
    servers+=($!)
    read -r port <"$pipe"
    rm "$pipe"
}

# serve_git: all repositories in $scratch/git by git://
serve_git() {
    serve each git daemon --inetd --export-all --base-path="$scratch/git"
    git_url=git://127.0.0.1:$port
}

# new_repository NAME: a bare repository in $scratch/git, and $work, a work tree whose `origin` it is
new_repository() {
    bare=$scratch/git/$1
    work=$scratch/work/$1
    mkdir -p "$scratch/git" "$scratch/work"
    git init -q --bare "$bare"
    git init -q "$work"
    git -C "$work" remote add origin "$bare"
}

# commit FILE TEXT: writes the file in $work, commits it and pushes the branch
commit() {
    mkdir -p "$(dirname "$work/$1")"
    printf '%s\n' "$2" >"$work/$1"
    git -C "$work" add -A
    git -C "$work" commit -qm "$1"
    push
}

push() {
    git -C "$work" push -q --force --tags origin HEAD
}

head_of() {
    git -C "$work" rev-parse "${1:-HEAD}"
}

# tree_entry MODE NAME OBJECT: one entry of a tree, as git stores it, however bad it is
tree_entry() {
    printf '%s %s\0' "$1" "$2"
    # shellcheck disable=SC2059
    printf "$(sed 's/../\\x&/g' <<<"$3")"
}

# commit_tree BRANCH: makes standard input, entries of a tree, a commit of $bare
commit_tree() {
    local tree
    tree=$(git -C "$bare" hash-object -t tree --literally -w --stdin)
    git -C "$bare" update-ref "refs/heads/$1" "$(git -C "$bare" commit-tree -m evil "$tree")"
}

# fetch ARGUMENT...: runs drover-fetch on the store; $out is what it printed, $status how it ended
fetch() {
    status=0
    shown="drover-fetch $*"
    out=$("$FETCH" --store "$store" --deadline 20s --allow https,ssh,file,http,git "$@" 2>"$scratch/stderr") || status=$?
    if grep -A 12 -E '(ERROR|WARNING): [A-Za-z]+Sanitizer|runtime error:' "$scratch/stderr"; then
        fail "a sanitizer complains"
    fi
}

fail() {
    printf 'FAILED: %s\n    %s\n    status %s: %s\n' "$1" "$shown" "$status" "$out"
    failures=$((failures + 1))
}

# field NAME: a member of the last line that was printed
field() {
    tail -n 1 <<<"$out" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"
}

# done_with TEST: the last fetch succeeded
done_with() {
    if [ "$status" != 0 ] || [ "$(field event)" != "done" ]; then
        fail "$1"
        return
    fi
    printf 'passed: %s\n' "$1"
}

# refused TEST EXIT STATUS WORDS...: the last fetch failed with this exit status, this status and these words
refused() {
    local name=$1 exit=$2 code=$3 word
    shift 3
    if [ "$status" != "$exit" ] || [ "$(field event)" != error ] || [ "$(field status)" != "$code" ]; then
        fail "$name (wanted: $exit, $code)"
        return
    fi
    for word in "$@"; do
        case $(field message) in
        *"$word"*) ;;
        *)
            fail "$name (does not say '$word')"
            return
            ;;
        esac
    done
    printf 'passed: %s\n' "$name"
}

# works TEST: as done_with; without it the rest of the test makes no sense
works() {
    done_with "$1"
    [ "$failures" = 0 ] || finish
}

# same TEST WANTED GOT
same() {
    if [ "$2" = "$3" ]; then
        printf 'passed: %s\n' "$1"
    else
        fail "$1: wanted '$2', got '$3'"
    fi
}

# nothing_left TEST: no folder of a fetch is left in the store's tmp/
nothing_left() {
    same "$1" "" "$(ls "$store/tmp")"
}

finish() {
    if [ "$failures" != 0 ]; then
        cat "$scratch/servers.log" 2>/dev/null || true
        printf '%s failed\n' "$failures"
        exit 1
    fi
}
