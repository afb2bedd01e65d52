"""`GET /metrics`: what two real workers counted together, and who may see it."""

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from consent import extras
from consent.errors import Unavailable
from tests.conftest import ORIGIN, SUBJECT, body
from tests.test_durability import Server

Samples = dict[tuple[str, frozenset], float]


def read(text: str) -> Samples:
    """Every sample by its name and labels."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples.get((name, frozenset(labels.items())), 0.0)


@pytest.fixture
def scrape(client, token):
    owner = token("auditor")

    def make() -> Samples:
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {owner}"})
        assert answer.status_code == 200, answer.json
        return read(answer.get_data(as_text=True))

    return make


def post(client, **changes):
    return client.post("/sites/shop/receipts", json=body(**changes), headers={"Origin": ORIGIN})


# Who may.


def test_without_a_token_there_is_nothing(client):
    assert client.get("/metrics").status_code == 401


def test_a_token_of_one_site_does_not_see_the_others(client, token):
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {token('owner', site='shop')}"})
    assert answer.status_code == 403 and "whole installation" in answer.json["detail"]


def test_without_the_package_the_answer_says_how_to_get_it(client, token, monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {token()}"})
    assert answer.status_code == 501 and answer.mimetype == "application/problem+json"
    assert "pip install 'consent[metrics]'" in answer.json["detail"]


# What is counted.


def test_requests_are_counted_by_route_and_status_whoever_answers_them(client, scrape):
    before = scrape()
    for _ in range(3):
        post(client)  # the first by Flask, the others on the short way
        client.get("/sites/shop/banner.js")
        client.get(f"/sites/shop/subjects/{SUBJECT}/state")
    client.get("/sites/nowhere/banner.js")
    client.get("/nothing/here")
    after = scrape()

    def more(**labels: str) -> float:
        return value(after, "consent_requests_total", **labels) - value(before, "consent_requests_total", **labels)

    assert more(method="POST", route="/sites/<site>/receipts", status="201") == 3
    assert more(method="GET", route="/sites/<site>/banner.js", status="200") == 3
    assert more(method="GET", route="/sites/<site>/subjects/<subject>/state", status="200") == 3
    assert more(method="GET", route="/sites/<site>/banner.js", status="404") == 1
    assert more(method="GET", route="other", status="404") == 1


def test_recorded_choices_are_counted_once(client, scrape):
    choice = body()
    for _ in range(2):
        client.post("/sites/shop/receipts", json=choice, headers={"Origin": ORIGIN})
    assert value(scrape(), "consent_receipts_recorded_total", result="new") == 1
    assert value(scrape(), "consent_receipts_recorded_total", result="again") == 1


def test_refusals_are_counted_by_their_reason(client, scrape):
    client.post("/sites/shop/receipts", json=body(), headers={"Origin": "https://evil.example"})
    post(client)
    post(client, policy=7)
    post(client, policy=8)
    samples = scrape()
    assert value(samples, "consent_refusals_total", reason="foreign-origin") == 1
    assert value(samples, "consent_refusals_total", reason="invalid") == 2


def test_commits_are_timed_and_nobody_waits_afterwards(client, scrape, ledger, monkeypatch):
    post(client)

    def full(job):
        raise Unavailable("The disk is full.")

    monkeypatch.setattr(ledger, "together", full)
    assert post(client).status_code == 503
    samples = scrape()
    assert value(samples, "consent_commit_seconds_count") == 2 and value(samples, "consent_commit_waiting") == 0
    assert 0 < value(samples, "consent_commit_seconds_sum") < 5
    assert value(samples, "consent_commit_seconds_bucket", le="+Inf") == 2


def test_what_waits_for_its_transaction_is_the_depth_of_the_queue(client, scrape, ledger, monkeypatch):
    together, found = ledger.together, []

    def looked_at(job):
        monkeypatch.setattr(ledger, "together", together)
        found.append(value(scrape(), "consent_commit_waiting"))
        return together(job)

    monkeypatch.setattr(ledger, "together", looked_at)
    assert post(client).status_code == 201
    assert found == [1]


def test_ledgers_say_how_far_they_have_come(client, scrape, ledger, clock):
    post(client)
    ledger.tree.checkpoint("shop")
    clock.forward(seconds=30)
    post(client, subject="AAAAAAAAAAAAAAAAAAAAAA")
    samples = scrape()
    assert value(samples, "consent_ledger_entries", site="shop") == 3
    assert value(samples, "consent_uncovered_entries", site="shop") == 1
    assert value(samples, "consent_checkpoint_age_seconds", site="shop") == 30
    assert value(samples, "consent_unanchored", site="shop") == 0


# What must not be in it.


def test_nothing_of_a_request_becomes_a_label(client, scrape):
    for number in range(200):
        client.get(f"/sites/s{number}/banner.js")
        client.get(f'/"}}\n{number}')
        client.open("/", method=f"X{number}")
        client.get(f"/sites/shop/subjects/{SUBJECT}/state?{number}", headers={"X-Request-ID": f"{SUBJECT}{number}"})
    samples = scrape()
    assert len(samples) < 120 and SUBJECT not in str(samples)


def test_hostile_labels_are_escaped(client, scrape, app):
    counts = app.extensions["consent"].counts
    counts.answered("GET", 'a"} 1\nconsent_evil 1\n\\', "200")
    samples = scrape()
    assert ("consent_evil", frozenset()) not in samples
    assert value(samples, "consent_requests_total", method="GET", route='a"} 1\nconsent_evil 1\n\\', status="200") == 1


# From the outside.


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("metrics") / "data")
    server.cli("site", "create", "shop", "--origin", ORIGIN)
    server.start("--workers", "2")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def owner(server) -> str:
    return re.search(r"consent_\S+", server.cli("token", "create", "--role", "auditor", "--name", "prometheus"))[0]


def test_every_worker_tells_what_all_of_them_counted(server, owner):
    posted = 60
    for _ in range(posted):
        assert server.record()[0] == 201
    totals = {
        value(read(server.get("/metrics", owner).decode()), "consent_receipts_recorded_total", result="new")
        for _ in range(20)
    }
    assert totals == {posted}


def test_counts_outlive_a_restart(server, owner):
    server.record()
    before = value(read(server.get("/metrics", owner).decode()), "consent_receipts_recorded_total", result="new")
    server.stop()
    server.start("--workers", "2")
    server.record()
    samples = read(server.get("/metrics", owner).decode())
    assert value(samples, "consent_receipts_recorded_total", result="new") == before + 1
    assert len(list((server.data / "metrics").glob("*.numbers"))) <= 4


def test_openmetrics_is_spoken_to_who_asks_for_it(server, owner):
    headers = {"Authorization": f"Bearer {owner}", "Accept": "application/openmetrics-text; version=1.0.0"}
    with urllib.request.urlopen(urllib.request.Request(f"{server.url}/metrics", headers=headers)) as answer:
        assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
        assert answer.read().endswith(b"# EOF\n")


def test_the_files_are_the_owners_alone(server):
    assert Path(server.data / "metrics").stat().st_mode & 0o777 == 0o700
