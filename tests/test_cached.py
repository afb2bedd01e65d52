"""The script through a cache: nginx with the very configuration of docs/deploy.md in front of a running service."""

import http.client
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import ALL, ORIGIN, SUBJECT, body
from tests.nginx import NGINX, Answer, Nginx, Shop
from tests.test_cache_headers import BANNER, CACHE_CONTROL, FOR_EVER, PLAIN, address_of
from tests.test_docs import page, section

NEWER = b'"policy":2'
"""What a script of the second version says."""
COUNTRY = {"CONSENT_COUNTRY_HEADER": "CF-IPCountry"}

pytestmark = pytest.mark.slow

BLOCKS = re.findall(r"```nginx\n(.*?)```", page("deploy.md"), re.DOTALL)
[CACHED] = [block for block in BLOCKS if block.startswith("proxy_cache_path")]
[BY_COUNTRY] = [block for block in BLOCKS if "proxy_cache_key" in block]
[BEHIND_CDN] = [block for block in BLOCKS if "set_real_ip_from" in block]

SECOND = CACHE_CONTROL.replace("max-age=300", "max-age=1")
"""Expired after a second instead of 300."""
DAY_LATER = SECOND.replace("stale-while-revalidate=86400", "stale-while-revalidate=0")
"""And too old to be handed out while a new one is fetched."""


@pytest.fixture
def behind(tmp_path: Path) -> Iterator[Callable[..., tuple[Shop, Nginx]]]:
    """Starts a service with the site `shop` and nginx in front of it: `service, front = behind(CACHED)`."""
    if NGINX is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("nginx is not installed: run tests/install.sh")
    running: list[Shop | Nginx] = []

    def start(block: str = CACHED, *, before: str = "", says: str = "", **settings: str) -> tuple[Shop, Nginx]:
        service = Shop(tmp_path / "data", **settings)
        service.cli("site", "create", "shop", "--origin", ORIGIN)
        running.append(service)
        service.start("--workers", "1", says=says)
        front = Nginx(tmp_path / "nginx", service, block, before=before)
        running.append(front)
        front.start()
        return service, front

    yield start
    for each in reversed(running):
        each.stop()


def with_lines(block: str, lines: str, *, at: str) -> str:
    """A block with more lines in one of its places."""
    assert block.count(at) == 1
    return block.replace(at, f"{lines}\n{at}")


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def asked(service: Shop) -> int:
    """How often the script was asked of the service itself."""
    lines = [json.loads(line) for line in service.log.read_text().splitlines() if line.startswith("{")]
    return sum(line.get("route") == "/sites/<site>/banner.js" for line in lines)


ENCODINGS = {"gzip, deflate, br, zstd": "br", "gzip, deflate": "gzip", "identity": None}
LANGUAGES = {"en-GB,en;q=0.9": "en", "de-AT,de;q=0.8,en;q=0.5": "de"}


def test_each_language_and_encoding_is_fetched_once_and_then_comes_from_the_cache(behind):
    service, front = behind(CONSENT_LOG_REQUESTS="yes")
    for status in ("MISS", "HIT", "HIT"):
        for accepted, encoding in ENCODINGS.items():
            for wanted, language in LANGUAGES.items():
                answer = front.ask(Accept_Encoding=accepted, Accept_Language=wanted)
                assert (answer.status, answer.cache) == (200, status)
                assert answer.headers.get("Content-Encoding") == encoding
                assert f'"language":"{language}"'.encode() in answer.script
                assert answer.headers["Cache-Control"] == CACHE_CONTROL and "X-Request-ID" not in answer.headers
                assert answer.headers["Vary"] == "Accept-Encoding, Accept-Language"
                assert address_of(answer.script)[20:-3] in answer.headers["ETag"]
    assert asked(service) == len(ENCODINGS) * len(LANGUAGES) == len(front.files())


