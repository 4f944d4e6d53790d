#!/usr/bin/env bash
# bites.sh - each law notices when it is broken: breaks a small tree of its own in one way after the other
#
# bites.sh ROOT CC [CXX]; ROOT gives the folders' real tables.
set -euo pipefail
root=${1:?the top folder of the sources}
cc=${2:?a C compiler}
cxx=${3:-}
laws=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0
rfc=

# A tree that keeps every law.
make_tree() {
    rm -rf "$scratch/tree"
    mkdir -p "$scratch/tree"
    cd "$scratch/tree"
    mkdir -p common/{include/drover,base,wire,config,sys} worker/{include/drover,sdk,host} \
        client/{include/drover,lib,cli} broker/{core,io} drivers/echo tests/unit docs/rfc
    cp "$root/common/include/drover/status.def" "$root/common/include/drover/status.h" common/include/drover/
    cp "$root/common/wire/commands.def" "$root/common/wire/header.def" common/wire/
    local file
    for file in common/{base/a,wire/b,config/c,sys/d} worker/{sdk/e,host/f} client/{lib/g,cli/h} broker/{core/i,io/j} \
        worker/include/drover/worker client/include/drover/client; do
        printf '/* %s.h - what it is */\nint %s_thing(void);\n' "${file##*/}" "${file##*/}" >"$file.h"
    done
    printf '/* echo.c - what it is: printf (x) */\n#include <stdio.h>\n#include <drover/worker.h>\n' \
        >drivers/echo/echo.c
    printf '/* test.c - "sleep(1)" */\n#include "broker/io/j.h"\nchar name[] = "x-XXXXXX sleep(1)";\n' \
        >tests/unit/test.c
    printf '/* b.c - what it is */\n#include <stdio.h>\n#include "common/base/a.h" // time(0)\n' >common/wire/b.c
    printf 'int n(char *s) { return snprintf(s, 1, "printf(") + x->time(s); }\n' >>common/wire/b.c
    : >docs/rfc/1.md
    [ -n "$rfc" ] || rfc=$(make_rfc)
    printf "%s\n" "$rfc" >docs/rfc/1.md
}

# An RFC with the tables that the code asks for: what the law itself says is missing.
make_rfc() {
    local kind missing
    missing=$(bash "$laws/rfc.sh" . || true)
    for kind in command field status; do
        printf "\n| number | name |\n| ---: | --- |\n"
        sed -n "s/.*: $kind [A-Z_]* has no row in a table of [^ ]*: //p" <<<"$missing" | sed "s/| CALL |/| *CALL* |/"
    done
}

# law NAME: run a law on the tree.
law() {
    case $1 in
    headers_c) bash "$laws/headers.sh" . c "$cc" ;;
    headers_cxx) bash "$laws/headers.sh" . c++ "$cxx" ;;
    *) bash "$laws/$1.sh" . ;;
    esac
}

# keeps NAME: the law finds nothing in the tree as it is made.
keeps() {
    make_tree
    local said
    said=$(law "$1" 2>&1) || {
        printf 'law %s complains of a tree that keeps it: %s\n' "$1" "$said"
        failed=1
    }
}

# breaks NAME FILE TEXT MESSAGE: with TEXT at its end, FILE breaks the law, and the law says MESSAGE.
breaks() {
    make_tree
    mkdir -p "$(dirname "$2")"
    printf '%s\n' "$3" >>"$2"
    notices "$1" "$4"
}

# notices NAME MESSAGE: the tree as it is now breaks the law.
notices() {
    local said status=0
    said=$(law "$1" 2>&1) || status=$?
    if [ "$status" != 1 ] || ! grep -qF -- "$2" <<<"$said"; then
        printf 'law %s does not say "%s" (it ends with %s): %s\n' "$1" "$2" "$status" "$said"
        failed=1
    fi
}

includes_bite() {
    keeps includes
    breaks includes common/base/x.c '#include "common/wire/b.h"' 'x.c:1: common/base must not use common/wire'
    breaks includes common/base/x.c '#include "common/sys/d.h"' 'common/base must not use common/sys'
    breaks includes common/wire/x.h '# include "common/sys/d.h"' 'common/wire must not use common/sys'
    breaks includes common/config/x.c '#include "common/sys/d.h"' 'common/config must not use common/sys'
    breaks includes common/wire/x.c '#include "common/config/c.h"' 'common/wire must not use common/config'
    breaks includes common/idl/x.c '#include "common/sys/d.h"' 'common/idl must not use common/sys'
    breaks includes broker/core/x.c '#include "common/sys/d.h"' 'broker/core must not use common/sys'
    breaks includes broker/core/x.c '#include "common/config/c.h"' 'broker/core must not use common/config'
    breaks includes broker/core/x.c '#include "broker/io/j.h"' 'broker/core must not use broker/io'
    breaks includes broker/io/x.c '#include <drover/client.h>' 'broker/io must not use client/include'
    breaks includes broker/io/x.c '#include "client/lib/g.h"' 'broker/io must not use client/lib'
    breaks includes client/lib/x.c '#include "broker/core/i.h"' 'client/lib must not use broker/core'
    breaks includes client/lib/x.c '#include "common/config/c.h"' 'client/lib must not use common/config'
    breaks includes client/cli/x.c '#include <drover/worker.h>' 'client/cli must not use worker/include'
    breaks includes client/cli/x.c '#include "worker/host/f.h"' 'client/cli must not use worker/host'
    breaks includes worker/sdk/x.c '#include "common/config/c.h"' 'worker/sdk must not use common/config'
    breaks includes worker/host/x.c '#include "broker/core/i.h"' 'worker/host must not use broker/core'
    breaks includes drivers/echo/x.c '#include "common/base/a.h"' 'drivers must not use common/base'
    breaks includes drivers/echo/x.c '#include "worker/sdk/e.h"' 'drivers must not use worker/sdk'
    breaks includes drivers/echo/x.c '#include <drover/client.h>' 'drivers must not use client/include'
    breaks includes common/base/x.c '#include "../wire/b.h"' 'which is not in the tree'
    breaks includes common/base/x.c '#include <drover/nothing.h>' 'which is not in the tree'
    breaks includes common/other/x.c '' 'folder without a row'
    breaks includes common/base/x.c '/*
*/#include "common/wire/b.h"' 'not in the tree'
}

