#!/usr/bin/env bash
# local.sh - repositories on this machine: refs, pins, subfolders, going without the network
# shellcheck source=tests/system/fetch/lib.sh
. "$(dirname "$0")/lib.sh"

new_repository sample
url=file://$bare
commit src/a.c 'int a;'
printf '#!/bin/sh\n' >"$work/run.sh"
chmod +x "$work/run.sh"
commit README one
first=$(head_of)
git -C "$work" tag v1
git -C "$work" tag -a -m annotated v1-annotated
git -C "$work" branch both
git -C "$work" tag both
git -C "$work" tag of-a-tree "HEAD^{tree}"
git -C "$work" push -q --tags origin refs/heads/both:refs/heads/both
commit src/b.c 'int b;'
second=$(head_of)

# --- what a ref may be
fetch --url "$url"
works "the repository's own branch is taken when no ref is given"
same "it is named" refs/heads/main "$(field ref)"
same "its commit is told" "$second" "$(field commit)"
same "the tree's id is told" "$(git -C "$work" rev-parse "HEAD^{tree}")" "$(field tree)"
path=$(field path)
same "the files are there" "README
run.sh
src/a.c
src/b.c" "$(cd "$path" && find . -type f | sed 's|^./||' | sort)"
same "programs are programs, files are files" "644 755" "$(stat -c %a "$path/README" "$path/run.sh" | tr '\n' ' ' | sed 's/ $//')"
same "the folder has the name of its content" "$(field content)" "$(basename "$path")"
same "a file is what was committed" "$(cat "$work/src/a.c")" "$(cat "$path/src/a.c")"

fetch --url "$url" --ref v1
done_with "a tag"
same "it leads to its commit" "$first" "$(field commit)"
fetch --url "$url" --ref v1-annotated
done_with "an annotated tag"
same "it leads to the commit behind it" "$first" "$(field commit)"
fetch --url "$url" --ref "$first"
done_with "a commit"
fetch --url "$url" --ref refs/heads/both
done_with "a whole name"
fetch --url "$url" --ref both
refused "a name that is a tag and a branch" 78 FAILED_PRECONDITION "'both' is a tag and a branch" refs/heads/
fetch --url "$url" --ref nowhere
refused "a ref that is not there" 78 NOT_FOUND nowhere
fetch --url "$url" --ref of-a-tree
refused "a tag of something else than a commit" 78 NOT_FOUND "no commit"
fetch --url "$url" --ref 0123456789012345678901234567890123456789
refused "a commit that is not there" 78 NOT_FOUND 0123456789
fetch --url "$url" --ref '../../config'
refused "a ref that leads out" 78 NOT_FOUND
fetch --url "$url" --ref "${first:0:10}"
refused "a part of a commit id" 78 NOT_FOUND

# --- subfolders
fetch --url "$url" --subdir src
done_with "a subfolder"
same "only its files are there" "a.c b.c" "$(cd "$(field path)" && echo *)"
fetch --url "$url" --subdir src/nowhere
refused "a subfolder that is not there" 78 NOT_FOUND src/nowhere
fetch --url "$url" --subdir README
refused "a file in place of a subfolder" 78 FAILED_PRECONDITION "a file"
for bad in ../x /etc a//b a/./b; do
    fetch --url "$url" --subdir "$bad"
    refused "subfolder '$bad'" 78 INVALID_ARGUMENT
done

# --- without the network
mv "$bare" "$bare.away"
fetch --url "$url" --ref v1 --offline
done_with "a start without network, when the store has all"
fetch --url "$url" --offline --commit "$second" --ref main
done_with "the same with a pin"
fetch --url "$url" --commit "$first" --ref v1
done_with "a pinned commit that is here is not asked for"
fetch --url "$url" --ref "$first"
done_with "nor is a commit"
fetch --url "file://$scratch/elsewhere" --offline
refused "what the store has not" 78 NOT_FOUND "not in the store" --offline
fetch --url "$url" --ref later --offline
refused "a ref that is not known yet" 78 NOT_FOUND "without the network"
fetch --url "$url"
refused "a repository that is gone" 78 NOT_FOUND
mv "$bare.away" "$bare"

