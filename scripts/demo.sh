#!/usr/bin/env bash
# Opens the channel with its data in out/demo, and a browser on it if there is one. Called by `make demo`, which builds
# bin/easel first. EASEL_LISTEN and the rest of Easel's environment count as always.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

port=8321
data=$PWD/out/demo
export EASEL_DATA_DIR=$data EASEL_LOG_LEVEL=${EASEL_LOG_LEVEL:-warn}

address() { cat "$data/address" 2>/dev/null || true; }
answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# A demo that was killed has left its address behind.
there=$(address) there=${there##*:} there=${there%/}
[[ -z $there ]] || answers "$there" || rm -f "$data/address"

# Where a demo runs already, easel itself says so and where; any other program on the port is in the way.
if [[ -z ${EASEL_LISTEN:-} && $(address) != *":$port/" ]] && answers "$port"; then
	echo "Port $port is taken by another program, so the demo takes a free one."
	export EASEL_LISTEN=127.0.0.1:0
fi

# Opens the page as soon as the server, which takes over this process, has written down where it answers.
browse() {
	local opener
	opener=$(command -v xdg-open || command -v open) || return 0
	while kill -0 $$ 2>/dev/null; do
		if [[ -n $(address) ]]; then
			"$opener" "$(address)" >/dev/null 2>&1 || true # a browser is a courtesy
			return
		fi
		sleep 0.2
	done
}
if [[ -t 1 && ($(uname -s) == Darwin || -n ${DISPLAY:-}${WAYLAND_DISPLAY:-}) ]]; then
	browse &
fi

echo "Starting Easel; its data is in $data, and Ctrl-C ends it."
exec bin/easel serve
