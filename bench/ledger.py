"""`python -m bench.ledger`: what checkpoints, proofs, verification and the disk cost at many receipts.

Each figure stands beside its budget; verification beside the machine's own Ed25519 rate, in the same run.
"""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from statistics import mean, median

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench import export, large, results, servers
from bench.budgets import BUDGETS
from bench.results import Finding
from consent import crew, stored, verify
from consent.ledger import Ledger
from consent.merkle import leaf_hash
from consent.model import Filter
from consent.receipts import sign
from consent.storage.base import Rows

PROOFS = 200
NEW = 10_000
DIFFERENT = 2_000
"""Signatures that the floor checks in turn: one and the same goes faster than any log, its branches being foreseen."""


def main() -> None:
    """Fill a log, measure, print."""
    with large.asked("ledger", __doc__, 200_000) as (folder, receipts):
        results.findings("ledger", list(measured(folder, receipts)), receipts=receipts)


def measured(folder: Path, count: int) -> Iterator[Finding]:
    """What is found of a log of `count` receipts, or of that which is in the folder, and 10,000 more."""
    full, empty = folder / large.FULL, folder / "empty"
    for place, filled in ((empty, 1), (full, count)):
        large.filled(place, filled).storage.close()
    ledger = _opened(full)
    count = ledger.storage.reading().size(servers.SITE) - 1
    last = ledger.storage.reading().checkpoint(servers.SITE)
    uncovered = count + 1 - (last.size if last else 0)
    yield Finding(f"checkpoint over the {uncovered:,} entries before", _took(lambda: ledger.tree.checkpoint(servers.SITE)), "s")  # fmt: skip
    export.more(full, NEW)
    with _holding(ledger) as held:
        took = _took(lambda: ledger.tree.checkpoint(servers.SITE))
    yield Finding(f"checkpoint over {NEW:,} new entries", took, "s", "checkpoint", about=f"of these, recording waits {max(held):.3f} s")  # fmt: skip
    yield Finding("inclusion proof, median", _proof(ledger, count) * 1e3, "ms", "proof")
    opened, bare = _took(lambda: _opened(full)), _took(lambda: _opened(empty))
    yield Finding("opening, more than empty", opened - bare, "s", "opening")
    ledger.storage.scrub()
    size = (full / "consent.db").stat().st_size - (empty / "consent.db").stat().st_size
    yield Finding("the disk", size / (count + NEW), "bytes a receipt", "bytes")
    yield from _verifying(ledger, count)
    share = f"one hash, of one signature at {RECORDING * 1e6:.0f} µs"
    yield Finding("the tree's part of recording", _hash_share() * 100, "%", "tree", about=share)


def _verifying(ledger: Ledger, count: int) -> Iterator[Finding]:
    """The whole log on all cores, beside the machine's own Ed25519 rate before and after."""
    before = _all_cores()
    (rate, cpu), after = _verified(ledger, count), _all_cores()
    floor, check = ((one + other) / 2 for one, other in zip(before, after, strict=True))
    about = f"{rate:,.0f} a second of {floor:,.0f}; {_peak():.0f} MB at most in a process"
    yield Finding("verify", rate / floor, "of the Ed25519 checks a second", "verify", about=about)
    yield Finding("the same in CPU an entry", cpu * 1e6, "µs", floor=check * 1e6)


@contextmanager
def _holding(ledger: Ledger) -> Iterator[list[float]]:
    """Seconds that each transaction held up those of others."""
    kept, held = ledger.storage.writing, [0.0]

    @contextmanager
    def writing() -> Iterator[Rows]:
        with kept() as rows:
            start = time.perf_counter()
            yield rows
        held.append(time.perf_counter() - start)

    ledger.storage.writing = writing  # type: ignore[method-assign]
    yield held
    ledger.storage.writing = kept  # type: ignore[method-assign]


def _opened(folder: Path) -> Ledger:
    ledger = large.opened(folder)
    ledger.storage.reading().sites()
    return ledger


def _proof(ledger: Ledger, count: int) -> float:
    """Seconds of one proof, somewhere in the log."""
    entries = ledger.storage.reading().entries(servers.SITE, Filter(), after=count // 2, limit=PROOFS)
    return median(_took(lambda id=entry.id: ledger.proof(servers.SITE, id)) for entry in entries)  # type: ignore[misc]


def _verified(ledger: Ledger, count: int) -> tuple[float, float]:
    """Entries verified a second, by all cores; and the CPU that each took, all processes together."""

    def run() -> None:
        with ledger.storage.snapshot() as rows:
            known = stored.known(rows, servers.SITE, [])
            parcels = ledger.parcels(servers.SITE, rows=rows)
            found = verify.check(parcels, ledger.ring.public(), known, workers=crew.CORES)
            if problems := [one.problem for one in found if one.problem]:
                raise SystemExit(problems[0])

    spent = _spent()
    rate = (count + NEW) / _took(run)
    return rate, (_spent() - spent) / (count + NEW)


def _spent() -> float:
    """Seconds of CPU of this process and of those that it waited for."""
    return sum(os.times()[:4])


def _peak() -> float:
    """The most memory that this process, or one that it waited for, ever held, in MB."""
    return max(getrusage(who).ru_maxrss for who in (RUSAGE_SELF, RUSAGE_CHILDREN)) * 1024 / 1e6


def _all_cores() -> tuple[float, float]:
    """Signature checks a second of all cores at once, by the library alone; and the CPU that each took."""
    with ProcessPoolExecutor(crew.CORES, mp_context=get_context("spawn")) as pool:
        list(pool.map(_ed25519, [100] * crew.CORES))
        found = list(pool.map(_ed25519, [20_000] * crew.CORES))
    return sum(rate for rate, _ in found), mean(cpu for _, cpu in found)


def _ed25519(count: int) -> tuple[float, float]:
    """Signature checks a second of one core; and the CPU that each took."""
    private = Ed25519PrivateKey.generate()
    public = private.public_key()
    signed = [(private.sign(value), value) for value in (os.urandom(900) for _ in range(min(count, DIFFERENT)))]
    spent = time.process_time()
    rate = count / _took(lambda: [public.verify(*signed[turn % DIFFERENT]) for turn in range(count)])
    return rate, (time.process_time() - spent) / count


def _hash_share() -> float:
    token = sign({"a": "x" * 700}, _key(), typ="consent-receipt+jwt")  # type: ignore[arg-type]
    data = token.encode()
    return _took(lambda: [leaf_hash(data) for _ in range(5000)]) / 5000 / RECORDING


RECORDING = BUDGETS["recording 16"].limit / 1e6
"""Seconds of CPU that recording may cost (its own budget)."""


def _key():  # type: ignore[no-untyped-def]
    from consent.receipts import Key

    private = Ed25519PrivateKey.generate()
    return Key("x" * 43, 0, private.public_key().public_bytes_raw(), private.private_bytes_raw())


def _took(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
