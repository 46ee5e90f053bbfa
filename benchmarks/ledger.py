"""What a billed call costs: hold and capture by way of our store, beside raw SQL on the same database.

Run with ``python -m benchmarks.ledger [--full] [--only PART …] [--json]``. The yardstick is bare `sqlite3` or psycopg
with the same durability; no books can do with less. Both sides run in turn or one right after the other in the same
run, so the ratios hold on a busy machine where the times do not. PostgreSQL is the server named by
``AI_ADDONS_TEST_PG``, else one of our own with its usual durability; where there is neither, its parts say so.
"""

from __future__ import annotations

import sqlite3
import sys
from importlib.metadata import version
from typing import Final

from benchmarks import _ledger_postgres, _ledger_sqlite, _ledger_usage
from benchmarks._report import Benchmark, main

LEDGER: Final = Benchmark(
    name="ledger",
    about="What a billed call costs.",
    full="longer runs, 10 million transactions",
    parts={
        "sqlite": _ledger_sqlite.speed,
        "fairness": _ledger_sqlite.fairness,
        "postgres": _ledger_postgres.wallets,
        "hot": _ledger_postgres.hot,
        "usage": _ledger_usage.reports,
        "profile": _ledger_sqlite.profile,
    },
    versions=lambda: [
        f"SQLite {sqlite3.sqlite_version}",
        f"SQLAlchemy {version('sqlalchemy')}",
        *_ledger_postgres.server_versions(),
    ],
)

if __name__ == "__main__":
    sys.exit(main(LEDGER, sys.argv[1:]))
