"""A website to measure banners on: the same page without any, with two floors, and with the script as it is served.

It is served over HTTP on 127.0.0.1, compressed, with the headers the service sends, so that the browser's throttling
applies. All answers stand before the first request.
"""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import brotli
import msgspec

from consent import banner, policy
from consent.model import Category, Service

SITE = "bench"
SERVICES = (
    *("google-analytics", "google-ads", "google-tag-manager", "youtube", "google-maps", "meta-pixel"),
    *("hotjar", "matomo", "vimeo", "linkedin-insight", "tiktok-pixel", "hubspot"),
)
FLOOR = """(() => {
const made = (tag, text, id) => Object.assign(document.createElement(tag), { textContent: text, id });
const release = () => document.querySelectorAll("[data-consent]").forEach(inert => {
  const script = document.createElement("script");
  if (inert.src) script.src = inert.src;
  else script.text = inert.text;
  inert.replaceWith(script);
});
const known = /consent=(\\w)/.exec(document.cookie);
if (known) return known[1] == "1" && release();
const box = made("div", "", "consent-banner");
box.style.cssText = "position:fixed;bottom:1em;left:1em;width:28em;padding:1em;background:#fff;border:1px solid";
const close = given => () => {
  document.cookie = "consent=" + given + ";path=/";
  box.remove();
  if (given) release();
};
const accept = made("button", "Accept", "consent-accept"), reject = made("button", "Reject", "consent-reject");
accept.onclick = close(1);
reject.onclick = close(0);
box.append(made("h2", "Your privacy", ""), made("p", "May we remember, count and show what others offer?", ""),
  accept, reject, made("button", "Choose", ""), made("a", "Privacy policy", ""), made("p", "You may change this.", ""));
document.body.append(box);
})()"""
"""A box of fifteen nodes that keeps and follows the answer, and nothing else."""

STATIC = '<div id="consent-banner" style="position:fixed;bottom:1em;left:1em">We use cookies.</div>'
OURS = '<script async src="/sites/bench/{}.js"></script>'
HEADS = {
    "without": "",
    "static": "",
    "floor": '<script defer src="/floor.js"></script>',
    "default policy": OURS.format("plain"),
    "twelve services": OURS.format("services"),
}
"""Each page by the name of its banner, and what stands for that in its head."""

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width">
<style>body{{font:1em/1.5 sans-serif;max-width:50em;margin:auto}}</style>
{head}</head><body>{begin}<h1>Shop</h1>{text}
<script type="text/plain" data-consent="analytics">window.began = performance.now()</script>
<script type="text/plain" data-consent="analytics" src="/tag.js"></script></body></html>"""
TEXT = (
    "<p>Bread, cheese and honey of this valley, sent where you live. Every order leaves on the day it comes.</p>" * 40
)


def script(services: tuple[str, ...] = ()) -> bytes:
    """The script of the default categories with these services, as it is served."""
    draft = policy.default("Bench", ["http://127.0.0.1"])
    if services:
        categories = [*draft.categories, Category("advertising")]
        draft = msgspec.structs.replace(draft, categories=categories, services=[Service(id) for id in services])
    published = policy.publish(policy.complete(draft), site=SITE, version=1, material_since=1)
    return banner.render(published, language="en", regime="opt-in")


def path(name: str) -> str:
    """Where the page with this banner lies."""
    return "/" + name.replace(" ", "-")


@contextmanager
def serving() -> Iterator[str]:
    """The website, running; its origin."""
    handler = type("Handler", (_Handler,), {"answers": _answers()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """Answers what is listed; takes every recording."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave in one piece
    answers: dict[str, tuple[str, str, bytes]]

    def do_GET(self) -> None:
        kind, coding, body = self.answers.get(self.path, ("text/plain", "identity", b""))
        self._answer(200 if body else 404, kind, body, coding)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.endswith("/displays"):
            return self._answer(204, "text/plain", b"")
        return self._answer(201, "application/json", gzip.compress(b'{"receipt": "a.b.c", "state": {}}'))

    def _answer(self, status: int, kind: str, body: bytes, coding: str = "gzip") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind + "; charset=utf-8")
        self.send_header("Cache-Control", "public, max-age=300")
        if body:
            self.send_header("Content-Encoding", coding)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is said."""


def _answers() -> dict[str, tuple[str, str, bytes]]:
    """What each address answers: its type, how it is compressed, and its bytes. Scripts travel as the service sends them."""
    scripts = {
        "/floor.js": FLOOR.encode(),
        "/sites/bench/plain.js": script(),
        "/sites/bench/services.js": script(SERVICES),
        "/tag.js": b"window.loaded = performance.now()",
    }
    pages = {
        path(name): PAGE.format(head=head, begin=STATIC if name == "static" else "", text=TEXT).encode()
        for name, head in HEADS.items()
    }
    return {
        **{at: ("text/javascript", "br", brotli.compress(body, mode=brotli.MODE_TEXT)) for at, body in scripts.items()},
        **{at: ("text/html", "gzip", gzip.compress(body, 9, mtime=0)) for at, body in pages.items()},
    }
