"""Which rule a visitor falls under."""

import msgspec
import pytest

from consent.model import Place
from consent.policy import default
from consent.regime import depends_on_place, place, regimes


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("US-CA", Place("US", "opt-out", "region")),
        ("us-ca", Place("US", "opt-out", "region")),
        ("US-NY", Place("US", "opt-out", "country")),
        ("BR", Place("BR", "notice", "country")),
        ("DE", Place("DE", "opt-in", "default")),
        ("DE-BY", Place("DE", "opt-in", "default")),
    ],
)
def test_the_nearest_rule_of_the_policy_holds(draft, where, expected):
    assert place(draft, where) == expected


@pytest.mark.parametrize("where", [None, "", "XX", "ZZ", "zz-1", "T1", "USA", "U", "US-", "US-CALI", "US\n", "🇺🇸"])
def test_an_unknown_place_is_asked_first(draft, where):
    loose = msgspec.structs.replace(draft, regimes={"default": "notice", "US": "opt-out"})
    assert place(loose, where) == Place(None, "opt-in", "unknown")


def test_the_default_holds_for_places_the_policy_does_not_name(draft):
    loose = msgspec.structs.replace(draft, regimes={"default": "opt-out"})
    assert place(loose, "FR") == Place("FR", "opt-out", "default")


def test_no_place_is_loosened_unless_the_policy_says_so():
    assert place(default("Shop", ["https://shop.example"]), "US-CA").regime == "opt-in"


@pytest.mark.parametrize(
    ("rules", "depends"),
    [({}, False), ({"US": "opt-in"}, False), ({"US": "opt-out"}, True), ({"default": "notice"}, True)],
)
def test_places_matter_only_where_one_is_treated_differently(draft, rules, depends):
    assert depends_on_place(msgspec.structs.replace(draft, regimes=rules)) is depends


def test_every_possible_regime_is_named_and_opt_in_first(draft):
    assert regimes(draft) == ["opt-in", "notice", "opt-out"]
