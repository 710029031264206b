#!/usr/bin/env bash
# Other people's clients against a host: Python's grpcio, grpcurl, curl, and EAS's own (eas.sh); and
# Kubernetes' schemas against the manifests of init (kubernetes.sh). `npm run interop`; needs
# python3, go, openssl and curl, and installs the clients into .inferwire/interop.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$PWD/.inferwire/interop
mkdir -p "$work/stubs"

[ -x "$work/venv/bin/python" ] || python3 -m venv "$work/venv"
"$work/venv/bin/pip" -q install grpcio grpcio-tools grpcio-health-checking grpcio-reflection prometheus_client
"$work/venv/bin/python" -m grpc_tools.protoc -I proto --python_out="$work/stubs" --grpc_python_out="$work/stubs" \
  proto/inferwire/predict/v1/predict.proto
[ -x "$work/grpcurl" ] || GOBIN=$work go install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null

rm -f "$work/ports.json"
node test/interop/hosts.mjs "$work/cert.pem" "$work/key.pem" >"$work/ports.json" &
hosts=$!
trap 'kill $hosts' EXIT
until [ -s "$work/ports.json" ]; do sleep 0.1; done
clear=$(node -p "JSON.parse(require('fs').readFileSync('$work/ports.json')).clear")
secure=$(node -p "JSON.parse(require('fs').readFileSync('$work/ports.json')).secure")

expect() {
  local name=$1 wanted=$2 seen=$3
  [ "$seen" = "$wanted" ] || { echo "FAILED $name: $seen, expected $wanted"; exit 1; }
  echo "ok $name"
}

PYTHONPATH=$work/stubs "$work/venv/bin/python" test/interop/client.py "$clear" "$secure" "$work/cert.pem"
"$work/venv/bin/python" test/interop/observe.py "$clear"

predict=(-import-path proto -proto inferwire/predict/v1/predict.proto -H 'authorization: interop' -d '{"data":"aGk="}')
method=inferwire.predict.v1.PredictService/Predict
expect 'grpcurl cleartext' aGk= \
  "$("$work/grpcurl" -plaintext "${predict[@]}" "127.0.0.1:$clear" $method | node -p 'JSON.parse(require("fs").readFileSync(0)).data')"
expect 'grpcurl TLS' aGk= \
  "$("$work/grpcurl" -cacert "$work/cert.pem" "${predict[@]}" "localhost:$secure" $method | node -p 'JSON.parse(require("fs").readFileSync(0)).data')"
expect 'grpcurl reflection' 'message PredictRequest {' \
  "$("$work/grpcurl" -plaintext "127.0.0.1:$clear" describe inferwire.predict.v1.PredictRequest | sed -n 2p)"
expect 'grpcurl health' SERVING \
  "$("$work/grpcurl" -plaintext "127.0.0.1:$clear" grpc.health.v1.Health/Check | node -p 'JSON.parse(require("fs").readFileSync(0)).status')"

token=(-s -H 'authorization: interop')
expect 'curl cleartext' hi "$(curl "${token[@]}" -d hi "http://127.0.0.1:$clear/api/predict/probe")"
expect 'curl TLS' hi "$(curl "${token[@]}" --cacert "$work/cert.pem" -d hi "https://localhost:$secure/api/predict/probe")"
expect 'curl in pieces' onetwothree "$(curl "${token[@]}" -d pieces "http://127.0.0.1:$clear/")"
head -c 5000000 /dev/zero >"$work/zeros"
expect 'curl with 100-continue' 5000000 \
  "$(curl "${token[@]}" -H 'expect: 100-continue' --data-binary "@$work/zeros" "http://127.0.0.1:$clear/" | wc -c)"
expect 'curl wrong token' 401 \
  "$(curl -s -o /dev/null -w '%{http_code}' --data-binary "@$work/zeros" "http://127.0.0.1:$clear/")"
expect 'curl h2 by ALPN falls to HTTP/1.1' '1.1 200' \
  "$(curl "${token[@]}" --http2 --cacert "$work/cert.pem" -o /dev/null -w '%{http_version} %{http_code}' "https://localhost:$secure/livez")"
bash test/interop/eas.sh
bash test/interop/kubernetes.sh
bash test/interop/etcd.sh
echo 'every client was answered'
