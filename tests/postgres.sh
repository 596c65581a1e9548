#!/usr/bin/env bash
# A PostgreSQL of a test's own, for as long as standard input is open: in a folder that is removed, on a Unix socket, no network.
#
# Says `ready FOLDER` once it answers; the socket is in FOLDER, the user is `mesh`. Then takes commands, one a line, and answers each with
# `done`: `freeze` and `thaw` all of its processes, `kill` all of them as a power cut would, `start` it again on what it left.
# Run by root it runs as nobody: PostgreSQL refuses to be root.
set -u
bin=$(dirname "$(ls -d /usr/lib/postgresql/*/bin/postgres 2>/dev/null | sort -V | tail -1)" 2>/dev/null)
[ -x "$bin/postgres" ] || { echo "no PostgreSQL is here; tests/setup.sh installs it" >&2; exit 1; }
folder=$(mktemp -d "${TMPDIR:-/tmp}/outrigger-pg.XXXXXX")
as=()
if [ "$(id -u)" = 0 ]; then
    chown nobody "$folder"
    chmod 0755 "$folder"
    as=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
fi
postmaster=

all() { echo "$postmaster $(cat "/proc/$postmaster/task/$postmaster/children" 2>/dev/null)"; }

start() {
    # Nothing here outlives the test, so nothing waits for a disk.
    "${as[@]}" "$bin/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= -c fsync=off -c max_connections=200 \
        -c shared_buffers=16MB >>"$folder/log" 2>&1 </dev/null &
    postmaster=$!
    for _ in $(seq 1200); do
        "$bin/pg_isready" -q -h "$folder" -U mesh && return 0
        kill -0 "$postmaster" 2>/dev/null || break
        sleep 0.025
    done
    cat "$folder/log" >&2
    return 1
}

end() {
    # shellcheck disable=SC2046
    [ -n "$postmaster" ] && kill -KILL $(all) 2>/dev/null
    wait 2>/dev/null
    rm -rf "$folder"
}
trap end EXIT
trap 'exit 1' TERM INT HUP

(cd "$folder" && "${as[@]}" "$bin/initdb" -D "$folder/data" -U mesh -A trust -E UTF8 --locale=C --no-sync >"$folder/log" 2>&1) ||
    { cat "$folder/log" >&2; exit 1; }
cd "$folder" || exit 1
start || exit 1
echo "ready $folder"
while read -r command; do
    # shellcheck disable=SC2046
    case "$command" in
        freeze) kill -STOP $(all) ;;
        thaw) kill -CONT $(all) ;;
        kill) kill -KILL $(all); wait "$postmaster" 2>/dev/null ;;
        start) start || exit 1 ;;
        *) echo "unknown: $command" >&2; exit 1 ;;
    esac
    echo done
done
