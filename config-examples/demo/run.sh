#!/usr/bin/env bash
# The story of a mesh, told with real processes: sessions that stay where their state is, a replica that dies,
# control that dies and comes back. Every claim is checked; the first that is not seen ends the story with exit 1.
#
#   config-examples/demo/run.sh          tells it and cleans up
#   config-examples/demo/run.sh --stay   keeps everything running at the end, to try the commands it showed
#
# Wants the binaries `outrigger` and `counter-agent`: `make demo` builds them. All on free ports of 127.0.0.1,
# everything it writes is in one temporary folder, and every process it starts is ended at the end.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
bin=${OUTRIGGER_BIN:-${CARGO_TARGET_DIR:-$root/target}/debug}
stay=${1:-}
outrigger=$bin/outrigger
agent=$bin/counter-agent
for binary in "$outrigger" "$agent"; do
    [ -x "$binary" ] || { echo "demo: $binary is not built; run: make demo" >&2; exit 1; }
done
# The demo keeps sessions in memory and asks its own control, whatever the shell is set up for.
for name in REDIS_URL OUTRIGGER_LOG OUTRIGGER_IDENTITY OUTRIGGER_OUTBOUND OUTRIGGER_CONTROL_HTTP OUTRIGGER_CONTROL_GRPC; do
    unset "$name"
done

umask 077
dir=$(mktemp -d "${TMPDIR:-/tmp}/outrigger-demo.XXXXXX")
declare -A pids=()
started=$SECONDS

# --- telling -----------------------------------------------------------------------------------------------------------
bold='' dim='' plain=''
[ -t 1 ] && bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'
number=0
step() { number=$((number + 1)); printf '\n%s%d  %s%s\n' "$bold" "$number" "$1" "$plain"; }
did() { printf '   did  %s\n' "$*"; }
saw() { sed 's/^/   saw  /' <<<"$*"; }
try() { printf '   %stry  %s%s\n' "$dim" "$*" "$plain"; }

fail() {
    printf '\nnot seen: %s\n' "$1" >&2
    for log in "$dir"/*.log; do
        printf -- '--- the end of %s\n' "${log##*/}" >&2
        tail -n 5 "$log" >&2
    done
    exit 1
}

# --- processes ---------------------------------------------------------------------------------------------------------
start() { # NAME COMMAND…: starts it in the background, its output in NAME.log
    local name=$1
    shift
    "$@" >"$dir/$name.log" 2>&1 &
    pids[$name]=$!
}

is_over() { # PID: it has ended, though nobody may have asked for its exit code yet
    local state=Z
    { read -r _ _ state _ <"/proc/$1/stat"; } 2>/dev/null
    [ "$state" = Z ]
}

end() { # NAME SIGNAL: ends it, by force after 15 s, and gives its exit code
    local pid=${pids[$1]:-} deadline=$((SECONDS + 15))
    [ -n "$pid" ] || return 0
    unset "pids[$1]"
    # The shell reports a killed job on its own standard error as soon as it notices; the story tells it already.
    {
        kill "-$2" "$pid"
        until is_over "$pid"; do
            [ $SECONDS -lt $deadline ] || { kill -KILL "$pid"; break; }
            sleep 0.05
        done
        wait "$pid"
    } 2>/dev/null
}

