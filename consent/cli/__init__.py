"""The command line: `consent`.

Exits 0 on success, 1 where a check failed or the work could not be done, 2 on wrong use; an error is one sentence on
standard error that says what to do.
"""

import logging.config
import sys
from importlib import import_module

import click

import consent
from consent.errors import BadId, BadQuery, BadSettings, Conflict, ConsentError, Malformed, NotFound
from consent.logs import config
from consent.settings import PREFIX, SETTINGS

WRONG_USE = (BadSettings, BadQuery, BadId, NotFound, Conflict, Malformed)


ROOMS = {
    "keeping": ("init", "migrate", "doctor"),
    "serving": ("serve",),
    "sites": ("site", "snippet"),
    "policies": ("policy",),
    "exporting": ("export",),
    "proving": ("verify", "checkpoint"),
    "records": ("receipt",),
    "counting": ("stats",),
    "erasing": ("erase", "purge"),
    "keys": ("keys", "token"),
    "people": ("user",),
    "copies": ("backup", "restore"),
}
"""Modules and the commands in each: what one command needs is not imported for another."""
COMMANDS = {name: module for module, names in ROOMS.items() for name in names}


class Commands(click.Group):
    """A group of the commands, whose refusals are one sentence and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        return getattr(import_module(f"consent.cli.{COMMANDS[cmd_name]}"), cmd_name)

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
