"""consent.client: the state from a Cookie header."""

import json
from pathlib import Path

import msgspec
import pytest

from consent.client import read_cookie

POLICY = json.loads((Path(__file__).parent / "data" / "state.json").read_text())["policies"]["shop"]
COOKIE = "1.3.1763923560.fZk3PpQ0Tz2mYw4uJr8aBg.persistent~analytics~-hotjar"
NOW = 1763923600


def test_reads_the_cookie_among_others():
    state = read_cookie(f"a=b; consent={COOKIE}; c=d", POLICY, now=NOW)
    assert (state.status, state.granted("analytics"), state.granted("social")) == ("partial", True, False)


def test_a_service_refused_inside_a_granted_category_is_not_granted():
    state = read_cookie(f"consent={COOKIE}", POLICY, now=NOW)
    assert state.granted("matomo") and not state.granted("hotjar")


def test_no_header_is_unknown_and_grants_nothing():
    state = read_cookie(None, POLICY, now=NOW)
    assert state.status == "unknown" and not state.granted("analytics")


def test_without_a_policy_only_what_the_cookie_names_is_granted():
    state = read_cookie(f"consent={COOKIE}", now=NOW)
    assert state.granted("persistent") and not state.granted("hotjar") and not state.granted("social")


@pytest.mark.parametrize(
    ("ids", "status"), [("", "refused"), ("-persistent~-analytics", "withdrawn"), ("analytics", "partial")]
)
def test_without_a_policy_the_status_is_told_by_the_cookie(ids, status):
    assert read_cookie(f"consent=1.3.1763923560.fZk3PpQ0Tz2mYw4uJr8aBg.{ids}", now=NOW).status == status


def test_without_a_policy_a_choice_lapses_after_180_days():
    state = read_cookie(f"consent={COOKIE}", now=NOW + 180 * 86_400)
    assert state.status == "expired" and not state.granted("analytics")


def test_the_cookie_may_have_another_name():
    assert read_cookie(f"consent_shop={COOKIE}", POLICY, name="consent_shop", now=NOW).status == "partial"


def test_takes_the_policy_as_the_bytes_the_service_answers():
    assert read_cookie(f"consent={COOKIE}", json.dumps(POLICY).encode(), now=NOW).status == "partial"


def test_a_document_that_is_no_policy_is_refused():
    with pytest.raises(msgspec.ValidationError):
        read_cookie(f"consent={COOKIE}", {"version": 1}, now=NOW)


def test_global_privacy_control_counts_in_an_opt_out_place():
    state = read_cookie(None, POLICY, regime="opt-out", gpc=True, now=NOW)
    assert state.granted("persistent") and not state.granted("analytics")


def test_of_two_cookies_of_the_name_the_newer_choice_counts():
    older = "1.3.1763923000.fZk3PpQ0Tz2mYw4uJr8aBg.social"
    assert not read_cookie(f"consent={older}; consent={COOKIE}", POLICY, now=NOW).granted("social")
    assert not read_cookie(f"consent={COOKIE}; consent={older}", POLICY, now=NOW).granted("social")
