#!/usr/bin/env bash
# Installs the Discord that others wrote, with the versions and sums of package-lock.json, into Easel's cache: once for
# each lock file. The tests find it there; nothing of it runs while it is installed.
#
# The spiceflow that discord-digital-twin asks for is not to be had, so package.json overrides it. npm 9, which is Debian's,
# does not heed that, so the lock file names the other one under discord-digital-twin as well. After a change of versions:
# npm install --package-lock-only --omit-lockfile-registry-resolved, then see that both name the same.
#
# Environment: EASEL_CACHE the cache (default: easel in $XDG_CACHE_HOME or ~/.cache).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${EASEL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/easel}
[[ $cache == /* ]] || cache=$PWD/$cache

sum() { if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -c 1-12; }
twin=$cache/discord-twin-$(sum "$here/package-lock.json")
[[ -d $twin ]] && exit

for command in node npm; do
	command -v "$command" >/dev/null || {
		echo "twin: $command is missing. Install Node.js 18 or newer: 'apt-get install nodejs npm' on Debian and Ubuntu." >&2
		exit 1
	}
done
mkdir -p "$cache"
work=$(mktemp -d "$cache/.new-XXXXXX")
trap 'rm -rf "$work"' EXIT
cp "$here/package.json" "$here/package-lock.json" "$work"
npm ci --prefix "$work" --ignore-scripts --no-audit --no-fund --loglevel=error >&2
mv -T "$work" "$twin" 2>/dev/null || [[ -d $twin ]] || mv "$work" "$twin" # another run may have been first
echo "twin: ready: $twin" >&2
