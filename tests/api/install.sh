#!/usr/bin/env bash
# install.sh NAME - one test of the installed tree; CMakeLists.txt of this folder says what is in the environment
set -euo pipefail

export PKG_CONFIG_PATH=$TREE/$LIBDIR/pkgconfig PATH=$TREE/bin:$PATH
flags=(-Wall -Wextra -Wpedantic -Werror)
[ -z "$SANITIZE" ] || flags+=("-fsanitize=$SANITIZE")
rpath=-Wl,-rpath,$TREE/$LIBDIR

fail() {
    echo "$*"
    exit 1
}

need_cxx() {
    if [ -z "$CXX" ]; then
        echo "no C++ compiler"
        exit 77
    fi
}

run_tree() {
    rm -rf "$TREE"
    "$CMAKE" --install "$BUILD" --prefix "$TREE" >/dev/null
}

run_layout() {
    local file
    for file in bin/drover bin/drover-broker bin/drover-worker include/drover/{client,worker,value,status}.h \
        include/drover/status.def "$LIBDIR"/libdrover-{client,worker}.so "$LIBDIR"/pkgconfig/drover-{client,worker}.pc \
        "$LIBDIR/cmake/drover/drover-config.cmake" lib/systemd/system/drover-broker.service \
        "$LIBDIR"/drover/drivers/{echo/echo,userprovider/json,authprovider/json}{,.so} libexec/drover/drover-check-driver \
        share/doc/drover/README.md share/doc/drover/examples/{drover.yaml,users.json}; do
        [ -e "$TREE/$file" ] || fail "$file is not installed"
    done
    if grep -rIl -e "$SOURCE" -e "$BUILD" "$TREE/$LIBDIR" "$TREE/include"; then
        fail "the files above name the folder that drover was built in"
    fi
}

# What a header declares: the words before a parenthesis on the lines that DROVER_EXPORT begins.
declared() {
    tr '\n' ' ' <"$1" | grep -oE 'DROVER_EXPORT[^;(]*\(' | grep -oE 'drover_[a-z0-9_]+\($' | tr -d '('
}

# A library has what its headers declare, and shows nothing else.
run_symbols() {
    local library wanted had
    for library in client worker; do
        wanted=$(for header in "$library" value status; do declared "$TREE/include/drover/$header.h"; done | sort -u)
        had=$(nm -D --defined-only "$TREE/$LIBDIR/libdrover-$library.so" | awk '$2 ~ /[A-Z]/ { print $3 }' | sort -u)
        diff -u --label "headers of libdrover-$library" --label "its symbols" <(echo "$wanted") <(echo "$had") ||
            fail "libdrover-$library does not match its headers"
    done
}

# compile OUTPUT SOURCE LIBRARY [OPTION...]: as the README says
compile() {
    local output=$1 source=$2 library=$3
    shift 3
    # shellcheck disable=SC2046
    "$CC" -std=c17 "${flags[@]}" "$@" -o "$output" "$source" $(pkg-config --cflags --libs "$library") "$rpath"
}

# The README's programs, compiled with pkg-config.
run_hello() {
    mkdir -p "$TREE/hello"
    compile "$TREE/hello/driver" "$SOURCE/tests/examples/hello_driver.c" drover-worker
    compile "$TREE/hello/client" "$SOURCE/tests/examples/hello_client.c" drover-client
}

run_cmake() {
    need_cxx
    local work
    work=$(mktemp -d)
    # shellcheck disable=SC2064
    trap "rm -rf '$work'" EXIT
    "$CMAKE" -G Ninja -S "$SOURCE/tests/api/consumer" -B "$work" -DCMAKE_PREFIX_PATH="$TREE" -DCMAKE_C_COMPILER="$CC" \
        -DCMAKE_CXX_COMPILER="$CXX" -DCMAKE_C_FLAGS="${flags[*]}" -DCMAKE_CXX_FLAGS="${flags[*]}" \
        -DEXAMPLES="$SOURCE/tests/examples" >/dev/null
    "$CMAKE" --build "$work"
    "$work/cxx"
}

# The README's client calls the README's driver through the installed broker.
run_call() {
    run=$(mktemp -d /tmp/drover-install.XXXXXX)
    export DROVER_BROKER="ipc://$run/broker.sock"
    cat >"$run/drover.yaml" <<YAML
broker:
  listen: ["$DROVER_BROKER"]
  state_dir: $run/state
services:
  hello:
    driver: $TREE/hello/driver
  echo:
    driver: echo
YAML
    drover-broker --config "$run/drover.yaml" 2>"$run/log" </dev/null &
    broker=$!
    trap 'kill "$broker" 2>/dev/null && wait "$broker"; rm -rf "$run"' EXIT
    drover status --wait 30s || fail "the services did not become ready: $(cat "$run/log")"
    drover call echo.echo '{"payload": "through drover-worker"}'
    drover call hello.greet '{"name": "world"}' | grep -F 'Hello, world' || fail "hello.greet gave another greeting"
    "$TREE/hello/client" | tee "$run/greeting"
    grep -qF 'Hello, ' "$run/greeting" || fail "hello_client printed no greeting"
    "$TREE/hello/driver" --help | grep -F hello || fail "hello_driver run by hand does not explain itself"
}

# One source, another form; both keep to the protocol.
run_check() {
    local driver
    compile "$TREE/hello/driver.so" "$SOURCE/tests/examples/hello_driver.c" drover-worker -shared -fPIC
    drover-worker --module "$TREE/hello/driver.so" --help | grep -F "driver: $TREE/hello/driver.so" ||
        fail "the module does not explain itself"
    for driver in "$TREE/hello/driver" "$TREE/hello/driver.so"; do
        drover check-driver "$driver" --interface hello || fail "$driver does not keep to the protocol"
    done
}

"run_$1"
