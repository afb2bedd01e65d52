"""The docs keep up with the code: every name a reader may use is explained, and no link leads nowhere."""

import configparser
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from msgspec import inspect

from consent import i18n
from consent.cli import main
from consent.export import FORMATS
from consent.model import Policy, Published
from consent.settings import PREFIX, SETTINGS
from consent.web.docs import error_codes
from consent.web.openapi import described, path_of

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGES.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


def section(text: str, heading: str) -> str:
    """The text under a heading, up to the next one."""
    found = re.search(
        rf"^#+ {re.escape(heading)}$(.*?)(?=^#|\Z)", FENCE.sub(_as_indented, text), re.MULTILINE | re.DOTALL
    )
    assert found, f"there is no heading {heading!r}"
    return found[1]


def _as_indented(fence: re.Match[str]) -> str:
    """A code block whose comments cannot be taken for headings."""
    return re.sub(r"^", "  ", fence[0], flags=re.MULTILINE)


def rows(text: str) -> dict[str, str]:
    """Table rows by the text of their first cell, without its link and its backticks."""
    found = (re.match(r"\| ([^|]+) \|(.*)", line) for line in text.splitlines())
    return {re.sub(r"\[(.+)\]\(.*\)", r"\1", cell[1]).strip("`"): cell[2] for cell in found if cell}


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        yield from commands(command.get_command(context, name), f"{path} {name}")


def spelled(parameter: click.Parameter) -> list[str]:
    """An option's names, or an argument as `--help` writes it."""
    if isinstance(parameter, click.Option):
        return [*parameter.opts, *parameter.secondary_opts]
    return [parameter.make_metavar(click.Context(main)).strip("[]")]


def fields(info: Any, path: str = "") -> Iterator[str]:
    """The paths of every field of a document: `services[].cookies[].name`."""
    if isinstance(info, inspect.Metadata):
        yield from fields(info.type, path)
    elif isinstance(info, inspect.UnionType):
        for member in info.types:
            yield from fields(member, path)
    elif isinstance(info, inspect.ListType):
        yield from fields(info.item_type, f"{path}[]")
    elif isinstance(info, inspect.StructType):
        for field in info.fields:
            own = f"{path}.{field.encode_name}" if path else field.encode_name
            yield own
            yield from fields(field.type, own)


def slug(heading: str) -> str:
    """A heading's anchor, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


COMMANDS = dict(commands(main, "consent"))
SAID_ONCE = {"unauthorized", "forbidden", "unavailable"}
"""Errors that a whole group of addresses shares; docs/http-api.md says them once."""
ADDED = sorted(set(Published.__struct_fields__) - set(Policy.__struct_fields__))


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_is_explained_with_its_default(setting) -> None:
    row = rows(page("deploy.md"))[PREFIX + setting.name.upper()]
    assert f"`{setting.default}`" in row if setting.default else "empty" in row


def test_no_setting_is_explained_that_is_not_there() -> None:
    named = {name for text in map(Path.read_text, PAGES) for name in re.findall(r"CONSENT_[A-Z]+(?:_[A-Z]+)*", text)}
    assert named <= {PREFIX + name for name in [*(setting.name.upper() for setting in SETTINGS), "CONFIG"]}


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_is_explained_with_its_options(path: str) -> None:
    text = section(page("cli.md"), f"`{path}`")
    names = [name for parameter in COMMANDS[path].params for name in spelled(parameter)]
    assert [name for name in names if name not in text] == []


def test_no_command_is_explained_that_is_not_there() -> None:
    headings = HEADING.findall(FENCE.sub("", page("cli.md")))
    assert {heading.strip("`") for heading in headings if heading.startswith("`consent")} <= set(COMMANDS)


def test_every_address_is_explained_with_its_statuses_parameters_and_errors(app) -> None:
    text = page("http-api.md")
    for rule, method, operation in described(app):
        about = section(text, f"`{method} {path_of(rule)}`")
        wanted = [*(f"`{status}`" for status in operation.answers), *(f"`{name}`" for name in operation.query)]
        wanted += [f"`{error.code}`" for error in operation.problems if error.code not in SAID_ONCE]
        assert [name for name in wanted if name not in about] == [], f"{method} {path_of(rule)}"


def test_every_address_of_the_service_is_described(app) -> None:
    """What has no description would be missing from the docs unnoticed."""
    described_rules = {rule.rule for rule, _, _ in described(app)}
    public = [
        rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.split(".")[0] in ("public", "proofs", "api", "stats", "trail", "docs", "metrics")
    ]
    assert {rule.rule for rule in public} == described_rules


def test_no_address_is_explained_that_is_not_there(app) -> None:
    headings = re.findall(r"^#+ `([A-Z]+ /[^`]*)`$", page("http-api.md"), re.MULTILINE)
    assert set(headings) == {f"{method} {path_of(rule)}" for rule, method, _ in described(app)}


@pytest.mark.parametrize("error", error_codes(), ids=lambda error: error.code)
def test_every_error_code_is_explained_with_its_status(error) -> None:
    assert f" {error.status} " in rows(section(page("http-api.md"), "Error codes"))[error.code]


@pytest.mark.parametrize("name", FORMATS)
def test_every_export_format_is_explained(name: str) -> None:
    assert name in rows(section(page("records.md"), "Export"))


@pytest.mark.parametrize("key", i18n.locale("en").texts)
def test_every_text_key_is_explained(key: str) -> None:
    assert key in rows(section(page("policy.md"), "Texts"))


@pytest.mark.parametrize("path", list(dict.fromkeys(fields(inspect.type_info(Policy)))))
def test_every_field_of_a_policy_is_explained(path: str) -> None:
    assert path in rows(page("policy.md"))


@pytest.mark.parametrize("name", ADDED)
def test_every_field_that_publishing_adds_is_explained(name: str) -> None:
    assert f"`{name}`" in section(page("policy.md"), "What publishing adds")


def test_every_runtime_dependency_has_its_reason_in_the_readme() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lines = f"{setup['options']['install_requires']}\n{setup['options.extras_require']['geoip']}".split()
    names = {re.match(r"[\w-]+", line)[0] for line in lines}  # type: ignore[index]
    assert names <= set(rows((ROOT / "README.md").read_text()))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_no_link_is_dead(path: Path) -> None:
    dead = [
        link for link in LINK.findall(FENCE.sub("", path.read_text())) if "://" not in link and not leads(path, link)
    ]
    assert dead == []


def leads(path: Path, link: str) -> bool:
    """Whether a relative link names a file that is there, and a heading of it where it names one."""
    file, _, anchor = link.partition("#")
    target = (path.parent / file).resolve() if file else path
    if not target.exists():
        return False
    return not anchor or anchor in map(slug, HEADING.findall(FENCE.sub("", target.read_text())))


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("*.md")), ids=lambda path: path.name)
def test_every_page_is_reached_from_the_readme(path: Path) -> None:
    assert f"docs/{path.name}" in (ROOT / "README.md").read_text()


def test_the_page_on_records_says_what_is_proved_before_any_word_of_cryptography() -> None:
    first, second, third, *_ = page("records.md").partition("## What is proved, and what not\n\n")[2].split("\n\n")
    words = re.compile(r"sign|hash|key|crypt|merkle|tree|sha-|checkpoint|certificate|proof", re.IGNORECASE)
    assert len(first) > 300 and len(second) > 300
    assert not words.findall(first + second) and words.search(third)
