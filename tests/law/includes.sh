#!/usr/bin/env bash
# includes.sh - law: who may include whom (layers.txt)
. "$(dirname "$0")/law.sh"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
law_files >"$scratch/files"
law_code <"$scratch/files" >"$scratch/code"
awk -v layers="$law_dir/layers.txt" -v files="$scratch/files" -f "$law_dir/includes.awk" \
    "$law_dir/layers.txt" "$scratch/files" "$scratch/code" | law_verdict
