#!/usr/bin/env bash
# Runs fuzz targets of the module one after the other, since go test takes one at a time:
#   scripts/fuzz.sh [TIME [PACKAGE:TARGET...]]
# each for the time given (default 10s), and all of them where none is named. The first that finds something ends the run; go test
# leaves the input in the package's testdata/fuzz. What they learn on the way is forgotten afterwards.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

time=${1:-10s}
targets=("${@:2}")
if [[ ${#targets[@]} -eq 0 ]]; then
	mapfile -t targets < <(grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . | sort | sed -E 's|^\./(.*)/[^/]+:func |\1:|')
fi
[[ ${#targets[@]} -gt 0 ]] || { echo "fuzz: there is no fuzz target" >&2; exit 1; }
learnt=$(mktemp -d)
trap 'rm -rf "$learnt"' EXIT
for target in "${targets[@]}"; do
	echo "fuzz: ${target}"
	go test -tags nomodel -run '^$' -fuzz "^${target#*:}\$" -fuzztime "$time" -fuzzminimizetime 1s "./${target%:*}" -test.fuzzcachedir "$learnt"
done
