# What people type. Everything else is cargo.

BUILT := $(or $(CARGO_TARGET_DIR),target)

.PHONY: demo test test-thorough check check-cost bench bench-full up tools

# Tells and shows a story with real processes, checks it, cleans up. STAY=1 keeps everything running at its end.
demo: tools
	cargo build --locked -p outrigger -p counter-agent
	config-examples/demo/run.sh $(if $(STAY),--stay)

# Everything, against real peers: Redis, the Python, TypeScript and Rust SDKs.
test: tools
	tests/setup.sh
	cargo build --locked -p outrigger -p counter-agent
	cargo build --locked -p conformance-agents
	cargo test --locked --workspace

# The same where more is surer: thousands of changes and calls, dozens of restarts, 100,000 seeds.
test-thorough: tools
	tests/setup.sh
	cargo build --locked -p outrigger -p counter-agent
	SIMULATION_CASES=100000 cargo test --locked -p outrigger-proxy-core --test simulation
	OUTRIGGER_THOROUGH=1 cargo test --locked -p outrigger-tests --test mesh

# What a change must pass before it is sent.
check: tools
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cargo test --locked -p outrigger-tests --test tidy

# What one call costs, against what is committed: instructions and allocations, and CPU as a multiple of nginx's. Never seconds.
check-cost: tools
	load-tests/cost-setup.sh
	cargo build --locked --release -p outrigger -p outrigger-load-tests
	$(BUILT)/release/outrigger-load cost --check

# Outrigger beside nginx, HAProxy and Envoy, in one run of about ten minutes; tables at the end, figures in load-tests/results.
bench: SUITE := quick
# The same with every scenario: about an hour.
bench-full: SUITE := full
bench bench-full: tools
	load-tests/setup.sh
	cargo build --locked --release -p outrigger -p outrigger-load-tests
	$(BUILT)/release/outrigger-load bench --suite $(SUITE) --out load-tests/results/$@.json
	$(BUILT)/release/outrigger-load show load-tests/results/$@.json --plots load-tests/results/$@ >/dev/null

# A whole mesh in front of three copies of the example agent. Ctrl-C stops all.
up: tools
	cargo build --locked -p outrigger -p counter-agent
	config-examples/demo/up.sh

# Redis and the SDKs are only for the tests; the build needs a compiler for C, and cmake.
tools:
	@command -v cargo >/dev/null || { echo "Rust is missing; install it with rustup" >&2; exit 1; }
	@command -v cc >/dev/null || { echo "a C compiler is missing: apt-get install build-essential" >&2; exit 1; }
	@command -v cmake >/dev/null || { \
	    echo "tools: cmake is missing, installing it with apt-get"; \
	    sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	    $$sudo apt-get update -q && $$sudo apt-get install -y -q --no-install-recommends cmake; }
