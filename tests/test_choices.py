"""What a choice must get right against the policy it names."""

import pytest

from consent import policy
from consent.choices import is_refusal, mistakes
from tests.conftest import choice

ASKED = {"analytics": True, "social": False, "chat": False}
ALL = dict.fromkeys(ASKED, True)
NONE = dict.fromkeys(ASKED, False)


@pytest.fixture
def published(draft):
    return policy.publish(policy.complete(draft), site="shop", version=3, material_since=1)


@pytest.mark.parametrize(
    "changes",
    [
        {"grants": ASKED},
        {"grants": ASKED, "language": "de"},
        {"grants": ASKED, "services": {"hotjar": False, "video": True}},
        {"grants": ALL, "action": "accept_all"},
        {"grants": NONE, "action": "reject_all"},
        {"grants": NONE, "action": "withdraw"},
        {"grants": NONE, "action": "signal", "signals": {"gpc": True}},
        {"grants": NONE, "services": {"video": True}, "action": "load_once"},
    ],
)
def test_a_choice_that_fits_has_no_mistake(published, changes):
    assert mistakes(published, choice(**changes)) == []


@pytest.mark.parametrize(
    ("changes", "path", "right"),
    [
        ({"grants": ASKED, "language": "fr"}, "language", "en, de"),
        ({"grants": {"analytics": True, "social": False}}, "grants.chat", "is missing"),
        ({"grants": {**ASKED, "session": True}}, "grants.session", "necessary"),
        ({"grants": {**ASKED, "analytic": True}}, "grants.analytic", "did you mean 'analytics'"),
        ({"grants": ASKED, "services": {"hotjr": False}}, "services.hotjr", "did you mean 'hotjar'"),
        ({"grants": ASKED, "services": {"hotjar": True}}, "services.hotjar", "same as its category"),
        ({"grants": ASKED, "action": "accept_all"}, "action", "every category must be granted"),
        ({"grants": ALL, "services": {"hotjar": False}, "action": "accept_all"}, "action", "no service refused"),
        ({"grants": ASKED, "action": "reject_all"}, "action", "nothing may be granted"),
        ({"grants": NONE, "services": {"video": True}, "action": "withdraw"}, "action", "nothing may be granted"),
        ({"grants": NONE, "action": "load_once"}, "action", "must be granted"),
    ],
)
def test_a_mistake_is_named_with_what_would_be_right(published, changes, path, right):
    ((found, message),) = mistakes(published, choice(**changes))
    assert found == path and right in message


def test_every_mistake_is_reported_together(published):
    wrong = choice(language="fr", grants={"session": True}, services={"nope": True}, action="reject_all")
    assert [path for path, _ in mistakes(published, wrong)] == [
        "language",
        "grants.analytics",
        "grants.social",
        "grants.chat",
        "grants.session",
        "services.nope",
        "action",
    ]


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"grants": NONE}, True),
        ({"grants": NONE, "services": {"hotjar": False}}, True),
        ({"grants": ASKED}, False),
        ({"grants": NONE, "services": {"video": True}}, False),
    ],
)
def test_a_refusal_grants_nothing_at_all(changes, refusal):
    assert is_refusal(choice(**changes)) is refusal
