#!/usr/bin/env bash
# Runs a command when it is its turn: a few at once. The suite starts all of its scenarios side by side, and forty clients
# on two cores meet the time limits of their SDKs instead of the server.
#
# Usage: turn.sh FOLDER COMMAND... URL. FOLDER holds one lock for each place.
set -euo pipefail
places=6
folder=$1
shift
for place in $(seq "$places"); do
    exec 4>"$folder/place-$place"
    if flock --nonblock 4; then
        exec "$@"
    fi
done
# All are taken: wait for one of them, whichever the port of the URL says.
port=${*: -1}
port=${port##*:}
exec 4>"$folder/place-$((${port%%/*} % places + 1))"
flock 4
exec "$@"
