#!/usr/bin/env bash
# Installs what `make check-cost` needs, all from the system's packages: valgrind to count instructions, the symbols of the
# C library to count copies, and nginx to compare CPU with. Running it again is quick.
set -euo pipefail

say() { printf 'cost-setup: %s\n' "$*"; }

missing=()
if ! command -v valgrind >/dev/null || ! command -v vgdb >/dev/null; then missing+=(valgrind); fi
# The library itself has no names for what `memcpy` leads to; they are in this package.
if ! dpkg -s libc6-dbg >/dev/null 2>&1; then missing+=(libc6-dbg); fi
[ -x /usr/sbin/nginx ] || missing+=(nginx-light)
command -v taskset >/dev/null || missing+=(util-linux)
if [ ${#missing[@]} -gt 0 ]; then
    say "installing ${missing[*]} with apt-get"
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -q
    # Debian would start nginx as a service; the check starts its own, on a free port.
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -y -q --no-install-recommends "${missing[@]}"
fi
say "ready"
