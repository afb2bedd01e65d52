"""The storage contract: what consent/storage/base.py promises, run against every backend; sites, policies, scripts and tokens."""

import hashlib
import uuid

import msgspec
import pytest

from consent.errors import Conflict, UnknownPolicy, UnknownSite
from consent.merkle import leaf_hash
from consent.model import Entry, Filter, Publication, Script, Site, Tally, Token
from consent.storage import open_storage
from consent.storage.base import Storage
from tests.conftest import ON_SQLITE, SUBJECT

OTHER = "AAAAAAAAAAAAAAAAAAAAAA"
EVERYTHING = Filter(kinds=())


def entry(site: str = "shop", **changes) -> Entry:
    """A receipt's row with a fresh id."""
    token = changes.pop("token", uuid.uuid4().hex)
    given = {"id": str(uuid.uuid4()), "subject": SUBJECT, "policy": 1, "action": "custom"} | changes
    return Entry(
        site, given.pop("kind", "receipt"), given.pop("recorded_at", 100), leaf_hash(token.encode()), token, **given
    )


def publication(version: int, site: str = "shop") -> Publication:
    document = b'{"version":%d}' % version
    return Publication(site, version, hashlib.sha256(document).digest(), document, 1, 100 + version)


def script(text: bytes, *, version: int = 1, language: str = "en", regime: str = "opt-in") -> Script:
    return Script("shop", version, language, regime, b"code", hashlib.sha256(text).digest(), b"gzip")


def api_token(id: str = "0123456789ab", **changes) -> Token:
    fields = {"hash": b"h" * 32, "role": "auditor", "site": None, "name": "test", "created_at": 100}
    return Token(id, **(fields | changes))


def append(storage: Storage, *entries: Entry) -> list[int]:
    with storage.writing() as rows:
        return [rows.append(each) for each in entries]


def indexes(entries: list[Entry]) -> list[int]:
    return [each.index for each in entries]


ALWAYS = ("2000-01-01", "3000-01-01")


def tally(day: str = "2026-11-23", **changes) -> Tally:
    given = {
        "policy": 1,
        "action": "custom",
        "granted": "analytics",
        "language": "en",
        "country": "DE",
        "regime": "opt-in",
        "surface": "banner",
    }
    return Tally(day, **(given | changes))  # fmt: skip


@pytest.fixture
def shop(storage: Storage) -> Storage:
    """A storage with the sites `shop` and `other`."""
    with storage.writing() as rows:
        rows.add_site(Site("shop", 10))
        rows.add_site(Site("other", 20))
    return storage


PUBLISHING = {
    "add_site": lambda rows: rows.add_site(Site("third", 30)),
    "remove_site": lambda rows: rows.remove_site("other"),
    "add_publication": lambda rows: rows.add_publication(publication(1)),
    "add_script": lambda rows: rows.add_script(script(b"new")),
}


@pytest.mark.parametrize("what", PUBLISHING)
def test_what_is_published_here_is_noticed_here_at_once(shop, what):
    before = shop.published()
    append(shop, entry())
    assert shop.published() == before, "recording publishes nothing"
    with shop.writing() as rows:
        PUBLISHING[what](rows)
    assert shop.published() != before


@ON_SQLITE
@pytest.mark.parametrize("what", PUBLISHING)
def test_what_is_published_here_is_noticed_by_every_process_of_the_machine(shop, database, what):
    other = open_storage(database)
    before = other.published()
    append(shop, entry())
    assert other.published() == before, "recording publishes nothing"
    with shop.writing() as rows:
        PUBLISHING[what](rows)
    assert other.published() != before


def test_what_is_not_published_in_the_end_is_not_announced(shop):
    before = shop.published()
    with pytest.raises(UnknownSite), shop.writing() as rows:
        rows.add_publication(publication(1))
        rows.site("nowhere")
    assert shop.published() == before


# Sites.


def test_sites_come_back_as_they_were_added_in_order_of_their_ids(shop):
    assert shop.reading().sites() == [Site("other", 20), Site("shop", 10)]


