"""Runs all benchmarks: ``python -m benchmarks [--only NAME …] [--full] [--write] [--json] [--limit MINUTES]``."""

import signal
import sys
from typing import NoReturn

from benchmarks._all import main


def _end(number: int, _frame: object) -> NoReturn:
    """What is told to end takes with it what it started: leaving by an exception stops the child."""
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    sys.exit(main(sys.argv[1:]))