def test_what_the_cache_hands_out_is_what_the_service_answers(behind):
    service, front = behind()
    for _ in range(2):
        through = front.ask(Accept_Encoding="br")
    direct = http.client.HTTPConnection("127.0.0.1", service.port, timeout=15)
    direct.request("GET", BANNER, headers={"Accept-Encoding": "br"})
    answer = direct.getresponse()
    own = {"Date", "Server", "Connection", "X-Request-ID"}
    assert through.cache == "HIT" and through.body == answer.read()
    assert {n: v for n, v in through.headers.items() if n not in own | {"X-Cache-Status"}} == {
        n: v for n, v in answer.getheaders() if n not in own
    }
    direct.close()


def test_a_browser_that_has_the_script_is_told_so_by_the_cache(behind):
    service, front = behind(CONSENT_LOG_REQUESTS="yes")
    etag = front.ask(Accept_Encoding="br").headers["ETag"]
    again = front.ask(Accept_Encoding="br", If_None_Match=etag)
    assert (again.status, again.body, again.cache, again.headers["ETag"]) == (304, b"", "HIT", etag)
    assert again.headers["Cache-Control"] == CACHE_CONTROL and "Accept-Language" in again.headers["Vary"]
    other = front.ask(Accept_Encoding="gzip", If_None_Match=etag)
    assert other.status == 200 and other.headers["ETag"] != etag, "another encoding is another representation"
    assert asked(service) == 2


def test_a_forced_language_has_an_entry_of_its_own_however_it_is_spelled(behind):
    _, front = behind()
    for path, language in ((f"{BANNER}?l%61ng=fr", "fr"), (f"{BANNER}?lang=de", "de"), (BANNER, "en")):
        for status in ("MISS", "HIT"):
            answer = front.ask(path, Accept_Language="en", **PLAIN)
            assert answer.cache == status and f'"language":"{language}"'.encode() in answer.script
    assert front.ask(f"{BANNER}?lang=de", Accept_Language="it", **PLAIN).cache == "HIT", "no header decides there"
    for _ in range(2):
        refused = front.ask(f"{BANNER}?lang=xx")
        assert refused.status == 400 and refused.headers["Cache-Control"] == "no-store", "a refusal is not kept"


def test_the_script_under_its_hash_is_kept_for_each_origin(behind):
    _, front = behind()
    path = address_of(front.ask(**PLAIN).body)
    for origin in (ORIGIN, "https://evil.example"):
        for status in ("MISS", "HIT"):
            answer = front.ask(path, Origin=origin, Accept_Encoding="br")
            assert (answer.status, answer.cache, answer.headers["Cache-Control"]) == (200, status, FOR_EVER)
            assert address_of(answer.script) == path
            assert answer.headers.get("Access-Control-Allow-Origin") == (ORIGIN if origin == ORIGIN else None)


def test_choices_states_and_the_desk_never_come_from_the_cache(behind):
    service, front = behind()
    first, second = front.record(), front.record()
    assert first.status == second.status == 201 and first.body != second.body
    state = f"/sites/shop/subjects/{SUBJECT}/state"
    token = service.cli("token", "create", "--role", "owner", "--name", "test").split()[-1]
    assert json.loads(front.ask(state).body)["status"] == "given"
    refusal = json.dumps(body(action="reject_all", grants=dict.fromkeys(ALL, False))).encode()
    assert front.ask("/sites/shop/receipts", "POST", refusal, Origin=ORIGIN, Content_Type="text/plain").status == 201
    assert json.loads(front.ask(state).body)["status"] == "refused", "a second question is answered anew"
    for path in (state, "/sites/shop/ledger/checkpoint", "/api/sites", "/admin/", "/healthz"):
        answers = [front.ask(path, Authorization=f"Bearer {token}") for _ in range(2)]
        assert all(answer.cache is None and answer.headers["Cache-Control"] == "no-store" for answer in answers), path
    assert front.ask(BANNER, "POST", b"").status == 405
    assert front.files() == []


