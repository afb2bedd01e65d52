"""The overview: counts of a period beside the one before, and never a visitor."""

import csv
import io
import re

import pytest

from tests.conftest import ALL, NONE, ORIGIN, SUBJECT, choice

OVERVIEW = "/admin/sites/shop/overview"


@pytest.fixture
def owner(browser):
    return browser("owner")


@pytest.fixture
def busy(ledger, client, clock):
    """Three decisions a month ago, five yesterday, ten showings."""
    for days, actions in ((40, "aar"), (1, "aaarr")):
        clock.forward(days=41 - days if days == 40 else 39)
        for letter in actions:
            granted = letter == "a"
            ledger.record(
                "shop", choice(action="accept_all" if granted else "reject_all", grants=ALL if granted else NONE)
            )
    for _ in range(10):
        client.post(
            "/sites/shop/displays",
            json={"policy": 1, "language": "en", "surface": "banner"},
            headers={"Origin": ORIGIN},
        )


def numbers(text: str) -> list[str]:
    return re.findall(r"<li><b>([\d,]+)</b> ([a-z ]+)<br><small>before: ([\d,]+)", text)


def test_an_empty_period_says_what_to_do_next(owner):
    page = owner.get(OVERVIEW).text
    assert "Nobody was asked in this period" in page and "/admin/sites/shop/install" in page


def test_the_figures_of_a_period_stand_beside_those_before(busy, browser):
    page = browser("owner").get(OVERVIEW).text
    found = {name: (now, before) for now, name, before in numbers(page)}
    assert found["were asked"] == ("10", "0")
    assert found["decided"] == ("5", "3")
    assert found["accepted all"] == ("3", "2") and found["refused all"] == ("2", "1")
    assert "60.0 %" in page and "66.7 %" in page and "-6.7" in page
    assert "<polyline" in page or "<circle" in page


@pytest.mark.parametrize("by", ["language", "country", "regime", "policy", "surface"])
def test_one_looks_closer_and_takes_the_numbers_along(busy, browser, by):
    owner = browser("owner")
    page = owner.get(f"{OVERVIEW}?by={by}").text
    link = re.findall(r'href="(/admin/sites/shop/overview.csv[^"]+)"', page)[-1].replace("&amp;", "&")
    rows = list(csv.DictReader(io.StringIO(owner.get(link).text)))
    assert by in rows[0] and sum(int(row["granted"]) for row in rows if row["category"] == "analytics") == 3


def test_nobody_is_named(busy, browser):
    assert SUBJECT not in browser("owner").get(OVERVIEW).text


@pytest.mark.parametrize(
    "asked", ["since=x", "until=2026-13-01", "since=2026-11-20&until=2026-11-01", "by=subject", "since=1990-01-01"]
)
def test_a_period_that_is_none_is_refused_by_a_sentence(owner, asked):
    answer = owner.get(f"{OVERVIEW}?{asked}")
    assert answer.status_code == 400 and "alert" in answer.text


def test_the_health_page_names_what_is_wrong_and_what_is_old(owner, ledger, settings):
    page = owner.get("/admin/health").text
    assert "No backup was made yet" in page and ledger.ring.newest().kid in page
    (settings.data / "keys" / "stray.txt").write_text("x")
    assert "look here" in owner.get("/admin/health").text or "stray" not in page
