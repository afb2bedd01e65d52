"""What the benches say of budgets: the words of a verdict, and the summary of them all."""

import pytest

from bench import results, summary
from bench.budgets import BUDGETS, FULL, Budget


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where results are written; nothing is drawn."""
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    monkeypatch.setattr(summary, "FOLDER", tmp_path)
    monkeypatch.setattr(summary, "pyplot", lambda: None)
    return tmp_path


@pytest.mark.parametrize(
    ("budget", "figure", "verdict"),
    [
        (Budget("time", 400, "µs", "x", stretch=260), 400, "ok"),
        (Budget("time", 400, "µs", "x", stretch=260), 260, "ok, stretch too"),
        (Budget("time", 400, "µs", "x", stretch=260), 412, "3.0 % above"),
        (Budget("time", 400, "µs", "x", stretch=260), 800, "100 % above"),
        (Budget("rate", 0.9, "of it", "x", least=True), 0.9, "ok"),
        (Budget("rate", 0.9, "of it", "x", least=True), 0.45, "50 % below"),
    ],
)
def test_a_verdict_says_by_how_much_a_budget_is_missed(budget, figure, verdict):
    assert budget.verdict(figure) == verdict


def test_the_summary_has_a_line_for_every_budget(folder, capsys):
    summary.main()
    lines = capsys.readouterr().out.splitlines()
    for budget in BUDGETS.values():
        assert any(line.startswith(f"{budget.what}  ") and summary.NOT_MEASURED in line for line in lines), budget.what
    assert (folder / "summary.md").read_text().count(summary.NOT_MEASURED) == len(BUDGETS) + 1  # and the count of them


def test_the_newest_figure_of_each_size_of_log_counts(folder):
    for receipts, figure in ((0, 500), (FULL, 450), (0, 300)):
        results.note("recording 16", figure, receipts=receipts)
    assert [(one.receipts, one.figure) for one in results.noted("recording 16")] == [(0, 300), (FULL, 450)]


def test_a_budget_for_a_full_log_stays_unmeasured_on_a_smaller_one(folder):
    results.note("csv rate", 120_000, receipts=100_000)
    assert summary.measured("csv rate")[1:] == [None]
    results.note("csv rate", 90_000, receipts=FULL)
    assert [found.receipts for found in summary.measured("csv rate") if found] == [100_000, FULL]


def test_of_several_findings_of_one_budget_the_worst_is_noted(folder, capsys):
    found = [results.Finding(str(figure), figure, "ms", "statistics") for figure in (1, 7, 3)]
    results.findings("stats", found, receipts=FULL)
    assert results.noted("statistics")[0].figure == 7
    assert "40 % above" in capsys.readouterr().out
    assert {path.suffix for path in folder.glob("stats-*")} == {".txt", ".json"}
