#!/usr/bin/env bash
# The manifests that `inferwire init --kubernetes` writes, against Kubernetes' own schemas (PyPI's kubernetes-validate, strict: no field that
# it does not know), and read by kubectl where there is one. Part of `npm run interop`; needs python3.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$PWD/.inferwire/interop
mkdir -p "$work"
[ -x "$work/venv/bin/python" ] || python3 -m venv "$work/venv"
"$work/venv/bin/pip" -q install kubernetes-validate

# The second is a name that YAML takes for a truth value unless it is quoted.
for name in sentiment true; do
  rm -rf "$work/manifests"
  node dist/src/cli/main.js init "$work/manifests" --name $name --kubernetes >/dev/null
  for version in 1.30 1.37; do
    "$work/venv/bin/kubernetes-validate" --strict --quiet -k $version "$work"/manifests/kubernetes/*.yaml
    echo "ok manifests of $name, Kubernetes $version"
  done
done

# A schema that takes anything would have passed all of these.
sed 's/clusterIP/clusterIp/' "$work/manifests/kubernetes/service.yaml" >"$work/manifests/wrong.yaml"
if "$work/venv/bin/kubernetes-validate" --strict --quiet "$work/manifests/wrong.yaml" >/dev/null 2>&1; then
  echo 'FAILED: a misspelt field passed'
  exit 1
fi
echo 'ok a misspelt field is refused'

if command -v kubectl >/dev/null; then
  # Reads every document as the type that it says it is, and its containers; asks no server.
  kubectl label --local -f "$work/manifests/kubernetes" seen=yes -o name >"$work/manifests/names"
  [ "$(wc -l <"$work/manifests/names")" = 6 ] || { echo 'FAILED: kubectl saw other objects'; exit 1; }
  kubectl set image --local -f "$work/manifests/kubernetes/deployment.yaml" true=registry.example/other -o yaml |
    grep -q 'image: registry.example/other'
  echo 'ok kubectl reads them'
fi
