#!/usr/bin/env bash
# style.sh - law: the parts of the house style that a machine can see
. "$(dirname "$0")/law.sh"

# Tests wait for something to happen, never for time to pass.
no_sleeping_tests() {
    law_files tests | law_code | awk '
    match($0, /(^|[^A-Za-z0-9_])(sleep|usleep|nanosleep|clock_nanosleep|thrd_sleep|zclock_sleep|zmq_sleep)[ \t]*\(/) ||
    match($0, /(^|[^A-Za-z0-9_])poll[ \t]*\((NULL|0),|(^|[^A-Za-z0-9_])select[ \t]*\(0,/) {
        place = $0
        match(place, /:[0-9]+:/)
        print substr(place, 1, RSTART + RLENGTH - 1) " a test must not sleep"
    }'
}

# Work that is left open, and paths of one machine, have no place in the sources.
no_open_work() {
    find . -path ./build -prune -o -path './.*' -prune -o -path ./tests/fuzz -prune -o -type f \
        \( -name '*.[ch]' -o -name '*.def' -o -name run -o -name quickstart -o -name '*.sh' -o -name '*.awk' \
        -o -name '*.cmake' -o -name '*.txt' -o -name '*.yaml' -o -name '*.scd' -o -name '*.md' \) \
        -print0 | xargs -0 awk '
    match($0, /(^|[^A-Za-z0-9_])(TO[D]O|FIX[M]E|XX[X]|HAC[K])([^A-Za-z0-9_]|$)/) {
        print substr(FILENAME, 3) ":" FNR ": open work belongs into no source: " substr($0, RSTART, RLENGTH)
    }
    /(^|[^A-Za-z0-9_.])\/(work|root|home)\/[a-z]/ {
        print substr(FILENAME, 3) ":" FNR ": a path of one machine"
    }'
}

# Each file says in its first line what it is.
files_introduce_themselves() {
    local file
    law_files | while read -r file; do
        IFS= read -r line <"$file" || line=
        [[ $line == "/* ${file##*/} - "?* ]] || echo "$file:1: does not begin with '/* ${file##*/} - what it is for'"
    done
}

# What .clang-format does not see.
text_is_clean() {
    law_files | xargs awk '
    / $|\t/ { print FILENAME ":" FNR ": a tab, or a blank at the end of the line" }
    { gsub(/[\200-\277]/, "") } # a character of UTF-8 is one column
    length($0) > 120 { print FILENAME ":" FNR ": longer than 120 columns" }'
}

{
    no_sleeping_tests
    no_open_work
    files_introduce_themselves
    text_is_clean
} | law_verdict