# --- pins
git -C "$work" tag -f v1 >/dev/null
push
fetch --url "$url" --ref v1
done_with "a moved tag, not pinned, is followed"
same "its new commit is told" "$second" "$(field commit)"
fetch --url "$url" --ref v1 --commit "$first" --refresh
refused "a moved tag, pinned" 78 FAILED_PRECONDITION "$first" "$second" "was moved"
commit src/c.c 'int c;'
third=$(head_of)
fetch --url "$url" --ref main --commit "$second" --refresh
done_with "a branch that went on, pinned"
same "the pinned commit is taken" "$second" "$(field commit)"
git -C "$work" reset -q --hard "$first"
commit src/c.c 'int other;'
rewritten=$(head_of)
fetch --url "$url" --ref main
done_with "a rewritten branch, not pinned, is followed"
same "its new commit is told" "$rewritten" "$(field commit)"
fetch --url "$url" --ref main --commit "$third" --refresh
refused "a rewritten branch, pinned" 78 FAILED_PRECONDITION "$third" "$rewritten" "was rewritten"
fetch --url "$url" --ref main --commit "$third" --offline
refused "the same, as far as is known" 78 FAILED_PRECONDITION "$third" "$rewritten"
fetch --url "$url" --commit 0123456789012345678901234567890123456789
refused "a pin that is nowhere" 78 NOT_FOUND 0123456789

# --- branches that come and go
git -C "$work" push -q origin HEAD:refs/heads/x
fetch --url "$url" --ref x
done_with "a new branch"
git -C "$work" push -q origin :refs/heads/x HEAD:refs/heads/x/y
fetch --url "$url" --ref x/y
done_with "a branch in place of whose folder a branch was"
fetch --url "$url" --ref x
refused "the one that is gone" 78 NOT_FOUND

# --- the mirror is a cache
mirror=$(echo "$store"/git/*.git)
rm "$mirror/HEAD"
fetch --url "$url"
done_with "a mirror without HEAD is made anew"
same "the damaged one is kept" 1 "$(find "$store/quarantine" -mindepth 1 -maxdepth 1 | wc -l)"
for file in "$mirror"/objects/pack/*.pack; do
    chmod u+w "$file"
    dd if=/dev/zero of="$file" bs=1 seek=12 count=40 conv=notrunc status=none
done
fetch --url "$url"
done_with "a mirror with damaged objects is made anew"
rm "$store"/src/*/README
fetch --url "$url"
done_with "a source that is damaged is replaced"
same "it is whole" one "$(cat "$(field path)/README")"
touch "$mirror/HEAD.lock" "$mirror/refs/heads/main.lock" "$mirror/objects/pack/pack_git2_left"
fetch --url "$url" --refresh
done_with "what a killed fetch left does not hinder the next"
same "and it is removed" "" "$(find "$mirror" -name '*.lock' -o -name 'pack_git2_*')"
nothing_left "no folder is left in tmp/"

# --- two at once
rm -rf "$store/git" "$store/src"
"$FETCH" --store "$store" --allow file --url "$url" >"$scratch/one" 2>/dev/null &
one=$!
fetch --url "$url"
done_with "one of two fetches of the same repository at once"
status=0
wait "$one" || status=$?
out=$(cat "$scratch/one")
done_with "the other one"

# --- what is refused before anything is done
fetch --allow https,ssh --url "$url"
refused "a scheme that is not allowed" 77 PERMISSION_DENIED file https,ssh
fetch --url http://example.org/x/y
refused "http to another machine" 77 PERMISSION_DENIED "this machine"
fetch --url git://127.0.0.1.example.org/x/y
refused "git to another machine" 77 PERMISSION_DENIED "this machine"
fetch --url ftp://example.org/x/y
refused "an unknown scheme" 78 INVALID_ARGUMENT
fetch --url https://user:secret-word@example.org/x/y
refused "a password in the URL" 78 INVALID_ARGUMENT password
case $out in *secret-word*) fail "the password is shown" ;; esac
fetch --url "https://token-of-mine@example.org/x/y" --allow ssh
refused "a user in the URL of a scheme that is not allowed" 77 PERMISSION_DENIED '***@example.org'
case $out in *token-of-mine*) fail "the user is shown" ;; esac
fetch --url "$url?ref=v1"
refused "a ref in the URL" 78 INVALID_ARGUMENT --ref
fetch --url "$url" --commit 123
refused "half a commit id" 78 INVALID_ARGUMENT 123
status=0
out=$("$FETCH" --stor "$store" 2>&1) || status=$?
same "a wrong option is wrong usage" 2 "$status"
finish
