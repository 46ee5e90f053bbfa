"""What an operator's looks at all businesses cost, with a year of trade behind them.

Run with ``python -m benchmarks.operator_page [--full] [--only PART …] [--json]``. CPU time. There is no other program
to hold it against; the yardstick is a second, after which a person starts to wait: nothing that the page reads at each
look may take more over 30 days. The same over a year is shown without a goal, and so is what reads every call of its
days: that is for a request of its own.
"""

from __future__ import annotations

import sqlite3
import sys
from typing import Final

from benchmarks import _operator_year, _report

BENCHMARK: Final = _report.Benchmark(
    name="operator_page",
    about="What an operator's looks at all businesses cost.",
    full="1,000 businesses with 1,200,000 calls in the log, in place of 100 with 40,000",
    parts={"year": _operator_year.year},
    versions=lambda: [f"SQLite {sqlite3.sqlite_version}"],
)

if __name__ == "__main__":
    sys.exit(_report.main(BENCHMARK, sys.argv[1:]))
