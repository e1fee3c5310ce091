#!/usr/bin/env bash
# Tests scripts/setup.sh without the network: a release of our own at file:// addresses, a cache in a temporary folder,
# and stand-ins at the front of PATH for the machine (always Linux x86_64) and for what would reach a registry.
# shellcheck disable=SC2016 # stand-ins are written in single quotes, to expand when they run
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
failures=0

fail() {
	echo "FAIL $test: $*" >&2
	sed 's/^/     | /' "$top/output" >&2
	failures=$((failures + 1))
}

sum() { if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1; }
pinned() { sed -n "s/^$1=//p" "$here/setup.sh"; }
stand_in() { printf '#!/bin/sh\n%s\n' "$2" >"$top/bin/$1" && chmod +x "$top/bin/$1"; }

# A copy of the scripts whose sums are those of the release made here, under the names setup.sh looks for.
prepare() {
	rm -rf "${top:?}"/*
	mkdir -p "$top/bin" "$top/repo/scripts" "$top/release" "$top/pack/lib"
	cp "$here/../go.mod" "$top/repo"
	cp -R "$here/setup.sh" "$here/onnxruntime.lock" "$here/tokenizers" "$top/repo/scripts"
	onnxruntime=$(pinned onnxruntime) tokenizers=$(pinned tokenizers)
	echo runtime >"$top/pack/lib/libonnxruntime.so.$onnxruntime"
	ln -s "libonnxruntime.so.$onnxruntime" "$top/pack/lib/libonnxruntime.so"
	echo tokenizers >"$top/pack/libtokenizers.a"
	runtime=$top/release/onnxruntime-linux-x64-$onnxruntime.tgz archive=$top/release/libtokenizers.linux-amd64.tar.gz
	tar -czf "$runtime" -C "$top/pack" lib
	tar -czf "$archive" -C "$top/pack" libtokenizers.a
	printf '%s  %s\n' "$(sum "$runtime")" "${runtime##*/}" "$(sum "$archive")" "tokenizers-$tokenizers/${archive##*/}" >"$top/repo/scripts/native.sha256"
	stand_in uname 'case $1 in -s) echo Linux ;; -m) echo x86_64 ;; esac'
	stand_in python3 'case $* in *--version*) exit 0 ;; esac; echo "no network in this test" >&2; exit 1'
	stand_in cargo 'echo "no network in this test" >&2; exit 1'
}

run() {
	PATH=$top/bin:$PATH EASEL_CACHE=$top/cache EASEL_ONNXRUNTIME_RELEASE=file://$top/release \
		EASEL_TOKENIZERS_RELEASE=file://$top/release "$top/repo/scripts/setup.sh" "$@" >"$top/output" 2>&1
}

says() { grep -qF -- "$1" "$top/output" || fail "does not say '$1'"; }
library() { echo "$top/cache/onnxruntime-$onnxruntime-linux-amd64/libonnxruntime.so"; }
static() { echo "$top/cache/tokenizers-$tokenizers-linux-amd64/libtokenizers.a"; }

installed() {
	[[ $(cat "$(library)" 2>&1) == runtime ]] || fail "$(library) is not the release's"
	[[ $(cat "$(static)" 2>&1) == tokenizers ]] || fail "$(static) is not the release's"
	[[ -z $(find "$top/cache" -name '.new-*') ]] || fail "a temporary folder was left in the cache"
}

test_installs_once() {
	run || fail "the first run failed"
	installed
	rm -r "$top/release"
	run || fail "the second run went to the release again"
	[[ ! -s $top/output ]] || fail "the second run had something to do"
}

test_where() {
	run --where || fail "failed"
	says "$(library)"
	[[ ! -e $top/cache ]] || fail "made the cache"
}

test_runs_at_once() {
	local first
	run & first=$!
	run || fail "the second of two failed"
	wait $first || fail "the first of two failed"
	installed
}

test_refuses_damage() {
	echo damage >>"$runtime"
	run && fail "took a damaged archive"
	says "REFUSED file://$runtime"
	says "pip could not download ONNX Runtime"
	[[ ! -e $(library) ]] || fail "installed a damaged archive"
	[[ -z $(find "$top/cache" -name '.new-*') ]] || fail "a temporary folder was left in the cache"
}

test_downloads_nothing_without_a_sum() {
	sed -i.bak '/tokenizers/d' "$top/repo/scripts/native.sha256"
	run && fail "took an archive that has no sum"
	says "no sum is known for the official tokenizers-$tokenizers"
	[[ ! -e $(static) ]] || fail "installed an archive that has no sum"
}

test_unsupported_machine() {
	stand_in uname 'case $1 in -s) echo Plan9 ;; -m) echo mips ;; esac'
	run && fail "ran on an unknown machine"
	says "Easel does not run on Plan9 mips."
	says "It runs on Linux (x86_64, aarch64)"
}

test_says_what_is_missing() {
	rm "$runtime"
	stand_in python3 'exit 1'
	run && fail "ran without release and pip"
	says "apt-get install python3-pip"
}

test_version_drift() {
	sed -i.bak 's|\(daulet/tokenizers\) v[0-9.]*|\1 v0.0.1|' "$top/repo/go.mod"
	run && fail "ran with another version than go.mod's"
	says "go.mod names github.com/daulet/tokenizers 'v0.0.1'"
}

for test in $(compgen -A function test_); do
	prepare
	"$test"
done
[[ $failures == 0 ]] || exit 1
echo "ok  	scripts/setup.sh"
