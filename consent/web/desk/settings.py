"""A site's own settings, a new site, and the end of one."""

import re
from typing import Any

import msgspec
from flask import Response, flash, redirect, request, url_for

from consent import policy, shape
from consent.administrator import settings_of
from consent.errors import Conflict, ConsentError, Invalid
from consent.fields import SiteId
from consent.model import Published
from consent.web.desk.frame import administrator, blueprint, confirmed, field, needs, page, told_on
from consent.web.desk.words import say
from consent.web.service import service

PIECES = re.compile(r"[\s,]+")


@blueprint.get("/sites/<site>/settings", endpoint="settings")
@needs("editor")
def show_settings(site: str) -> Response:
    """Name, origins, retention."""
    return _settings(site)


def _settings(site: str, error: ConsentError | None = None) -> Response:
    """The page, with what was typed where that was refused."""
    published = service().ledger.published(site)
    held = {**settings_of(published), "origins": "\n".join(published.origins)}
    typed: Any = (
        request.form if "origins" in request.form else held | {"retention_days": published.retention_days or ""}
    )
    return page(
        "settings",
        error.status if error else 200,
        here="desk.settings",
        stamp=_stamp(published),
        published=published,
        typed=typed,
        error=error,
        usual=service().settings.retention_days,
    )


@blueprint.post("/sites/<site>/settings")
@needs("editor")
@told_on(_settings)
def change_settings(site: str) -> Any:
    """Publish them with the next policy version; nobody is asked again for that."""
    if field("stamp") not in ("", _stamp(service().ledger.published(site))):
        raise Conflict(say("Nothing was saved: somebody changed the settings meanwhile. What you typed stands here; saving it now puts it in the place of theirs."))  # fmt: skip
    days = field("retention_days", longest=6)
    given = {
        "name": field("name"),
        "origins": _origins(),
        "retention_days": int(days) if days.isascii() and days.isdecimal() else days or None,
    }
    published, changes = administrator().change_settings(site, given)
    flash(
        say("Saved: policy version {version}.", version=published.version) if changes else say("Nothing was changed.")
    )
    return redirect(url_for("desk.settings", site=site), 303)


@blueprint.post("/sites/<site>/delete")
@needs("owner")
@told_on(_settings)
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
    return _new_site()


def _new_site(error: ConsentError | None = None) -> Response:
    return page("new_site", error.status if error else 200, error=error, typed=request.form)


@blueprint.post("/new-site")
@needs("owner", whole=True)
@told_on(_new_site)
def make_site() -> Any:
    """A site with the default policy."""
    id, name = field("id", longest=63), field("name")
    wrong = shape.mistakes(id, SiteId)
    if wrong:
        raise Invalid(say("The site cannot be made."), mistakes=(("id", wrong[0][1]),))
    administrator().make_usual_site(id, name, _origins())
    flash(say("The site is made. Paste its tag into your pages."))
    return redirect(url_for("desk.install", site=id), 303)


def _stamp(published: Published) -> str:
    """Another one for other settings, whatever else of the banner was published."""
    return policy.named(policy.digest(msgspec.json.encode(settings_of(published))))


def _origins() -> list[str]:
    return [origin for origin in PIECES.split(field("origins", longest=20_000)) if origin]