clean_up() {
    local code=$?
    trap - EXIT INT TERM
    for name in "${!pids[@]}"; do end "$name" KILL; done
    rm -rf "$dir"
    exit $code
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --- seeing ------------------------------------------------------------------------------------------------------------
within() { # SECONDS WHAT COMMAND…: repeats the command until it succeeds
    local deadline=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        [ $SECONDS -lt $deadline ] || fail "$what"
        sleep 0.1
    done
}

port() { sed -n "s/.*\"$2\":\"\([^\"]*\)\".*/\1/p" "$dir/$1.ports"; }

call() { # [--session S] TOOL: the answer to stdout, what was said beside it to $dir/said
    local session=()
    [ "$1" = --session ] && { session=(--session "$2"); shift 2; }
    "$outrigger" call counter "$1" "${session[@]}" --within 15 --outbound "$outbound" 2>"$dir/said"
}

session_said() { sed -n 's/^session: //p' "$dir/said"; }

get() { "$outrigger" get "$@" --control "$http"; }

healthy_is() { get agents 2>/dev/null | grep -Eq "^counter +[^ ]+ +$1 "; }

synced_is() { # N: all N proxies and nobody else are SYNCED
    local table
    table=$(get proxies 2>/dev/null) || return 1
    [ "$(grep -c ' SYNCED ' <<<"$table")" = "$1" ] && [ "$(wc -l <<<"$table")" = $(($1 + 1)) ]
}

ready() { "$outrigger" healthcheck "$1" >/dev/null 2>&1; }

# ------------------------------------------------------------------------------------------------------------------------
printf 'Outrigger: three copies of an agent that knows nothing of us, and a client that talks to one address.\n'

step 'Everyone gets an identity'
"$outrigger" ca init --dir "$dir/authority" --trust-domain demo >/dev/null || fail 'an authority'
for identity in control agent/counter node/caller operator/you; do
    "$outrigger" ca issue --dir "$dir/authority" "$identity" --out "$dir" --days 1 >/dev/null || fail "a certificate for $identity"
done
did "outrigger ca init --dir authority --trust-domain demo, and outrigger ca issue for each party"
saw "spiffe://demo/control, …/agent/counter, …/node/caller, …/operator/you: proxies prove these to each other and to control"

step 'Control starts, with SQLite'
cat >"$dir/control.yaml" <<YAML
listen: {grpc: "127.0.0.1:0", http: "127.0.0.1:0"}
store: sqlite:control.db
identity: {certificate: control.pem, key: control.key, authority: ca.pem}
YAML
start control "$outrigger" control -f "$dir/control.yaml" --ports-file "$dir/control.ports"
within 10 'control listens' test -s "$dir/control.ports"
grpc=$(port control grpc) http=$(port control http)
within 10 'control is ready' ready "$http"
did "outrigger control -f control.yaml"
saw "control listens on $grpc (gRPC, mTLS) and $http (HTTP, for operators)"

step 'Three copies of an example agent start, each beside its own proxy'
identity='certificate: counter.pem, key: counter.key, authority: ca.pem'
listen='listen: {outbound: "127.0.0.1:0", inbound: "127.0.0.1:0", admin: "127.0.0.1:0", health: "127.0.0.1:0"}'
for i in 1 2 3; do
    start "counter-$i" "$agent" --port 0 --name "counter-$i"
    within 10 "counter-$i listens" grep -qs 'listens on' "$dir/counter-$i.log"
    url=$(sed -n 's/.* listens on //p' "$dir/counter-$i.log")
    cat >"$dir/proxy-$i.yaml" <<YAML
agents: [{name: counter, replica: counter-$i, url: "$url", version: 1.0.0, probe: {interval_ms: 250}}]
$listen
control: {address: "$grpc"}
identity: {$identity}
snapshot: {file: proxy-$i.snapshot}
threads: 1
YAML
    start "proxy-$i" "$outrigger" proxy -f "$dir/proxy-$i.yaml" --ports-file "$dir/proxy-$i.ports"
done
cat >"$dir/caller.yaml" <<YAML
node: caller
$listen
control: {address: "$grpc"}
identity: {certificate: caller.pem, key: caller.key, authority: ca.pem}
snapshot: {file: caller.snapshot}
threads: 1
YAML
start caller "$outrigger" proxy -f "$dir/caller.yaml" --ports-file "$dir/caller.ports"
within 10 'the calling proxy listens' test -s "$dir/caller.ports"
outbound=$(port caller outbound)
within 15 'three healthy replicas' healthy_is 3/3
within 15 'four proxies on the newest snapshot' synced_is 4
did "counter-agent --port … --name counter-1 (an MCP server built with the official Rust SDK, unchanged), and so on"
did "outrigger proxy -f … four times: one beside each copy, one beside the client"
saw "$(get agents)"
saw "$(get proxies)"
try "outrigger get agents -o wide --control $http"
try "outrigger watch --grpc $grpc --identity $dir/you.pem"

step 'A stranger without a certificate gets nothing'
within 10 'proxy-1 listens' test -s "$dir/proxy-1.ports"
inbound=$(port proxy-1 inbound)
answer=$(timeout 5 bash -c "exec 3<>/dev/tcp/${inbound%:*}/${inbound##*:}
    printf 'GET /agents/counter-1/mcp HTTP/1.1\r\nHost: x\r\n\r\n' >&3; head -c 8 <&3" 2>/dev/null | tr -dc '[:print:]')
case "$answer" in HTTP*) fail 'a plaintext request to the inbound listener is not answered' ;; esac
did "a plain HTTP request to the inbound listener of proxy-1, $inbound"
saw "no HTTP answer: proxies talk to each other over mTLS only"

step 'A client opens a session through localhost, and all its calls land on one replica'
first=$(call --session new increment) || fail "a first call: $(cat "$dir/said")"
session=$(session_said)
[ -n "$session" ] || fail 'a session id'
home=${first%% *}
[ "$first" = "$home counts 1" ] || fail "a first count, not: $first"
did "outrigger call counter increment --session new"
saw "$first"
for count in 2 3 4 5 6; do
    answer=$(call --session "$session" increment) || fail "call $count of the session: $(cat "$dir/said")"
    [ "$answer" = "$home counts $count" ] || fail "$home counts $count, not: $answer"
done
did "five more calls with --session ID"
saw "$answer: its state is there, and nowhere else"
try "outrigger call counter increment --session new --outbound $outbound"

step 'Other sessions spread over the replicas'
declare -A homes=()
for _ in 1 2 3 4 5 6 7 8 9; do
    answer=$(call --session new increment) || fail "a new session: $(cat "$dir/said")"
    homes[${answer%% *}]=$((${homes[${answer%% *}]:-0} + 1))
done
[ ${#homes[@]} -ge 2 ] || fail 'new sessions on more than one replica'
did "nine more clients, each with a session of its own"
saw "$(for name in "${!homes[@]}"; do echo "$name has ${homes[$name]} of them"; done | sort)"

step "The replica of our session is killed: $home"
end "$home" KILL
answer=$(call --session "$session" increment) && fail "the lost session is refused, not: $answer"
grep -Eq '404|gone' "$dir/said" || fail "a 404, the sign to open a new session; instead: $(cat "$dir/said")"
did "kill -9 the process of $home, then one more call with --session ID"
saw "$(cat "$dir/said")"
answer=$(call --session new increment) || fail "a new session elsewhere: $(cat "$dir/said")"
session=$(session_said) old=$home home=${answer%% *}
[ "$home" != "$old" ] || fail "another replica than $old"
again=$(call --session "$session" increment) || fail "the second call of the new session: $(cat "$dir/said")"
[ "$again" = "$home counts 2" ] || fail "$home counts 2, not: $again"
did "what MCP clients do on a 404: a new session, and on it goes"
saw "$answer"
saw "$again"
within 10 'two healthy replicas' healthy_is 2/3
saw "$(get agents)"
try "outrigger explain counter --control $http"

step 'Control is killed: calls go on'
end control KILL
for count in 3 4 5; do
    answer=$(call --session "$session" increment) || fail "a call without control: $(cat "$dir/said")"
    [ "$answer" = "$home counts $count" ] || fail "$home counts $count, not: $answer"
done
other=$(call whoami) || fail "a new session without control: $(cat "$dir/said")"
did "kill -9 control, three more calls of the session, one of a new client"
saw "$answer; the new client was served by $other"
missing=$(get proxies 2>&1) && fail 'control is away'
saw "$(head -n 1 <<<"$missing")"

step 'Control comes back: everyone is SYNCED, nobody was restarted'
rm -f "$dir/control.ports"
start control env OUTRIGGER_LISTEN__GRPC="$grpc" OUTRIGGER_LISTEN__HTTP="$http" \
    "$outrigger" control -f "$dir/control.yaml" --ports-file "$dir/control.ports"
within 10 'control listens again' test -s "$dir/control.ports"
within 30 'four proxies on the newest snapshot again' synced_is 4
answer=$(call --session "$session" increment) || fail "the session after control came back: $(cat "$dir/said")"
[ "$answer" = "$home counts 6" ] || fail "$home counts 6, not: $answer"
did "outrigger control -f control.yaml, on the same addresses; then outrigger get proxies"
saw "$(get proxies)"
saw "$answer: the session never noticed"
explained=$("$outrigger" explain counter --control "$http") || fail "an explanation: $explained"
did "outrigger explain counter"
saw "$explained"
try "outrigger get events --control $http"

if [ "$stay" = --stay ]; then
    printf '\nEverything is still running; the files are in %s. Enter ends it.\n' "$dir"
    read -r _
fi

step 'Everything stops, in order'
for name in caller proxy-1 proxy-2 proxy-3 control; do
    end "$name" TERM || fail "$name ends in order, with exit code 0"
done
for name in "${!pids[@]}"; do end "$name" TERM; done
did "SIGTERM to the proxies, then to control"
saw "each ended with exit code 0; nothing is left running"
printf '\nThat took %d s. What to try next: outrigger up NAME=URL beside a server you already run.\n' $((SECONDS - started))
