"""The demo shop: a site of its own whose trackers stay dead until consent. Only with `consent serve --demo`."""

from flask import Blueprint

blueprint = Blueprint("demo", __name__, url_prefix="/demo")
