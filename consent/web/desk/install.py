"""How a site's pages get the tag, and whether they have it."""

from flask import Response

from consent.model import Published
from consent.snippet import Snippet, Way, to_paste
from consent.web.desk.frame import blueprint, needs, page
from consent.web.service import service

WAYS: tuple[Way, ...] = ("async", "inline", "strict", "sync")


@blueprint.get("/sites/<site>/install", endpoint="install")
@needs("auditor")
def show_install(site: str) -> Response:
    """What to paste, each way with what it guarantees; and where the tag was seen."""
    held, base = service(), service().settings.public_url
    published = held.ledger.published(site)
    made: dict[Way, Snippet] = {way: to_paste(published, base, way) for way in WAYS}
    return page(
        "install", made=made, base=base, published=published, seen=held.sightings.of(site), missing=_missing(published)
    )


def _missing(published: Published) -> list[str]:
    """The site's origins, without patterns, on which no tag was seen yet."""
    seen = {origin for origin, _ in service().sightings.of(published.site)}
    return [origin for origin in published.origins if "*" not in origin and origin not in seen]
