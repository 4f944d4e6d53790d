#!/usr/bin/env bash
# ssh.sh - a real sshd, as an ordinary user runs one: host keys, keys, the agent
# shellcheck source=tests/system/fetch/lib.sh
. "$(dirname "$0")/lib.sh"
PATH=$PATH:/usr/sbin:/sbin
need sshd openssh-server
need ssh-keygen openssh-client
need ssh openssh-client
sshd=$(command -v sshd)
user=$(id -un)
# What Debian's service makes before it starts sshd; only root's sshd wants it.
made=
if [ "$(id -u)" = 0 ] && [ ! -d /run/sshd ]; then
    mkdir -m 755 /run/sshd || skip "/run/sshd cannot be made"
    made=1
fi
trap '[ -z "$made" ] || rmdir /run/sshd; clean_up' EXIT

new_repository sample
commit file text
ssh-keygen -q -t ed25519 -N '' -f "$scratch/host"
ssh-keygen -q -t ed25519 -N '' -f "$scratch/other_host"
ssh-keygen -q -t ed25519 -N '' -f "$scratch/key"
ssh-keygen -q -t ed25519 -N '' -f "$scratch/stranger"
cp "$scratch/key.pub" "$scratch/authorized"
cat >"$scratch/sshd_config" <<EOF
HostKey $scratch/host
AuthorizedKeysFile $scratch/authorized
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
LogLevel VERBOSE
EOF
serve each "$sshd" -i -e -f "$scratch/sshd_config"
host="[127.0.0.1]:$port"
printf '%s %s\n' "$host" "$(cut -d' ' -f1,2 "$scratch/host.pub")" >"$scratch/known"
url=ssh://$user@127.0.0.1:$port$bare

# Who cannot log in at all (a locked account, no shell) cannot show anything here.
ssh -F none -p "$port" -i "$scratch/key" -o BatchMode=yes -o UserKnownHostsFile="$scratch/known" "$user@127.0.0.1" true \
    </dev/null >>"$scratch/servers.log" 2>&1 || skip "user $user cannot log in to an sshd of its own here"

fetch --url "$url" --key "$scratch/key" --known-hosts "$scratch/known"
works "ssh with a key and a known host"
same "the content is there" text "$(cat "$(field path)/file")"
same "the URL is told" "$url" "$(field url)"

# --- host keys
fetch --url "$url" --key "$scratch/key" --refresh
refused "a host that is not known" 77 UNAUTHENTICATED "host key of '127.0.0.1'" "$(ssh-keygen -lf "$scratch/host.pub" | cut -d' ' -f2)" known_hosts
printf '%s %s\n' "$host" "$(cut -d' ' -f1,2 "$scratch/other_host.pub")" >"$scratch/changed"
fetch --url "$url" --key "$scratch/key" --refresh --known-hosts "$scratch/changed"
refused "a host whose key has changed" 77 UNAUTHENTICATED "host key"
fetch --url "$url" --key "$scratch/key" --refresh --known-hosts "$scratch/nowhere"
refused "host keys that are not there" 78 FAILED_PRECONDITION --known-hosts
cp "$scratch/known" "$scratch/hashed"
ssh-keygen -q -H -f "$scratch/hashed" 2>/dev/null
fetch --url "$url" --key "$scratch/key" --refresh --known-hosts "$scratch/hashed"
done_with "a known host whose name is hashed"
mkdir -p "$HOME/.ssh"
cp "$scratch/known" "$HOME/.ssh/known_hosts"
fetch --url "$url" --key "$scratch/key" --refresh
done_with "a host that the user knows"

# --- keys
fetch --url "$url" --key "$scratch/stranger" --refresh
refused "a key that the server does not know: it is asked once" 77 UNAUTHENTICATED "refuses the key"
fetch --url "$url" --key "$scratch/nowhere" --refresh
refused "a key that is not there" 78 FAILED_PRECONDITION --key "$scratch/nowhere"
fetch --url "$url" --refresh
refused "no key" 77 UNAUTHENTICATED "wants a key"
fetch --url "ssh://no-such-user@127.0.0.1:$port$bare" --key "$scratch/key"
refused "a user that is not there" 77 UNAUTHENTICATED
if command -v ssh-agent >/dev/null && command -v ssh-add >/dev/null; then
    ssh-agent -D -a "$scratch/agent" >/dev/null 2>&1 &
    servers+=($!)
    export SSH_AUTH_SOCK=$scratch/agent
    for _ in $(seq 1000); do
        ssh-add -q "$scratch/key" 2>/dev/null && break
    done
    fetch --url "$url" --refresh
    done_with "a key from the agent"
    ssh-add -q -D 2>/dev/null
    ssh-add -q "$scratch/stranger"
    fetch --url "$url" --refresh
    refused "an agent without the right key" 77 UNAUTHENTICATED
    unset SSH_AUTH_SOCK
fi

# --- repositories
fetch --url "ssh://$user@127.0.0.1:$port$bare.nowhere" --key "$scratch/key"
refused "a repository that is not there" 78 NOT_FOUND
fetch --url "ssh://$user@127.0.0.1:$port$scratch/git/a';touch $scratch/harm;'" --key "$scratch/key"
case $out in *'"event":"done"'*) fail "a path with a command in it" ;; esac
same "a command in the path is not run" "" "$(ls "$scratch/harm" 2>/dev/null || true)"
finish