def test_one_site_is_found_by_its_id(shop):
    assert shop.reading().site("shop") == Site("shop", 10)


def test_a_site_id_is_taken_once(shop):
    with pytest.raises(Conflict), shop.writing() as rows:
        rows.add_site(Site("shop", 30))


OF_A_SITE = {
    "site": lambda rows: rows.site("nowhere"),
    "remove_site": lambda rows: rows.remove_site("nowhere"),
    "publications": lambda rows: rows.publications("nowhere"),
    "publication": lambda rows: rows.publication("nowhere", 1),
    "newest publication": lambda rows: rows.publication("nowhere"),
    "add_publication": lambda rows: rows.add_publication(publication(1, "nowhere")),
    "script": lambda rows: rows.script("nowhere", b""),
    "newest_script": lambda rows: rows.newest_script("nowhere", 1, language="en", regime="opt-in"),
    "add_script": lambda rows: rows.add_script(msgspec.structs.replace(script(b""), site="nowhere")),
    "size": lambda rows: rows.size("nowhere"),
    "append": lambda rows: rows.append(entry("nowhere")),
    "entry": lambda rows: rows.entry("nowhere", str(uuid.uuid4())),
    "latest": lambda rows: rows.latest("nowhere", SUBJECT),
    "entries": lambda rows: rows.entries("nowhere", EVERYTHING),
    "newest": lambda rows: rows.newest("nowhere", EVERYTHING),
    "count": lambda rows: rows.count("nowhere", EVERYTHING),
    "empty": lambda rows: rows.empty("nowhere", [0]),
    "add_token": lambda rows: rows.add_token(api_token(site="nowhere")),
    "tally": lambda rows: rows.tally("nowhere", {tally(): 1}),
    "tallies": lambda rows: rows.tallies("nowhere", *ALWAYS),
}


@pytest.mark.parametrize("call", OF_A_SITE.values(), ids=OF_A_SITE)
def test_whatever_is_asked_of_an_unknown_site_is_refused(shop, call):
    with pytest.raises(UnknownSite, match="'nowhere'"), shop.writing() as rows:
        call(rows)


def filled(storage: Storage) -> None:
    with storage.writing() as rows:
        rows.add_publication(publication(1))
        rows.add_script(script(b"one"))
        rows.append(entry())
        rows.add_token(api_token(site="shop"))
        rows.tally("shop", {tally(): 1})


def test_a_removed_site_takes_everything_of_its_own_with_it(shop):
    filled(shop)
    with shop.writing() as rows:
        rows.remove_site("shop")
    rows = shop.reading()
    assert rows.tokens() == [] and rows.sites() == [Site("other", 20)]
    for ask in (
        rows.publications,
        lambda site: rows.tallies(site, *ALWAYS),
        rows.scripts,
        rows.checkpoint,
        lambda site: rows.entries(site, EVERYTHING),
    ):
        with pytest.raises(UnknownSite):
            ask("shop")


def test_the_id_of_a_removed_site_stays_taken(shop):
    filled(shop)
    with shop.writing() as rows:
        rows.remove_site("shop")
    for _ in range(2):
        with pytest.raises(Conflict, match=r"There was a site 'shop'.*choose another id"), shop.writing() as rows:
            rows.add_site(Site("shop", 40))
    with shop.writing() as rows:
        rows.add_site(Site("shop-2", 40))
    assert shop.reading().size("shop-2") == 0


def test_an_id_is_not_taken_by_a_removal_that_was_undone(shop):
    with pytest.raises(ZeroDivisionError), shop.writing() as rows:
        rows.remove_site("shop")
        1 / 0  # noqa: B018
    assert shop.reading().site("shop") == Site("shop", 10)


def test_a_removed_site_takes_nothing_of_another_with_it(shop):
    append(shop, entry("other"))
    with shop.writing() as rows:
        rows.add_token(api_token(site="other"))
        rows.remove_site("shop")
    assert shop.reading().size("other") == 1 and len(shop.reading().tokens()) == 1


