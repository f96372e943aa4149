# Everything that is run by hand or by a machine. `make` alone says what there is.

.DEFAULT_GOAL := help
.PHONY: help run test lint unit interop regenerate clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

run: ## build the server and start it, with no configuration
	cargo run --release --package havre-server --bin havre -- serve

test: ## everything that must pass before a change lands
	@scripts/test.sh

lint: ## formatting and clippy
	@scripts/test.sh lint

unit: ## the tests of the crates
	@scripts/test.sh unit

interop: ## real client libraries against the server
	@scripts/test.sh interop

regenerate: ## write the generated files anew
	HAVRE_REGENERATE=1 cargo test --workspace fresh

clean: ## remove what was built and installed here
	cargo clean
	rm -rf interop/.venv interop/target interop/vendor interop/mtcute/node_modules \
		crates/codes/tests/centre/node_modules .test-tools
