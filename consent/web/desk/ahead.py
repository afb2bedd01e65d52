"""What the desk's pages need and takes long to make, made once a process, before anybody waits for it.

Its rule: nothing is made in a process where nobody is at the desk, for most processes only record.
"""

import threading
from functools import cache

from flask import Flask, Response, current_app
from jinja2 import Environment
from jinja2.bccache import Bucket, BytecodeCache

from consent import catalogue
from consent.web.desk.frame import blueprint


class Compiled(BytecodeCache):
    """Templates as Python's code, shared by all that draw in a process."""

    def __init__(self) -> None:
        self._codes: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take the code of a template, if it was compiled from the same text."""
        if code := self._codes.get(bucket.key):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a template."""
        self._codes[bucket.key] = bucket.bytecode_to_string()


COMPILED = Compiled()


def prepare(app: Flask) -> None:
    """Let an app's templates be compiled once a process."""
    app.jinja_env.bytecode_cache = COMPILED


@cache
def reading() -> threading.Thread:
    """The thread that compiles every page of the desk, begun by the first who asks in a process."""
    thread = threading.Thread(target=_read, args=(current_app.jinja_env,), name="desk", daemon=True)
    thread.start()
    return thread


@blueprint.after_request
def _go_on_reading(answer: Response) -> Response:
    """Somebody is at the desk, and looks at the first page longer than it takes to read the others."""
    reading()
    return answer


def _read(environment: Environment) -> None:
    for name in environment.list_templates(
        filter_func=lambda name: name.startswith("desk/") and name.endswith(".html")
    ):
        environment.get_template(name)
    catalogue.known()
