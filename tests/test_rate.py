"""Recordings per address: a sliding window that forgets."""

import pytest

from consent.errors import TooManyRequests
from consent.web.rate import RateLimit


@pytest.fixture
def limit(clock) -> RateLimit:
    return RateLimit("10/minute", clock=clock)


def hits(limit: RateLimit, address: str | None = "192.0.2.1", *, what: str = "receipts") -> int:
    """How many of twenty are taken."""
    taken = 0
    for _ in range(20):
        try:
            limit.hit(address, what=what)
            taken += 1
        except TooManyRequests:
            pass
    return taken


def test_so_many_are_taken_and_no_more(limit):
    assert hits(limit) == 10
    assert hits(limit) == 0


def test_each_address_and_each_kind_counts_for_itself(limit):
    assert [hits(limit), hits(limit, "192.0.2.2"), hits(limit, what="displays"), hits(limit, None)] == [10] * 4


def test_a_household_counts_once(limit):
    assert hits(limit, "2001:db8:1:2::1") == 10
    assert hits(limit, "2001:db8:1:2:ffff::9") == 0
    assert hits(limit, "2001:db8:1:3::1") == 10


def test_half_a_window_later_half_as_many_are_taken(limit, clock):
    clock.now = 1_200_000.0
    assert hits(limit) == 10
    clock.forward(seconds=60)
    assert hits(limit) == 0
    clock.forward(seconds=30)
    assert hits(limit) == 5


@pytest.mark.parametrize("pause", [0, 30, 59, 75, 119])
def test_whoever_waits_as_told_is_taken_again_and_not_much_before(limit, clock, pause):
    hits(limit)
    clock.forward(seconds=pause)
    hits(limit)
    with pytest.raises(TooManyRequests) as refused:
        limit.hit("192.0.2.1", what="receipts")
    clock.forward(seconds=refused.value.retry_after - 2)
    assert hits(limit) <= 1
    clock.forward(seconds=2)
    limit.hit("192.0.2.1", what="receipts")


def test_addresses_are_forgotten_after_two_windows(limit, clock):
    hits(limit)
    clock.forward(seconds=120)
    hits(limit, "192.0.2.2")
    assert "192.0.2.1" not in repr(vars(limit))
