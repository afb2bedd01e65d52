"""nginx of our own for the tests: with a block of docs/deploy.md, in front of a running service, gone afterwards."""

import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from tests.browser.conftest import free_port
from tests.conftest import ALL, ORIGIN, body
from tests.test_cache_headers import BANNER, DECODE
from tests.test_durability import Server

HOST = "consent.example.org"
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
"""Debian's; /usr/sbin is not on everybody's path."""
AROUND = """
user {user};
worker_processes 2;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {before}
    {block}
}}
"""
PATIENT = """
import sys
from consent.cli import main
from consent.web import public
public.BANNER_CACHE = sys.argv.pop(1)
sys.argv[0] = "consent"
main()
"""
"""The service with another Cache-Control: nginx takes every time from that header, so that nobody has to wait for it."""


class Shop(Server):
    """A service behind one proxy, with some settings of its own."""

    def __init__(self, data: Path, **settings: str) -> None:
        super().__init__(data)
        self._settings = settings

    @property
    def environ(self) -> dict[str, str]:
        ours = {"CONSENT_PUBLIC_URL": f"https://{HOST}", "CONSENT_TRUSTED_PROXIES": "1"}
        return {**super().environ, **ours, **self._settings}

    def start(self, *options: str, says: str = "") -> None:
        if not says:
            super().start(*options)
            return
        command = [sys.executable, "-c", PATIENT, says, "serve", "--port", str(self.port), *options]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, env=self.environ, stderr=log, stdout=log, start_new_session=True)
        self._wait()


class Answer(NamedTuple):
    """What a client got."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def cache(self) -> str | None:
        """What the cache says it did."""
        return self.headers.get("X-Cache-Status")

    @property
    def script(self) -> bytes:
        return DECODE[self.headers.get("Content-Encoding")](self.body)


class Nginx:
    """nginx with a block of the docs; ports, paths and the certificate are its own."""

    def __init__(self, folder: Path, service: Shop, block: str, *, before: str = "") -> None:
        self.folder = folder
        self.port = free_port()
        folder.mkdir()
        self._certify()
        own = {
            "listen 443 ssl;": f"listen 127.0.0.1:{self.port} ssl;",
            "/etc/ssl/consent.pem": f"{folder}/cert.pem",
            "/etc/ssl/consent.key": f"{folder}/cert.key",
            "/var/cache/consent": str(self.cache),
            "http://127.0.0.1:8080": f"http://127.0.0.1:{service.port}",
        }
        for theirs, ours in own.items():
            assert theirs in block
            block = block.replace(theirs, ours)
        user = "root" if os.getuid() == 0 else "nobody"  # another user is only ever taken by root
        self._config = folder / "nginx.conf"
        self._config.write_text(AROUND.format(folder=folder, user=user, before=before, block=block))

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    def start(self) -> None:
        """Start it; it dies with us."""
        command = [
            "setpriv",
            "--pdeathsig=TERM",
            NGINX,
            "-e",
            str(self.folder / "error.log"),
            "-c",
            str(self._config),
        ]
        self._process = subprocess.Popen([*command, "-g", "daemon off;"], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                told = self.folder / "error.log"
                assert time.monotonic() < deadline and self._process.poll() is None, told.read_text()
                time.sleep(0.02)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)

    def ask(self, path: str = BANNER, method: str = "GET", data: bytes | None = None, *, of: str = "127.0.0.1", **headers: str) -> Answer:  # fmt: skip
        """Ask as a browser at an address does."""
        context = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=15, context=context, source_address=(of, 0)
        )
        try:
            sent = {"Host": HOST, **{name.replace("_", "-"): value for name, value in headers.items()}}
            connection.request(method, path, data, sent)
            answer = connection.getresponse()
            assert "Set-Cookie" not in answer.headers
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def record(self, *, of: str = "127.0.0.1", **more: str) -> Answer:
        """A choice from an address."""
        choice = json.dumps(body(action="accept_all", grants=ALL)).encode()
        headers = {"Origin": ORIGIN, "Content-Type": "application/json", **more}
        return self.ask("/sites/shop/receipts", "POST", choice, of=of, **headers)

    def files(self) -> list[Path]:
        return [path for path in self.cache.rglob("*") if path.is_file()]

    def _certify(self) -> None:
        files = "-keyout", f"{self.folder}/cert.key", "-out", f"{self.folder}/cert.pem"
        kind = "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"
        command = ["openssl", "req", "-x509", *kind, *files, "-days", "2", "-subj", f"/CN={HOST}"]
        subprocess.run(command, check=True, capture_output=True)