def test_many_first_visitors_at_once_ask_the_service_once(behind):
    service, front = behind(CONSENT_LOG_REQUESTS="yes")
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: front.ask(Accept_Encoding="br"), range(16)))
    assert len({answer.body for answer in answers}) == 1 and asked(service) == 1


# When the time is over; one second here, 300 as shipped.


def test_an_expired_script_is_handed_out_once_more_and_fetched_again_by_its_etag(behind):
    service, front = behind(says=SECOND, CONSENT_LOG_REQUESTS="yes")
    assert [front.ask().cache for _ in range(2)] == ["MISS", "HIT"]
    time.sleep(2.1)
    assert front.ask().cache == "STALE"
    until(lambda: asked(service) == 2)
    until(lambda: front.ask().cache == "HIT")
    statuses = [json.loads(line)["status"] for line in service.log.read_text().splitlines() if "/banner.js" in line]
    assert statuses[:2] == [200, 304]


def test_a_new_policy_arrives_when_the_time_is_over_in_each_visitors_language(behind):
    service, front = behind(says=SECOND)
    before = {wanted: front.ask(Accept_Language=wanted, **PLAIN).body for wanted in LANGUAGES}
    service.publish("shop", [ORIGIN], ["analytics"], languages=["en", "de"], name="Another Shop")
    for wanted in LANGUAGES:
        assert front.ask(Accept_Language=wanted, **PLAIN).body == before[wanted], "still the old one"
    old = front.record()
    assert old.status == 201, "and a choice on the old one is recorded"
    time.sleep(2.1)
    for wanted in LANGUAGES:
        assert front.ask(Accept_Language=wanted, **PLAIN).cache == "STALE", "once more for whoever asks first"
    for wanted, language in LANGUAGES.items():
        until(lambda wanted=wanted: front.ask(Accept_Language=wanted, **PLAIN).body != before[wanted])
        answer = front.ask(Accept_Language=wanted, **PLAIN)
        assert NEWER in answer.script and f'"language":"{language}"'.encode() in answer.script


def test_the_cache_emptied_by_hand_gives_the_new_policy_at_once(behind):
    service, front = behind()
    before = front.ask(**PLAIN).body
    service.publish("shop", [ORIGIN], ["analytics"], languages=["en", "de"])
    until(lambda: NEWER in service.get(BANNER), 5)
    assert front.ask(**PLAIN).body == before
    [line] = [line for line in section(page("deploy.md"), "A cache in nginx").splitlines() if "-delete" in line]
    subprocess.run(line.strip().replace("/var/cache/consent", str(front.cache)), shell=True, check=True)
    answer = front.ask(**PLAIN)
    assert answer.cache == "MISS" and NEWER in answer.script


@pytest.mark.parametrize("says", [SECOND, DAY_LATER], ids=["within the day", "within the week"])
def test_a_script_is_served_while_the_service_is_down_and_a_choice_is_not_lost(behind, says):
    service, front = behind(says=says)
    kept = front.ask(Accept_Encoding="br")
    service.stop(signal.SIGKILL)
    time.sleep(2.1)
    for _ in range(2):
        answer = front.ask(Accept_Encoding="br")
        assert (answer.status, answer.cache, answer.body) == (200, "STALE", kept.body)
    assert front.ask(Accept_Encoding="br", If_None_Match=kept.headers["ETag"]).status == 304
    assert front.record().status == 502, "the browser keeps it and sends it again"
    service.start("--workers", "1", says=says)
    until(lambda: front.ask(Accept_Encoding="br").cache in ("HIT", "REVALIDATED"))
    assert front.record().status == 201


@pytest.mark.parametrize(("says", "status"), [(SECOND, 200), (DAY_LATER, 404)], ids=["within the day", "after it"])
def test_the_script_of_a_removed_site_is_served_for_a_day(behind, says, status):
    service, front = behind(says=says)
    front.ask()
    token = service.cli("token", "create", "--role", "owner", "--name", "test").split()[-1]
    removed = front.ask("/api/sites/shop?confirm=shop", "DELETE", Authorization=f"Bearer {token}")
    assert removed.status == 204
    time.sleep(2.1)
    assert [front.ask().status for _ in range(3)] == [status] * 3


