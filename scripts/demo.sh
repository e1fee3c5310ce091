#!/usr/bin/env bash
# Paints four pictures from $PROMPT, or from what is typed. Called by `make demo`, which builds bin/easel first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

out=out/demo
prompt=${PROMPT:-}
if [[ -z $prompt && -t 0 ]]; then
	read -rp "What shall I paint? " prompt
fi
prompt=${prompt:-a fox under a rainbow}

mkdir -p "$out"
echo "Painting: $prompt"
bin/easel imagine --prompt "$prompt" --count 4 --out "$out"
echo "The pictures are in $out/"
