"""`consent serve`."""

import logging.config
from urllib.parse import urlsplit

import click
import msgspec

from consent.administrator import Administrator
from consent.cli.people import first_owner
from consent.cli.shared import acting, installation
from consent.errors import Unavailable
from consent.logs import config
from consent.settings import SETTINGS, Settings, load
from consent.web import demo as demo_shop
from consent.web.serve import serve as run

DEFAULT_URL = next(setting.default for setting in SETTINGS if setting.name == "public_url")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), help="Processes; by default one a core, two at least.")
@click.option("--demo", is_flag=True, help="Also serve a demo shop.")
def serve(host: str, port: int, workers: int | None, demo: bool) -> None:
    """Serve until stopped.

    \b
    Example: consent serve --host 0.0.0.0 --port 8080
    """
    settings = _settings(host, port, demo=demo)
    logging.config.dictConfig(config())
    click.echo(
        f"Service:  {settings.public_url}\nAPI docs: {settings.public_url}/docs\nDesk:     {settings.public_url}/admin/",
        err=True,
    )
    try:
        who = acting(installation(settings)[0], settings)
        if demo:
            _prepare_demo(who, settings, port)
        first_owner(who)
        who.ledger.storage.close()
    except Unavailable as error:
        click.echo(f"{error} Requests are answered with 503 until it can.", err=True)
    run(settings, host=host, port=port, workers=workers)


def _settings(host: str, port: int, *, demo: bool) -> Settings:
    """The settings; without a public address the one that this machine's browser can open."""
    settings = load()
    if settings.public_url == DEFAULT_URL:
        settings = msgspec.structs.replace(settings, public_url=f"http://{_reachable(host)}:{port}")
    return msgspec.structs.replace(settings, demo=demo)


def _prepare_demo(who: Administrator, settings: Settings, port: int) -> None:
    shown = f"http://localhost:{port}"
    demo_shop.prepare(who, list(dict.fromkeys([shown, f"http://127.0.0.1:{port}", _origin(settings.public_url)])))
    click.echo(f"Demo:     {shown}/demo/", err=True)


def _reachable(host: str) -> str:
    """An address that a browser on this machine can open."""
    return "127.0.0.1" if host in ("0.0.0.0", "::", "") else f"[{host}]" if ":" in host else host


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
