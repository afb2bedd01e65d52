"""The decision rules: the cases of tests/data/state.json, which JavaScript runs too."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.state import AskedPolicy, derive, parse
from consent.times import rfc3339

DATA = json.loads((Path(__file__).parent / "data" / "state.json").read_text())
POLICIES = {name: msgspec.convert(policy, AskedPolicy) for name, policy in DATA["policies"].items()}
COOKIE = "1.3.1763923560.fZk3PpQ0Tz2mYw4uJr8aBg.persistent~analytics~-hotjar"


@pytest.mark.parametrize("case", DATA["cases"], ids=lambda case: case["name"])
def test_state_follows_the_shared_cases(case):
    kept = parse(case["cookie"] or "")
    state = derive(POLICIES[case["policy"]], kept, now=case["now"], regime=case["regime"], gpc=case["gpc"])
    for field, expected in case["state"].items():
        expected = rfc3339(expected) if field in ("decided_at", "valid_until") else expected
        assert getattr(state, field) == expected, field


@given(st.text(max_size=600))
def test_no_text_whatever_breaks_the_parser(value):
    kept = parse(value)
    assert kept is None or kept.policy >= 1


@given(st.integers(0, len(COOKIE) - 1), st.characters())
def test_a_garbled_cookie_never_grants_what_was_not_named(position, character):
    kept = parse(COOKIE[:position] + character + COOKIE[position + 1 :])
    state = derive(POLICIES["shop"], kept, now=1763923561)
    assert not state.grants["social"]


def test_a_cookie_of_500_bytes_is_absent():
    assert parse(COOKIE + "~a" * 300) is None
