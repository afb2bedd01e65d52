"""The script's bytes, and that every way of installing serves them."""

import json
import re
import subprocess
import sys
import sysconfig
import threading
import time
import venv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from consent import banner, policy
from consent.model import Published

ROOT = Path(__file__).parent.parent


@pytest.fixture
def published(draft) -> Published:
    return policy.publish(policy.complete(draft), site="shop", version=1, material_since=1)


def settings_in(script: bytes) -> dict:
    return json.loads(script[script.rindex(b"})(") + 3 : script.rindex(b");")])


def test_the_same_input_gives_the_same_bytes(published):
    assert banner.scripts(published) == banner.scripts(policy.load(policy.canonical(published)))


def test_there_is_a_script_for_every_language_and_regime(published):
    made = [(script.language, script.regime) for script in banner.scripts(published)]
    assert made[0] == ("en", "opt-in") and len(made) == len(set(made)) == 2 * 3


BODY = banner.WORDS.index("body")


def test_the_script_reads_words_in_the_order_in_which_they_travel():
    names = re.search(r"const \[([^\]]+)\]", (ROOT / "banner" / "texts.js").read_text())
    assert names and tuple(re.findall(r"\w+", names[1])) == banner.WORDS


def told(**more) -> dict:
    """What a script is told of a policy with these settings."""
    asked = [{"id": "session", "necessary": True}, {"id": "analytics"}, {"id": "advertising"}]
    draft = {"name": "Shop", "origins": ["https://shop.example"], "languages": ["en"], "categories": asked, **more}
    published = policy.publish(policy.complete(policy.read(draft)), site="shop", version=1, material_since=1)
    return settings_in(banner.render(published, language="en", regime="opt-in"))


def test_only_basic_mode_holds_back_googles_own_tags():
    services = [{"id": "google-analytics"}, {"id": "matomo"}]

    def held(mode: str) -> list[bool]:
        options = {"signals": {"google_options": {"mode": mode}}}
        return [bool(one.get("urls")) for one in told(services=services, **options)["services"]]

    assert (held("basic"), held("advanced")) == ([True, True], [False, True])


def test_what_google_is_told_beside_the_answers_travels():
    options = {"wait_for_update": 700, "ads_data_redaction": False, "url_passthrough": True, "regions": ["ES", "US-CA"]}
    said = told(signals={"google_options": options})["signals"]["google_options"]
    assert said == {"wait_for_update": 700, "url_passthrough": True, "regions": ["ES", "US-CA"]}


def test_microsofts_signals_are_spoken_where_their_service_is_there():
    assert not {"uet", "clarity"} & set(told()["signals"])
    said = told(services=[{"id": "microsoft-uet"}, {"id": "clarity"}])["signals"]
    assert said["uet"] == [["ad_storage", "advertising"]]
    assert said["clarity"] == [["ad_Storage", "advertising"], ["analytics_Storage", "analytics"]]


def test_words_that_nothing_shows_do_not_travel():
    assert len(told()["texts"]) == banner.WORDS.index("changed")
    said = told(privacy_url="https://shop.example/privacy")["texts"]
    assert said[-2:] == [None, "Privacy policy"]


def test_many_who_ask_at_once_have_a_script_compressed_once(published, monkeypatch):
    made, asked = [], threading.Barrier(8)

    def slowly(data: bytes, **_) -> bytes:
        made.append(data)
        time.sleep(0.05)
        return b"small"

    def ask(_) -> bytes:
        asked.wait()
        return banner.brotli_of(gzipped)

    monkeypatch.setattr(banner.brotli, "compress", slowly)
    gzipped = banner.gzip.compress(banner.render(published, language="en", regime="opt-in") + b"/* cold */")
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {b"small"}
    assert len(made) == 1


def test_only_one_language_travels(published):
    script = banner.render(published, language="de", regime="opt-in").decode()
    assert "Videos zeigen." in script and "Show videos." not in script


@pytest.mark.parametrize(
    ("regime", "key"), [("opt-in", "body"), ("opt-out", "body_opt_out"), ("notice", "body_notice")]
)
def test_each_regime_has_its_own_words(published, regime, key):
    body = settings_in(banner.render(published, language="en", regime=regime))["texts"][BODY]
    assert body.startswith(published.texts["en"][key].partition("{")[0])


def test_days_and_purposes_are_filled_in(published):
    body = settings_in(banner.render(published, language="en", regime="opt-in"))["texts"][BODY]
    assert "120 days" in body and "Chat" in body and "{" not in body


def test_two_lifetimes_are_told_as_both(published):
    longer = msgspec.structs.replace(published, refusal_days=300)
    assert "120–300 days" in settings_in(banner.render(longer, language="en", regime="opt-in"))["texts"][BODY]


def test_no_text_of_a_policy_can_leave_its_place(draft):
    import msgspec

    evil = msgspec.structs.replace(draft, texts={"en": {"title": "</script><script>alert(1)</script>\u2028"}})
    script = banner.render(
        policy.publish(policy.complete(evil), site="shop", version=1, material_since=1), language="en", regime="opt-in"
    )
    assert b"</script" not in script and settings_in(script)["texts"][banner.WORDS.index("title")].startswith(
        "</script>"
    )


INSTALLS = {
    "pip install .": lambda target, wheel: ["."],
    "pip install -e .": lambda target, wheel: ["--editable", "."],
    "a wheel": lambda target, wheel: [wheel],
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--wheel-dir", str(folder), ".")
    return str(next(folder.glob("*.whl")))


def pip(*arguments: str, python: str = sys.executable) -> None:
    done = subprocess.run([python, "-m", "pip", "--quiet", *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("way", INSTALLS)
def test_every_way_of_installing_serves_the_script(tmp_path, wheel, way):
    venv.create(tmp_path / "venv", with_pip=True)
    python = str(tmp_path / "venv" / "bin" / "python")
    pip("install", "--no-deps", *INSTALLS[way](tmp_path, wheel), python=python)
    libraries = sysconfig.get_path("purelib")
    code = f"""import sys; sys.path.append({libraries!r})
import consent.banner as b; print(b.__file__, len(b.source()))
assert (b.files("consent") / "templates" / "demo" / "page.html").is_file()"""
    done = subprocess.run([python, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    file, size = done.stdout.split()
    assert int(size) == len(banner.source())
    assert (str(ROOT) in file) == (way == "pip install -e .")
