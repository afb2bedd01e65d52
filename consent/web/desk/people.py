"""Who may sign in, and with which role where."""

from typing import Any, get_args

from flask import Response, flash, redirect, request, url_for

from consent.errors import Conflict, Invalid, Malformed, NotFound
from consent.fields import Role
from consent.people import ALL
from consent.web.desk.frame import administrator, blueprint, confirmed, desk, field, needs, page, signed_in
from consent.web.desk.refusals import whole
from consent.web.desk.words import say
from consent.web.service import service


@blueprint.get("/people", endpoint="people")
@needs("owner", whole=True)
def show_people() -> Response:
    """Everybody with their roles."""
    return _people()


@blueprint.post("/people")
@needs("owner", whole=True)
def add_person() -> Response:
    """Add somebody, with an account at the OpenID provider or a one-time password, shown in this answer and nowhere else."""
    name, roles = field("name", longest=64).lower(), _roles()
    account = field("account") if service().settings.oidc_name else ""
    try:
        password = administrator().add_person(name, roles, account=account)
    except (Conflict, Invalid) as error:
        return _people(error=whole(error), status=error.status)
    return _people(given=(name, password))


@blueprint.post("/people/<name>/roles")
@needs("owner", whole=True)
def change_roles(name: str) -> Any:
    """Give somebody one role in the place of those held."""
    administrator().set_roles(name, _roles())
    flash(say("The role of {name} is changed; their sessions have ended.", name=name))
    return _after(name)


@blueprint.post("/people/<name>/account")
@needs("owner", whole=True)
def change_account(name: str) -> Any:
    """Say by which account at the OpenID provider somebody signs in, or by none."""
    if not service().settings.oidc_name:
        raise NotFound(say("There is no such page."))
    try:
        administrator().name_account(name, field("account"))
    except (Conflict, Invalid) as error:
        return _people(error=whole(error), status=error.status)
    flash(say("The account of {name} is changed; their sessions have ended.", name=name))
    return _after(name)


@blueprint.post("/people/<name>/reset")
@needs("owner", whole=True)
def reset_person(name: str) -> Response:
    """A new one-time password, no second factor."""
    return _people(given=(name, administrator().reset_person(name)))


@blueprint.post("/people/<name>/remove")
@needs("owner", whole=True)
def remove_person(name: str) -> Any:
    """Let somebody in no more; the name is typed to confirm."""
    desk().people.get(name)
    confirmed(name)
    administrator().remove_person(name)
    flash(say("{name} can sign in no more.", name=name))
    return _after(name)


def _people(*, given: tuple[str, str] | None = None, error: str = "", status: int = 200) -> Response:
    sites = [site.id for site in service().ledger.storage.reading().sites()]
    return page(
        "people",
        status,
        crew=desk().people.all(),
        given=given,
        error=error,
        all_sites=sites,
        roles=get_args(Role),
        everything=ALL,
        provider=service().settings.oidc_name,
        typed=request.form.get("name", "") if error else "",
    )


def _roles() -> dict[str, Role]:
    """The role and the site of the form. Raises Malformed or UnknownSite."""
    role, site = field("role"), field("site") or ALL
    if role not in get_args(Role):
        raise Malformed(say("Choose a role."))
    if site != ALL:
        service().ledger.storage.reading().site(site)
    return {site: role}  # type: ignore[dict-item]


def _after(name: str) -> Any:
    """Where to go on: who changed the own account has no session any more."""
    return redirect(url_for("desk.people" if name != signed_in().name else "desk.show_sign_in"), 303)
