"""`consent backup` and `restore`: an installation's database and, sealed with a passphrase, its keys."""

from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit

import click

from consent import open_ledger
from consent.cli.shared import acting, administrator, read_file, whole
from consent.copies import Copy, noted
from consent.errors import BadQuery, ConsentError
from consent.keyring import KeyRing
from consent.sealing import seal, unseal
from consent.settings import Settings, load
from consent.storage import named, open_storage
from consent.storage.copying import copy, sizes
from consent.storage.sqlite import SqliteFile, SqliteStorage

SHORTEST = 12
"""Characters of a passphrase."""

passphrase_option = click.option(
    "--passphrase-file", help="File with the passphrase of the keys; asked for if left out."
)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--with-keys", is_flag=True, help="Also write FILE.keys: the signing keys, sealed with a passphrase.")
@passphrase_option
def backup(file: Path, with_keys: bool, passphrase_file: str | None) -> None:
    """Copy the database to a new file while recording goes on. The signing keys are not in it.

    \b
    Example: consent backup /backups/consent-2026-11-23.db --with-keys
    """
    who, keys = administrator()[0], file.with_name(file.name + ".keys")
    secret = _passphrase(passphrase_file, new=True) if with_keys else ""
    for path in [file, keys] if with_keys else [file]:
        if path.exists():
            raise BadQuery(f"{path} is there already; name a new file.")
    with whole(file) as part:
        who.ledger.storage.backup(part)
    click.echo(f"Copied the database to {file}.")
    if with_keys:
        with whole(keys) as part:
            part.write_bytes(seal(who.ledger.ring.files(), secret))
        click.echo(f"Sealed the signing keys in {keys}. Without the passphrase nobody can open it, you included.")
    else:
        click.echo("Keep the keys folder too: without it nothing new can be signed (or use --with-keys).")
    noted(who.ledger.storage, Copy(who.ledger.now(), with_keys))
    who.did("copied the database", after={"with_keys": with_keys})


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--keys", "sealed", help="File with the sealed keys, as `consent backup --with-keys` made it.")
@passphrase_option
def restore(file: Path, sealed: str | None, passphrase_file: str | None) -> None:
    """Put a backup in the place of an installation that is not there, and bring it up to date. Nothing is ever overwritten.

    \b
    Example: consent restore /backups/consent-2026-11-23.db --keys /backups/consent-2026-11-23.db.keys
    """
    settings = load()
    ring, target = KeyRing(settings.data / "keys"), _target(settings.database)
    target.vacant()
    sites = _checked(file)
    keys = unseal(read_file(sealed), _passphrase(passphrase_file, new=False)) if sealed else {}
    if sealed and not ring.files().items() <= keys.items():
        raise BadQuery(f"There are other keys in {ring.folder}: leave --keys out to keep them, or move them away.")
    if not keys and not ring.files():
        raise BadQuery(f"There are no keys in {ring.folder}: put them there, or give --keys. What is done here is noted, and signed.")  # fmt: skip
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    if keys:
        ring.restore(keys)
    target.fill(file)
    _note(settings)
    click.echo(f"Restored {target.name}{f' and {len(keys)} keys' if keys else ''}.")
    example = f"`consent verify {sites[0] if sites else 'SITE'} --since CHECKPOINT`"
    click.echo(f"Next: {example} with the newest checkpoint that you kept.")


def _note(settings: Settings) -> None:
    """Bring what was restored up to date, and note in its trail that it was."""
    ledger = open_ledger(settings)
    ledger.storage.migrate()
    acting(ledger, settings).did("restored the database", after={"entries": sizes(ledger.storage.reading())})
    ledger.storage.close()


class _File:
    """An SQLite file that a backup becomes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)

    def vacant(self) -> None:
        """Raises BadQuery where something is in its place."""
        if self.path.exists():
            raise BadQuery(f"There is a database {self.path}: move it away, or name another folder with CONSENT_DATA.")
        for left in (self.path.with_name(self.path.name + suffix) for suffix in ("-wal", "-shm", "-journal")):
            if left.exists():
                raise BadQuery(
                    f"There is {left}, a part of another database, which would be taken up: move it away as well."
                )

    def fill(self, file: Path) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with whole(self.path) as part:
            SqliteFile(file).backup(part)


class _Database:
    """Another database that a backup fills."""

    def __init__(self, url: str) -> None:
        self.name = named(url)
        self._storage = open_storage(url)

    def vacant(self) -> None:
        """Raises BadQuery where something is in it."""
        if not self._storage.is_empty() and self._storage.reading().sites():
            raise BadQuery(f"There are sites in {self.name}: name an empty database with CONSENT_DATABASE.")

    def fill(self, file: Path) -> None:
        self._storage.migrate()
        with TemporaryDirectory() as folder:
            backup = SqliteStorage(Path(folder) / "consent.db")
            SqliteFile(file).backup(backup.path)
            backup.migrate()  # it may be of an older version
            copy(backup, self._storage)
            backup.close()


def _target(url: str) -> _File | _Database:
    parts = urlsplit(url)
    return _File(Path(unquote(parts.path))) if parts.scheme == "sqlite" else _Database(url)


def _checked(file: Path) -> list[str]:
    """The sites of a backup that is sound. Raises BadQuery."""
    storage = SqliteFile(file)
    try:
        if faults := storage.faults():
            raise BadQuery(f"{file} is no sound backup: {faults[0]}")
        pending = storage.pending()
        sites = [] if pending else [site.id for site in storage.reading().sites()]
        if storage.is_empty() or "m001_ledger" in pending:
            raise BadQuery(f"{file} is not a database of consent.")
        return sites
    except BadQuery:
        raise
    except ConsentError as error:
        raise BadQuery(f"{file} cannot be restored: {error}") from None
    finally:
        storage.close()


def _passphrase(file: str | None, *, new: bool) -> str:
    """The passphrase from a file or asked for. Raises BadQuery."""
    if file:
        text = read_file(file).decode(errors="replace").rstrip("\r\n")
    else:
        text = click.prompt("Passphrase of the keys", hide_input=True, confirmation_prompt=new, err=True)
    if new and len(text) < SHORTEST:
        raise BadQuery(f"The passphrase has fewer than {SHORTEST} characters: take a longer one, such as five words.")
    return text
