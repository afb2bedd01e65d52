"""Every mistake of a document's shape, with its path and what would be right."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent import policy
from consent.errors import Invalid, Malformed
from consent.model import Choice, Display, Policy, Published
from consent.shape import decode, mistakes, nearest, read
from tests.conftest import body

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def test_a_right_document_has_no_mistake():
    assert mistakes(body(), Choice) == []


@pytest.mark.parametrize(
    ("changes", "path", "right"),
    [
        (
            {"subject": "short"},
            "subject",
            "a subject id (128 random bits, base64url), for example fZk3PpQ0Tz2mYw4uJr8aBg",
        ),
        ({"policy": 0}, "policy", "a policy version"),
        ({"policy": True}, "policy", "a policy version"),
        ({"action": "agree"}, "action", "one of accept_all, custom, load_once, reject_all, signal, withdraw"),
        ({"grants": []}, "grants", "a table, not a list"),
        ({"grants": {"analytics": "yes"}}, "grants.analytics", "true or false"),
        ({"grants": {"An": True}}, "grants.An", "a category or service id"),
        ({"signals": {"dnt": True}}, "signals.dnt", "is not known here"),
        ({"signals": {"gpc": 1}}, "signals.gpc", "true or false"),
        ({"decided_at": "yesterday"}, "decided_at", "an RFC 3339 time with its zone"),
        ({"decided_at": "2026-11-23T18:46:00"}, "decided_at", "an RFC 3339 time with its zone"),
        ({"langauge": "en"}, "langauge", "did you mean 'language'"),
    ],
)
def test_a_mistake_is_named_with_what_would_be_right(changes, path, right):
    ((found, message),) = mistakes(body(**changes), Choice)
    assert found == path and right in message


@pytest.mark.parametrize(("document", "kind"), [([], "a list"), ("x", "text"), (1, "a number"), (None, "null")])
def test_a_document_that_is_no_table_is_one_mistake(document, kind):
    assert mistakes(document, Choice) == [("", f"must be a table, not {kind}")]


def test_every_mistake_is_reported_together():
    found = mistakes({"policy": "1", "language": "EN", "extra": 1}, Display)
    assert [path for path, _ in found] == ["extra", "policy", "language", "surface"]


def test_items_of_a_list_are_named_by_their_position():
    ((path, _),) = mistakes(_policy(origins=["https://shop.example", "shop.example"]), Policy)
    assert path == "origins[1]"


def test_a_long_value_is_not_repeated_whole():
    ((_, message),) = mistakes(body(subject="x" * 5000), Choice)
    assert len(message) < 200


def test_mistakes_stand_in_the_order_of_the_document():
    names = [f"z{number}" for number in range(20)]
    assert [path for path, _ in mistakes({**body(), **dict.fromkeys(names, 1)}, Choice)] == names


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([Choice, Display, Policy]), JSON, st.data())
def test_reading_refuses_exactly_what_has_mistakes(type_, document, data):
    if data.draw(st.booleans()):
        fields = [field.encode_name for field in msgspec.structs.fields(type_)]
        document = {**(_policy() if type_ is Policy else body()), data.draw(st.sampled_from(fields)): document}
    found = mistakes(document, type_)
    try:
        read(document, type_, what="It")
    except Invalid as error:
        assert error.mistakes == tuple(found) != ()
    else:
        assert found == []


# Bytes.


@settings(max_examples=200, deadline=None)
@given(st.binary() | st.text().map(str.encode), st.booleans())
def test_bytes_are_decoded_or_malformed(data, toml):
    try:
        decode(data, what="It", toml=toml)
    except Malformed as error:
        assert str(error).startswith("It ")


@pytest.mark.parametrize(
    ("data", "toml"),
    [
        (b"[" * 100_000, False),
        (b'{"a":' * 100_000, False),
        (b"a=" + b"[" * 100_000, True),
        (b"a." * 100_000 + b"b=1", True),
    ],
    ids=["json lists", "json tables", "toml lists", "toml keys"],
)
def test_a_bottomless_document_is_malformed(data, toml):
    with pytest.raises(Malformed, match="nested too deeply"):
        decode(data, what="It", toml=toml)


def test_a_toml_document_may_have_many_dots():
    urls = [f"a{number}.shop.example/x.js" for number in range(300)]
    assert decode(f"urls = {urls}\ntext = '{'…'.join(urls)}'".encode(), what="It", toml=True)["urls"] == urls


@pytest.mark.parametrize(("name", "hint"), [("langauge", "language"), ("polcy", "policy"), ("zebra", "")])
def test_the_nearest_known_name_is_offered(name, hint):
    assert nearest(name, ["language", "policy"]) == (f"; did you mean {hint!r}?" if hint else "")


def test_mistakes_are_the_same_in_every_process():
    code = (
        "from consent.shape import mistakes; from consent.model import Display;"
        "print(mistakes({'x%d' % n: n for n in range(9)}, Display))"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]


def test_reading_says_what_was_read():
    with pytest.raises(Invalid, match=r"^The choice has mistakes\.$"):
        read({}, Choice, what="The choice")


def test_a_published_policy_is_a_policy_with_four_fields_more():
    added = set(Published.__struct_fields__) - set(Policy.__struct_fields__)
    assert added == {"site", "version", "material_since", "changed"}


def _policy(**changes) -> dict:
    return {
        "name": "Shop",
        "origins": ["https://shop.example"],
        "languages": ["en"],
        "categories": [{"id": "session", "necessary": True}],
        **changes,
    }


AT_ONCE = """
import sys, threading
from consent import client, create_app, policy
def at_once(work):
    start = threading.Barrier(6)
    threads = [threading.Thread(target=lambda: (start.wait(), work())) for _ in range(6)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
document = sys.argv[2].encode()
if sys.argv[1] == "service": create_app()
sys.setswitchinterval(1e-6)
at_once({"client": lambda: client.read_cookie(None, document), "service": lambda: policy.load(document)}[sys.argv[1]])
"""
LATER = """
import pkgutil, importlib
import consent, msgspec
consent.create_app()
def types(): return [one for type_ in msgspec.Struct.__subclasses__() for one in (type_, *type_.__subclasses__())]
known = types()
for module in pkgutil.walk_packages(consent.__path__, "consent."):
    if not module.name.startswith("consent.cli"): importlib.import_module(module.name)
print(*{one.__module__ for one in types()} - {one.__module__ for one in known})
"""


def alone(code: str, tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Code in an interpreter of its own."""
    environ = {**os.environ, "CONSENT_DATA": str(tmp_path / "data")}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environ, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("where", ["client", "service"])
def test_threads_may_all_read_a_policy_first(tmp_path: Path, draft: Policy, where: str):
    document = policy.publish(policy.complete(draft), site="shop", version=1, material_since=1)
    done = alone(AT_ONCE, tmp_path, where, policy.canonical(document).decode())
    assert done.returncode == 0, done.stderr  # -11 where the interpreter died


def test_a_service_has_loaded_its_types_before_it_answers(tmp_path: Path):
    done = alone(LATER, tmp_path)
    assert (done.stdout.strip(), done.stderr) == ("consent.sealing", "")  # the command line's alone: sealed backups
