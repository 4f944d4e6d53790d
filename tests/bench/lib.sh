# lib.sh - what the benchmarks share: a broker of their own, medians, CPU time of a process
#
# Sourced by the scripts beside it. Needs BIN (a folder with the programs of a release build) and WORK (a scratch folder).

median() { # of the numbers on standard input
    sort -g | awk '{v[NR]=$1} END {if (NR == 0) print "nan"; else print (NR % 2) ? v[(NR+1)/2] : (v[NR/2] + v[NR/2+1]) / 2}'
}

ratio() { awk -v a="$1" -v b="$2" 'BEGIN {if (b + 0 == 0) print "nan"; else printf "%.2f", a / b}'; }

# json_number KEY: the first number under KEY of the JSON on standard input
json_number() { grep -o "\"$1\": *[0-9.]*" | head -n 1 | grep -o '[0-9.]*$'; }

cpu_us() { # user and system time of process $1, all threads, in microseconds
    awk -v hz="$(getconf CLK_TCK)" '{sub(/.*\) /, ""); printf "%.0f\n", ($12 + $13) * 1000000 / hz}' "/proc/$1/stat"
}

rss_kib() { awk '/^VmRSS/ {print $2}' "/proc/$1/status"; }

BROKER_PID=

# start_broker YAML: with the services given, at $DROVER_BROKER
start_broker() {
    printf 'broker: {listen: ["ipc://%s/b.sock"], state_dir: %s/state}\nservices:\n%s\n' "$WORK" "$WORK" "$1" >"$WORK/drover.yaml"
    export DROVER_BROKER="ipc://$WORK/b.sock"
    "$BIN/drover-broker" --config "$WORK/drover.yaml" >"$WORK/broker.log" 2>&1 &
    BROKER_PID=$!
    "$BIN/drover" status --wait 20s >/dev/null || { cat "$WORK/broker.log"; return 1; }
}

stop_broker() {
    [ -n "$BROKER_PID" ] || return 0
    kill -TERM "$BROKER_PID" 2>/dev/null
    wait "$BROKER_PID"
    BROKER_PID=
}
