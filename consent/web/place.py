"""Where a visitor is: from the header of a trusted proxy, or from an MMDB file. The address itself is not kept."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from consent.errors import BadSettings


class Places:
    """Looks places up; without header and file every place is unknown."""

    def __init__(self, header: str, geoip: Path | None) -> None:
        self.header = header
        self._reader = _open(geoip) if geoip else None
        self._variable = "HTTP_" + header.upper().replace("-", "_")

    @property
    def by_address(self) -> bool:
        """Whether the place may be read from the address, which no shared cache can know."""
        return self._reader is not None

    def of(self, environ: Mapping[str, Any]) -> str | None:
        """The visitor's place as ISO 3166 says it (`DE`, `US-CA`), or None; `environ` is the request's (PEP 3333)."""
        named = environ.get(self._variable) if self.header else None
        return named or self._located(environ.get("REMOTE_ADDR"))

    def _located(self, address: str | None) -> str | None:
        if self._reader is None or not address:
            return None
        try:
            found: Any = self._reader.get(address) or {}
        except ValueError:
            return None
        country = found.get("country", {}).get("iso_code")
        subdivisions = found.get("subdivisions") or [{}]
        region = subdivisions[0].get("iso_code")
        return f"{country}-{region}" if country and region else country


def _open(path: Path) -> Any:
    try:
        import maxminddb
    except ImportError:
        raise BadSettings("CONSENT_GEOIP needs the package maxminddb: run `pip install consent[geoip]`.") from None
    try:
        return maxminddb.open_database(str(path))
    except (OSError, maxminddb.InvalidDatabaseError) as error:
        raise BadSettings(f"CONSENT_GEOIP names {path}, which is no MMDB file: {error}.") from None
