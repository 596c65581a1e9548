#!/usr/bin/env bash
# Installs what `outrigger-load cost` needs, from the system's packages: valgrind to count instructions, and the symbols of
# the C library to count copies. Running it again is quick.
set -euo pipefail

say() { printf 'cost-setup: %s\n' "$*"; }

missing=()
if ! command -v valgrind >/dev/null || ! command -v vgdb >/dev/null; then missing+=(valgrind); fi
# The library itself has no names for what `memcpy` leads to; they are in this package.
if ! dpkg -s libc6-dbg >/dev/null 2>&1; then missing+=(libc6-dbg); fi
command -v taskset >/dev/null || missing+=(util-linux)
if [ ${#missing[@]} -gt 0 ]; then
    say "installing ${missing[*]} with apt-get"
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -q
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
fi
say "ready"
