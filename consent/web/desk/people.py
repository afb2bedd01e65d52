"""Who may sign in, and with which role where."""

from typing import Any, get_args

from flask import Response, flash, redirect, request, url_for

from consent.errors import Conflict, ConsentError, Malformed, NotFound
from consent.fields import Role
from consent.people import ALL
from consent.web.desk.frame import administrator, blueprint, confirmed, desk, field, needs, page, signed_in, told_on
from consent.web.desk.refusals import whole
from consent.web.desk.words import say
from consent.web.service import service

ON_SITE = "role."
"""Before a site's id in the name of a field."""


@blueprint.get("/people", endpoint="people")
@needs("owner", whole=True)
def show_people() -> Response:
    """Everybody with their roles."""
    return _people()


def _people(*, given: tuple[str, str] | None = None, error: ConsentError | None = None) -> Response:
    return page(
        "people",
        error.status if error else 200,
        here="desk.people",
        crew=desk().people.all(),
        given=given,
        error=whole(error) if error else "",
        typed=request.form if error else {},
        shown=_typed_roles() if error else {ALL: "editor"},
        **_choices(),
    )


@blueprint.post("/people")
@needs("owner", whole=True)
@told_on(_people)
def add_person() -> Response:
    """Add somebody, with an account at the OpenID provider or a one-time password, shown in this answer and nowhere else."""
    name = field("name", longest=64).lower()
    account = field("account") if service().settings.oidc_name else ""
    return _people(given=(name, administrator().add_person(name, _roles(), account=account)))


@blueprint.get("/people/<name>")
@needs("owner", whole=True)
def show_person(name: str) -> Response:
    """What somebody may do, and how they sign in."""
    return _person(name)


def _person(name: str, error: ConsentError | None = None) -> Response:
    status, told = (error.status, whole(error)) if error else (200, "")
    return page("person", status, here="desk.people", one=desk().people.get(name), error=told, **_choices())


@blueprint.post("/people/<name>/roles")
@needs("owner", whole=True)
@told_on(_person)
def change_roles(name: str) -> Any:
    """Give somebody the roles of the form in the place of those held."""
    roles = _roles()
    if name == signed_in().name and roles.get(ALL) != "owner":
        raise Conflict(say("Nobody gives up being an owner alone: ask another owner to change your roles."))
    administrator().set_roles(name, roles)
    flash(say("The roles of {name} are changed; their sessions have ended.", name=name))
    return _after(name)


@blueprint.post("/people/<name>/account")
@needs("owner", whole=True)
@told_on(_person)
def change_account(name: str) -> Any:
    """Say by which account at the OpenID provider somebody signs in, or by none."""
    if not service().settings.oidc_name:
        raise NotFound(say("There is no such page."))
    administrator().name_account(name, field("account"))
    flash(say("The account of {name} is changed; their sessions have ended.", name=name))
    return _after(name)


@blueprint.post("/people/<name>/reset")
@needs("owner", whole=True)
@told_on(_person)
def reset_person(name: str) -> Response:
    """A new one-time password in the place of password and second factor; the name is typed to confirm."""
    confirmed(name)
    return _people(given=(name, administrator().reset_person(name)))


@blueprint.post("/people/<name>/remove")
@needs("owner", whole=True)
@told_on(_person)
def remove_person(name: str) -> Any:
    """Let somebody sign in no more; the name is typed to confirm."""
    confirmed(name)
    administrator().remove_person(name)
    flash(say("{name} can sign in no more.", name=name))
    return _after(name)


def _choices() -> dict[str, Any]:
    """What the forms let one choose from."""
    return {
        "all_sites": [site.id for site in service().ledger.storage.reading().sites()],
        "roles": get_args(Role),
        "everything": ALL,
        "provider": service().settings.oidc_name,
    }


def _roles() -> dict[str, Role]:
    """The roles that the form gives. Raises Malformed or UnknownSite."""
    roles = {where: role for where, role in _typed_roles().items() if role}
    if not roles or not set(roles.values()) <= set(get_args(Role)):
        raise Malformed(say("Choose a role."))
    for site in roles.keys() - {ALL}:
        service().ledger.storage.reading().site(site)
    return roles  # type: ignore[return-value]


def _typed_roles() -> dict[str, str]:
    """By site, or ALL: the field `role` holds everywhere, `role.SITE` on one site."""
    sites = {name.removeprefix(ON_SITE): field(name) for name in request.form if name.startswith(ON_SITE)}
    return {ALL: field("role")} | sites


def _after(name: str) -> Any:
    """Where to go on: who changed the own account has no session any more."""
    return redirect(url_for("desk.people" if name != signed_in().name else "desk.show_sign_in"), 303)
