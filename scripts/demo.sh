#!/usr/bin/env bash
# Paints a grid of four pictures from $PROMPT, or from what is typed. Called by `make demo`, which builds bin/easel first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

default="a red fox on a blue background"
prompt=${PROMPT:-}
if [[ -z $prompt ]]; then
	[[ ! -t 0 ]] || printf 'What shall I paint? [%s] ' "$default"
	read -r -t 300 prompt || true # at the end of input, or when nobody answers, the default will do
fi
prompt=${prompt:-$default}

grid=$PWD/out/demo/grid.png
echo "Painting: $prompt"
bin/easel imagine --prompt "$prompt" --count 4 --out out/demo --grid "$grid" >/dev/null
echo "The four pictures are in $PWD/out/demo, and together in $grid"
if [[ -t 1 && -n ${DISPLAY:-}${WAYLAND_DISPLAY:-} ]] && command -v xdg-open >/dev/null; then
	xdg-open "$grid" >/dev/null 2>&1 || true # a picture viewer is a courtesy
fi
