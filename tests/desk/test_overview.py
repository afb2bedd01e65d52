"""The overview: counts of a period beside the one before, and never a visitor; and how the installation is."""

import csv
import io
import re

import pytest

from consent import checkup, copies
from tests.conftest import ALL, NONE, ORIGIN, SUBJECT, choice

OVERVIEW = "/admin/sites/shop/overview"
HEALTH = "/admin/health"


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
    return re.findall(r"<li><b>([\d\u202f]+)</b> ([a-z ]+)<br><small>before: ([\d\u202f]+)", text)


def test_an_empty_period_says_what_to_do_next(owner):
    page = owner.get(OVERVIEW).text
    assert "Nobody was asked in this period" in page and "/admin/sites/shop/install" in page


def test_the_figures_of_a_period_stand_beside_those_before(busy, browser):
    page = browser("owner").get(OVERVIEW).text
    found = {name: (now, before) for now, name, before in numbers(page)}
    assert found["were asked"] == ("10", "0")
    assert found["decided"] == ("5", "3")
    assert found["accepted all"] == ("3", "2") and found["refused all"] == ("2", "1")
    assert "60.0\xa0%" in page and "66.7\xa0%" in page and "\u22126.7" in page
    assert "<polyline" in page or "<circle" in page


def test_numbers_are_written_as_the_reader_writes_them(busy, browser):
    owner = browser("owner")
    owner.post("/admin/language", language="de", next="/admin/")
    page = owner.get(OVERVIEW).text
    assert "60,0\xa0%" in page and "\u22126,7" in page and "60.0" not in page


def test_the_figures_are_there_as_a_file_too_those_of_the_period_before_as_well(busy, browser):
    owner = browser("owner")
    links = [
        link.replace("&amp;", "&") for link in re.findall(r'href="(/admin/[^"]+by=action)"', owner.get(OVERVIEW).text)
    ]
    now, before = (list(csv.DictReader(io.StringIO(owner.get(link).text))) for link in links)
    decided = [{row["action"]: int(row["decided"]) for row in rows} for rows in (now, before)]
    assert decided[0]["accept_all"] == 3 and decided[0]["reject_all"] == 2
    assert decided[1]["accept_all"] == 2 and decided[1]["reject_all"] == 1
    assert sum(int(row["shown"]) for row in now) == 10


def test_the_table_behind_the_chart_has_its_shares(busy, browser):
    page = browser("owner").get(OVERVIEW).text
    behind = page[page.index("The numbers behind the lines") :]
    assert re.search(
        r'<td>Statistics</td><td class="number">3</td><td class="number">2</td><td class="number">60.0\xa0%', behind
    )


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


def checks(page) -> dict[str, str]:
    """By name: what each check of the Health page says, with the sentences on its faults."""
    listed = re.findall(r'<li><span class="chip \w+">([^<]+)</span> ([^<]+)(.*?)</li>', page.text)
    return {name: said + faults for said, name, faults in listed}


def test_the_health_page_says_of_each_check_that_it_is_well(owner, ledger):
    ledger.tree.checkpoint("shop"), ledger.tree.checkpoint("other")
    page = owner.get(HEALTH)
    assert checks(page) == {name: "well" for name in checkup.CHECKS if name not in checkup.SLOW}
    assert "No backup was made yet" in page.text and ledger.ring.newest().kid in page.text


def test_the_health_page_names_what_is_wrong_and_how_to_mend_it(owner, settings):
    keys = settings.data / "keys"
    keys.chmod(0o755)
    told = checks(owner.get(HEALTH))
    assert (
        told["signing keys"] == f'look here<p class="bad">{keys} can be read by others: run `chmod go-rwx {keys}`.</p>'
    )
    keys.chmod(0o700)
    assert checks(owner.get(HEALTH))["signing keys"] == "well"


@pytest.mark.parametrize(("days", "is_old"), [(7, False), (8, True)])
def test_the_health_page_says_when_the_last_backup_is_old(owner, ledger, clock, days, is_old):
    copies.noted(ledger.storage, copies.Copy(ledger.now()))
    clock.forward(days=days)
    owner.sign_in("owner")
    page = owner.get(HEALTH).text
    assert "Last backup: 2026-11-18" in page and ("Make one every day" in page) == is_old


@pytest.mark.parametrize(
    ("by", "said"),
    [
        ("language", "English (en)"),
        ("country", "not known"),
        ("regime", "Ask first (opt-in)"),
        ("policy", "1"),
        ("surface", "on the banner"),
    ],
)
def test_a_breakdown_is_in_words(browser, ledger, by, said):
    ledger.record("shop", choice())
    text = browser("auditor").get(f"/admin/sites/shop/overview?by={by}").text
    assert f'<th scope="row">{said}</th><td>Statistics</td>' in text


def test_one_day_is_a_period_and_wrong_days_leave_the_form(browser, ledger):
    ledger.record("shop", choice())
    auditor, day = browser("auditor"), "2026-11-18"
    one = auditor.get(f"/admin/sites/shop/overview?since={day}&until={day}")
    assert one.status_code == 200 and "<b>1</b> decided" in one.text
    wrong = auditor.get("/admin/sites/shop/overview?since=2026-11-20&until=2026-11-01")
    assert wrong.status_code == 400 and "the first not after the second" in wrong.text
    assert 'name="since" value="2026-11-20"' in wrong.text
