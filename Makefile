# Two commands do everything: `make serve` and `make test`.
PYTHON ?= python3
BIN = .venv/bin
# How large a log `make bench` measures; QUICK=--quick for a look, not a figure to quote.
RECEIPTS ?= 5000000
QUICK ?=

.PHONY: serve test bench banner lint shots
serve: .venv/installed ; $(BIN)/consent serve --demo
test: .venv/tested ; $(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && npm run --silent check && npm test --silent && $(BIN)/pytest
# A budget that is missed (3, of bench.size) is no failure; the summary is shown in any case.
bench: .venv/tested
	$(BIN)/pip install --quiet -e '.[bench]' && mkdir -p bench/results && rm -f bench/results/figures.jsonl
	log=$$(mktemp -d bench/results/log.XXXXXX); trap 'rm -rf $$log; $(BIN)/python -m bench.summary' EXIT; trap 'exit 130' INT TERM; large="--receipts $(RECEIPTS) --folder $$log"; \
	for what in "bench $(QUICK)" bench.size bench.blocking "bench.page $(QUICK)" "bench.growth $(QUICK) $$large" "bench $(QUICK) --only recording --only state --rounds 3 --log $$log" "bench.ledger $$large" "bench.stats --receipts $(RECEIPTS)" "bench.desk $$large" "bench.purge $$large" "bench.peer $(QUICK)"; do \
	echo; echo "== $$what"; $(BIN)/python -m $$what || test $$? = 3 || exit 1; done; \
	KILL_ROUNDS=$(if $(QUICK),2,200) $(BIN)/python -m pytest -q --timeout 0 tests/test_durability.py -k kill
banner: .venv/tested ; npm run --silent build && $(BIN)/python -m bench.size
shots: .venv/tested ; $(BIN)/python -m tests.shots
lint: .venv/tested ; $(BIN)/ruff check --fix . && $(BIN)/ruff format . && $(BIN)/mypy && npm run --silent check

.venv/installed: setup.cfg
	$(PYTHON) -m venv .venv && $(BIN)/pip install --quiet --editable . && touch $@
.venv/tested: setup.cfg package.json .venv/installed
	sh tests/install.sh && $(BIN)/pip install --quiet --editable '.[test]' && npm ci --silent && touch $@
