#!/usr/bin/env bash
# Runs each fuzz target of the module for the time given (default 10s), one after the other, since go test takes one at
# a time. The first that finds something ends the run; go test leaves the input in the package's testdata/fuzz.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

targets=$(grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . | sort)
[[ -n $targets ]] || { echo "fuzz: there is no fuzz target" >&2; exit 1; }
while IFS=: read -r file target; do
	go test -tags nomodel -run '^$' -fuzz "^${target#func }\$" -fuzztime "${1:-10s}" "$(dirname "$file")"
done <<<"$targets"
