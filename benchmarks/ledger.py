"""What a billed call costs: hold and capture by way of our store, beside raw SQL on the same database.

Run with ``python -m benchmarks.ledger [--full] [--only PART …] [--json]``. Both sides run in turn or one right
after the other in the same run, so the ratios hold on a busy machine where the times do not. PostgreSQL
is the server named by ``AI_ADDONS_TEST_PG``, else one of our own with its usual durability; where there is
neither, its parts say so.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import sys
import tempfile
import time
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks import _ledger_postgres, _ledger_sqlite, _ledger_usage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks._ledger_books import Result

PARTS: Final[dict[str, Callable[..., list[Result]]]] = {
    "sqlite": _ledger_sqlite.speed,
    "fairness": _ledger_sqlite.fairness,
    "postgres": _ledger_postgres.wallets,
    "hot": _ledger_postgres.hot,
    "usage": _ledger_usage.reports,
    "profile": _ledger_sqlite.profile,
}


def machine() -> str:
    """When and where this runs."""
    return (
        f"{time.strftime('%d %B %Y', time.gmtime())}, {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"SQLAlchemy {version('sqlalchemy')}"
    )


def measure(parts: Sequence[str], *, full: bool) -> list[Result]:
    """The results of some parts, each in a folder of its own."""
    found: list[Result] = []
    for part in parts:
        with tempfile.TemporaryDirectory(prefix="ai-addons-bench-") as folder:
            found += PARTS[part](Path(folder), full=full)
    return found


def table(results: Sequence[Result]) -> str:
    """The results as a Markdown table."""
    words = {True: "met", False: "**not met**", None: ""}
    rows = [
        f"| {one.what} | {one.ours} | {one.yardstick} | {'' if one.figure is None else f'{one.figure:,.3g}'} "
        f"| {one.goal} | {words[one.met]} |"
        for one in results
    ]
    return "\n".join(["| what | ours | yardstick | figure | goal | |", "|---|---|---|---|---|---|", *rows])


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ledger", description="What a billed call costs.")
    parser.add_argument("--full", action="store_true", help="the full size: longer runs, 10 million transactions")
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS), help="only these parts")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    asked = parser.parse_args(arguments)
    results = measure(asked.only, full=asked.full)
    if asked.json:
        print(json.dumps({"machine": machine(), "results": [asdict(one) for one in results]}, indent=2))
    else:
        print(f"{machine()}\n\n{table(results)}")


if __name__ == "__main__":
    main(sys.argv[1:])
