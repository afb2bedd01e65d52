"""Every form of the designer: a field for each of the policy's, words in German, few bytes, and nothing odd breaks it."""

import json
import random
import re
from pathlib import Path

import pytest
from msgspec.inspect import type_info

from consent.model import Policy
from consent.web.desk import designer_mistakes, designer_words
from consent.web.desk.designer_form import SECTIONS
from tests.desk.test_designer import HOME, filled, save, with_services
from tests.test_docs import fields

__all__ = ["with_services"]

ROOM = Path(__file__).parent.parent.parent / "consent"


def test_every_field_of_a_policy_has_one_in_a_form(browser, ledger, draft):
    ledger.publish("shop", draft)
    editor = browser("editor")
    pages = [editor.get(f"{HOME}/{part}?edit=en").text for part in SECTIONS if part != "service"]
    pages += [editor.get(f"{HOME}/service?number={number}&edit=en").text for number in range(len(draft.services))]
    names = {
        re.sub(r"\[\d+\]", "[]", name).removesuffix(".en") for name in re.findall(r' name="([^"]+)"', "".join(pages))
    }
    names |= {re.sub(r"^(mode\.)(\w+)$", r"signals.\2", name) for name in names}
    names |= {"regimes"} if {"place", "regime"} <= names else set()
    names |= {"languages"} if {"language", "more_languages", "first"} <= names else set()
    names |= {"texts"} if "texts.en.title" in names else set()
    known = list(fields(type_info(Policy)))
    leaves = [path for path in known if not any(other.startswith((f"{path}.", f"{path}[]")) for other in known)]
    assert [path for path in leaves if path not in names] == []


@pytest.mark.parametrize("section", ["", "/services", "/looks", "/rules", "/review", "/history", "/file"])
def test_pages_stay_small(browser, ledger, draft, section):
    ledger.publish("shop", draft)
    assert len(browser("owner").get(HOME + section).data) < 120_000


def test_labels_and_mistakes_are_there_in_german():
    german = {text for file in ROOM.glob("templates/desk/de/*.json") for text in json.loads(file.read_text())}
    words = designer_words
    said = {*words.TEXTS, *words.KEYS.values(), *words.LABELS.values(), *words.PARTS.values(), *words.VALUES.values()}
    said |= {*designer_mistakes.MISTAKES, *designer_mistakes.RIGHTS}
    assert sorted(said - german) == []


def test_mistakes_are_told_in_german(browser):
    editor = browser("editor")
    editor.get("/admin/account")
    editor.post("/admin/language", language="de", next="/admin/")
    answer = save(editor, "rules", valid_days="0", origins="x")
    assert "muss eine ganze Zahl von 1 bis 730 sein, nicht 0" in answer.text


ODD = [
    "",
    "0",
    "-1",
    "9" * 12,
    "{}",
    "[1,2",
    "xx",
    "#fff",
    "true",
    "a\nb",
    "../..",
    "{purposes}",
    "%s",
    "'\"<>",
    "ä" * 400,
]
ACTS = [
    "save",
    "up categories[0]",
    "drop categories[0]",
    "drop services[0]",
    "add-cookie",
    "down services[9]",
    "drop x",
    "?",
]
EXTRA = ["categories[9].id", "services[0].cookies[3].name", "signals.google.zzz", "place", "language", "texts.xx.title"]


@pytest.mark.parametrize("seed", range(3))
def test_no_form_however_odd_breaks_a_page(browser, with_services, seed):
    editor, chance = browser("editor"), random.Random(seed)
    for _ in range(12):
        section, query = chance.choice(list(SECTIONS)), f"?number={chance.randrange(2)}&edit=de"
        page = editor.get(f"{HOME}/{section}{query}")
        if page.status_code == 404:
            continue
        fields = filled(page)
        odd = [
            name
            for name in (*chance.sample(sorted(fields), 4), chance.choice(EXTRA))
            if name not in ("csrf_token", "stamp")
        ]
        fields |= {name: [chance.choice(ODD)] for name in odd} | {"do": [chance.choice(ACTS)]}
        for address in (
            f"/admin/sites/shop/findings/{section}",
            f"/admin/sites/shop/preview/{section}",
            f"{HOME}/{section}",
        ):
            assert editor.post(address + query, **fields).status_code < 500, (address, fields)
        for part in ("", "/review", "/policy.toml"):
            assert editor.get(HOME + part).status_code == 200, fields