# Policies and scripts.


def test_versions_come_back_whole_and_oldest_first(shop):
    with shop.writing() as rows:
        for version in (2, 1, 10):
            rows.add_publication(publication(version))
    assert shop.reading().publications("shop") == [publication(1), publication(2), publication(10)]


def test_the_newest_version_is_the_one_with_the_highest_number(shop):
    with shop.writing() as rows:
        for version in (9, 10, 1):
            rows.add_publication(publication(version))
    assert shop.reading().publication("shop").version == 10


def test_a_version_is_found_by_its_number(shop):
    with shop.writing() as rows:
        rows.add_publication(publication(1))
        rows.add_publication(publication(2))
    assert shop.reading().publication("shop", 1) == publication(1)


@pytest.mark.parametrize("version", [None, 1, 2])
def test_a_version_that_was_never_published_is_unknown(shop, version):
    with pytest.raises(UnknownPolicy):
        shop.reading().publication("shop", version)


def test_a_version_is_published_once(shop):
    with shop.writing() as rows:
        rows.add_publication(publication(1))
    with pytest.raises(Conflict), shop.writing() as rows:
        rows.add_publication(publication(1))


def test_two_sites_count_their_versions_apart(shop):
    with shop.writing() as rows:
        rows.add_publication(publication(1))
        rows.add_publication(publication(1, "other"))
    assert shop.reading().publication("other") == publication(1, "other")


def test_a_script_is_found_by_its_hash(shop):
    with shop.writing() as rows:
        rows.add_script(script(b"one"))
        rows.add_script(script(b"two"))
    assert shop.reading().script("shop", script(b"one").hash) == script(b"one")


def test_an_unknown_hash_finds_no_script(shop):
    assert shop.reading().script("shop", b"") is None


def test_the_same_script_twice_is_kept_once(shop):
    with shop.writing() as rows:
        rows.add_script(script(b"one"))
        rows.add_script(script(b"two"))
        rows.add_script(script(b"one"))
    assert shop.reading().newest_script("shop", 1, language="en", regime="opt-in") == script(b"two")


@pytest.mark.parametrize("other", [{"version": 2}, {"language": "de"}, {"regime": "notice"}], ids=str)
def test_the_newest_script_is_that_of_its_version_language_and_regime(shop, other):
    with shop.writing() as rows:
        rows.add_script(script(b"one"))
        rows.add_script(script(b"two", **other))
    assert shop.reading().newest_script("shop", 1, language="en", regime="opt-in") == script(b"one")


def test_where_no_script_was_made_there_is_none(shop):
    assert shop.reading().newest_script("shop", 1, language="en", regime="opt-in") is None


# Tokens.


def test_tokens_come_back_whole_oldest_first(shop):
    second = api_token("a", created_at=200, expires_at=900, site="shop", role="owner")
    with shop.writing() as rows:
        rows.add_token(second)
        rows.add_token(api_token("b"))
    assert shop.reading().tokens() == [api_token("b"), second]


def test_a_token_is_found_by_its_id(shop):
    with shop.writing() as rows:
        rows.add_token(api_token("a"))
    assert (shop.reading().token("a"), shop.reading().token("b")) == (api_token("a"), None)


def test_a_token_id_is_taken_once(shop):
    with pytest.raises(Conflict), shop.writing() as rows:
        rows.add_token(api_token("a"))
        rows.add_token(api_token("a", role="owner"))


def test_revoking_a_token_keeps_when_it_was_revoked(shop):
    with shop.writing() as rows:
        rows.add_token(api_token("a"))
        assert rows.revoke_token("a", 500)
    assert shop.reading().token("a").revoked_at == 500


def test_a_token_is_revoked_once(shop):
    with shop.writing() as rows:
        rows.add_token(api_token("a"))
        assert [rows.revoke_token("a", 500), rows.revoke_token("a", 600), rows.revoke_token("b", 600)] == [
            True,
            False,
            False,
        ]
