#!/usr/bin/env bash
# deadline.sh - servers that never answer, and being killed in the middle
# shellcheck source=tests/system/fetch/lib.sh
. "$(dirname "$0")/lib.sh"

new_repository sample
commit file text
serve_git

# --- a server that takes the connection and says nothing; libgit2 alone would wait for ever
serve silent
for scheme in git http https ssh; do
    fetch --url "$scheme://127.0.0.1:$port/sample" --deadline 300ms
    refused "a silent server, by $scheme" 75 DEADLINE_EXCEEDED "not done within 300 ms" "while connecting"
done
fetch --url "git://127.0.0.1:1/sample"
refused "no server at all" 75 UNAVAILABLE

# --- a server that begins and then stops: what comes of it is remembered by nobody
# It keeps the connection, whose other side is 3, until the client ends it.
# shellcheck disable=SC2016
serve each sh -c 'exec 3<&0; git daemon --inetd --export-all --base-path="$0" |
    { dd bs=1 count=600 status=none; cat <&3 >/dev/null; }' "$scratch/git"
head -c 100000 /dev/urandom >"$work/noise"
commit noise2 noise
fetch --url "git://127.0.0.1:$port/sample" --deadline 1s
refused "a server that stops in the middle" 75 DEADLINE_EXCEEDED

# --- the mirror of a fetch that was ended so is as good as any
url=$git_url/sample
fetch --url "$url"
works "a good fetch"
commit file3 more
mirror=$store/git/$(printf %s "$url" | sha256sum | cut -d' ' -f1).git
# The same address, so the same mirror: the lock of the first is free again though it was killed while it had it.
"$FETCH" --store "$store" --allow git --url "$url" >"$scratch/out" 2>/dev/null &
pid=$!
kill -9 "$pid" 2>/dev/null || true
wait "$pid" 2>/dev/null || true
touch "$mirror/refs/heads/main.lock" "$mirror/packed-refs.lock" "$mirror/objects/pack/pack_git2_123"
fetch --url "$url"
done_with "a fetch after one that was killed"
same "it has the newest commit" "$(head_of)" "$(field commit)"
same "nothing half-written is left in the mirror" "" "$(find "$store/git" -name 'pack_git2_*' -path "$mirror/*")"

nothing_left "nor in tmp/"

# --- waiting for another fetch counts
lock=$(find "$store/locks" -name "git-$(basename "$mirror" .git)*")
exec 9>"$lock"
flock 9
fetch --url "$url" --deadline 300ms
refused "another fetch that does not end" 75 DEADLINE_EXCEEDED "another fetch of the same repository"
exec 9>&-

# --- a reader that does not read: the deadline ends the process all the same
mkfifo "$scratch/pipe"
exec 8<>"$scratch/pipe"
status=0
shown="a full pipe"
dd if=/dev/zero of="$scratch/pipe" bs=65536 count=1 oflag=nonblock status=none 2>/dev/null || true
timeout -k 1 30 "$FETCH" --store "$store" --allow git --url "$url" --deadline 500ms >"$scratch/pipe" 2>/dev/null || status=$?
same "a reader that does not read" 75 "$status"
exec 8>&-
finish
