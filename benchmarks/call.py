"""What a billed call costs beside the model's: CPU, memory, and waiting when many call at once.

Run with ``python -m benchmarks.call [--full] [--only PART …] [--json]``. The provider is a server on this machine, in
a process of its own; the model is reached through real LiteLLM on both sides. The yardstick is bare
`litellm.completion`, which a host pays anyhow, and for a cached call a bare durable INSERT on the same disk. Both sides
run in turn, so ratios hold on a busy machine where times do not. The settings are the defaults: disk cache, masking,
one SQLite file.
"""

from __future__ import annotations

import sqlite3
import sys
from importlib.metadata import version
from typing import Final

from benchmarks import _call_cost, _call_crowd, _ledger_postgres
from benchmarks._report import Benchmark, main

CALL: Final = Benchmark(
    name="call",
    about="What a billed call costs beside the model's.",
    full="longer runs, memory over 5,000 calls",
    parts={
        "sqlite": _call_cost.sqlite,
        "postgres": _call_cost.postgres,
        "cached": _call_cost.cached,
        "memory": _call_cost.memory,
        "crowd": _call_crowd.crowd,
        "profile": _call_cost.profile,
    },
    versions=lambda: [
        f"LiteLLM {version('litellm')}",
        f"pydantic {version('pydantic')}",
        f"SQLite {sqlite3.sqlite_version}",
        *_ledger_postgres.server_versions(),
    ],
)

if __name__ == "__main__":
    sys.exit(main(CALL, sys.argv[1:]))
