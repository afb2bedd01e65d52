"""What goes on without a request: checkpoints while something is new, and purges of what is past its retention.

Every process has a keeper; a lock of the storage lets one work at a time. Its rule: nothing it fails at may stop
recording, or itself; and what others' servers take their time for, the anchors, has a thread of its own.
"""

import logging
import threading
from collections.abc import Callable

from consent.administrator import SCHEDULE, Administrator
from consent.anchors import Anchors
from consent.errors import ConsentError
from consent.ledger import Ledger
from consent.settings import Settings
from consent.storage.base import logs
from consent.tree import each

log = logging.getLogger("consent")

HOUR = 3600
"""Seconds between purges."""


class Keeper:
    """The work of one process beside its requests."""

    def __init__(self, ledger: Ledger, settings: Settings) -> None:
        self.ledger = ledger
        self.settings = settings
        self._purged = 0
        self._anchors = Anchors(settings.anchors, settings.data / "anchors")
        self._fresh = threading.Event()

    def start(self) -> None:
        """Work until the process ends. Call it after any fork: threads do not live on across one."""
        for name, work in (("keeper", self._keep), ("anchors", self._leave)):
            threading.Thread(target=work, name=name, daemon=True).start()

    def round(self) -> None:
        """One round: new checkpoints, and once an hour the purge. What fails is logged and tried again in the next."""
        _tried(self.ledger.tree.checkpoint_all)
        _tried(self._tidy)

    def anchor(self) -> None:
        """Leave the newest checkpoints at the anchors, unless another process is at it."""
        if not self._anchors.targets:
            return
        with self.ledger.storage.alone("anchor") as alone:
            if alone:
                rows = self.ledger.storage.reading()
                newest = [rows.checkpoint(log) for log in logs(rows)]
                self._anchors.leave([one for one in newest if one])

    def purge(self) -> int:
        """Purge every site, unless another process is at it; how many entries were emptied."""
        with self.ledger.storage.alone("purge") as alone:
            if not alone:
                return 0
            sites = [site.id for site in self.ledger.storage.reading().sites()]
            return sum(each(sites, self._purge))

    def _tidy(self) -> None:
        """Once an hour purge and leave no trace; oftener where a trace could not be removed at once."""
        if self.ledger.now() - self._purged >= HOUR:
            self.purge()
            self._purged = self.ledger.now()
            self.ledger.erasure.traces = True
        if self.ledger.erasure.traces:
            self.ledger.erasure.scrub()

    def _purge(self, site: str) -> int:
        return Administrator(self.ledger, SCHEDULE).purge(
            site, self.ledger.retention(site, self.settings.retention_days)
        )

    def _keep(self) -> None:
        pause = threading.Event()
        while not pause.wait(self.settings.checkpoint_seconds):
            self.round()
            self._fresh.set()

    def _leave(self) -> None:
        while self._fresh.wait():
            self._fresh.clear()
            _tried(self.anchor)


def _tried(task: Callable[[], object]) -> None:
    try:
        task()
    except ConsentError as error:
        log.error("%s Checkpoints, purges and anchors are tried again in a while.", error)
    except Exception:
        log.exception("The keeper failed; it tries again in a while.")
