"""Drafts: one a site, saved under a stamp, gone with the site."""

import pytest

from consent import policy
from consent.drafts import Drafts
from consent.errors import Conflict, UnknownSite


def test_where_nobody_has_begun_the_draft_is_what_is_published(ledger):
    draft = Drafts(ledger).get("shop")
    assert (draft.by, draft.base, draft.stamp) == ("", 1, "v1")
    assert policy.complete(policy.read(draft.document)) == policy.draft(ledger.published("shop"))
    with pytest.raises(UnknownSite):
        Drafts(ledger).get("nowhere")


def test_a_draft_is_saved_by_who_has_seen_the_last_one(ledger):
    drafts = Drafts(ledger)
    saved = drafts.save("shop", {"name": 7}, stamp="v1", by="anna")
    assert drafts.get("shop") == saved and (saved.by, saved.base, saved.at) == ("anna", 1, ledger.now())
    for stamp in ("v1", "", "other"):
        with pytest.raises(Conflict):
            drafts.save("shop", {}, stamp=stamp, by="ben")
        with pytest.raises(Conflict):
            drafts.drop("shop", stamp=stamp)
    drafts.drop("shop", stamp=saved.stamp)
    assert drafts.get("shop").by == ""


def test_a_publication_overtakes_a_form_that_was_made_before_it(ledger, draft):
    drafts = Drafts(ledger)
    ledger.publish("shop", draft)
    with pytest.raises(Conflict):
        drafts.save("shop", {}, stamp="v1", by="anna")
