"""`python -m bench.size`: how many bytes a visitor loads, with the demo shop's policy in English.

Exits 1 above the budget, so that a build can stand on it.
"""

import sys

from consent import banner, policy
from consent.web.demo import demo_policy

BUDGET = 8_000
"""Bytes after gzip -9 that the whole served script may have."""


def main() -> int:
    """Print the sizes; 1 if the budget is broken."""
    completed = policy.complete(demo_policy(["http://localhost:8080"]))
    published = policy.publish(completed, site="demo", version=1, material_since=1)
    script = next(s for s in banner.scripts(published) if (s.language, s.regime) == ("en", "opt-in"))
    whole = banner.render(published, language="en", regime="opt-in")
    rows = {
        "static/banner.js": len(banner.source()),
        "served script": len(whole),
        "served script, brotli": len(banner.brotli_of(script.gzip)),
        "served script, gzip -9": len(script.gzip),
    }
    for name, size in rows.items():
        print(f"{name:24}{size:>8,} bytes")
    left = BUDGET - len(script.gzip)
    print(f"{'budget, gzip -9':24}{BUDGET:>8,} bytes: {f'{left:,} left' if left >= 0 else f'{-left:,} too many'}")
    return 0 if left >= 0 else 1


if __name__ == "__main__":
    sys.exit(main())
