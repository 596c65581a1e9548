#!/usr/bin/env bash
# One run of the conformance client in a fork of client_warm.py.
#
# Usage: client_warm.sh HOST:PORT URL. Prints what the run prints and ends as it ends.
set -euo pipefail
exec 3<>"/dev/tcp/${1%:*}/${1##*:}"
{
    CLIENT_URL=$2 env -0
    printf '\0'
} >&3
ended=1
while IFS= read -r line <&3; do
    case $line in
        "exit "*) ended=${line#exit } ;;
        *) printf '%s\n' "$line" ;;
    esac
done
exit "$ended"