# Who the visitor is.


def test_the_rate_limit_counts_the_visitors_address_and_no_header_changes_that(behind):
    _, front = behind(CONSENT_RATE_LIMIT="2/hour")
    assert [front.record(of="127.0.0.2").status for _ in range(3)] == [201, 201, 429]
    assert front.record(of="127.0.0.2", X_Forwarded_For="192.0.2.9").status == 429
    assert front.record(of="127.0.0.3").status == 201


def test_behind_a_cdn_the_address_that_it_names_counts_and_no_other(behind):
    lines = BEHIND_CDN.replace("192.0.2.0/24", "127.0.0.2")
    _, front = behind(with_lines(CACHED, lines, at="    location / {"), CONSENT_RATE_LIMIT="1/hour")
    named = [("127.0.0.2", "198.51.100.1", 201), ("127.0.0.2", "198.51.100.1", 429), ("127.0.0.2", "198.51.100.2", 201)]
    forged = [("127.0.0.3", "198.51.100.8", 201), ("127.0.0.3", "198.51.100.9", 429)]
    for address, header, status in named + forged:
        assert front.record(of=address, X_Forwarded_For=header).status == status


def regime(answer: Answer) -> str:
    return re.search(rb'"regime":"([\w-]+)"', answer.script)[1].decode()  # type: ignore[index]


REGIMES = {"regimes": {"default": "opt-in", "US": "opt-out"}}


def test_each_country_has_its_own_script_where_nginx_names_the_country(behind):
    places = 'geo $country { default "DE"; 127.0.0.2 "US"; }'
    service, front = behind(with_lines(CACHED, BY_COUNTRY, at="    location / {"), before=places, **COUNTRY)
    service.publish("shop", [ORIGIN], ["analytics"], **REGIMES)
    until(lambda: NEWER in service.get(BANNER), 5)
    for status in ("MISS", "HIT"):
        for address, expected in (("127.0.0.2", "opt-out"), ("127.0.0.3", "opt-in")):
            answer = front.ask(of=address, CF_IPCountry="US", **PLAIN)
            assert (regime(answer), answer.cache) == (expected, status), "what the visitor says is not believed"


def test_each_country_has_its_own_script_where_a_cdn_in_front_names_the_country(behind):
    service, front = behind(**COUNTRY)
    service.publish("shop", [ORIGIN], ["analytics"], **REGIMES)
    until(lambda: NEWER in service.get(BANNER), 5)
    for status in ("MISS", "HIT"):
        for country, expected in (("US", "opt-out"), ("DE", "opt-in")):
            answer = front.ask(CF_IPCountry=country, **PLAIN)
            assert (regime(answer), answer.cache) == (expected, status)


def test_a_script_that_depends_on_the_address_is_never_kept(behind, tmp_path):
    from mmdb_writer import MMDBWriter
    from netaddr import IPSet

    writer = MMDBWriter()
    writer.insert_network(IPSet(["127.0.0.2/32"]), {"country": {"iso_code": "US"}})
    writer.to_db_file(str(tmp_path / "places.mmdb"))
    service, front = behind(CONSENT_GEOIP=str(tmp_path / "places.mmdb"))
    service.publish("shop", [ORIGIN], ["analytics"], **REGIMES)
    until(lambda: NEWER in service.get(BANNER), 5)
    for _ in range(2):
        for address, expected in (("127.0.0.2", "opt-out"), ("127.0.0.3", "opt-in")):
            answer = front.ask(of=address, **PLAIN)
            assert (regime(answer), answer.cache) == (expected, "MISS")
            assert answer.headers["Cache-Control"] == CACHE_CONTROL.replace("public", "private")
    assert front.files() == []
