"""The banner that a receipt was given on, as it was."""

import gzip
from html import unescape

import pytest
from msgspec.structs import replace

from consent import banner, policy
from consent.model import Appearance, Script
from tests.conftest import ON_SQLITE, ORIGIN, choice
from tests.desk.test_receipts import LIST, record

SCRIPT = b"(function(){/* as it was then */})();\n"


@pytest.fixture
def auditor(browser):
    return browser("auditor")


@pytest.fixture
def named(ledger) -> str:
    """A receipt that names a script which today's code would not make."""
    place = {"language": "de", "regime": "opt-in"}
    with ledger.storage.writing() as rows:
        one = Script("shop", 1, **place, code=bytes(32), hash=policy.digest(SCRIPT), gzip=gzip.compress(SCRIPT))  # type: ignore[arg-type]
        rows.add_script(one)
    return record(ledger, language="de")


def test_the_script_that_the_receipt_names_is_what_is_shown(auditor, ledger, named):
    answer = auditor.get(f"{LIST}/{named}/banner")
    assert SCRIPT.decode() in answer.text and answer.status_code == 200
    text = auditor.get(f"{LIST}/{named}").text
    assert f'src="{LIST}/{named}/banner"' in text and "The very script that the receipt names" in text
    assert "stored byte for byte" in text


def test_the_frame_can_neither_keep_nor_send_nor_be_framed_elsewhere(auditor, named):
    headers = auditor.get(f"{LIST}/{named}/banner").headers
    rule = headers["Content-Security-Policy"]
    assert rule.endswith("sandbox allow-scripts") and "default-src 'none'" in rule and "connect-src" not in rule
    assert "frame-ancestors 'self'" in rule and headers["Cache-Control"] == "no-store"


@ON_SQLITE
@pytest.mark.parametrize("damage", ["gzip = x'00'", "gzip = (SELECT min(gzip) FROM scripts WHERE language = 'en')"])
def test_a_script_that_was_changed_is_seen(auditor, ledger, named, damage):
    with ledger.storage.writing() as rows:
        rows._execute(f"UPDATE scripts SET {damage} WHERE language = 'de'", ())
    text = auditor.get(f"{LIST}/{named}").text
    assert "stored as the banner's script is not what the receipt names" in unescape(text)
    assert auditor.get(f"{LIST}/{named}/banner").status_code == 200


@ON_SQLITE
def test_a_script_that_is_gone_is_drawn_anew_and_told(auditor, ledger, named):
    with ledger.storage.writing() as rows:
        rows._execute("DELETE FROM scripts", ())
    text = auditor.get(f"{LIST}/{named}").text
    assert "is not stored any more" in text and "Drawn from policy version 1" in text
    drawn = banner.render(ledger.published("shop", 1), language="de", regime="opt-in").decode()
    assert drawn in auditor.get(f"{LIST}/{named}/banner").text


def test_no_logo_is_fetched_from_the_website(auditor, ledger):
    ledger.publish("shop", replace(policy.default("Shop", [ORIGIN]), appearance=Appearance(logo="/logo.svg")))
    id = record(ledger, policy=2)
    text = auditor.get(f"{LIST}/{id}/banner").text
    assert "/logo.svg" not in text and "data:image/svg+xml" in text
    assert "nothing is fetched from there" in auditor.get(f"{LIST}/{id}").text


@pytest.mark.parametrize("surface, layer", [("banner", "banner"), ("preferences", "preferences"), ("api", "banner")])
def test_the_layer_that_was_answered_is_open(auditor, ledger, surface, layer):
    id = record(ledger, surface=surface)
    assert f'const layer = "{layer}"' in auditor.get(f"{LIST}/{id}/banner").text


@pytest.mark.parametrize("signal", [True, False])
def test_the_frame_gives_the_signal_that_the_browser_gave(auditor, ledger, signal):
    id = record(ledger, signals={"gpc": signal})
    assert f'"globalPrivacyControl", {{ value: {str(signal).lower()},' in auditor.get(f"{LIST}/{id}/banner").text


def test_there_is_no_banner_of_what_is_not_there(auditor):
    one = choice()
    assert auditor.get(f"{LIST}/{one.id}/banner").status_code == 404
    assert auditor.get(f"{LIST}/nonsense/banner").status_code in (400, 404)
