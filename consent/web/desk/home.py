"""The first page: the sites, and what to do where there is none."""

from flask import Response

from consent.web.desk.frame import blueprint, needs, page, signed_in, sites_of
from consent.web.service import service


@blueprint.get("/")
@needs(None)
def home() -> Response:
    """Every site that the person may see, with its name and size."""
    ledger = service().ledger
    rows = ledger.storage.reading()
    listed = [(site, ledger.published(site), rows.size(site)) for site in sites_of(signed_in())]
    return page("home", listed=listed)
