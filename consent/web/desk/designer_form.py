"""The designer's forms: a field is named by its path in the document, so that a mistake finds the field it is about.

Its rule: what somebody typed is kept as typed, right or wrong.
"""

import base64
import re
from contextlib import suppress
from copy import deepcopy
from typing import Any

import msgspec
from flask import request

from consent import catalogue, drafting, paths
from consent.errors import Malformed
from consent.model import Policy
from consent.web.desk.frame import MOST_FIELDS
from consent.web.desk.words import say

Document = dict[str, Any]

TAG = r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}"
SECTIONS = {
    "texts": re.compile(rf"texts\.{TAG}\.[a-z_]+|privacy_url\.{TAG}"),
    "services": re.compile(rf"categories\[\d+\]\.(id|necessary|(name|purpose)\.{TAG})|services\[\d+\]\.category"),
    "service": re.compile(
        r"services\[\d+\]\.(id|name|category|urls|calls\.(granted|refused)|provider\.(name|url|country)"
        rf"|purpose\.{TAG}|cookies\[\d+\]\.(name|lifetime|party|kind|http_only|purpose\.{TAG}))"
    ),
    "looks": re.compile(r"appearance\.(light\.|dark\.)?[a-z_]+"),
    "rules": re.compile(
        r"name|origins|(valid|refusal|retention)_days|(controller|records|cookie|blocking)\.[a-z_]+"
        r"|signals\.(gpc|(google|uet|clarity)\.[^.]+|google_options\.[a-z_]+)"
    ),
}
"""Each part of the designer, and the paths that its form may write."""
NUMBER = re.compile(r"(valid|refusal|retention)_days|appearance\.(font_size|radius)|.+\.wait_for_update")
YES = re.compile(r".+\.(necessary|http_only|follow_links|ads_data_redaction|url_passthrough)|blocking\..+")
USUALLY_YES = ("blocking.urls", "blocking.storage", "signals.google_options.ads_data_redaction")
LINES = re.compile(r"origins|records\.(data|sensitive|storage_locations)|.+\.(urls|regions)")
MANY = re.compile(r"signals\.(gpc|(google|uet|clarity)\..+)")
CALLS = re.compile(r".+\.calls\..+")
LONGEST = 20_000
LOGO_TYPES = ("image/png", "image/svg+xml", "image/webp", "image/jpeg", "image/gif")
LOGO_BYTES = 8_900
"""In base64 just under what a policy takes."""


def filled(section: str, document: Document, whole: Policy) -> Document:
    """The document with what the form says; `whole` is the completed policy that the form was made from."""
    changed = deepcopy(document)
    if section == "service":
        drafting.open_service(changed, _position(changed), whole)
    before = _ids(changed)
    for path in _named(section):
        _set(changed, path, request.form.getlist(path))
    for old, new in zip(before, _ids(changed), strict=False):
        if section == "services" and old and new and old != new and old not in _ids(changed):
            drafting.rename_category(changed, old, new)
    if section == "looks":
        _take_logo(changed)
    if section == "rules":
        _rules(changed)
    return changed


def acted(document: Document, act: str, whole: Policy) -> Document:
    """The document after a button of the form: `add-category`, `drop services[2]`, `up categories[1]` and the like."""
    changed = deepcopy(document)
    what, _, path = act.partition(" ")
    if what in ("up", "down", "drop"):
        _arrange(changed, what, path)
    elif what == "add-category":
        changed.setdefault("categories", []).append({"id": request.form.get("category", "")[:32]})
    elif what == "add-service":
        changed.setdefault("services", []).append(new_service(request.form.get("known", "").strip()[:200]))
    elif what == "add-cookie":
        position = _position(changed)
        drafting.open_service(changed, position, whole)
        changed["services"][position].setdefault("cookies", []).append({"name": "", "lifetime": "", "purpose": {}})
    return changed


def new_service(name: str) -> Document:
    """A service of the catalogue by its id or name, or one of one's own with that name."""
    known = catalogue.known()
    lowered = name.lower()
    found = [id for id in known if lowered in (id, known[id].name.lower())]
    if found:
        return {"id": found[0]}
    id = re.sub(r"[^a-z0-9]+", "-", lowered).strip("-")[:32]
    return {"id": id, "name": name, "provider": {}, "purpose": {}}


def _position(document: Document) -> int:
    """Which service is edited. Raises Malformed where there is none."""
    position = request.args.get("number", 0, type=int)
    if not 0 <= position < len(document.get("services", [])):
        raise Malformed(say("There is no such service in the draft any more."))
    return position


