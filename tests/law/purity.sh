#!/usr/bin/env bash
# purity.sh - law: the engine and what it stands on call no clock, no random, no socket, no file and no terminal
#
# They get time and randomness as parameters, which is what lets the tests run them in virtual time.
. "$(dirname "$0")/law.sh"

headers='zmq|czmq|zmq_utils|time|sys/time|sys/timerfd|sys/random|sodium|threads|pthread|unistd|fcntl|poll|dirent|spawn'
headers+='|signal|sys/(socket|un|epoll|poll|select|stat|mman|wait|eventfd|signalfd|inotify|ioctl)|netdb'
calls='v?f?printf|v?dprintf|f?puts|f?putc|putchar|perror|f(open|read|write|close|flush|gets|scanf|dopen)|getline|scanf'
calls+='|freopen|popen|system|tmpfile|time|clock|clock_gettime|gettimeofday|timespec_get|s?rand|s?random'
calls+='|rand_r|getrandom|getentropy|arc4random|socket|getenv|secure_getenv|exit|abort'

law_files broker/core common/base common/wire common/config common/idl worker/rollout | law_code | awk -v headers="$headers" \
    -v calls="$calls" '
{
    place = $0
    sub(/:.*/, "", place)
    line = $0
    sub(/^[^:]*:/, "", line)
    number = line
    sub(/:.*/, "", number)
    sub(/^[0-9]*:/, "", line)
    if (line ~ ("^[ \t]*#[ \t]*include[ \t]*<(" headers ")\\.h>")) {
        print place ":" number ": a pure folder must not have" line
    } else if (match(line, "(^|[^A-Za-z0-9_.>])(" calls ")[ \t]*\\(")) {
        call = substr(line, RSTART, RLENGTH)
        gsub(/[^A-Za-z0-9_]/, "", call)
        print place ":" number ": a pure folder must not call " call "()"
    } else if (line ~ /(^|[^A-Za-z0-9_])(stdin|stdout|stderr)([^A-Za-z0-9_]|$)/) {
        print place ":" number ": a pure folder has no streams"
    }
}' | law_verdict
