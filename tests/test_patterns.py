"""What a pattern for addresses or cookie names matches; the cases for addresses are shared with the script."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.patterns import covers, matches

CASES = json.loads((Path(__file__).parent / "data" / "urls.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["why"])
def test_a_url_pattern_matches_what_it_says(case):
    assert matches(case["pattern"], case["url"]) is case["matches"]


def test_every_case_is_one_of_its_kind():
    assert len({(case["pattern"], case["url"]) for case in CASES}) == len(CASES)
    assert {case["matches"] for case in CASES} == {True, False}


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("_ga", "_ga"),
        ("_ga_*", "_ga_ABC123"),
        ("_ga_*", "_ga_"),
        ("_pk_id.*", "_pk_id.1.abcd"),
        ("mp_*_mixpanel", "mp_0123abcd_mixpanel"),
        ("*-_zldp", "abc-_zldp"),
        ("a*b*c", "a1b2b3c"),
    ],
)
def test_a_cookie_pattern_covers_a_name(pattern, name):
    assert covers(pattern, name)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("_ga", "_ga_ABC123"),
        ("_ga", "_GA"),
        ("_ga_*", "x_ga_ABC123"),
        ("_pk_id.*", "_pk_idX1"),
        ("mp_*_mixpanel", "mp_mixpanel"),
        ("a*b*c", "acb"),
        ("ab*ba", "aba"),
        ("[a-z]*", "abc"),
    ],
)
def test_a_cookie_pattern_does_not_cover_another_name(pattern, name):
    assert not covers(pattern, name)


@given(st.lists(st.text(alphabet="ab.*"), min_size=1), st.text(alphabet="ab."))
def test_a_star_stands_for_any_characters(parts, filling):
    assert covers("*".join(parts), filling.join(part.replace("*", filling) for part in parts))


@given(st.text(), st.text())
def test_no_text_is_too_strange_to_be_compared(pattern, url):
    assert matches(pattern, f"https://{url}") in (True, False)