purity_bites() {
    local folder call
    keeps purity
    for folder in broker/core common/base common/wire common/config common/idl; do
        breaks purity "$folder/x.c" '#include <time.h>' "$folder/x.c:1: a pure folder must not have"
    done
    for call in 'printf("x")' 'fprintf(x, "")' 'fopen("a", "b")' 'puts("x")' 'time(NULL)' 'clock_gettime(1, x)' \
        'rand()' 'getrandom(x, 1, 0)' 'socket(1, 2, 3)' 'exit(1)'; do
        breaks purity broker/core/x.c "x = $call;" "must not call ${call%%(*}()"
    done
    breaks purity common/base/x.h '#include <zmq.h>' 'must not have'
    breaks purity common/base/x.c 'x(stderr);' 'has no streams'
}

headers_bite() {
    keeps headers_c
    breaks headers_c common/base/a.h 'size_t other(void);' 'common/base/a.h:1: does not compile alone as c'
    breaks headers_c common/base/a.h 'struct twice { int x; };' 'common/base/a.h:1: does not compile alone as c'
    breaks headers_c worker/include/drover/worker.h 'int x(void) { return ({ 1; }); }' 'does not compile alone as c'
    [ -n "$cxx" ] || return 0
    keeps headers_cxx
    breaks headers_cxx client/include/drover/client.h 'int x(int class);' 'does not compile alone as c++'
}

style_bites() {
    keeps style
    breaks style tests/unit/test.c 'x = sleep (1);' 'tests/unit/test.c:4: a test must not sleep'
    breaks style tests/unit/test.c 'usleep(1);' 'a test must not sleep'
    breaks style tests/unit/test.c 'nanosleep(x, y);' 'a test must not sleep'
    breaks style tests/unit/test.c 'poll(NULL, 0, 10);' 'a test must not sleep'
    breaks style common/base/a.h '/* TO''DO: more */' 'a.h:3: open work'
    breaks style docs/rfc/1.md 'FIX''ME later' 'open work'
    breaks style broker/io/x.c '' "broker/io/x.c:1: does not begin with '/* x.c - "
    breaks style common/base/a.h 'int x;  ' 'a blank at the end'
    breaks style common/base/a.h "$(printf '\tint x;')" 'a tab'
    breaks style common/base/a.h "/* $(printf '%0120d' 0) */" 'longer than 120'
    breaks style common/base/a.h "/* /ho""me/me/file */" 'a path of one machine'
}

# rewords SED MESSAGE: the RFC, changed by SED, breaks the law.
rewords() {
    make_tree
    sed -i "$1" docs/rfc/1.md
    notices rfc "$2"
}

rfc_bites() {
    keeps rfc
    breaks rfc common/wire/commands.def 'COMMAND(DANCE, 99, BROKER, NONE, 0, 0, NO_BODY, "a, b")' \
        'command DANCE has no row in a table of docs/rfc/1.md: | 99 | DANCE | BROKER | NONE | - | - | NO_BODY | a, b |'
    breaks rfc common/wire/header.def 'FIELD(HAT, 9, "")' \
        'field HAT has no row in a table of docs/rfc/1.md: | 9 | HAT |'
    breaks rfc common/include/drover/status.def 'DROVER_STATUS(TIRED, 99, "x")' 'status TIRED has no row'
    breaks rfc docs/rfc/1.md '| 99 | TIRED | a status |' 'status TIRED is in no table of the code'
    # Number, sender, body and meaning.
    rewords 's/| 6 | .CALL./| 7 | CALL/' 'command CALL reads otherwise in common/wire/commands.def'
    rewords 's/| PING | CLIENT, /| PING | /' 'command PING reads otherwise'
    rewords '/| HELLO |/s/| BODY |/| ANY_BODY |/' 'command HELLO reads otherwise'
    rewords 's/| 5 | NOT_FOUND | /| 5 | NOT_FOUND | not /' 'status NOT_FOUND reads otherwise'
    rewords 's/| 4 | TARGET |/| 5 | TARGET |/' 'field TARGET reads otherwise'
    rewords '/| .CALL. |/d' 'command CALL has no row'
    make_tree
    sed -i 's/^COMMAND(/COMMANDS(/' common/wire/commands.def
    notices rfc 'a table of the code was not understood'
}

includes_bite
purity_bites
headers_bite
style_bites
rfc_bites
exit "$failed"
