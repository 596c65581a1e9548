#!/usr/bin/env bash
# `outrigger up` in front of three copies of the example agent; Ctrl-C stops all.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
bin=${OUTRIGGER_BIN:-${CARGO_TARGET_DIR:-$root/target}/debug}
dir=$(mktemp -d "${TMPDIR:-/tmp}/outrigger-up.XXXXXX")
pids=()
clean_up() {
    [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null
    wait 2>/dev/null
    rm -rf "$dir"
}
trap clean_up EXIT
# Ctrl-C is for `outrigger up`, which stops in order; then this ends, too.
trap : INT TERM

urls=
for i in 1 2 3; do
    # In a session of its own, so that Ctrl-C does not reach it before the proxy has drained.
    setsid "$bin/counter-agent" --port 0 --name "counter-$i" >"$dir/counter-$i.log" 2>&1 &
    pids+=($!)
    for _ in $(seq 100); do
        grep -qs 'listens on' "$dir/counter-$i.log" && break
        sleep 0.05
    done
    urls+=${urls:+,}$(sed -n 's/.* listens on //p' "$dir/counter-$i.log")
done
echo "\$ outrigger up counter=$urls $*"
"$bin/outrigger" up "counter=$urls" "$@"
