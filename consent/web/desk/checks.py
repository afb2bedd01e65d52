"""What is checked while somebody looks at an entry of the log. Its rule: it is checked against the signed bytes now."""

from typing import NamedTuple

from consent import checkpoint, merkle, policy, receipts
from consent.errors import BadCheckpoint, BadSignature, NotYet, UnknownScript
from consent.model import Entry, Receipt
from consent.stored import text_of
from consent.web.desk.refusals import refusal
from consent.web.desk.words import say
from consent.web.desk.written import grouped
from consent.web.service import service


class Check(NamedTuple):
    """One thing that was checked just now; `holds` None where it cannot be told yet."""

    what: str
    holds: bool | None
    told: str


def signature(entry: Entry) -> Check:
    """Whether one of our keys signed the entry as it stands."""
    what = say("Signature")
    try:
        header, _ = receipts.verify(entry.token or "", receipts.keys_of(service().ledger.ring.jwks()))
    except BadSignature as error:
        return Check(what, False, say("It does not hold: {reason}", reason=refusal(error)))
    return Check(what, True, say("It holds: nobody changed the receipt. Signed with key {key}.", key=header.kid))


def asked_words(receipt: Receipt) -> Check:
    """Whether the stored policy is the one that the receipt names by its hash."""
    stored = service().ledger.storage.reading().publication(receipt.aud, receipt.consent.policy)
    if policy.named(policy.digest(stored.document)) == receipt.consent.policy_hash:
        return Check(say("Words"), True, say("What was asked stands here word for word: its hash is in the receipt."))
    return Check(say("Words"), False, say("What is stored as asked is not what the receipt names: it was changed."))


def shown_banner(receipt: Receipt) -> Check:
    """Whether the stored script is the one that the receipt names by its hash."""
    what, name = say("Banner"), receipt.consent.script_hash
    if name is None:
        return Check(
            what, None, say("The receipt names none: there is no banner in its language, or nobody was shown one.")
        )
    try:
        script = service().ledger.script_by_hash(receipt.aud, policy.hash_named(name))
    except UnknownScript:
        return Check(what, False, say("The script that the receipt names is not stored any more."))
    if text_of(script) is None:
        return Check(
            what, False, say("What is stored as the banner's script is not what the receipt names: it was changed.")
        )
    return Check(what, True, say("The script is stored byte for byte: its hash is in the receipt."))


def place(entry: Entry) -> Check:
    """Whether the entry stands in the log that the newest checkpoint was signed over."""
    what, ledger = say("Place in the log"), service().ledger
    try:
        proof = ledger.tree.proof(entry.site, entry.index)
        head = checkpoint.verify(proof.note, [key.public for key in ledger.ring.keys()])
    except NotYet:
        return Check(what, None, say("The next checkpoint covers it, within a minute."))
    except (BadCheckpoint, LookupError) as error:
        return Check(what, False, say("It does not hold: {reason}", reason=refusal(error)))
    leaf = merkle.leaf_hash((entry.token or "").encode())
    if merkle.includes(head.root, head.size, leaf, proof.index, proof.path):
        told = say("Entry {index} stands in the log that the checkpoint of {size} entries was signed over.", index=entry.index, size=grouped(head.size))  # fmt: skip
        return Check(what, True, told)
    return Check(what, False, say("It does not stand in the log that the newest checkpoint was signed over."))


def proof_of(entry: Entry) -> bytes:
    """The `tlog-proof` of an entry. Raises NotYet."""
    try:
        return checkpoint.proof_text(service().ledger.tree.proof(entry.site, entry.index)).encode()
    except NotYet:
        raise NotYet(say("No checkpoint covers this entry yet; the next one does, within a minute. Try again.")) from None  # fmt: skip
