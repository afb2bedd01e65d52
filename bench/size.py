"""`python -m bench.size`: how many bytes a visitor loads, in English.

The budget is the default policy's; a policy with services (the demo shop's) loads more, and is printed beside it.
Exits 3 above the budget, so that a build can stand on it.
"""

import gzip
import sys

from consent import banner, policy
from consent.model import Policy
from consent.web.demo import demo_policy

ORIGIN = "http://localhost:8080"
BUDGETS = {"gzip -9": 10_000, "brotli": 9_000}
"""Bytes that the whole served script of the default policy may have."""


def sizes(draft: Policy) -> dict[str, int]:
    """Bytes of the served script, plain and compressed."""
    published = policy.publish(policy.complete(draft), site="shop", version=1, material_since=1)
    whole = banner.render(published, language="en", regime="opt-in")
    zipped = gzip.compress(whole, 9, mtime=0)
    return {"plain": len(whole), "gzip -9": len(zipped), "brotli": len(banner.brotli_of(zipped))}


def main() -> int:
    """Print the sizes; 3 if the budget is broken, which is no failure of the program."""
    default = sizes(policy.default("Shop", [ORIGIN]))
    for name, found in {"default policy": default, "demo shop, with services": sizes(demo_policy([ORIGIN]))}.items():
        print(f"{name:28}" + "".join(f"{size:>10,} {kind}" for kind, size in found.items()))
    print(f"{'budget, default policy':28}" + "".join(f"{most:>10,} {kind}" for kind, most in BUDGETS.items()))
    return 3 if any(default[kind] > most for kind, most in BUDGETS.items()) else 0


if __name__ == "__main__":
    sys.exit(main())
