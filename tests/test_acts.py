"""Every act of an administrator is in the trail, once, whoever does it: each command, each address, the schedule."""

import json
from pathlib import Path

import click
import pytest

from consent import administrator, sealing
from consent.errors import NotNoted
from consent.fields import TRAIL
from consent.keeper import Keeper
from consent.model import Filter
from consent.receipts import Act
from consent.settings import load
from consent.storage import open_storage
from consent.trail import Trail
from consent.web import admin_types
from tests.conftest import ORIGIN, SUBJECT, choice
from tests.test_admin_api import TOML, call  # noqa: F401
from tests.test_cli import POLICY, Runner, commands, main, run  # noqa: F401

PASSPHRASE = "five words are better here"


def acts(ledger) -> list[Act]:
    return [told.act for told in Trail(ledger).all()]


# The command line.

COMMANDS = {
    "init": ([], "added a person"),
    "site create": (["other", "--origin", "https://other.example"], "made a site"),
    "site delete": (["shop", "--confirm", "shop"], "deleted a site"),
    "policy publish": (["shop", POLICY], "published the banner"),
    "export": (["shop"], "exported the log"),
    "erase": (["shop", SUBJECT], "erased a subject on request"),
    "purge": ([], "purged what was past its retention"),
    "keys rotate": ([], "made a new signing key"),
    "user add": (["anna"], "added a person"),
    "user reset": (["berta"], "reset a password"),
    "user remove": (["berta"], "removed a person"),
    "token create": (["--role", "auditor", "--site", "shop"], "made a token"),
    "token revoke": (["TOKEN"], "revoked a token"),
    "backup": (["FOLDER/copy.db"], "copied the database"),
    "restore": (["FOLDER/old.db"], "restored the database"),
    "migrate": (["--to", "sqlite://FOLDER/new/consent.db"], "moved the database"),
    "serve": ([], "added a person"),
}
"""Command -> how it is called in the installation below, and what is noted."""
UNCHANGING = {
    "site list", "site show", "policy check", "policy show", "policy diff", "policy schema", "snippet", "verify", "receipt show",
    "receipt verify", "stats", "keys list", "user list", "token list", "doctor",
    "checkpoint",  # decides nothing: the service makes the same within a minute
}  # fmt: skip
"""What changes nothing and gives away no more than one receipt."""


