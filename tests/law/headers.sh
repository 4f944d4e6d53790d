#!/usr/bin/env bash
# headers.sh - law: every header compiles alone, and twice
#
# headers.sh ROOT c COMPILER      every header as C17, the public ones without extensions
# headers.sh ROOT c++ COMPILER    the public ones as C++; skipped (77) without a compiler
. "$(dirname "$0")/law.sh"
language=$2
compiler=${3:-}

if [ ! -x "$(command -v "${compiler:-none}")" ]; then
    echo "skipped: no $language compiler"
    exit 77
fi

includes=(-I . -I common/include -I worker/include -I client/include)
defined=('-DDROVER_SOURCE_DIR="."' '-DDROVER_BINARY_DIR="."' '-DDROVER_VERSION="0"') # as cmake does
warnings=(-Wall -Wextra -Wpedantic -Wundef -Werror -fsyntax-only)
internal=(-x c -std=gnu17 -D_GNU_SOURCE -Wconversion -Wstrict-prototypes)
public=(-x c -std=c17 -Wconversion -Wstrict-prototypes)
if [ "$language" = c++ ]; then
    public=(-x c++ -std=c++11 -Wold-style-cast)
fi

# Compile one header; says so when it does not.
compile() {
    local header=$1
    shift
    printf '#include "%s"\n#include "%s"\nextern int law_of_headers;\n' "$header" "$header" |
        "$compiler" "$@" "${defined[@]}" "${warnings[@]}" "${includes[@]}" - ||
        echo "$header:1: does not compile alone as $language" >&2
}

law_files | grep '\.h$' | while read -r header; do
    case $header in
    */include/*) compile "$header" "${public[@]}" ;;
    *) [ "$language" = c++ ] || compile "$header" "${internal[@]}" ;;
    esac
done 2>&1 | law_verdict
