#!/usr/bin/env bash
# etcd's official Go package `naming/endpoints` and the kit, each reading what the other writes. Part of `npm run interop`; needs Debian's
# etcd-server and go, and is left out where one is missing.
set -euo pipefail
cd "$(dirname "$0")/../.."
for tool in etcd go; do
  command -v $tool >/dev/null || { echo "left out: etcd's naming convention needs $tool"; exit 0; }
done
work=$PWD/.inferwire/interop
mkdir -p "$work"
(cd test/interop/etcd && go build -o "$work/naming" .)

data=$(mktemp -d)
port=$((20000 + RANDOM % 20000))
etcd --data-dir "$data" --log-level error --listen-client-urls "http://127.0.0.1:$port" \
  --advertise-client-urls "http://127.0.0.1:$port" --listen-peer-urls "http://127.0.0.1:$((port + 1))" \
  --initial-advertise-peer-urls "http://127.0.0.1:$((port + 1))" --initial-cluster "default=http://127.0.0.1:$((port + 1))" \
  >"$work/etcd.log" 2>&1 &
pids=$!
trap 'kill $pids 2>/dev/null; wait; rm -rf "$data"' EXIT
until curl -sf "http://127.0.0.1:$port/health" >/dev/null; do
  kill -0 $pids 2>/dev/null || { cat "$work/etcd.log"; exit 1; }
  sleep 0.1
done

expect() {
  local name=$1 wanted=$2 seen=$3
  case $seen in *"$wanted"*) echo "ok $name" ;; *) echo "FAILED $name: $seen, expected $wanted"; exit 1 ;; esac
}

# The kit reads what the official package writes.
mkfifo "$data/input"
"$work/naming" "127.0.0.1:$port" services/mnist go-1 10.0.0.1:80 7 <"$data/input" >"$data/go.txt" &
pids="$pids $!"
exec 3>"$data/input"
until [ -s "$data/go.txt" ]; do sleep 0.1; done
expect "Go's naming/endpoints, read by a target" '"weight":7' \
  "$(node dist/src/cli/main.js resolve --json "etcd://127.0.0.1:$port/services/mnist")"

# And the official package what a directory of the kit writes.
node dist/src/cli/main.js directory --endpoint 127.0.0.1:0 --store "etcd://127.0.0.1:$port/services" --json >"$data/directory.json" 2>/dev/null &
pids="$pids $!"
until [ -s "$data/directory.json" ]; do sleep 0.1; done
directory=$(node -p "JSON.parse(require('fs').readFileSync('$data/directory.json')).address")
cat >"$data/host.mjs" <<HOST
import { BaseProcessor } from "$PWD/dist/src/host/index.js";
class Echo extends BaseProcessor { process(data) { return data; } }
await new Echo({ service: "echo", endpoint: "127.0.0.1:0", directory: "$directory", name: "kit-1", weight: 42 }).run();
HOST
node "$data/host.mjs" >/dev/null 2>&1 &
pids="$pids $!"
for _ in $(seq 100); do
  read_back=$("$work/naming" "127.0.0.1:$port" services/echo go-2 10.0.0.2:80 1 </dev/null)
  case $read_back in *kit-1*) break ;; esac
  sleep 0.1
done
expect "a directory of the kit, read by Go's naming/endpoints" kit-1 "$read_back"