@pytest.fixture
def old(run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runner:  # noqa: F811
    """A site with a receipt of long ago, two people, a token, and a backup."""
    assert run("init").exit_code == 0
    ledger = run.ledger()
    monkeypatch.setattr(ledger, "_clock", lambda: 1_500_000_000.0)
    administrator.Administrator(ledger, "test").make_usual_site("shop", "Shop", [ORIGIN])
    ledger.record("shop", choice())
    assert run("user", "add", "berta").exit_code == 0
    assert run("token", "create", "--role", "auditor", "--name", "nightly").exit_code == 0
    assert run("backup", str(tmp_path / "old.db")).exit_code == 0
    return run


def test_every_command_is_in_one_of_the_tables():
    leaves = {" ".join(path) for path in commands() if not isinstance(_command(path), click.Group)}
    assert leaves == COMMANDS.keys() | UNCHANGING and not COMMANDS.keys() & UNCHANGING


def _command(path: tuple[str, ...]) -> click.Command:
    found: click.Command = main
    for name in path:
        found = found.get_command(click.Context(found), name)  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_noted_once(old, command, tmp_path, monkeypatch):
    monkeypatch.setattr("consent.cli.serving.run", lambda *_, **__: None)
    arguments, what = COMMANDS[command]
    values = {"TOKEN": old.ledger().storage.reading().tokens()[0].id, "FOLDER": str(tmp_path)}
    for name, value in values.items():
        arguments = [one.replace(name, value) for one in arguments]
    if command in ("init", "serve"):
        old.data = tmp_path / "fresh"
        old.environ["CONSENT_DATA"] = str(old.data)
    if command == "restore":
        (old.data / "consent.db").rename(tmp_path / "away.db")
        for left in old.data.glob("consent.db-*"):
            left.unlink()
    before = len(acts(old.ledger())) if (old.data / "consent.db").exists() else 0
    result = old(*command.split(), *arguments)
    assert result.exit_code == 0, result.output
    if command == "migrate":
        old.environ["CONSENT_DATABASE"] = f"sqlite://{tmp_path}/new/consent.db"
    noted = acts(old.ledger())
    if command == "restore":
        before = len(noted) - 1
        assert [act.what for act in noted].count(what) == 1
    assert [(act.who, act.what) for act in noted[before:]] == [("(command line)", what)]
    assert SUBJECT not in json.dumps([(act.before, act.after) for act in noted])


@pytest.mark.parametrize(
    "arguments",
    [["purge", "--dry-run"], ["migrate"], ["migrate", "--dry-run"], ["erase", "shop", "B" * 21 + "A"], ["checkpoint"], ["init"]],
    ids=" ".join,
)  # fmt: skip
def test_what_does_nothing_is_not_noted(old, arguments):
    before = acts(old.ledger())
    assert old(*arguments).exit_code == 0 and acts(old.ledger()) == before


def test_a_policy_that_says_the_same_is_not_noted(old):
    old("policy", "publish", "shop", POLICY)
    before = acts(old.ledger())
    assert "nothing was published" in old("policy", "publish", "shop", POLICY).output and acts(old.ledger()) == before


def test_before_and_after_are_told(old):
    old("policy", "publish", "shop", POLICY, "--not-material"), old("erase", "shop", SUBJECT), old("keys", "rotate")
    published, erased, rotated = acts(old.ledger())[-3:]
    assert published.before == {"version": 1} and published.after["version"] == 2
    assert published.after["asks_again"] is False and published.after["changes"] and published.site == "shop"
    assert erased.after == {"erasure": old.ledger().storage.reading().size("shop") - 1}
    assert [rotated.before["key"], rotated.after["key"]] == [key.kid for key in old.ledger().ring.keys()]


def test_an_export_says_what_it_is_of(old):
    old("export", "shop", "--format", "csv", "--since", "2017-07-01", "--action", "custom")
    assert acts(old.ledger())[-1].after == {
        "format": "csv",
        "since": "2017-07-01T00:00:00Z",
        "action": "custom",
        "rows": 1,
    }
    old("export", "shop", "--entries", "all", "--after", "0")
    assert acts(old.ledger())[-1].after == {"format": "ndjson", "after": 0, "rows": 1}
    old("export", "shop", "--since", "2017-07-01T00:00:01Z")
    assert acts(old.ledger())[-1].after == {"format": "ndjson", "since": "2017-07-01T00:00:01Z"}


def test_nobody_is_named_unless_the_operator_says_so(old):
    old.environ["CONSENT_OPERATOR"] = "Anna"
    old("keys", "rotate")
    assert acts(old.ledger())[-1].who == "Anna (command line)"
    old.environ["CONSENT_OPERATOR"] = "Anna (schedule)"
    assert "without parentheses" in old("keys", "rotate").output


def test_what_cannot_be_noted_is_not_done_or_not_told_as_done(old, monkeypatch):
    def full(*_, **__):
        raise administrator.ConsentError("The database cannot be used now.")

    monkeypatch.setattr(Trail, "note", full)
    result = old("site", "delete", "shop", "--confirm", "shop")
    assert result.exit_code == 1 and "Deleted" not in result.output and "The database cannot" in result.output
    assert [site.id for site in old.ledger().storage.reading().sites()] == ["shop"]
    result = old("keys", "rotate")
    assert result.exit_code == 1 and "This is done, but it could not be noted in the trail" in result.output


def test_an_export_that_could_not_be_noted_is_no_file(old, monkeypatch, tmp_path):
    def full(*_, **__):
        raise administrator.ConsentError("No.")

    monkeypatch.setattr(Trail, "add", full)
    assert old("export", "shop", "--output", str(tmp_path / "out")).exit_code == 1 and not (tmp_path / "out").exists()


def test_an_export_that_there_is_not_is_not_noted(old):
    before = acts(old.ledger())
    assert old("export", "nowhere").exit_code == 2 and acts(old.ledger()) == before


def test_nothing_is_restored_that_could_not_be_noted(old, tmp_path):
    fresh = Runner(tmp_path / "fresh")
    result = fresh("restore", str(tmp_path / "old.db"))
    assert result.exit_code == 2 and "There are no keys" in result.output and not (fresh.data / "consent.db").exists()


def test_restoring_with_sealed_keys_is_noted(old, tmp_path):
    (tmp_path / "keys").write_bytes(sealing.seal(old.ledger().ring.files(), PASSPHRASE))
    (tmp_path / "words").write_text(PASSPHRASE)
    fresh = Runner(tmp_path / "fresh")
    assert fresh("restore", str(tmp_path / "old.db"), "--keys", str(tmp_path / "keys"), "--passphrase-file", str(tmp_path / "words")).exit_code == 0  # fmt: skip
    act = acts(fresh.ledger())[-1]
    assert (act.what, act.after["entries"]["shop"]) == ("restored the database", 2)


# The API.

SITE = {"id": "third", "origins": ["https://third.example"], "name": "Third"}
API = {
    ("POST", "/api/sites"): ("/api/sites", {"json": SITE}, "made a site"),
    ("PATCH", "/api/sites/<site>"): ("/api/sites/shop", {"json": {"name": "Renamed"}}, "changed settings"),
    ("DELETE", "/api/sites/<site>"): ("/api/sites/shop?confirm=shop", {}, "deleted a site"),
    ("POST", "/api/sites/<site>/policies"): (
        "/api/sites/shop/policies", {"data": TOML, "content_type": "application/toml"}, "published the banner"),
    ("DELETE", "/api/sites/<site>/subjects/<subject>"): (
        f"/api/sites/shop/subjects/{SUBJECT}", {}, "erased a subject on request"),
    ("GET", "/api/sites/<site>/export"): ("/api/sites/shop/export?format=csv", {}, "exported the log"),
    ("GET", "/api/trail"): ("/api/trail", {}, "exported the trail"),
}  # fmt: skip
"""Method and rule -> an example and what is noted: all that change something, and those that give away whole logs."""


def test_every_address_that_changes_something_is_in_the_table(app):
    rules = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}
    }
    assert {key for key in API if key[0] != "GET"} == rules


