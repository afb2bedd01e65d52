"""The command line, as an operator types it."""

import gzip
import json
import os
import sqlite3
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from joserfc import jws

from consent import open_ledger
from consent.cli import exporting, main
from consent.model import Choice, Filter
from consent.settings import load
from consent.shape import read
from tests.conftest import NONE, body

POLICY = str(Path(__file__).parent / "data" / "policy.toml")


class Runner:
    """`consent` on a data folder of its own."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.environ = {"CONSENT_DATA": str(data)}

    def __call__(self, *arguments: str, input: str | None = None) -> Result:
        return CliRunner().invoke(main, arguments, env=self.environ, input=input, catch_exceptions=False)

    def ledger(self):
        return open_ledger(load(self.environ))

    def record(self, **changes) -> str:
        """Record a choice and return its receipt."""
        recorded, _ = self.ledger().record("shop", read(body(**changes), Choice, what="The choice"))
        return recorded.receipt


@pytest.fixture
def run(tmp_path) -> Runner:
    return Runner(tmp_path / "data")


@pytest.fixture
def shop(run) -> Runner:
    assert run("site", "create", "shop", "--origin", "https://shop.example").exit_code == 0
    return run


def commands(group=main, path=()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        found.append((*path, name))
        if isinstance(command, click.Group):
            found += commands(command, (*path, name))
    return found


@pytest.mark.parametrize("path", commands(), ids=" ".join)
def test_every_command_has_help_with_an_example(run, path):
    result = run(*path, "--help")
    assert (result.exit_code == 0 and "Example: consent" in result.output) or "Example: CONSENT" in result.output


def test_the_first_command_makes_the_tag_work(run):
    result = run("site", "create", "shop", "--origin", "https://shop.example")
    assert '<script async src="http://127.0.0.1:8080/sites/shop/banner.js"></script>' in result.output


def test_init_changes_nothing_that_is_there(run):
    first = run("init").output
    assert "as owner with the one-time password" in first
    again = run("init").output
    assert again == run("init").output and set(again.splitlines()) < set(first.splitlines())


def test_a_password_is_reset_to_another_and_the_last_owner_stays(run):
    password = run("init").output.partition("one-time password ")[2].split()[0]
    listed = json.loads(run("user", "list", "--json").output)
    assert [one["name"] for one in listed] == ["owner"]
    renewed = run("user", "reset", "owner").output.split()[-1]
    assert renewed != password and run("user", "remove", "owner").exit_code == 2
    assert run("user", "add", "anna", "--role", "editor", "--site", "nope").exit_code == 2
    for site in ("shop", "blog"):
        run("site", "create", site, "--origin", f"https://{site}.example")
    assert run("user", "add", "anna", "--role", "editor", "--site", "shop", "--site", "blog").exit_code == 0
    listed = json.loads(run("user", "list", "--json").output)
    assert listed[0]["roles"] == "editor of shop, editor of blog"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["site", "show", "nope"], 2),
        (["site", "create", "Shop!", "--origin", "https://shop.example"], 1),
        (["site", "create", "shop", "--origin", "https://shop.example"], 2),
        (["policy", "check", "missing.toml"], 2),
        (["export", "nope"], 2),
        (["export", "shop", "--format", "xml"], 2),
        (["export", "shop", "--since", "yesterday"], 2),
        (["verify", "nope"], 2),
        (["receipt", "show", "shop", "nonsense"], 2),
        (["receipt", "show", "shop", "019ab1c2-77aa-7bbb-8ccc-0123456789ab"], 2),
        (["token", "revoke", "nope"], 2),
        (["frobnicate"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_wrong_use_gets_one_sentence_and_an_exit_code(shop, arguments, code):
    result = shop(*arguments)
    assert result.exit_code == code
    assert "Error: " in result.stderr and "Traceback" not in result.stderr


@pytest.mark.parametrize("path", [["site", "list"], ["site", "show", "shop"], ["keys", "list"], ["token", "list"], ["verify", "shop"], ["doctor"]], ids=" ".join)  # fmt: skip
def test_data_is_printed_as_json_on_request(shop, path):
    result = shop(*path, "--json")
    assert result.exit_code == 0
    json.loads(result.stdout)


def test_an_unknown_setting_is_refused_with_the_nearest_name(run):
    run.environ["CONSENT_PUBLIC_URI"] = "https://x.example"
    result = run("site", "list")
    assert result.exit_code == 2 and "CONSENT_PUBLIC_URL" in result.stderr


# Policies.


def test_check_reports_every_mistake_with_its_path(run, tmp_path):
    file = tmp_path / "policy.toml"
    file.write_text('name = "Shop"\norigins = ["shop.example"]\nlanguages = ["en"]\n[[categories]]\nid = "a b"\n')
    result = run("policy", "check", str(file))
    assert result.exit_code == 1
    assert "origins[0]:" in result.stderr and "categories[0].id:" in result.stderr


def test_publish_says_what_changed_and_whether_visitors_are_asked_again(shop):
    result = shop("policy", "publish", "shop", POLICY)
    assert (
        "categories.chat: added" in result.output and "Published version 2; visitors are asked again." in result.output
    )


def test_the_owner_has_the_last_word_on_material(shop):
    assert "earlier choices still hold" in shop("policy", "publish", "shop", POLICY, "--not-material").output


def test_the_same_policy_is_not_published_twice(shop):
    shop("policy", "publish", "shop", POLICY)
    assert "nothing was published" in shop("policy", "publish", "shop", POLICY).output


def test_what_show_prints_can_be_published_again(shop, tmp_path):
    file = tmp_path / "policy.json"
    file.write_text(shop("policy", "show", "shop").stdout)
    assert "nothing was published" in shop("policy", "publish", "shop", str(file)).output


def test_diff_compares_a_file_with_the_newest_version(shop):
    result = shop("policy", "diff", "shop", POLICY)
    assert "valid_days: 180 -> 120" in result.output and "Material" in result.output


def test_schema_is_json_schema(run):
    assert json.loads(run("policy", "schema").stdout)["$schema"].startswith("https://json-schema.org/")


# Records.


def test_export_and_key_set_verify_without_a_server(shop, tmp_path):
    shop.record()
    export, jwks = tmp_path / "export.ndjson", tmp_path / "jwks.json"
    assert shop("export", "shop", "--entries", "all", "--output", str(export)).exit_code == 0
    jwks.write_text(shop("keys", "list", "--json").stdout)
    elsewhere = Runner(tmp_path / "elsewhere")
    result = elsewhere("verify", str(export), "--jwks", str(jwks))
    assert result.exit_code == 0 and "1 policy, 1 receipt; everything holds" in result.output
    assert not elsewhere.data.exists()


def test_verify_names_a_changed_file(shop, tmp_path):
    shop.record()
    export, jwks = tmp_path / "export.ndjson", tmp_path / "jwks.json"
    export.write_text(shop("export", "shop").stdout.replace('"action":"custom"', '"action":"accept_all"'))
    jwks.write_text(shop("keys", "list", "--json").stdout)
    result = shop("verify", str(export), "--jwks", str(jwks))
    assert result.exit_code == 1 and "other claims than those that were signed" in result.stderr


def test_verify_names_a_changed_database(shop):
    shop.record()
    with sqlite3.connect(shop.data / "consent.db") as database:
        database.execute("UPDATE entries SET token = CAST(substr(token, 1, 9) || 'AA' || substr(token, 12) AS BLOB) WHERE position = 1")  # fmt: skip
    database.close()
    result = shop("verify", "shop")
    assert result.exit_code == 1 and "entry 1" in result.stderr


def test_an_export_is_filtered_and_zipped_on_request(shop, tmp_path):
    shop.record()
    shop.record(action="reject_all", grants=NONE)
    path = tmp_path / "refusals.csv.gz"
    done = shop("export", "shop", "--format", "csv", "--action", "reject_all", "--policy", "1", "--after", "1", "--gzip", "--output", str(path))  # fmt: skip
    assert done.exit_code == 0 and gzip.decompress(path.read_bytes()).count(b"reject_all") == 1


def test_evidence_is_of_the_whole_log(shop, tmp_path):
    for option in (["--since", "2026-11-01"], ["--action", "custom"], ["--after", "0"]):
        done = shop("export", "shop", "--format", "evidence", *option, "--output", str(tmp_path / "x.zip"))
        assert done.exit_code == 2 and "Evidence is of the whole log" in done.output


def test_a_failed_export_leaves_no_file(shop, tmp_path):
    result = shop("export", "shop", "--output", str(tmp_path / "missing" / "export.csv"))
    assert result.exit_code == 2 and "cannot be written" in result.stderr


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
def test_receipt_show_gives_the_signed_form_to_other_tools(shop):
    token = shop.record()
    id = shop.ledger().storage.reading().newest("shop", Filter())[0].id
    shown = shop("receipt", "show", "shop", id, "--jws").output.strip()
    assert shown == token and jws.extract_compact(shown.encode()).headers()["typ"] == "consent-receipt+jwt"


def test_receipt_verify_tells_a_foreign_token(shop, tmp_path):
    other = Runner(tmp_path / "other")
    other("site", "create", "shop", "--origin", "https://shop.example")
    result = shop("receipt", "verify", "-", input=other.record())
    assert result.exit_code == 1 and "not in the key set" in result.stderr


def test_a_site_is_verified_with_the_key_set_that_is_named(shop, tmp_path):
    other = Runner(tmp_path / "other")
    other("init")
    jwks = tmp_path / "jwks.json"
    jwks.write_text(other("keys", "list", "--json").stdout)
    assert shop("verify", "shop", "--jwks", str(jwks)).exit_code == 1


def test_an_export_never_takes_the_place_of_something_else(shop, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert shop("export", "shop", "--output", str(tmp_path / "pipe")).exit_code == 2


# Keys and tokens.


def test_rotation_keeps_earlier_receipts_verifiable(shop):
    token = shop.record()
    assert shop("keys", "rotate").exit_code == 0
    assert len(json.loads(shop("keys", "list", "--json").stdout)["keys"]) == 2
    assert "The signature holds" in shop("receipt", "verify", "-", input=token).output


def test_a_token_is_shown_once_and_can_be_revoked(shop):
    text = shop("token", "create", "--role", "auditor", "--site", "shop").output.strip()
    id = text.split("_")[1]
    assert text not in shop("token", "list").output
    assert shop("token", "revoke", id).exit_code == 0
    assert json.loads(shop("token", "list", "--json").stdout)[0]["revoked_at"]


def test_a_token_for_a_site_that_is_not_there_is_refused(shop):
    assert shop("token", "create", "--role", "auditor", "--site", "nope").exit_code == 2


# Statistics.


def test_stats_shows_each_category_beside_the_period_before(shop):
    shop.record()
    shop.record(subject="AAAAAAAAAAAAAAAAAAAAAA", grants={"persistent": False, "analytics": False, "social": False})
    lines = shop("stats", "shop").output.splitlines()
    assert lines[0].split() == ["category", "shown", "decided", "granted", "refused", "rate", "before", "points"]
    assert lines[1].split() == ["analytics", "0", "2", "1", "1", "50.0", "%", "-", "-"] and len(lines) == 4
    shop("erase", "shop", "AAAAAAAAAAAAAAAAAAAAAA")
    assert "1 receipts of this period were erased or purged since" in shop("stats", "shop").output


def test_stats_prints_counts_by_what_is_named(shop):
    shop.record(language="de")
    lines = shop("stats", "shop", "--by", "language,country").output.splitlines()
    assert lines[1].split() == ["de", "-", "0", "1", "1", "0", "0"]
    found = json.loads(shop("stats", "shop", "--by", "language", "--json").output)
    assert found["items"] == [{"language": "de", "shown": 0, "decided": 1, "granted": 1, "refused": 0, "erased": 0}]


@pytest.mark.parametrize("wrong", [("--by", "weather"), ("--since", "yesterday"), ("--since", "2031-01-01")])
def test_stats_refuses_what_it_cannot_count(shop, wrong):
    done = shop("stats", "shop", *wrong)
    assert done.exit_code == 2 and done.stderr.startswith("Error: `")


def test_an_export_reads_no_erased_entry_that_has_no_line_in_it(shop, monkeypatch):
    shop.record()
    seen = []
    real = exporting.export_log
    monkeypatch.setattr(exporting, "export_log", lambda ledger, site, format, filter, **how: seen.append((format, filter.erased)) or real(ledger, site, format, filter, **how))  # fmt: skip
    for format in ("csv", "ndjson", "parquet"):
        assert shop("export", "shop", "--format", format).exit_code == 0
    assert seen == [("csv", False), ("ndjson", True), ("parquet", False)]
