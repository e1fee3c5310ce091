#!/usr/bin/env bash
# Puts the two native parts that Easel needs into a cache outside the tree, once:
#
#   libonnxruntime.so (.dylib)  ONNX Runtime, which the engine opens when it runs
#   libtokenizers.a             the tokenisers, which the Go linker puts into bin/easel
#
# Each comes from its project's official release if that can be reached, else from a package registry: ONNX Runtime
# out of its Python wheel, libtokenizers.a from source with cargo. Versions are pinned here, sums in native.sha256,
# onnxruntime.lock and tokenizers/Cargo.lock; what has no sum is never downloaded.
#
#   scripts/setup.sh           set up; does nothing if that was done before
#   scripts/setup.sh --where   print the paths of the library and of the folder with libtokenizers.a, and do nothing
#
# Environment: EASEL_CACHE the cache (default: easel in $XDG_CACHE_HOME or ~/.cache); EASEL_ONNXRUNTIME_RELEASE and
# EASEL_TOKENIZERS_RELEASE a mirror of the official archives (their sums stay the same).
set -euo pipefail

onnxruntime=1.30.0
tokenizers=1.24.0

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${EASEL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/easel}
[[ $cache == /* ]] || cache=$PWD/$cache
onnxruntime_release=${EASEL_ONNXRUNTIME_RELEASE:-https://github.com/microsoft/onnxruntime/releases/download/v$onnxruntime}
tokenizers_release=${EASEL_TOKENIZERS_RELEASE:-https://github.com/daulet/tokenizers/releases/download/v$tokenizers}

say() { echo "setup: $*" >&2; }

# Each further argument is a line of its own: what is wrong, then what to do.
die() {
	printf 'setup: %s\n' "$@" >&2
	exit 1
}

# Sets platform (as Go names it), official (as ONNX Runtime names it), wheel (the wheel's platform tag) and library.
platform() {
	library=libonnxruntime.so
	case "$(uname -s) $(uname -m)" in
	"Linux x86_64") platform=linux-amd64 official=linux-x64 wheel=manylinux_2_28_x86_64 ;;
	"Linux aarch64" | "Linux arm64") platform=linux-arm64 official=linux-aarch64 wheel=manylinux_2_28_aarch64 ;;
	"Darwin arm64") platform=darwin-arm64 official=osx-arm64 wheel=macosx_14_0_arm64 library=libonnxruntime.dylib ;;
	*) die "Easel does not run on $(uname -s) $(uname -m)." \
		"It runs on Linux (x86_64, aarch64) and on macOS (arm64); on Windows use WSL 2." ;;
	esac
	onnxruntime_dir=$cache/onnxruntime-$onnxruntime-$platform
	tokenizers_dir=$cache/tokenizers-$tokenizers-$platform
}

has() { command -v "$1" >/dev/null 2>&1; }

check_tools() {
	has go || die "go is missing." "Install Go 1.26 or newer (go.dev/dl), and see that 'go version' works."
	if ! has "${CC:-cc}" && ! has gcc; then
		die "a C compiler is missing." "Install one: 'apt-get install build-essential' on Debian and Ubuntu, 'xcode-select --install' on macOS."
	fi
	has c++ || has g++ || die "a C++ compiler is missing." "Install one: 'apt-get install build-essential' on Debian and Ubuntu."
	check_version
}

# The library is linked with the Go module's half of the same code, so the two must not drift apart.
check_version() {
	local wanted
	wanted=$(awk '$1 == "github.com/daulet/tokenizers" { print $2 }' "$here/../go.mod")
	[[ $wanted == "v$tokenizers" ]] || die "go.mod names github.com/daulet/tokenizers '$wanted', this script v$tokenizers." \
		"Bring scripts/setup.sh, scripts/tokenizers/ and scripts/native.sha256 to go.mod's version."
}

sha256() { if has sha256sum; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1; }

# official URL FILE KEY fetches FILE from URL, if native.sha256 has a sum under KEY and it agrees.
# An unreachable host costs five seconds; there is no second try, since there is a second source.
official() {
	local url=$1 file=$2 sum found
	sum=$(awk -v key="$3" '$2 == key { print $1 }' "$here/native.sha256")
	[[ -n $sum ]] || { say "no sum is known for the official $3"; return 1; }
	has curl || { say "curl is missing, so the official $3 cannot be had"; return 1; }
	curl -fsSL --proto '=https,file' --connect-timeout 5 --max-time 300 --speed-limit 20000 --speed-time 10 -o "$file" "$url" ||
		{ say "the official $3 cannot be reached"; return 1; }
	found=$(sha256 "$file")
	[[ $found == "$sum" ]] && return
	say "REFUSED $url: its sha256 is $found, not $sum; it is damaged, or not what was published"
	return 1
}

onnxruntime_official() {
	local archive=onnxruntime-$official-$onnxruntime.tgz
	official "$onnxruntime_release/$archive" "$work/$archive" "$archive" || return 1
	tar -xzf "$work/$archive" -C "$work"
}

# Any Python will do: the wheel is only unpacked, so the tags of one that exists are asked for by name.
onnxruntime_registry() {
	say "taking ONNX Runtime $onnxruntime out of its Python wheel"
	{ has python3 && python3 -m pip --version >/dev/null 2>&1; } ||
		die "ONNX Runtime's official release cannot be had, and python3 with pip, the other way to it, is missing." \
			"Install them ('apt-get install python3-pip'), or connect to github.com, and run this again."
	python3 -m pip download --quiet --no-deps --only-binary=:all: --require-hashes --retries 1 --timeout 15 \
		--implementation cp --python-version 3.12 --platform "$wheel" --dest "$work" -r "$here/onnxruntime.lock" ||
		die "pip could not download ONNX Runtime (see above)." "Check the network, or what pip is configured to use, and run this again."
	python3 -m zipfile -e "$work"/onnxruntime-*.whl "$work"
}

tokenizers_official() {
	local archive=libtokenizers.$platform.tar.gz
	official "$tokenizers_release/$archive" "$work/$archive" "tokenizers-$tokenizers/$archive" || return 1
	tar -xzf "$work/$archive" -C "$work"
}

# Cargo wants each crate's registry in the lock file; the module's own lock file says which it is.
restore_sources() {
	awk -v source="$(grep -m 1 '^source = "registry' "$1")" '/^checksum = / { print source } { print }' "$here/tokenizers/Cargo.lock"
}

tokenizers_source() {
	local module
	say "building libtokenizers.a $tokenizers from source: about two minutes"
	has cargo || die "the official libtokenizers.a cannot be had, and cargo, to build it, is missing." \
		"Install Rust 1.85 or newer (rustup.rs), and run this again."
	module=$(cd "$here/.." && go mod download -json "github.com/daulet/tokenizers@v$tokenizers" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
	[[ -d $module ]] || die "go could not download the module github.com/daulet/tokenizers v$tokenizers." "Check the network and 'go env GOPROXY', and run this again."
	mkdir "$work/src"
	cp "$module/src/"*.rs "$work/src"
	cp "$here/tokenizers/Cargo.toml" "$work"
	restore_sources "$module/Cargo.lock" >"$work/Cargo.lock"
	CARGO_TARGET_DIR=$work/target cargo build --quiet --locked --release --manifest-path "$work/Cargo.toml" ||
		die "cargo could not build libtokenizers.a (see above)." "Rust 1.85 or newer is needed ('cargo --version'), and the network for its crates."
	cp "$work/target/release/libtokenizers.a" "$work"
}

# provide TARGET PATTERN SOURCE... takes the first source that works, finds the file named like PATTERN in what it
# left in $work, and renames it to TARGET. Only the rename touches the cache's final place, so a reader, or a second
# run at the same time, never sees half a file.
provide() {
	local target=$1 pattern=$2 from found
	[[ -s $target ]] && return
	shift 2
	work=$(mktemp -d "$cache/.new-XXXXXX")
	for from; do
		"$from" && break
		rm -rf "${work:?}"/* # nothing of a source that failed counts
	done
	found=$(find "$work" -type f -name "$pattern" -not -path "$work/target/*" -not -path '*.dSYM/*' | head -n 1)
	[[ -n $found ]] || die "${target##*/} is not in what was downloaded."
	mkdir -p "${target%/*}"
	mv -f "$found" "$target"
	rm -rf "$work"
	say "ready: $target"
}

platform
if [[ ${1:-} == --where ]]; then
	printf '%s\n' "$onnxruntime_dir/$library" "$tokenizers_dir"
	exit
fi
check_tools
mkdir -p "$cache"
trap '[[ -z ${work:-} ]] || rm -rf "$work"' EXIT
provide "$onnxruntime_dir/$library" 'libonnxruntime.*[0-9]*' onnxruntime_official onnxruntime_registry
provide "$tokenizers_dir/libtokenizers.a" libtokenizers.a tokenizers_official tokenizers_source