@pytest.mark.parametrize("key", API, ids=" ".join)
def test_an_act_with_a_token_is_noted_once(call, ledger, key):  # noqa: F811
    ledger.record("shop", choice())
    path, more, what = API[key]
    answer = call(key[0], path, **more)
    assert answer.status_code < 300 and answer.data is not None
    (act,) = acts(ledger)
    (token,) = ledger.storage.reading().tokens()
    assert (act.who, act.what) == (f"test (token {token.id})", what)
    assert act.site == (None if what == "exported the trail" else "third" if what == "made a site" else "shop")
    assert SUBJECT not in json.dumps([act.before, act.after])


def test_the_api_notes_what_the_desk_notes(call, ledger):  # noqa: F811
    call("PATCH", "/api/sites/shop", json={"name": "Renamed"})
    call("POST", "/api/sites/shop/policies?material=true", data=TOML, content_type="application/toml")
    call("DELETE", "/api/sites/shop?confirm=shop")
    settings, published, deleted = acts(ledger)
    assert settings.before == {"name": "Shop", "origins": [ORIGIN], "retention_days": None}
    assert settings.after == settings.before | {"name": "Renamed"}
    assert (published.before, published.after["version"], published.after["asks_again"]) == ({"version": 2}, 3, True)
    assert deleted.before == {"entries": 3} and deleted.after is None


def test_what_is_refused_or_changes_nothing_is_not_noted(call, token, ledger):  # noqa: F811
    for method, path, more in (
        ("DELETE", "/api/sites/shop", {}),
        ("POST", "/api/sites", {"json": SITE | {"id": "shop"}}),
        ("POST", "/api/sites/shop/policies", {"json": {}}),
        ("PATCH", "/api/sites/shop", {"json": {"name": "Shop"}}),
        ("DELETE", f"/api/sites/shop/subjects/{SUBJECT}", {}),
        ("HEAD", "/api/sites/shop/export", {}),
        ("HEAD", "/api/trail", {}),
        ("GET", "/api/sites/shop/export?format=exe", {}),
        ("GET", "/api/sites", {}),
        ("GET", "/api/sites/shop/receipts", {}),
    ):
        call(method, path, **more)
    assert call("GET", "/api/trail", text=token("owner", site="shop")).status_code == 403
    assert acts(ledger) == []


