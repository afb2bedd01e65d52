"""Policies: read, checked, completed, hashed, compared."""

import json
from pathlib import Path

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from msgspec import inspect

from consent import export, i18n, policy, policy_rules
from consent.errors import Invalid, Malformed
from consent.model import Choice, Policy, Published
from consent.policy_diff import diff, is_material
from consent.shape import decode

TOML = (Path(__file__).parent / "data" / "policy.toml").read_bytes()


def document(**changes) -> dict:
    plain = msgspec.to_builtins(policy.default("Shop", ["https://shop.example"]))
    return {**plain, **changes}


def mistakes(document) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        policy.read(document)
    return dict(refused.value.mistakes)


def published(draft: Policy) -> Published:
    return policy.publish(policy.complete(draft), site="shop", version=1, material_since=1)


# Reading.


def test_the_default_policy_is_valid_and_has_the_four_categories():
    read = policy.read(document())
    assert [category.id for category in read.categories] == ["session", "persistent", "analytics", "social"]
    assert [category.necessary for category in read.categories] == [True, False, False, False]


def test_toml_and_json_say_the_same(draft):
    as_json = json.dumps(decode(TOML, what="It", toml=True)).encode()
    assert policy.read(decode(as_json, what="It")) == draft


@pytest.mark.parametrize(("data", "toml"), [(b"a =", True), (b"{", False), (b"\xff\xfe", True), (b"[" * 9999, False)])
def test_a_file_that_cannot_be_read_is_malformed(data, toml):
    with pytest.raises(Malformed):
        decode(data, what="It", toml=toml)


SERVICE = {"id": "x", "category": "analytics", "name": "X", "provider": {"name": "X"}, "purpose": "X."}


