#!/usr/bin/env bash
# EAS's own clients, Python and Java, against a directory and its hosts; run.sh calls it. Needs python3, and mvn and a JDK
# for Java (left out, and said so, where they are missing); installs the clients into .inferwire/interop.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$PWD/.inferwire/interop
java=$work/java
mkdir -p "$java/classes"

hosts=
trap '[ -z "$hosts" ] || kill $hosts' EXIT

# Each client starts from the same hosts.
start_hosts() {
  rm -f "$work/eas-ports.json"
  node test/interop/eas-hosts.mjs >"$work/eas-ports.json" &
  hosts=$!
  until [ -s "$work/eas-ports.json" ]; do
    kill -0 $hosts
    sleep 0.1
  done
}

stop_hosts() {
  kill $hosts
  wait $hosts || true
  hosts=
}

# The SDK's old protobuf would clash with grpcio-tools in one venv. 0.33 asks the older of the two discovery paths.
for version in 0.36 0.33; do
  venv=$work/eas-$version
  [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
  "$venv/bin/pip" -q install "eas-prediction==$version"
  start_hosts
  timeout 180 "$venv/bin/python" -W ignore test/interop/eas_python.py "$work/eas-ports.json"
  stop_hosts
done

if ! { command -v mvn && command -v javac; } >/dev/null; then
  echo 'no mvn and javac: the Java client is left out'
  exit 0
fi
mvn -q -B -f test/interop/java/pom.xml dependency:copy-dependencies -DincludeScope=runtime "-DoutputDirectory=$java/jars"
javac -nowarn -d "$java/classes" -cp "$java/jars/*" test/interop/java/EasJava.java
# The SDK writes below the home folder, and, where it may, here.
[ -e /home/admin ] || trap '[ -z "$hosts" ] || kill $hosts; rm -rf /home/admin' EXIT
run_java() {
  timeout 180 java "-Duser.home=$java/home" -cp "$java/classes:$java/jars/*" EasJava "$work/eas-ports.json" "$@" 2>&1 |
    grep -v ' JM.Log:INFO '
}
rm -rf "$java/home"
start_hosts
run_java
# This version of the SDK never fills the file that it keeps a list in (newer ones do), but it reads it.
directory=$(node -p "JSON.parse(require('fs').readFileSync('$work/eas-ports.json')).directory")
curl -sf "http://127.0.0.1:$directory/exported/apis/eas.alibaba-inc.k8s.io/v1/upstreams/probe" >"$java/home/.eas/cache/discovery/probe"
run_java stored
stop_hosts
echo "EAS's clients were answered"
