# Two commands do everything: `make serve` and `make test`.
PYTHON ?= python3
BIN = .venv/bin

.PHONY: serve test bench banner lint shots
serve: .venv/installed ; $(BIN)/consent serve --demo
test: .venv/tested ; $(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && npm run --silent check && npm test --silent && $(BIN)/pytest
bench: .venv/tested ; $(BIN)/pip install --quiet -e '.[bench]' && for what in bench bench.size bench.blocking bench.page bench.ledger bench.stats "bench.growth --full" bench.desk bench.purge bench.peer; do $(BIN)/python -m $$what || exit; done; KILL_ROUNDS=200 $(BIN)/python -m pytest -q --timeout 0 tests/test_durability.py -k kill
banner: .venv/tested ; npm run --silent build && $(BIN)/python -m bench.size
shots: .venv/tested ; $(BIN)/python -m tests.shots
lint: .venv/tested ; $(BIN)/ruff check --fix . && $(BIN)/ruff format . && $(BIN)/mypy && npm run --silent check

.venv/installed: setup.cfg
	$(PYTHON) -m venv .venv && $(BIN)/pip install --quiet --editable . && touch $@
.venv/tested: setup.cfg package.json .venv/installed
	sh tests/install.sh && $(BIN)/pip install --quiet --editable '.[test]' && npm ci --silent && touch $@