@pytest.mark.parametrize(
    ("changes", "path", "right"),
    [
        ({"nam": "x"}, "nam", "did you mean 'name'?"),
        ({"name": 3}, "name", "must be text"),
        ({"valid_days": 0}, "valid_days", "a whole number from 1 to 730"),
        ({"refusal_days": 731}, "refusal_days", "a whole number from 1 to 730"),
        ({"appearance": {"layout": "none"}, "regimes": {"US-CA": "opt-out"}}, "appearance.layout", "must show something"),
        ({"origins": "https://x.example"}, "origins", "must be a list"),
        ({"origins": ["x.example"]}, "origins[0]", "for example https://shop.example"),
        ({"origins": ["https://x.example/path"]}, "origins[0]", "an origin"),
        ({"origins": ["https://x.example:*"]}, "origins[0]", "only on localhost"),
        ({"origins": ["https://x.example:99999"]}, "origins[0]", "65535"),
        ({"languages": ["en", "en"]}, "languages[1]", "must be unique"),
        ({"languages": ["english"]}, "languages[0]", "BCP 47"),
        ({"categories": []}, "categories", "at least 1 item"),
        ({"categories": [{"id": "session"}, {"id": "session"}]}, "categories[1].id", "must be unique"),
        ({"categories": [{"id": "policy", "name": "P", "purpose": "P"}]}, "categories[0].id", "a column of the export"),
        ({"categories": [{"id": "mine"}]}, "categories[0].purpose", "no built-in words"),
        ({"categories": [{"id": "session", "name": {}}]}, "categories[0].name", "at least one language"),
        ({"categories": [{"id": "session", "name": {"tlh": "X"}}]}, "categories[0].name.tlh", "the policy's languages"),
        ({"categories": [{"id": f"{'c' * 28}-{n}", "name": "C", "purpose": "C"} for n in range(20)]}, "categories", "499"),
        ({"services": [{**SERVICE, "category": "analytic"}]}, "services[0].category", "did you mean 'analytics'?"),
        ({"services": [{**SERVICE, "id": "social"}]}, "services[0].id", "must be unique"),
        ({"services": [{**SERVICE, "provider": {}}]}, "services[0].provider.name", "is missing"),
        ({"services": [{**SERVICE, "urls": ["not a pattern"]}]}, "services[0].urls[0]", "a URL pattern"),
        ({"services": [{**SERVICE, "cookies": [{"name": "a", "lifetime": "long", "purpose": "x"}]}]}, "services[0].cookies[0].lifetime", "13 months"),
        ({"services": [{**SERVICE, "cookies": [{"name": "a;b", "lifetime": "session", "purpose": "x"}]}]}, "services[0].cookies[0].name", "a cookie name"),
        ({"services": [{**SERVICE, "cookies": [{"name": "a", "lifetime": "session", "purpose": "x", "party": "fourth"}]}]}, "services[0].cookies[0].party", "one of first, third"),
        ({"texts": {"en": {"titel": "x"}}}, "texts.en.titel", "did you mean 'title'?"),
        ({"texts": {"tlh": {}}}, "texts.tlh", "the policy's languages"),
        ({"regimes": {"US": "maybe"}}, "regimes.US", "opt-out"),
        ({"regimes": {"America": "opt-out"}}, "regimes.America", "ISO 3166"),
        ({"signals": {"gpc": ["nothing"]}}, "signals.gpc[0]", "one of the categories"),
        ({"signals": {"google": {"analytics": ["storage"]}}}, "signals.google.analytics[0]", "ad_storage"),
        ({"privacy_url": "javascript:alert(1)"}, "privacy_url", "http or https"),
        ({"privacy_url": {"en": "shop.example"}}, "privacy_url.en", "http or https"),
        ({"cookie": {"name": "a b"}}, "cookie.name", "a cookie name"),
        ({"appearance": {"theme": "pink"}}, "appearance.theme", "auto"),
        ({"controller": {}}, "controller.name", "is missing"),
        ({"name": "Shop\x00"}, "name", "no control characters"),
        ({"texts": {"en": {"body": "Say \u202eon"}}}, "texts.en.body", "no control characters"),
        ({"services": [{**SERVICE, "provider": {"name": "\x1b[31mMe"}}]}, "services[0].provider.name", "no control characters"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_mistake_is_named_with_its_path_and_what_would_be_right(changes, path, right):
    assert right in mistakes(document(**changes))[path]


def test_lines_tabs_and_the_marks_of_a_writing_direction_are_text():
    spoken = {"en": {"body": "One.\n\tTwo.\r\nThree \u2067arba\u2069 \u200f."}}
    assert policy.read(document(texts=spoken)).texts == spoken


def test_every_mistake_is_reported_together():
    found = mistakes({"name": "", "origins": [], "languages": ["x"], "categories": [{"id": "A"}], "valid": 3})
    assert set(found) == {"name", "origins", "languages[0]", "categories[0].id", "valid"}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.sampled_from(Policy.__struct_fields__), inner, max_size=5),
    max_leaves=12,
)  # fmt: skip


@given(ANYTHING)
def test_no_document_whatever_breaks_the_reader(anything):
    with pytest.raises(Invalid) as refused:
        policy.read(anything)
    assert refused.value.mistakes


@given(st.sampled_from(sorted(document())), ANYTHING)
def test_no_value_whatever_breaks_the_reader(field, value):
    try:
        policy.read(document(**{field: value}))
    except Invalid as refused:
        assert all(
            path.startswith(field) or field == "languages" or field == "categories" for path, _ in refused.mistakes
        )


def test_no_type_joins_a_pattern_with_a_table():
    """msgspec up to 0.22 corrupts memory over that, so it must not come back."""
    unions = [union for type_ in (Policy, Published, Choice) for union in every_union(inspect.type_info(type_))]
    assert unions
    for union in unions:
        members = [member.type if isinstance(member, inspect.Metadata) else member for member in union.types]
        has_table = any(isinstance(member, inspect.DictType) for member in members)
        assert not (has_table and any(getattr(member, "pattern", None) for member in members))


def every_union(info) -> list[inspect.UnionType]:
    inner = {
        inspect.Metadata: lambda: [info.type],
        inspect.ListType: lambda: [info.item_type],
        inspect.DictType: lambda: [info.key_type, info.value_type],
        inspect.UnionType: lambda: list(info.types),
        inspect.StructType: lambda: [field.type for field in info.fields],
    }.get(type(info), list)()
    found = [info] if isinstance(info, inspect.UnionType) else []
    return found + [union for member in inner for union in every_union(member)]


def test_the_columns_of_the_export_are_known_to_the_rules():
    assert {*export.HEAD, *export.TAIL} == policy_rules.EXPORT_COLUMNS


# Completing and publishing.


def test_a_published_version_has_every_text_in_every_language(draft):
    complete = policy.complete(draft)
    assert set(complete.texts) == {"en", "de"}
    assert all(set(texts) == set(i18n.locale("en").texts) for texts in complete.texts.values())


def test_own_words_win_and_built_in_words_fill_the_rest(draft):
    complete = policy.complete(draft)
    assert complete.texts["en"]["title"] == "A word on cookies"
    assert complete.texts["de"]["title"] == i18n.locale("de").texts["title"]
    assert complete.categories[1].name["de"] == i18n.locale("de").categories["analytics"].name


def test_words_missing_in_a_language_fall_back_to_the_first(draft):
    assert policy.complete(draft).services[0].purpose == {"en": "Counts visits.", "de": "Counts visits."}


def test_regional_languages_fall_back_to_their_parent():
    read = policy.read(document(languages=["en", "de-AT"], texts={"de-AT": {"accept": "Passt"}}))
    texts = policy.complete(read).texts["de-AT"]
    assert (texts["accept"], texts["reject"]) == ("Passt", "Alle ablehnen")


def test_social_speaks_for_advertising_unless_there_is_advertising():
    alone = policy.complete(policy.read(document()))
    both = policy.complete(policy.read(document(categories=[*document()["categories"], {"id": "advertising"}])))
    assert "ad_storage" in alone.signals.google["social"] and "social" not in both.signals.google


def test_the_hash_is_over_canonical_json_that_survives_a_round_trip(draft):
    data = policy.canonical(published(draft))
    assert data == rfc8785.dumps(json.loads(data)) == policy.canonical(policy.load(data))


def test_a_hash_is_written_as_the_contract_says():
    assert policy.named(policy.digest(b"")) == "sha256-47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
    assert policy.hash_named(policy.named(policy.digest(b""))) == policy.digest(b"")


def test_a_draft_comes_back_from_what_was_published(draft):
    assert policy.draft(published(draft)) == policy.complete(draft)


def test_the_schema_names_every_field():
    schema = policy.schema()
    assert set(schema["$defs"]["Policy"]["properties"]) == set(Policy.__struct_fields__)


# Comparing.


def change(draft: Policy, **changes):
    return diff(policy.complete(draft), policy.complete(msgspec.structs.replace(draft, **changes)))


def test_the_same_policy_differs_in_nothing(draft):
    assert change(draft) == []


@pytest.mark.parametrize(
    ("field", "edit", "material"),
    [
        ("name", lambda p: "Another name", False),
        ("origins", lambda p: ["https://other.example"], False),
        ("languages", lambda p: ["en", "de", "fr"], False),
        ("texts", lambda p: {"en": {"title": "New title"}}, False),
        ("valid_days", lambda p: 90, False),
        ("valid_days", lambda p: 200, True),
        ("refusal_days", lambda p: 90, False),
        ("categories", lambda p: p.categories[:-1], False),
        ("categories", lambda p: [*p.categories, p.categories[-1].__class__("advertising")], True),
        ("categories", lambda p: [msgspec.structs.replace(p.categories[1], purpose="Other"), *p.categories[2:], p.categories[0]], True),
        ("categories", lambda p: list(reversed(p.categories)), False),
        ("services", lambda p: p.services[:-1], False),
        ("services", lambda p: [*p.services[:-1], msgspec.structs.replace(p.services[-1], category="analytics")], True),
        ("services", lambda p: [*p.services[:-1], msgspec.structs.replace(p.services[-1], urls=[])], False),
        ("regimes", lambda p: {**p.regimes, "FR": "opt-out"}, True),
        ("controller", lambda p: msgspec.structs.replace(p.controller, name="Other Ltd"), True),
        ("controller", lambda p: msgspec.structs.replace(p.controller, phone="+44 1"), False),
        ("privacy_url", lambda p: "https://shop.example/new", False),
    ],
)  # fmt: skip
def test_only_what_consent_was_about_is_material(draft, field, edit, material):
    changes = change(draft, **{field: edit(draft)})
    assert is_material(changes) is material


def test_a_change_is_told_in_words(draft):
    assert str(change(draft, valid_days=200)[0]) == "valid_days: 120 -> 200 (material)"
