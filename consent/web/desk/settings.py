"""A site's own settings, a new site, and the end of one."""

import re
from typing import Any

from flask import Response, flash, redirect, request, url_for

from consent import shape
from consent.errors import Conflict, Invalid
from consent.fields import SiteId
from consent.web.desk.frame import administrator, blueprint, confirmed, field, needs, page
from consent.web.desk.words import say
from consent.web.service import service

PIECES = re.compile(r"[\s,]+")


@blueprint.get("/sites/<site>/settings", endpoint="settings")
@needs("editor")
def show_settings(site: str) -> Response:
    """Name, origins, retention."""
    return _settings(site)


@blueprint.post("/sites/<site>/settings")
@needs("editor")
def change_settings(site: str) -> Any:
    """Publish them with the next policy version; nobody is asked again for that."""
    days = field("retention_days", longest=6)
    given = {
        "name": field("name"),
        "origins": _origins(),
        "retention_days": int(days) if days.isascii() and days.isdecimal() else days or None,
    }
    try:
        published, changes = administrator().change_settings(site, given)
    except Invalid as error:
        return _settings(site, error)
    flash(
        say("Saved: policy version {version}.", version=published.version) if changes else say("Nothing was changed.")
    )
    return redirect(url_for("desk.settings", site=site), 303)


@blueprint.post("/sites/<site>/delete")
@needs("owner")
def delete_site(site: str) -> Any:
    """Remove a site and its whole log; its name is typed to confirm."""
    confirmed(site)
    administrator().delete_site(site)
    flash(say("The site {site} and everything recorded for it is gone.", site=site))
    return redirect(url_for("desk.home"), 303)


@blueprint.get("/new-site", endpoint="new_site")
@needs("owner", whole=True)
def show_new_site() -> Response:
    """The form."""
    return page("new_site", error=None, typed={})


@blueprint.post("/new-site")
@needs("owner", whole=True)
def make_site() -> Any:
    """A site with the default policy."""
    id, name = field("id", longest=63), field("name")
    try:
        wrong = shape.mistakes(id, SiteId)
        if wrong:
            raise Invalid(say("The site cannot be made."), mistakes=(("id", wrong[0][1]),))
        administrator().make_usual_site(id, name, _origins())
    except (Invalid, Conflict) as error:
        return page("new_site", error.status, error=error, typed=request.form)
    flash(say("The site is made. Paste its tag into your pages."))
    return redirect(url_for("desk.install", site=id), 303)


def _settings(site: str, error: Invalid | None = None) -> Response:
    published = service().ledger.published(site)
    typed: Any = (
        request.form
        if error
        else {
            "name": published.name,
            "origins": "\n".join(published.origins),
            "retention_days": published.retention_days or "",
        }
    )
    usual = service().settings.retention_days
    return page("settings", 422 if error else 200, published=published, typed=typed, error=error, usual=usual)


def _origins() -> list[str]:
    return [origin for origin in PIECES.split(field("origins", longest=20_000)) if origin]
