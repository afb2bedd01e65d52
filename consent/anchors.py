"""Where checkpoints are left besides the database, so that nobody can take them back: files, git, webhooks, RFC 3161.

Its rule: an anchor never holds up anything. What fails is logged and tried again with the next round; the newest
checkpoint covers all before it.
"""

import logging
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from consent.model import Checkpoint
from consent.remote import fetched

log = logging.getLogger("consent")

PATIENCE = 15
"""Seconds that an anchor may take."""
LARGEST = 65_536
"""Bytes of an answer that are read."""
STAMP = re.compile(r"(0|[1-9][0-9]{0,18})@[a-z0-9.-]{1,253}\.tsr", re.ASCII)
"""The name of a time stamp: how many entries the checkpoint covers, and the authority's host."""


class Anchors:
    """The anchors of one installation; `folder` keeps what was left where, and the time stamps received."""

    def __init__(self, targets: tuple[str, ...], folder: Path) -> None:
        self.targets = targets
        self.folder = folder
        self._mine: dict[tuple[str, str], str] = {}

    def leave(self, newest: list[Checkpoint]) -> None:
        """Leave the newest checkpoints wherever they were not the last ones left. One process at a time."""
        left = notes_left(self.folder)
        for target in self.targets:
            for checkpoint in newest:
                last = left.get(target, {}).get(checkpoint.site), self._mine.get((target, checkpoint.site))
                if checkpoint.note not in last and self._leave(target, checkpoint):
                    left.setdefault(target, {})[checkpoint.site] = checkpoint.note
                    self._mine[target, checkpoint.site] = checkpoint.note
                    self._remember(left)

    def behind(self, newest: Checkpoint) -> int:
        """At how many anchors a site's newest checkpoint is not left yet."""
        left = notes_left(self.folder)
        return sum(left.get(target, {}).get(newest.site) != newest.note for target in self.targets)

    def _leave(self, target: str, checkpoint: Checkpoint) -> bool:
        scheme, _, rest = target.partition(":")
        try:
            kept = ANCHORS[scheme](target if scheme in ("http", "https") else rest, checkpoint)
            if kept:
                self._keep(f"{checkpoint.site}/{checkpoint.size}@{_host(rest)}.tsr", kept)
        except Exception as error:  # whatever another's program or server does
            log.error("The checkpoint of %s could not be left at %s (%s); it is tried again.", checkpoint.site, public(target), error)  # fmt: skip
            return False
        return True

    def _remember(self, left: dict[str, dict[str, str]]) -> None:
        try:
            self._keep("left.json", msgspec.json.encode(left))
        except OSError as error:
            log.error("What was left where could not be written down (%s): after a restart it is left again.", error)

    def _keep(self, name: str, data: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = path.with_name(path.name + ".part")
        part.write_bytes(data)
        part.replace(path)


def notes_left(folder: Path) -> dict[str, dict[str, str]]:
    """The notes left last, by target and site."""
    try:
        return msgspec.json.decode((folder / "left.json").read_bytes(), type=dict[str, dict[str, str]])
    except (OSError, msgspec.MsgspecError):
        return {}


def stamps(folder: Path, site: str) -> Iterator[tuple[int, Path]]:
    """The time stamps that are kept of a site's checkpoints, by the number of entries, smallest first."""
    found = ((STAMP.fullmatch(path.name), path) for path in (folder / site).glob("*.tsr"))
    yield from sorted((int(name[1]), path) for name, path in found if name)


def parse(text: str) -> tuple[str, ...]:
    """The targets of a setting, separated by spaces. Raises ValueError."""
    targets = tuple(text.split())
    for target in targets:
        scheme, _, rest = target.partition(":")
        place = urlsplit(rest if scheme == "rfc3161" else target)
        remote = scheme in ("http", "https", "rfc3161")
        if scheme not in ANCHORS or (remote and not (place.scheme in ("http", "https") and place.hostname)):
            raise ValueError(f"{target!r} is none of file:/path, git:/path, https://…, rfc3161:https://…")
        if not remote and not Path(rest).is_absolute():
            raise ValueError(f"{target!r} needs a whole path, such as {scheme}:/var/lib/checkpoints")
        if remote and place.username is not None:
            raise ValueError(f"the address of {place.hostname} has a password, which is never sent: leave it out")
    return targets


def public(target: str) -> str:
    """A target as a log may name it: the path of a webhook is often its password."""
    scheme, _, rest = target.partition(":")
    return target if scheme in ("file", "git") else f"{scheme}://{urlsplit(rest).hostname}"


def _host(url: str) -> str:
    """The host of an address as it may stand in the name of a file."""
    return re.sub(r"[^a-z0-9.-]", "-", urlsplit(url).hostname or "")


def _file(path: str, checkpoint: Checkpoint) -> None:
    """Append the note to a file that does not end with it; a line of its own parts it from the one before."""
    if _ends(Path(path), checkpoint.note.encode() + b"\n"):
        return
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644), "wb") as file:
        file.write(checkpoint.note.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _ends(path: Path, text: bytes) -> bool:
    """Whether a file ends with a text."""
    if not path.is_file() or path.stat().st_size < len(text):
        return False
    with path.open("rb") as file:
        file.seek(-len(text), os.SEEK_END)
        return file.read() == text


def _git(folder: str, checkpoint: Checkpoint) -> None:
    """Commit the note to a repository; pushing it is the owner's own hook's work."""
    name = f"{checkpoint.site}.txt"
    _file(str(Path(folder) / name), checkpoint)
    if not _ran("git", "-C", folder, "status", "--porcelain", "--", name):
        return  # an earlier round committed it, and could not write that down
    _ran("git", "-C", folder, "add", "--", name)
    message = f"Checkpoint of {checkpoint.size} entries of {checkpoint.site}"
    _ran("git", "-C", folder, "commit", "--quiet", "-m", message, "--", name)


def _ran(*command: str) -> str:
    """What a command prints. Raises OSError with what it complains of."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    if done.returncode:
        raise OSError(done.stderr.strip() or done.stdout.strip())
    return done.stdout


def _webhook(url: str, checkpoint: Checkpoint) -> None:
    """Post the note as text."""
    _posted(url, checkpoint.note.encode(), "text/plain; charset=utf-8")


def _rfc3161(url: str, checkpoint: Checkpoint) -> bytes:
    """Have the note's SHA-256 stamped with the time by an authority (RFC 3161, section 3.4); the answer."""
    try:
        from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, decode_timestamp_response
    except ImportError:
        raise OSError("install consent[timestamp]") from None
    builder = TimestampRequestBuilder().data(checkpoint.note.encode()).hash_algorithm(HashAlgorithm.SHA256)
    request = builder.nonce(nonce=True).cert_request(cert_request=True).build()
    answer = _posted(url, request.as_bytes(), "application/timestamp-query")
    stamp = decode_timestamp_response(answer)
    imprint = request.message_imprint.message
    if (
        stamp.status not in (0, 1)
        or stamp.tst_info.message_imprint.message != imprint
        or stamp.tst_info.nonce != request.nonce
    ):
        raise OSError("the authority did not stamp what it was asked to")
    return answer


def _posted(url: str, body: bytes, media_type: str) -> bytes:
    return fetched(url, body, media_type=media_type, patience=PATIENCE, largest=LARGEST)


ANCHORS: dict[str, Callable[[str, Checkpoint], bytes | None]] = {
    "file": _file, "git": _git, "http": _webhook, "https": _webhook, "rfc3161": _rfc3161,
}  # fmt: skip
"""The kinds of anchors by the scheme of their target; what one gives back is kept."""
