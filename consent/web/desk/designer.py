"""The banner's designer: a draft of the policy in four parts, saved with or without mistakes. Beside it, the banner.

Its rule: what a form holds is never lost, whoever else saved meanwhile.
"""

from typing import Any, get_args

import msgspec
from flask import Response, flash, redirect, request, url_for

from consent import catalogue, drafting, i18n, paths
from consent import policy as policies
from consent.appearance import DARK, LIGHT
from consent.drafts import Draft, Drafts
from consent.errors import Conflict, NotFound
from consent.fields import GoogleType
from consent.model import Policy
from consent.policy_diff import differences
from consent.storage.base import nothing
from consent.times import rfc3339
from consent.web.desk.designer_form import SECTIONS, acted, filled
from consent.web.desk.designer_sheet import Sheet, number_of, section_of
from consent.web.desk.designer_words import PARTS, TEXTS, in_words, label
from consent.web.desk.frame import blueprint, field, needs, noting, page, signed_in
from consent.web.desk.telling import category_names
from consent.web.desk.words import language, say
from consent.web.service import service

DEVICES = ("phone", "tablet", "desktop")
SCHEMES = ("light", "dark")
REGIMES = ("opt-in", "opt-out", "notice")
LAYERS = ("banner", "preferences", "after")
BUILT_IN = ("session", "persistent", "analytics", "social", "advertising")
"""Categories with shipped words."""
MOST_NOTED = 50
"""Changes of one save that the trail keeps."""


@blueprint.get("/sites/<site>/banner", defaults={"section": "texts"}, endpoint="banner")
@blueprint.get("/sites/<site>/banner/<section>", endpoint="banner")
@needs("auditor")
def show_banner(site: str, section: str) -> Response:
    """One part of the draft as a form, the banner beside it."""
    return drawn(site, section, sheet_of(site))


@blueprint.post("/sites/<site>/banner/<section>")
@needs("editor")
def save_banner(site: str, section: str) -> Any:
    """Save what the form says, then do what its button says."""
    _known(section)
    sheet = sheet_of(site)
    before = sheet.draft
    typed = filled(section, before.document, sheet.whole)
    act = _act()
    if field("stamp", longest=40) != before.stamp:
        return overtaken(site, section, before, typed)
    document = drafting.tidy(acted(typed, act, sheet.whole))
    try:
        draft = before if document == before.document else kept(site, document, before)
    except Conflict:
        return overtaken(site, section, drafts().get(site), typed)
    return redirect(_following(site, section, act, draft), 303)


def overtaken(site: str, section: str, held: Draft, typed: dict[str, Any]) -> Response:
    """Nothing is saved and nothing is lost: the typed form again, with the stamp of the draft that came between."""
    sheet = Sheet(msgspec.structs.replace(held, document=typed), _published(site), edit=edited())
    return drawn(site, section, sheet, status=409, conflict=held)


def kept(
    site: str, document: dict[str, Any], before: Draft, *, base: int | None = None, what: str = "", **told: Any
) -> Draft:
    """Save a draft and note in the trail what has changed, and what is `told` besides. Raises Conflict."""
    changes = differences(before.document, document)[:MOST_NOTED]
    note = noting(
        what or "changed the draft of the banner",
        site=site,
        before={change.path: change.before for change in changes},
        after=told | {change.path: change.after for change in changes},
    )
    also = note if changes or what else nothing
    return drafts().save(site, document, stamp=before.stamp, by=signed_in().name, base=base, also=also)


def drawn(site: str, section: str, sheet: Sheet, *, status: int = 200, **values: Any) -> Response:
    """A part's page."""
    _known(section)
    number = request.args.get("number", 0, type=int)
    if section == "service":
        if not 0 <= number < len(sheet.value("services", [])):
            raise NotFound(say("There is no such service in the draft any more."))
        drafting.open_service(sheet.document, number, sheet.whole)
    return page(
        f"banner_{section}", status, **surroundings(site, section, sheet), **choices(sheet), number=number, **values
    )


