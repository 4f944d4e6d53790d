#!/usr/bin/env bash
# hostile.sh - repositories made to do harm, from a real git daemon: a clear error, nothing written but the mirror
# shellcheck source=tests/system/fetch/lib.sh
. "$(dirname "$0")/lib.sh"

new_repository evil
commit file 'a file'
blob=$(git -C "$bare" rev-parse HEAD:file)
empty=$(git -C "$bare" hash-object -t tree -w --stdin </dev/null)
serve_git
url=$git_url/evil

fetch --url "$url"
works "the repository before anything was done to it"
sources=$(ls "$store/src")

# evil NAME STATUS WORDS...: what is wrong with the branch NAME
evil() {
    local name=$1 code=$2 exit=78
    shift 2
    [ "$code" != RESOURCE_EXHAUSTED ] || exit=1
    fetch --url "$url" --ref "$name"
    refused "$name" "$exit" "$code" "$@"
}

# --- modes
tree_entry 104755 program "$blob" | commit_tree setuid
tree_entry 102755 program "$blob" | commit_tree setgid
tree_entry 101755 program "$blob" | commit_tree sticky
tree_entry 120000 link "$(printf /etc/passwd | git -C "$bare" hash-object -w --stdin)" | commit_tree symlink
tree_entry 160000 module "$(head_of)" | commit_tree submodule
tree_entry 100600 odd "$blob" | commit_tree odd-mode
evil setuid FAILED_PRECONDITION "'program'" setuid
evil setgid FAILED_PRECONDITION "'program'" setgid
evil sticky FAILED_PRECONDITION "'program'" sticky
evil symlink FAILED_PRECONDITION "'link'" symlink
evil submodule FAILED_PRECONDITION "'module'" submodule
evil odd-mode FAILED_PRECONDITION "'odd'" 100600
# The same where it is found late: behind good files, in a folder.
inner=$(tree_entry 104755 program "$blob" | git -C "$bare" hash-object -t tree --literally -w --stdin)
{
    tree_entry 100644 a "$blob"
    tree_entry 40000 b "$inner"
} | commit_tree setuid-deep
evil setuid-deep FAILED_PRECONDITION "'b/program'" setuid
fetch --url "$url" --ref symlink --subdir link
refused "a symlink as the subfolder" 78 FAILED_PRECONDITION symlink
fetch --url "$url" --ref submodule --subdir module
refused "a submodule as the subfolder" 78 FAILED_PRECONDITION submodule

# --- names
name_number=0
evil_name() {
    name_number=$((name_number + 1))
    tree_entry 100644 "$1" "$blob" | commit_tree "name-$name_number"
    fetch --url "$url" --ref "name-$name_number"
    refused "the name '$(printf %q "$1")'" 78 FAILED_PRECONDITION "has a name that" "${@:2}"
}
evil_name ..
evil_name .
evil_name .git
evil_name .GIT
evil_name '.git '
evil_name git~1
evil_name -rf "begins with '-'"
evil_name a/b
evil_name ../../escape
evil_name /etc/cron.d/x
evil_name $'new\nline' "not allowed"
evil_name $'back`quote' "not allowed"
evil_name "\$(id)" "not allowed"
evil_name 'a;b' "not allowed"
evil_name $'\xff\xfe' "UTF-8"
evil_name $'\e[31m' "not allowed"
evil_name 'back\slash' "not allowed"
tree_entry 40000 .. "$(git -C "$bare" rev-parse "HEAD^{tree}")" | commit_tree folder-up
evil folder-up FAILED_PRECONDITION
{
    tree_entry 100644 twice "$blob"
    tree_entry 40000 twice "$(git -C "$bare" rev-parse "HEAD^{tree}")"
} | commit_tree twice
evil twice FAILED_PRECONDITION "there twice"
{
    tree_entry 100644 'a name with blanks' "$blob"
    tree_entry 100644 $'umlaut-\xc3\xa4' "$blob"
    tree_entry 100664 old-mode "$blob"
} | commit_tree good-names
fetch --url "$url" --ref good-names
done_with "names that are good"
same "they are written" "a name with blanks old-mode umlaut-ä" "$(cd "$(field path)" && echo *)"
rm -rf "$(field path)"

