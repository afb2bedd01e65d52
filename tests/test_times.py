"""Times as text and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.times import rfc3339, seconds


def test_seconds_become_rfc_3339_in_utc():
    assert rfc3339(1_795_459_560) == "2026-11-23T18:46:00Z"


def test_no_time_stays_no_time():
    assert rfc3339(None) is None


@pytest.mark.parametrize(
    "text",
    ["2026-11-23T18:46:00Z", "2026-11-23T19:46:00+01:00", "2026-11-23T18:46:00", "2026-11-23 18:46:00.9Z"],
)
def test_a_time_is_read_in_utc_unless_it_names_a_zone(text):
    assert seconds(text) == 1_795_459_560


def test_a_day_is_its_first_second():
    assert rfc3339(seconds("2026-11-23")) == "2026-11-23T00:00:00Z"


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "1e5", "23.11.2026"])
def test_anything_else_is_no_time(text):
    with pytest.raises(ValueError):
        seconds(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
def test_a_time_whose_day_in_utc_cannot_be_written_is_none(text):
    with pytest.raises(OverflowError):
        seconds(text)


@given(st.integers(0, 253_402_300_799))
def test_what_was_written_is_read_back(moment):
    assert seconds(rfc3339(moment)) == moment
