"""How well personal data is hidden and put back, and what that costs, beside other tools in the same harness.

Run with ``python -m benchmarks.privacy [--full] [--only PART …] [--json]``. Other tools are measured where they are
installed (`benchmarks/_privacy_tools.py` says how); where one is not, the table says so.
"""

from __future__ import annotations

import sys
from typing import Final

from benchmarks import (
    _privacy_accuracy,
    _privacy_cache,
    _privacy_children,
    _privacy_restore,
    _privacy_speed,
    _privacy_tools,
    _privacy_variants,
)
from benchmarks._report import Benchmark, main

PRIVACY: Final = Benchmark(
    name="privacy",
    about="How well personal data is hidden and put back, and what that costs.",
    full="ten times the texts, 200 shops, more rounds",
    parts={
        "accuracy": _privacy_accuracy.accuracy,
        "variants": _privacy_variants.variants,
        "restore": _privacy_restore.restoring,
        "cache": _privacy_cache.caching,
        "speed": _privacy_speed.speed,
        "hostile": _privacy_children.hostile,
        "loading": _privacy_children.loading,
    },
    versions=_privacy_tools.versions,
)

if __name__ == "__main__":
    sys.exit(main(PRIVACY, sys.argv[1:]))
