#!/usr/bin/env bash
# Runs a client behind a mesh that is stood up for the one URL it is given.
#
# Usage: through.sh HOST:PORT COMMAND... URL. Whoever listens at HOST:PORT is told the URL, and answers with the one to use
# instead and, if there is to be one, the client's HTTP proxy. What it stood up lives as long as this connection.
set -euo pipefail
door=$1
url=${*: -1}
command=("${@:2:$#-2}")
exec 3<>"/dev/tcp/${door%:*}/${door##*:}"
echo "$url" >&3
read -r instead proxy <&3
if [ -n "$proxy" ]; then
    export HTTP_PROXY=$proxy http_proxy=$proxy NODE_USE_ENV_PROXY=1
fi
"${command[@]}" "$instead" 3>&-
