"""Packages that only some installations need: one refusal that says how to get them."""

from importlib.util import find_spec

from consent.errors import NotInstalled

EXTRAS = {"pyarrow": "parquet", "prometheus_client": "metrics"}
"""The extra that brings a package."""


def installed(package: str) -> bool:
    """Whether a package is there, without importing it."""
    return find_spec(package) is not None


def need(package: str, *, what: str) -> None:
    """Raises NotInstalled where a package is missing; `what` begins the sentence."""
    if not installed(package):
        raise NotInstalled(f"{what} needs the package {package}: run `pip install 'consent[{EXTRAS[package]}]'`.")
