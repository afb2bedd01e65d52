"""The preview: the real banner in a page of its own that can neither record nor keep anything.

Its rule: the page has no origin (sandbox), so it reaches no cookie and no storage; what it would send stays in it.
"""

import secrets
from typing import Any

import msgspec
from flask import Response, render_template

from consent import banner, i18n
from consent.drafts import Draft
from consent.model import Appearance, Policy, Published, Regime
from consent.web.desk.designer import drafts, edited, look, place_of, sheet_of
from consent.web.desk.designer_form import SECTIONS, filled
from consent.web.desk.designer_sheet import Sheet
from consent.web.desk.designer_words import PARTS
from consent.web.desk.frame import blueprint, needs
from consent.web.desk.words import say
from consent.web.service import service

CSP = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'; sandbox allow-scripts"
)
LOGO = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCA5NiAzMiI+PHJlY3Qgd2lkdGg9Ijk2IiBoZWlnaHQ9IjMyIiByeD0iNiIgZmlsbD0iIzg4OCIvPjx0ZXh0IHg9IjQ4IiB5PSIyMSIgZm9udC1mYW1pbHk9InNhbnMtc2VyaWYiIGZvbnQtc2l6ZT0iMTQiIHRleHQtYW5jaG9yPSJtaWRkbGUiIGZpbGw9IiNmZmYiPkxPR088L3RleHQ+PC9zdmc+"  # fmt: skip
"""Stands for a logo that is a path on the website: nothing is asked of anybody else."""


@blueprint.get("/sites/<site>/preview")
@needs("auditor")
def preview(site: str) -> Response:
    """The banner of the saved draft."""
    return _preview(site, sheet_of(site))


@blueprint.post("/sites/<site>/preview/<section>")
@needs("editor")
def preview_typed(site: str, section: str) -> Response:
    """The banner of what the form says now; nothing is saved."""
    return _preview(site, _typed(site, section))


@blueprint.post("/sites/<site>/findings/<section>")
@needs("editor")
def findings(site: str, section: str) -> Response:
    """Mistakes and hints of what the form says now, as a piece of the page."""
    sheet = _typed(site, section)
    html = render_template(
        "desk/banner_findings.html",
        sheet=sheet,
        section=section,
        explained_part=lambda part: say(PARTS[part]),
        place_of=lambda path: place_of(site, path),
    )
    return Response(html, 200)


def _typed(site: str, section: str) -> Sheet:
    sheet = sheet_of(site)
    if section not in SECTIONS:
        return sheet
    document = filled(section, sheet.document, sheet.whole)
    draft: Draft = msgspec.structs.replace(drafts().get(site), document=document)
    return Sheet(draft, sheet.published, edit=edited())


def _preview(site: str, sheet: Sheet) -> Response:
    chosen = look(sheet.whole)
    published = _published(site, sheet.whole, chosen["scheme"])
    regime: Regime = chosen["regime"]  # type: ignore[assignment]
    script = banner.render(published, language=chosen["lang"], regime=regime)
    category = next((one.id for one in reversed(published.categories) if not one.necessary), "")
    return closed_page(script, **chosen, category=category)


def closed_page(script: bytes, *, lang: str, **look: Any) -> Response:
    """The page that runs a banner's script: `scheme`, `layer` to open, `category` of an embed that waits, `gpc` signalled."""
    nonce, direction = secrets.token_urlsafe(16), i18n.locale(lang).direction
    body = render_template(
        "desk/banner_preview.html", script=script.decode(), nonce=nonce, lang=lang, direction=direction, look=look
    )
    headers = {"Content-Security-Policy": CSP.format(nonce=nonce), "X-Frame-Options": "SAMEORIGIN"}
    return Response(body, 200, headers)


def without_fetching(looks: Appearance) -> Appearance:
    """The same looks with a sign in the place of a logo that is a file of the website: the closed page fetches nothing."""
    return looks if (looks.logo or "data:").startswith("data:") else msgspec.structs.replace(looks, logo=LOGO)


def _published(site: str, whole: Policy, scheme: str) -> Published:
    """The version that would be published, its colours as in the wanted scheme."""
    version = service().ledger.published(site).version + 1
    looks = without_fetching(whole.appearance)
    if looks.theme == "auto":
        looks = msgspec.structs.replace(looks, theme=scheme)
    fields = msgspec.structs.asdict(msgspec.structs.replace(whole, appearance=looks))
    return Published(**fields, site=site, version=version, material_since=1)
