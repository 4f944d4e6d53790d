# steps.sh - what tests/system/docker/run checks; sourced by it
#
# Each step returns 0 or says on its last line what is wrong. A step may not rely on the one before it but for what is up.
#
# shellcheck shell=bash
# shellcheck disable=SC2154 # scratch, project, image, full, top, here, build_network: of run, engine.sh and lib.sh

copy=$scratch/tree

# check NAME COMMAND...: one line; what the command printed is shown when it fails. $checked is how it ended. Neither it nor
# what it calls may stand in a condition: a step ends with its first command that fails, and a condition would undo that.
check() {
    local name=$1 start=$SECONDS status
    shift
    set +e
    (
        set -e
        "$@"
    ) >"$scratch/out" 2>&1
    status=$?
    set -e
    cat "$scratch/out" >>"$scratch/log"
    if [ $status = 0 ]; then
        passed=$((passed + 1))
        printf 'passed: docker: %s (%d s)\n' "$name" $((SECONDS - start))
    elif [ $status = 77 ]; then
        skipped=$((skipped + 1))
        printf 'skipped: docker: %s: %s\n' "$name" "$(tail -n 1 "$scratch/out")"
    else
        failed=$((failed + 1))
        tail -n 30 "$scratch/out"
        printf 'failed: docker: %s (%d s)\n' "$name" $((SECONDS - start))
    fi
    checked=$status
}

# must NAME COMMAND...: as check; when it fails, the rest makes no sense
must() {
    check "$@"
    [ "$checked" = 0 ] || finish
}

finish() {
    sum_up || exit 1
    exit 0
}

# await SECONDS PATTERN COMMAND...: until the command prints a line that has the pattern; the command is ended
await() {
    local limit=$1 pattern=$2 lines line producer found=1
    shift 2
    exec {lines}< <(exec timeout "$limit" "$@" 2>&1 </dev/null)
    producer=$!
    while IFS= read -r line <&"$lines"; do
        if [[ $line =~ $pattern ]]; then
            found=0
            break
        fi
    done
    kill "$producer" 2>/dev/null || true
    exec {lines}<&-
    [ $found = 0 ] || printf 'waited %s s for "%s" of: %s\n' "$limit" "$pattern" "$*"
    return $found
}

# container SERVICE: its name
container() {
    compose 20 ps --all -q "$1"
}

# What git would commit, or all but what was built.
make_copy() {
    mkdir "$copy"
    if git rev-parse --git-dir >/dev/null 2>&1; then
        git ls-files -z --cached --others --exclude-standard
    else
        find . -path ./build -prune -o -type f -print0
    fi | while IFS= read -r -d '' file; do
        [ ! -e "$file" ] || printf '%s\0' "$file"
    done | tar --null -T - -c | tar -C "$copy" -x --no-same-owner
    cat >"$scratch/compose.yaml" <<TEXT
version: "3.7"
services:
  broker: {image: $image, build: {network: $build_network}}
  client: {image: $image}
TEXT
}

build_images() {
    compose 500 build broker
    bounded 20 docker image ls "$image" | cat
}

come_up() {
    compose 60 up -d --no-build
}

# is_healthy SERVICE: now, or as soon as the engine says so
is_healthy() {
    local name since
    name=$(container "$1")
    since=$(bounded 20 docker inspect --format '{{.State.StartedAt}}' "$name")
    await 60 'health_status: healthy' docker events --since "$since" --filter "container=$name" \
        --filter event=health_status
}

# in_client COMMAND...: in the client's container, as its user
in_client() {
    compose 90 exec -T client "$@"
}

in_broker() {
    compose 90 exec -T broker "$@"
}

answered() {
    in_client drover call userprovider.get_user '{"id": {"opaque_id": "einstein"}}' --deadline 60s | grep 'Albert Einstein'
}

refuses_password() {
    local status=0
    in_client drover call authprovider.authenticate '{"client_id": "einstein", "client_secret": "guessed"}' \
        >"$scratch/refusal" 2>&1 || status=$?
    cat "$scratch/refusal"
    [ $status = 1 ] && grep -q '^UNAUTHENTICATED' "$scratch/refusal"
}

# client_is_answered [SINCE]: by what the client printed since then
client_is_answered() {
    await 60 'Albert Einstein' docker logs --follow --since "${1-1970-01-01T00:00:00Z}" "$(container client)"
}

