# Everything a newcomer needs is `make demo`, and everything a change must pass is `make lint test`.
.DEFAULT_GOAL := help
SHELL := /bin/bash

FUZZTIME ?= 10s
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
TOOL     := go tool -modfile=tools/go.mod

# The native parts lie in a cache outside the tree; scripts/setup.sh puts them there and knows where it is.
NATIVE      := $(shell scripts/setup.sh --where 2>/dev/null)
ONNXRUNTIME := $(word 1,$(NATIVE))

export CGO_ENABLED := 1
export CGO_LDFLAGS := -L$(word 2,$(NATIVE)) $(CGO_LDFLAGS)
export EASEL_ONNXRUNTIME ?= $(ONNXRUNTIME)

# Tests read the weights from disk, so that compiling them does not embed eighty megabytes each time.
WEIGHTS := $(wildcard $(CURDIR)/models/builtin/model_index.json)
ON_DISK := $(if $(WEIGHTS),EASEL_MODEL=$(CURDIR)/models/builtin)

.PHONY: help env setup twin build demo test long bench lint fuzz parity model model-eval moderation-eval golden govulncheck clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

env: setup ## print what go needs outside make: eval "$$(make -s env)"
	@echo "export CGO_LDFLAGS='$(CGO_LDFLAGS)' EASEL_ONNXRUNTIME='$(EASEL_ONNXRUNTIME)'"

setup: ## get ONNX Runtime and the tokenisers, once, into a cache outside the tree
	@scripts/setup.sh

twin: ## get the Discord that tests talk to (with npm), once, into the same cache
	@cmd/easel/testdata/twin/install.sh

build: setup ## make bin/easel, with ONNX Runtime's library beside it
	go build -trimpath -buildvcs=false -ldflags "-X main.version=$(VERSION)" -o bin/easel ./cmd/easel
	@cmp -s $(ONNXRUNTIME) bin/$(notdir $(ONNXRUNTIME)) || install -m 755 $(ONNXRUNTIME) bin/

demo: build ## open the channel in the browser, with its data in out/demo
	@scripts/demo.sh

test: build ## run every test: the scripts', the packages' under the race detector, and those that drive bin/easel
	scripts/setup_test.sh
	$(ON_DISK) EASEL_BIN=$(CURDIR)/bin/easel go test -race -timeout 30m -tags nomodel ./...

long: setup ## paint 2,000 mixed requests with cancels under the race detector, and watch that nothing grows
	EASEL_LONG=2000 go test -race -count=1 -timeout 30m -v -run '^TestLongRun$$' ./generator

bench: build ## run the benchmarks
	$(ON_DISK) EASEL_BIN=$(CURDIR)/bin/easel go test -tags nomodel -run '^$$' -bench . -benchmem ./...

lint: setup ## check format and code, with and without the embedded model, and the shell scripts
	@unformatted=$$($(TOOL) gofumpt -l .); [[ -z $$unformatted ]] || { echo "not formatted by gofumpt:" $$unformatted; exit 1; }
	go vet ./...
	go vet -tags nomodel ./...
	$(TOOL) golangci-lint run
	$(TOOL) golangci-lint run --build-tags nomodel
	@if command -v shellcheck >/dev/null; then shellcheck scripts/*.sh training/*.sh cmd/easel/testdata/twin/*.sh .ci/run; else echo "shellcheck is not installed: the scripts were not checked"; fi

fuzz: setup ## let each fuzz target, or those of FUZZ, look for trouble for FUZZTIME (10s)
	$(ON_DISK) scripts/fuzz.sh $(FUZZTIME) $(FUZZ)

parity: build ## compare pictures with those of PyTorch and diffusers on the same weights (downloads PyTorch)
	training/run.sh parity

model: ## train the built-in model again, from nothing (hours; resumes)
	training/run.sh model

model-eval: ## measure the built-in model (downloads PyTorch)
	training/run.sh eval

moderation-eval: setup ## measure moderation on the texts in the folder EASEL_MODERATION_DATA
	@[[ -n "$$EASEL_MODERATION_DATA" ]] || { echo "set EASEL_MODERATION_DATA to a folder of texts; docs/moderation.md says of what kind"; exit 1; }
	go test -count=1 -v -run '^TestEval' ./moderation/text

golden: build ## rewrite the golden files of the tests, then look at the difference before you commit it
	$(ON_DISK) UPDATE_GOLDEN=1 go test -count=1 -tags nomodel -run Golden ./...
	git status --short -- '*/testdata/*'

govulncheck: setup ## look for known vulnerabilities (needs the network; no part of the gate)
	$(TOOL) govulncheck ./...

clean: ## remove what was built; the cache of native parts stays
	rm -rf bin out
