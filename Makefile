# Each target is a line you could have typed; make alone lists them.

.DEFAULT_GOAL := help
PREFIX        ?= /usr/local

# Tests and demo build network namespaces and load BPF. Who is not root sees
# sudo in the line that runs them.
SUDO := $(if $(filter-out 0,$(shell id -u)),sudo -E env PATH=$(PATH))
EXEC := $(if $(SUDO),-exec '$(SUDO)')

build: ## build bin/postern; needs no clang, the BPF objects are committed
	CGO_ENABLED=0 go build -trimpath -o bin/postern ./cmd/postern

generate: ## regenerate the BPF objects (clang 14), the enum names and the API
	scripts/setup generate
	go generate ./...

test: ## run every test, those against the kernel too, as root; a skip fails
	scripts/setup test
	POSTERN_TEST_ROOT=1 go run ./scripts/tally -count=1 -timeout=15m $(EXEC) ./...

test-kernels: ## run tests that need a kernel on Debian's 6.1 and 6.12, under qemu
	scripts/setup kernels
	go run ./scripts/kernels

demo: build ## show it: namespaces, the real agent, real frames and requests
	scripts/setup demo
	go build -o bin/demo ./scripts/demo
	$(SUDO) bin/demo bin/postern

lint: ## formatting, vet, staticcheck, shellcheck, modules
	scripts/setup lint
	@! go tool gofumpt -l . | grep . || { echo 'format these with: go tool gofumpt -w .'; exit 1; }
	clang-format-14 --dry-run -Werror bpf/*.[ch]
	go vet ./...
	go tool staticcheck ./...
	shellcheck scripts/setup scripts/fuzz .ci/run
	go mod verify
	go mod tidy -diff

bench: build ## measure it beside its peers, as root; BENCH="-quick" takes a minute
	scripts/setup bench
	go build -o bin/bench ./scripts/bench
	$(SUDO) bin/bench $(BENCH)

microbench: ## run every benchmark of the packages once, as root
	scripts/setup test
	go test -run='^$$' -bench=. -benchmem $(EXEC) ./...

fuzz: ## fuzz every target for FUZZTIME (20s) each
	scripts/fuzz

install: build ## install postern under PREFIX (/usr/local)
	$(if $(DESTDIR),,$(SUDO)) install -D -m 0755 bin/postern $(DESTDIR)$(PREFIX)/bin/postern

clean: ## remove what build made
	rm -rf bin

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build generate test test-kernels demo lint bench microbench fuzz install clean help