# --- bombs
tree=$(tree_entry 100644 file "$blob" | git -C "$bare" hash-object -t tree --literally -w --stdin)
for _ in 1 2 3 4 5 6 7 8 9 10; do
    tree=$(for name in 0 1 2 3 4 5 6 7 8 9; do tree_entry 40000 "$name" "$tree"; done |
        git -C "$bare" hash-object -t tree --literally -w --stdin)
done
git -C "$bare" update-ref refs/heads/tree-bomb "$(git -C "$bare" commit-tree -m bomb "$tree")"
fetch --url "$url" --ref tree-bomb --max-entries 500
refused "a tree of 10^10 files" 1 RESOURCE_EXHAUSTED "500" --max-entries
tree=$empty
for _ in $(seq 40); do
    tree=$(tree_entry 40000 d "$tree" | git -C "$bare" hash-object -t tree --literally -w --stdin)
done
git -C "$bare" update-ref refs/heads/deep "$(git -C "$bare" commit-tree -m deep "$tree")"
evil deep RESOURCE_EXHAUSTED "too deep"
big=$(head -c 40000000 /dev/zero | git -C "$bare" hash-object -w --stdin)
tree_entry 100644 zeros "$big" | commit_tree zlib-bomb
fetch --url "$url" --ref zlib-bomb --max-bytes 8MiB
refused "40 MB of zeros in 40 kB" 1 RESOURCE_EXHAUSTED "'zeros'" "too large" --max-bytes
{
    tree_entry 100644 a "$(head -c 600000 /dev/zero | git -C "$bare" hash-object -w --stdin)"
    tree_entry 100644 b "$(head -c 600001 /dev/zero | git -C "$bare" hash-object -w --stdin)"
} | commit_tree sum
fetch --url "$url" --ref sum --max-bytes 1MiB
refused "files that are too large together" 1 RESOURCE_EXHAUSTED "'b'" --max-bytes

# A pack in which one large object is a small difference to another: what it grows to is limited before it is made.
new_repository delta
head -c 9000000 /dev/zero >"$work/one"
{
    cat "$work/one"
    echo different
} >"$work/two"
git -C "$work" add -A
git -C "$work" commit -qm large
git -C "$work" rm -q one two
commit small small
git -C "$bare" repack -adfq
fetch --url "$git_url/delta" --max-bytes 1MiB
if [ "${DELTA_LIMIT:-}" = 1 ]; then
    refused "a delta bomb" 1 RESOURCE_EXHAUSTED --max-bytes
else
    done_with "a delta bomb that this libgit2 does not limit, in history only"
fi

# --- too much to receive
new_repository large
head -c 3000000 /dev/urandom >"$work/noise"
commit small small
fetch --url "$git_url/large" --max-download 1MiB
refused "more than may be received" 1 RESOURCE_EXHAUSTED --max-download
fetch --url "$git_url/large"
done_with "the same with more allowed"
rm -rf "$(field path)"

# --- objects that are not what their names say
new_repository damaged
commit file 'a damaged file'
object=$(git -C "$bare" rev-parse HEAD:file)
path=$bare/objects/${object:0:2}/${object:2}
chmod u+w "$path"
cp "$bare/objects/$(head_of | sed 's|^..|&/|')" "$path"
fetch --url "$git_url/damaged"
if [ "$status" = 0 ] || [ "$(field event)" != error ]; then
    fail "a server with a damaged object"
fi

same "no mirror is in quarantine: they are sound" "" "$(ls "$store/quarantine")"
same "nothing was published of all that" "$sources" "$(ls "$store/src")"
nothing_left "nor left in tmp/"
same "nothing is setuid anywhere" "" "$(find "$scratch" -perm /6000)"
same "nothing is outside of the store's folders" "artefact build git locks quarantine src tmp" "$(cd "$store" && echo *)"
finish
