"""What is held of publications follows what is published, here or elsewhere."""

import pytest

from consent import policy
from consent.editions import GLANCE, PATIENCE, Editions
from consent.errors import UnknownPolicy, UnknownSite


class Blind:
    """A storage that never notices that something was published, as one on another machine would not."""

    def __init__(self, storage) -> None:
        self.reading = storage.reading

    def published(self) -> int:
        return 0


@pytest.fixture
def editions(ledger, clock) -> Editions:
    return Editions(ledger.storage, clock=clock)


def test_what_the_storage_announces_is_found_at_once(ledger, editions, clock, draft):
    first = editions.newest("shop")
    assert editions.newest("shop") is first
    ledger.publish("shop", draft)
    clock.forward(seconds=GLANCE)
    assert editions.newest("shop").published.version == 2
    assert editions.version("shop", 1).published == first.published


def test_what_is_published_here_is_found_at_once(ledger, draft):
    assert ledger.published("shop").version == 1
    ledger.publish("shop", draft)
    assert ledger.published("shop").version == 2


def test_what_is_announced_while_the_storage_is_asked_is_not_missed(ledger, editions, clock, draft):
    other = policy.default("Other", ["https://other.example"])
    ledger.create_site("other", other)

    def ask(question):
        editions.ask = lambda question: question()
        answer = question()
        ledger.publish("shop", draft)
        clock.forward(seconds=GLANCE)
        editions.newest("other")
        return answer

    editions.ask = ask
    assert editions.newest("shop").published.version == 1
    assert editions.newest("shop").published.version == 2


def test_what_is_published_elsewhere_is_found_after_a_second(ledger, clock, draft):
    editions = Editions(Blind(ledger.storage), clock=clock)
    made = editions.made("shop")
    ledger.publish("shop", draft)
    assert editions.made("shop") is made
    clock.forward(seconds=PATIENCE)
    assert editions.newest("shop").published.version == 2
    assert editions.made("shop") is not made


def test_what_was_made_stays_while_nothing_is_published(editions, clock):
    made = editions.made("shop")
    clock.forward(seconds=PATIENCE)
    assert editions.made("shop") is made


def test_what_is_not_there_is_said(ledger, editions):
    with pytest.raises(UnknownSite):
        editions.newest("nowhere")
    with pytest.raises(UnknownPolicy):
        editions.version("shop", 9)
    ledger.remove_site("shop")
    with pytest.raises(UnknownSite):
        ledger.published("shop")