def choices(sheet: Sheet) -> dict[str, Any]:
    """What the forms of a part let one choose from."""
    names = category_names(sheet.whole, language())
    first = {True: say("Usual category"), False: say("Choose a category")}
    return {
        "category_names": names,
        "category_options": lambda is_known: [("", first[bool(is_known)]), *names.items()],
        "usual_colors": {"light": LIGHT, "dark": DARK},
        "google_types": get_args(GoogleType),
        "whole_signals": {name: getattr(sheet.whole.signals, name) for name in drafting.SIGNALS},
    }


def surroundings(site: str, section: str, sheet: Sheet) -> dict[str, Any]:
    """What every page of the designer shows beside its own."""
    return {
        "here": "desk.banner",
        "section": section,
        "sheet": sheet,
        "saved_at": rfc3339(sheet.draft.at or None),
        "newest": service().ledger.published(site).version,
        "look": look(sheet.whole),
        "known": catalogue.known(),
        "locales": i18n.locales(),
        "labels": TEXTS,
        "label": label,
        "told": [in_words(change) for change in sheet.changes],
        "built_in": BUILT_IN,
        "explained_part": lambda part: say(PARTS[part]),
        "place_of": lambda path: place_of(site, path),
        "query": {
            name: value for name, value in request.args.items() if name in ("edit", "number", *look(sheet.whole))
        },
    }


def look(whole: Policy) -> dict[str, str]:
    """How the banner is looked at: device, language, scheme, regime, layer, as the address says it."""
    chosen = {
        "device": _one_of("device", DEVICES),
        "scheme": _one_of("scheme", SCHEMES),
        "regime": _one_of("regime", REGIMES),
        "layer": _one_of("layer", LAYERS),
    }
    wanted = request.args.get("lang") or request.args.get("edit") or ""
    return {**chosen, "lang": wanted if wanted in whole.languages else _usual_language(whole)}


def sheet_of(site: str) -> Sheet:
    """The draft of a site."""
    return Sheet(drafts().get(site), _published(site), edit=edited())


def edited() -> str:
    """The language whose words are asked for: for who only looks, the one that the preview shows."""
    return request.args.get("edit") or request.args.get("lang", "")


def drafts() -> Drafts:
    return Drafts(service().ledger)


def place_of(site: str, path: str) -> str:
    """The address of the page that shows a path of the document."""
    more: dict[str, Any] = {"section": section_of(path)}
    number = number_of(path)
    if number is not None:
        more = {"section": "service", "number": number}
    words = paths.steps(path)
    tag = words[1] if words[0] in ("texts", "privacy_url") and len(words) > 1 else words[-1]
    if isinstance(tag, str) and any(parent in i18n.locales() for parent in i18n.parents(tag)):
        more["edit"] = tag
    return url_for("desk.banner", site=site, **more, _anchor=f"f-{path}")


def _act() -> str:
    """What the pressed button asks for; the Enter key in the field of a new service presses the button beside it."""
    act = field("do", longest=200) or "save"
    return "add-service" if act == "save" and field("known", longest=200) else act


def _published(site: str) -> Policy:
    return policies.draft(service().ledger.published(site))


def _known(section: str) -> None:
    if section not in SECTIONS:
        raise NotFound(say("There is no such page."))


def _one_of(name: str, allowed: tuple[str, ...]) -> str:
    wanted = request.args.get(name, "")
    return wanted if wanted in allowed else allowed[0]


def _usual_language(whole: Policy) -> str:
    return i18n.negotiate(language(), whole.languages)


def _following(site: str, section: str, act: str, draft: Draft) -> str:
    """Where the form's button leads."""
    more: dict[str, Any] = {name: value for name, value in request.args.items() if name not in ("site", "section")}
    if act == "review":
        return url_for("desk.review", site=site)
    if act == "language":
        more |= {"edit": request.form.get("edit", ""), "lang": request.form.get("edit", "")}
    elif act == "add-service" and len(draft.document.get("services", [])):
        added = len(draft.document["services"]) - 1
        if catalogue.find(str(draft.document["services"][added].get("id"))) is None:
            return url_for("desk.banner", site=site, section="service", number=added)
    elif act == "save":
        flash(say("The draft is saved. Visitors see nothing of it until it is published."))
    return url_for("desk.banner", site=site, section=section, **more)
