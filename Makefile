# The commands of the README; each is one line that calls a script or cargo.
.PHONY: demo test test-long chaos chaos-mutants up down bench bench-record check sqlx evaluate install

demo: ; @deploy/local/demo.sh
test: ; @deploy/local/test.sh
test-long: ; @deploy/local/test.sh --long
chaos: ; @deploy/local/chaos.sh $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED)) $(if $(NODES),--nodes $(NODES))
chaos-mutants: ; @$(if $(SECONDS),CHAOS_SECONDS=$(SECONDS)) deploy/local/chaos_mutants.sh $(MUTANT)
install: ; @deploy/local/install.sh
up: install ; @deploy/local/up.sh
down: ; @deploy/local/down.sh $(if $(WIPE),--wipe)
bench: ; @deploy/local/bench.sh bench $(ARGS)
bench-record: ; @deploy/local/bench.sh bench_record $(if $(RUNS),--runs $(RUNS)) $(ARGS)
check: ; @cargo fmt --all --check && cargo clippy --workspace --all-targets --features rb-ocr-tests/long --locked -- -D warnings
sqlx: up ; @deploy/local/sqlx.sh
evaluate: ; @$(if $(README),README=$(README)) deploy/local/evaluate.sh "$(DOCS)" "$(NAMES)"
