# engine.sh - a docker engine for tests/system/docker/run, which sources it
#
# The engine of our own has namespaces of its own for processes and mounts, no bridge and no packet filter: when its first
# process ends, all it started ends with it, and neither links nor rules nor sysctls of the machine were touched. Builds
# reach the network as the machine does.
#
# shellcheck shell=bash
# shellcheck disable=SC2154 # scratch, project, top: of run and lib.sh

engine=''        # the process that holds the namespaces of our own engine; empty: somebody else's is used
engine_folders=() # those in /run and /etc that were made for it

# bounded SECONDS COMMAND...: with a limit, without input
bounded() {
    local limit=$1
    shift
    timeout -k 10 "$limit" "$@" </dev/null
}

# skip_all REASON: the whole run
skip_all() {
    printf 'skipped: docker: %s\n\n0 passed, 0 failed, 1 skipped\n' "$1"
    exit 77
}

# compose SECONDS ARGUMENT...: whichever docker-compose is here, on the files of this test
compose() {
    local limit=$1
    shift
    bounded "$limit" "${compose_program[@]}" --project-name "$project" --file "$copy/deploy/compose.yaml" \
        --file "$scratch/compose.yaml" "$@"
}

find_compose() {
    compose_program=(docker-compose)
    command -v docker-compose >/dev/null || compose_program=(docker compose)
    bounded 20 "${compose_program[@]}" version >/dev/null 2>&1
}

# build_network is for steps.sh.
# shellcheck disable=SC2034
find_engine() {
    build_network=${BUILD_NETWORK:-default}
    if bounded 20 docker info >/dev/null 2>&1 && find_compose; then
        say "using the engine that is reachable"
        return
    fi
    [ "$(id -u)" = 0 ] || skip_all "no docker engine is reachable, and only root can start one"
    # In a process of its own: what cannot be installed ends that one only.
    (need_packages docker) >&2 || skip_all "the packages of an engine cannot be installed"
    find_compose || skip_all "docker-compose does not run"
    say "starting an engine"
    engine_start || skip_all "dockerd does not start: $(grep -v level=info "$scratch/engine.log" | tail -n 1)"
    build_network=host
    make_base || skip_all "no base image: $(tail -n 1 "$scratch/log")"
}

# The folders that an engine uses wherever its own are; ours sees empty ones in their place.
hide_folders() {
    local folder
    for folder in /run/containerd /run/docker /etc/docker; do
        [ -d "$folder" ] || { mkdir "$folder" && engine_folders+=("$folder"); }
    done
}

engine_start() {
    local options=(--host "unix://$scratch/docker.sock" --data-root "$scratch/data" --exec-root "$scratch/run"
        --pidfile "$scratch/pid" --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "$project"
        --bridge none --iptables=false --ip-masq=false --ip-forward=false --userland-proxy=false)
    hide_folders
    ls /sys/class/net >"$scratch/links"
    # shellcheck disable=SC2016 # for the inner shell
    nice -n 5 unshare --mount --pid --fork --kill-child --propagation private -- bash -c '
        mount -t proc proc /proc
        for folder in /run/containerd /run/docker /etc/docker; do mount -t tmpfs none "$folder"; done
        exec dockerd "$@"' dockerd "${options[@]}" >"$scratch/engine.log" 2>&1 </dev/null &
    engine=$!
    export DOCKER_HOST=unix://$scratch/docker.sock
    unset DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_CERT_PATH
    await 30 'API listen on' tail -n +1 --pid="$engine" -f "$scratch/engine.log"
}

# The first process of its namespaces, which is dockerd, as the machine sees it.
engine_process() {
    tr -d ' ' <"/proc/$engine/task/$engine/children"
}

# What ended engines may leave: links of networks, control groups.
remove_leftovers() {
    local link
    for link in /sys/class/net/br-*; do
        link=${link##*/}
        [ ! -e "/sys/class/net/$link" ] || grep -qxF "$link" "$scratch/links" || ip link delete "$link" || true
    done
    find /sys/fs/cgroup -depth -type d -path "*/$project*" -exec rmdir {} + 2>/dev/null || true
}

# Orderly first; then whatever is left in its namespace is killed with the first process there.
engine_stop() {
    [ -n "$engine" ] || return 0
    kill -TERM "$(engine_process 2>/dev/null)" 2>/dev/null || true
    timeout 40 tail --pid="$engine" -f /dev/null || kill -KILL "$engine" 2>/dev/null || true
    wait "$engine" 2>/dev/null || true
    engine=''
    remove_leftovers
    [ ${#engine_folders[@]} = 0 ] || rmdir "${engine_folders[@]}" 2>/dev/null || true
    engine_folders=()
}

# The lines of sources.list with which this machine itself gets Debian 12.
debian_sources() {
    # shellcheck disable=SC2016 # apt's own variables
    apt-get indextargets --format 'deb $(SITE) $(RELEASE) main' 'Created-By: Packages' 'Component: main' |
        grep -E ' bookworm(-updates|-security)? main$' | sort -u
}

# pack TREE TAR: as the slim image is, without what only people read
pack() {
    local tree=$1 excluded
    shift
    excluded=(usr/share/doc usr/share/man usr/share/locale usr/share/info var/cache/apt var/lib/apt/lists)
    tar -C "$tree" -cf "$1" "${excluded[@]/#/--exclude=./}" .
}

# A small Debian 12 as $1.
bootstrap() {
    local mirror
    mirror=$(debian_sources | awk '$3 == "bookworm" {print $2; exit}')
    [ -n "$mirror" ] || { echo "this machine has no mirror of Debian 12"; return 1; }
    bounded 400 nice -n 5 debootstrap --variant=minbase bookworm "$scratch/base" "$mirror" || return 1
    debian_sources >"$scratch/base/etc/apt/sources.list"
    pack "$scratch/base" "$1.new" && rm -rf "$scratch/base" && mv "$1.new" "$1"
}

make_base() {
    local cache=${BASE_CACHE:-build/cache} tar
    tar=$cache/debian-bookworm.tar
    mkdir -p "$cache"
    if [ ! -e "$tar" ]; then
        say "making a base image"
        bootstrap "$tar" >>"$scratch/log" 2>&1 || return 1
    fi
    bounded 60 docker import -c 'CMD ["bash"]' "$tar" debian:bookworm-slim >>"$scratch/log" 2>&1
}