def test_the_trail_comes_as_a_file_that_says_who_took_it(call, ledger):  # noqa: F811
    call("PATCH", "/api/sites/shop", json={"name": "Renamed"})
    answer = call("GET", "/api/trail")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["claims"]["act"]["what"] for line in lines] == ["changed settings", "exported the trail"]
    assert answer.headers["Content-Disposition"] == 'attachment; filename="trail.ndjson"'


@pytest.mark.parametrize(
    "method, path", [("GET", ""), ("DELETE", "?confirm=_trail"), ("GET", "/export"), ("POST", "/policies")]
)
def test_the_trail_is_no_site(call, ledger, method, path):  # noqa: F811
    Trail(ledger).add("anna", "signed out")
    more = {"data": TOML, "content_type": "application/toml"} if method == "POST" else {}
    assert call(method, f"/api/sites/{TRAIL}{path}", **more).status_code == 404
    assert len(acts(ledger)) == 1


def test_a_site_is_changed_by_what_its_type_names():
    assert set(admin_types.SiteChange.__struct_fields__) == {"name", "origins"}, "change_settings notes no other field"


# The schedule.


def test_what_the_service_purges_by_itself_is_noted(ledger, settings, clock):
    ledger.record("shop", choice())
    keeper = Keeper(ledger, settings)
    assert keeper.purge() == 0 and acts(ledger) == []
    clock.forward(days=settings.retention_days + 1)
    assert keeper.purge() == 1
    (act,) = acts(ledger)
    assert (act.who, act.what, act.site) == ("(schedule)", "purged what was past its retention", "shop")
    assert act.after == {"entries": 1, "days": settings.retention_days}
    keeper.round()
    assert ledger.tree.newest(TRAIL).size == 1


def test_what_was_purged_before_something_failed_is_noted(ledger, clock, monkeypatch):
    ledger.record("shop", choice())
    clock.forward(days=2)
    monkeypatch.setattr(ledger.erasure, "scrub", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        administrator.Administrator(ledger, "anna").purge("shop", 1)
    assert [act.what for act in acts(ledger)] == ["purged what was past its retention"]


def test_settings_that_are_changed_while_a_banner_is_published_leave_it_as_it_is(ledger, call, draft, monkeypatch):  # noqa: F811
    scripts = ledger._scripts

    def slowly(published):
        monkeypatch.setattr(ledger, "_scripts", scripts)
        ledger.publish("shop", draft)
        return scripts(published)

    monkeypatch.setattr(ledger, "_scripts", slowly)
    assert call("PATCH", "/api/sites/shop", json={"name": "My shop"}).status_code == 200
    newest = ledger.published("shop")
    assert (newest.version, newest.name, newest.services) == (3, "My shop", ledger.published("shop", 2).services)
    assert newest.services and acts(ledger)[-1].before["name"] == ledger.published("shop", 2).name


def test_an_act_that_is_not_noted_is_told(ledger, monkeypatch):
    who = administrator.Administrator(ledger, "anna")
    monkeypatch.setattr(Trail, "add", lambda *_, **__: (_ for _ in ()).throw(administrator.ConsentError("No room.")))
    with pytest.raises(NotNoted, match=r"This is done, but it could not be noted in the trail: No room\."):
        who.rotate_keys()


def test_an_installation_that_is_moved_takes_its_trail_along(old, tmp_path):
    """What is noted while it is moved would be lost, so that nothing is moved then."""
    from consent.errors import Conflict
    from consent.storage import copying

    source, target = old.ledger().storage, open_storage(f"sqlite://{tmp_path}/moved/consent.db")
    target.migrate()
    with pytest.raises(Conflict, match="recorded meanwhile"):
        copying.move(source, target, moved=lambda _: Trail(old.ledger()).add("anna", "signed out"))
    assert target.reading().sites() == [] and load(old.environ)
    assert old.ledger().storage.reading().count(TRAIL, Filter(kinds=("act",))) > 0
