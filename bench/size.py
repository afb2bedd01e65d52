"""`python -m bench.size`: how many bytes a visitor loads, and how many of them the guard adds to each page, in English.

The budgets are the default policy's; a policy with services (the demo shop's) loads more, and is printed beside it.
Exits 3 above a budget, so that a build can stand on it.
"""

import gzip
import sys

from consent import banner, policy, snippet
from consent.model import Policy
from consent.web.demo import demo_policy

ORIGIN = "http://localhost:8080"
BUDGETS = {"script": {"gzip -9": 10_000, "brotli": 9_000}, "guard": {"gzip -9": 1_500}}
"""Bytes that the whole served script of the default policy, and its guard, may have."""


def sizes(draft: Policy) -> dict[str, dict[str, int]]:
    """Bytes of the served script and of the guard, plain and compressed."""
    published = policy.publish(policy.complete(draft), site="shop", version=1, material_since=1)
    script = banner.render(published, language="en", regime="opt-in")
    return {"script": _compressed(script), "guard": _compressed(snippet.guard(published).encode())}


def _compressed(text: bytes) -> dict[str, int]:
    zipped = gzip.compress(text, 9, mtime=0)
    return {"plain": len(text), "gzip -9": len(zipped), "brotli": len(banner.brotli_of(zipped))}


def main() -> int:
    """Print the sizes; 3 if a budget is broken, which is no failure of the program."""
    policies = {"default policy": policy.default("Shop", [ORIGIN]), "demo shop, with services": demo_policy([ORIGIN])}
    found = {name: sizes(draft) for name, draft in policies.items()}
    for what, budget in BUDGETS.items():
        for name in policies:
            _print(f"{what}, {name}", found[name][what])
        _print(f"{what}, budget of the default policy", budget)
    default = found["default policy"]
    return 3 if any(default[what][kind] > most for what in BUDGETS for kind, most in BUDGETS[what].items()) else 0


def _print(name: str, bytes: dict[str, int]) -> None:
    print(f"{name:38}" + "".join(f"{bytes[kind]:>9,} {kind}" if kind in bytes else " " * 15 for kind in ("plain", "gzip -9", "brotli")))  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