def _named(section: str) -> list[str]:
    names = [name for name in request.form if SECTIONS[section].fullmatch(name)]
    if len(request.form) > MOST_FIELDS or any(len(value) > LONGEST for value in request.form.values()):
        raise Malformed(say("The form is too large."))
    return names


def _set(document: Document, path: str, given: list[str]) -> None:
    value = _value(path, [text.replace("\r\n", "\n").strip() for text in given])
    is_usual = YES.fullmatch(path) and value == (path in USUALLY_YES)
    if is_usual or value in ("", None) or (value == [] and not MANY.fullmatch(path)):
        paths.drop(document, path)
    else:
        paths.put(document, path, value)


def _value(path: str, given: list[str]) -> Any:
    last = given[-1]
    if MANY.fullmatch(path):
        return [one for one in given if one]
    if YES.fullmatch(path):
        return last == "true"
    if LINES.fullmatch(path):
        return [line.strip() for line in last.split("\n") if line.strip()]
    if CALLS.fullmatch(path):
        return [_call(line) for line in last.split("\n") if line.strip()]
    return int(last) if NUMBER.fullmatch(path) and re.fullmatch(r"\d{1,9}", last) else last


def _call(line: str) -> Any:
    """A call as JSON; what is none stays text and is a mistake."""
    with suppress(msgspec.DecodeError):
        return msgspec.json.decode(line)
    return line


def _ids(document: Document) -> list[Any]:
    return [category.get("id") for category in document.get("categories", []) if isinstance(category, dict)]


def _arrange(document: Document, what: str, path: str) -> None:
    found = re.fullmatch(r"(categories|services|services\[\d+\]\.cookies)\[(\d+)\]", path)
    items = paths.get(document, found[1]) if found else None
    if found is None or not isinstance(items, list) or int(found[2]) >= len(items):
        return
    position = int(found[2])
    if what == "drop" and found[1] == "categories":
        drafting.drop_category(document, position)
    elif what == "drop":
        del items[position]
    else:
        paths.move(items, position, -1 if what == "up" else 1)


def _take_logo(document: Document) -> None:
    file = request.files.get("logo_file")
    if file is None or not file.filename:
        return
    data = file.read(LOGO_BYTES + 1)
    if len(data) > LOGO_BYTES or file.mimetype not in LOGO_TYPES:
        raise Malformed(
            say("The logo was not taken: it must be a PNG, SVG, WebP, JPEG or GIF file of at most {size} bytes.", size=LOGO_BYTES)
        )  # fmt: skip
    paths.put(document, "appearance.logo", f"data:{file.mimetype};base64,{base64.b64encode(data).decode()}")


def _rules(document: Document) -> None:
    """What the rules' form says in another shape than the document: languages, places, whose mapping holds."""
    form = request.form
    if "speaks" in form:
        chosen = [tag for tag in form.getlist("language") if tag] + form.get("more_languages", "").split()
        first = form.get("first", "")
        kept = [tag for tag in [first, *document.get("languages", []), *chosen] if tag in chosen]
        drafting.speak(document, list(dict.fromkeys([*kept, *chosen])))
    if "place" in form:
        pairs = zip(form.getlist("place"), form.getlist("regime"), strict=False)
        places = {_place(place): regime for place, regime in pairs if place.strip()}
        _set_or_drop(document, "regimes", places)
    for name in (*drafting.SIGNALS, "gpc"):
        mode = form.get(f"mode.{name}", "")
        if mode == "usual":
            paths.drop(document, f"signals.{name}")
        elif mode == "nobody":
            paths.put(document, f"signals.{name}", [] if name == "gpc" else {})
        elif mode == "own":
            _own_mapping(document, name)
    if form.get("nothing_sensitive") and not paths.get(document, "records.sensitive"):
        paths.put(document, "records.sensitive", [])


def _own_mapping(document: Document, name: str) -> None:
    mapping = paths.get(document, f"signals.{name}", [] if name == "gpc" else {})
    if isinstance(mapping, dict):
        mapping = {id: types for id, types in mapping.items() if types}
    paths.put(document, f"signals.{name}", mapping)


def _place(text: str) -> str:
    text = text.strip()[:40]
    return "default" if text.lower() == "default" else text.upper()


def _set_or_drop(document: Document, path: str, value: Any) -> None:
    if value:
        paths.put(document, path, value)
    else:
        paths.drop(document, path)
