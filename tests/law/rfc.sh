#!/usr/bin/env bash
# rfc.sh - law: the RFC and the tables of the code give the same names and numbers
. "$(dirname "$0")/law.sh"

awk -v rfc=docs/rfc/1.md -f "$law_dir/rfc.awk" common/wire/commands.def common/wire/header.def \
    common/include/drover/status.def docs/rfc/1.md | sort | law_verdict
