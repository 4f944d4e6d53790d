#!/usr/bin/env bash
# manual.sh SOURCES - the manual pages name what the tables of the code have: verbs, events, keys, commands, built-in drivers
set -euo pipefail
cd "$1"

# need PAGE WORD...: the page has each word; an empty list is a table that has changed its shape
need() {
    local page=docs/man/$1 word
    shift
    [ $# -gt 0 ] || { echo "$page: its table was not understood" && failed=1; }
    for word in "$@"; do
        grep -qwF -- "$word" "$page" || { echo "$page: does not name $word" && failed=1; }
    done
}

failed=0
mapfile -t verbs < <(sed -nE 's/^VERB\((.*)\)/\1/p' client/cli/verbs.def | tr _ -)
mapfile -t keys < <(sed -nE 's/^CONFIG_(KEY|LIST|MAP|OTHER)\([a-z_]+, ([a-z0-9_]+),.*/\2/p' common/config/options.def)
mapfile -t commands < <(sed -nE 's/^COMMAND\(([A-Z_]+),.*/\1/p' common/wire/commands.def)
mapfile -t drivers < <(sed -nE 's/^BUILTIN\(([a-z]+), ([a-z]+),.*/*\1*\/*\2*/p' common/config/builtins.def)
mapfile -t events < <(cat worker/host/*.c broker/io/*.c | tr '\n' ' ' | grep -oE '(note_tell|history_add)\([^;]*;' |
    grep -oE '"[a-z]+(-[a-z]+)*"' | tr -d '"' | sort -u)
need drover.1.scd "${verbs[@]}" "${events[@]}"
need drover.yaml.5.scd "${keys[@]}" "${drivers[@]}"
need drover-protocol.7.scd "${commands[@]}"
exit $failed
