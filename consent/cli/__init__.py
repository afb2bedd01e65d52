"""The command line: `consent`.

Exits 0 on success, 1 where a check failed or the work could not be done, 2 on wrong use; an error is one sentence on
standard error that says what to do.
"""

import logging.config
import sys

import click

import consent
from consent.cli.copies import backup, restore
from consent.cli.counting import stats
from consent.cli.erasing import erase, purge
from consent.cli.keeping import doctor, init, migrate
from consent.cli.keys import keys, token
from consent.cli.people import user
from consent.cli.policies import policy
from consent.cli.proving import checkpoint, verify
from consent.cli.records import export, receipt
from consent.cli.serving import serve
from consent.cli.sites import site, snippet
from consent.errors import BadId, BadQuery, BadSettings, Conflict, ConsentError, Malformed, NotFound
from consent.settings import PREFIX, SETTINGS
from consent.web.logs import config

WRONG_USE = (BadSettings, BadQuery, BadId, NotFound, Conflict, Malformed)


class Commands(click.Group):
    """A group whose refusals are one sentence and an exit code."""

    def invoke(self, ctx: click.Context) -> None:
        try:
            super().invoke(ctx)
        except ConsentError as error:
            click.echo(f"Error: {error}", err=True)
            for path, message in error.mistakes:
                click.echo(f"  {path or '(document)'}: {message}", err=True)
            sys.exit(2 if isinstance(error, WRONG_USE) else 1)
        except BrokenPipeError:
            sys.stderr.close()
            sys.exit(0)


def _settings_help() -> str:
    rows = [f"{PREFIX}{setting.name.upper()}\n  {setting.help}" for setting in SETTINGS]
    return "\b\nSettings (environment, or a TOML file named by CONSENT_CONFIG):\n" + "\n".join(rows)


@click.group(cls=Commands, epilog=_settings_help(), context_settings={"max_content_width": 100})
@click.version_option(consent.__version__, prog_name="consent")
def main() -> None:
    """Self-hosted cookie consent with receipts that anyone can verify.

    \b
    Example:
      consent site create shop --origin https://shop.example
      consent serve
    """
    logging.config.dictConfig(config("WARNING", form="plain"))


for command in (
    init, serve, site, policy, snippet, export, verify, checkpoint, receipt, stats, erase, purge, keys, user, token, migrate, backup, restore, doctor,
):  # fmt: skip
    main.add_command(command)
