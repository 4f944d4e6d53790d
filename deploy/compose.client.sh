#!/bin/sh
# compose.client.sh - the client in deploy/compose.yaml: asks again and again who einstein is, and prints the answers
#
# A call waits for its broker, so it matters neither which container starts first nor that the broker is away for a
# while; a call that fails all the same is printed, and the next one made.
trap 'exit 0' TERM INT
while :; do
    drover call userprovider.get_user '{"id": {"opaque_id": "einstein"}}' --json --deadline 60s
    sleep 2 &
    wait $!
done