turns_away() {
    local status=0 run=(docker run --rm --network none --volume "${project}_socket:/run/drover:ro" --user 4321:4321)
    bounded 60 "${run[@]}" --group-add 5570 "$image" drover call echo.echo --timeout 10s
    bounded 60 "${run[@]}" "$image" drover call echo.echo --timeout 1s || status=$?
    [ $status = 69 ]
}

# no_rights CONTAINER: none of its processes is root, has a capability, or may gain one
no_rights() {
    local uid
    bounded 20 docker top "$1" -eo uid,pid,args | tee "$scratch/top"
    [ "$(wc -l <"$scratch/top")" -gt 1 ]
    while read -r uid _; do
        [ "$uid" != 0 ]
    done < <(tail -n +2 "$scratch/top")
    bounded 20 docker exec "$1" sh -c 'cat /proc/[0-9]*/status 2>/dev/null; :' >"$scratch/status"
    grep -E '^(Cap[A-Z]|NoNewPrivs)' "$scratch/status" | sort | uniq -c
    grep -q '^CapBnd:' "$scratch/status"
    [ -z "$(grep -E '^Cap(Eff|Prm|Bnd|Amb):' "$scratch/status" | grep -v '0000000000000000$')" ]
    [ -z "$(grep '^NoNewPrivs:' "$scratch/status" | grep -v '1$')" ]
}

has_no_rights() {
    no_rights "$(container broker)"
    no_rights "$(container client)"
}

