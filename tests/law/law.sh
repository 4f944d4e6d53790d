# law.sh - what the law tests share; each is called with the top folder of the sources
# shellcheck shell=bash
#
# A law prints one line a breach (file:line: what is wrong) and ends with 1; when it is kept, it says nothing
# and ends with 0.
set -euo pipefail
export LC_ALL=C
law_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "${1:?the top folder of the sources}"

# All C files, below the folders given or everywhere: sources, headers and tables.
law_files() {
    local folder
    for folder in "${@:-.}"; do
        [ -d "$folder" ] || continue
        find "$folder" -path ./build -prune -o -path './.*' -prune -o -type f -name '*.[ch]' -print -o -type f \
            -name '*.def' -print
    done | sed 's|^\./||' | sort
}

# The code of files whose names come in: `file:line:text`, without comments and without what stands in strings.
law_code() {
    local files
    mapfile -t files
    [ ${#files[@]} -gt 0 ] && awk -f "$law_dir/code.awk" "${files[@]}"
}

# Print what comes in, and fail if there was anything.
law_verdict() {
    if grep .; then
        return 1
    fi
}
