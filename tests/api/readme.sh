#!/usr/bin/env bash
# readme.sh SOURCES - the README shows tests/examples as they are: each block below a comment that names a file is that file
set -euo pipefail
cd "$1"

# shown FILE: the block of the README that belongs to FILE
shown() {
    awk -v mark="<!-- $1 -->" '
    $0 == mark { found = 1; next }
    found && /^```c$/ { inside = 1; next }
    inside && /^```$/ { exit }
    inside { print }' README.md
}

failed=0
for file in tests/examples/hello_driver.c tests/examples/hello_client.c; do
    diff -u --label "README.md, $file" --label "$file" <(shown "$file") "$file" || failed=1
done
lines=$(wc -l <README.md)
if [ "$lines" -gt 120 ]; then
    echo "README.md has $lines lines, more than 120"
    failed=1
fi
exit $failed