# Landlock and seccomp work without a capability, inside docker's own seccomp profile.
has_sandbox() {
    in_broker drover status --json | tee "$scratch/status"
    [ "$(grep -o '"sandbox": *"[^"]*"' "$scratch/status" | grep -c 'landlock.*seccomp')" = 3 ]
}

is_read_only() {
    local service
    for service in broker client; do
        [ "$(bounded 20 docker inspect --format '{{.HostConfig.ReadonlyRootfs}}' "$(container $service)")" = true ]
        compose 20 exec -T $service sh -c 'cd / && for folder in . etc etc/drover usr/local/bin usr/local/libexec tmp var/tmp home
            do if touch $folder/x; then exit 1; fi; done'
    done
    # The engine's own refusal, not only that the user may not.
    bounded 20 docker exec --user 0 "$(container broker)" sh -c 'touch /etc/x 2>&1; :' | grep 'Read-only file system'
    in_broker test -S /run/drover/broker.sock
    in_client sh -c 'if rm /run/drover/broker.sock; then exit 1; fi'
}

now() {
    date -u +%Y-%m-%dT%H:%M:%S.%NZ
}

# everything_answers SINCE: a call made now, the client's own next one, and every service is ready
everything_answers() {
    in_broker drover status --wait 60s
    answered
    client_is_answered "$1"
}

# heals_after WAY SERVICE...: all are taken away in this order, and come back in this order
heals_after() {
    local way=$1 service since names=()
    shift
    for service in "$@"; do
        names+=("$(container "$service")")
    done
    if [ "$way" = restart ] && [ $# = 1 ]; then
        bounded 60 docker restart -t 30 "${names[@]}"
    else
        for service in "${names[@]}"; do
            if [ "$way" = kill ]; then
                bounded 60 docker kill --signal KILL "$service"
            else
                bounded 60 docker stop -t 30 "$service"
            fi
        done
        for service in "${names[@]}"; do
            bounded 60 docker start "$service"
        done
    fi
    since=$(now)
    everything_answers "$since"
}

heals_client_first() {
    local broker client since call
    broker=$(container broker) client=$(container client)
    bounded 60 docker stop -t 30 "$client" "$broker"
    since=$(now)
    bounded 60 docker start "$client"
    answered &
    call=$!
    await 30 'exec_start: drover call' docker events --since "$since" --filter "container=$client"
    bounded 60 docker start "$broker"
    wait $call
    everything_answers "$since"
}

# first_process NAME: that of a container that runs, in the engine's namespace
first_process() {
    bounded 20 docker inspect --format '{{.State.Pid}}' "$1" | grep -x '[1-9][0-9]*'
}

# Not by the engine's hand, which would then leave it dead: the restart policy has to bring it back.
heals_after_death() {
    local name pid since
    [ -n "$engine" ] || { echo "the engine is not ours: its processes are left alone"; exit 77; }
    name=$(container broker)
    pid=$(first_process "$name")
    since=$(now)
    bounded 20 nsenter --target "$(engine_process)" --pid --mount kill -KILL "$pid"
    await 60 ' container start ' docker events --since "$since" --filter "container=$name" --filter event=start
    everything_answers "$(now)"
}

heals_after_worker_death() {
    local pid
    # The broker itself names the process; `kill` is the shell's own.
    pid=$(in_broker drover status userprovider --json | sed 's/.*"workers": *\[{"pid": *\([0-9]*\).*/\1/')
    in_broker sh -c "kill -KILL $pid"
    everything_answers "$(now)"
    [ "$(in_broker drover status userprovider --json | sed 's/.*"workers": *\[{"pid": *\([0-9]*\).*/\1/')" != "$pid" ]
}

# Until the broker that runs now has counted a call of echo, which only keeps_session makes.
echo_is_called() {
    await 30 '"calls": *[1-9]' docker exec "$(container broker)" timeout 30 drover status echo --json --watch
}

# One process in the client's container, one connection: it calls a broker, and then the next one.
keeps_session() {
    local client caller
    client=$(container client)
    in_broker drover status --wait 60s
    # shellcheck disable=SC2016 # for the shell in the container
    caller=$(bounded 60 docker exec "$client" sh -c \
        'drover bench echo.echo "{\"payload\": \"again\"}" --rate 20 --duration 120s >/dev/null 2>&1 & echo $!')
    echo_is_called
    bounded 60 docker restart -t 30 "$(container broker)"
    in_broker drover status --wait 60s
    echo_is_called
    bounded 20 docker exec "$client" sh -c "kill $caller"
}

stops_by_itself() {
    local name
    name=$(container broker)
    bounded 60 docker stop -t 30 "$name"
    [ "$(bounded 20 docker inspect --format '{{.State.ExitCode}} {{.State.OOMKilled}}' "$name")" = "0 false" ]
    bounded 60 docker start "$name"
    everything_answers "$(now)"
}

goes_down() {
    compose 60 down --volumes --timeout 20
    [ -z "$(bounded 20 docker ps --all --quiet --filter "label=com.docker.compose.project=$project")" ]
    [ -z "$(bounded 20 docker volume ls --quiet --filter "name=$project")" ]
    [ -z "$(bounded 20 docker network ls --quiet --filter "name=$project")" ]
}

# With the larger image: a folder with one source file is a driver. Nothing of it is root either, and it may write as little.
compiles() {
    local name=$project-full
    # With compose's arguments: what it built is used again.
    bounded 500 docker build --network "$build_network" --build-arg "APT_MIRROR=${APT_MIRROR-}" \
        --file "$copy/deploy/Dockerfile" --target full --tag "$full" "$copy"
    mkdir -p "$scratch/etc/hello"
    cp "$copy/tests/examples/hello_driver.c" "$scratch/etc/hello"
    cat >"$scratch/etc/drover.yaml" <<TEXT
broker: {listen: ["ipc:///run/drover/broker.sock"], state_dir: /var/lib/drover}
services: {hello: {driver: ./hello}}
TEXT
    chmod -R a+rX "$scratch/etc"
    bounded 60 docker run --detach --name "$name" --network none --read-only --cap-drop ALL \
        --security-opt no-new-privileges --volume "$scratch/etc:/etc/drover:ro" "$full"
    bounded 120 docker exec "$name" drover status --wait 100s || { bounded 20 docker logs "$name"; return 1; }
    bounded 60 docker exec "$name" drover call hello.greet '{"name": "container"}' | grep 'Hello, container'
    no_rights "$name"
    bounded 60 docker rm --force "$name"
}

# Namespaces, mounts, links, control groups, folders: all of it is gone with the engine.
leaves_nothing() {
    [ -n "$engine" ] || { echo "the engine is not ours: it goes on running"; exit 77; }
    engine_stop
    ! grep -F "$scratch" /proc/mounts
    ls /sys/class/net | diff "$scratch/links" -
    [ -z "$(find /sys/fs/cgroup -type d -path "*/$project*")" ]
}
