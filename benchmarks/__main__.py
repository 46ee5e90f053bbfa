"""Runs all benchmarks: ``python -m benchmarks [--only NAME …] [--full] [--write] [--json] [--limit MINUTES]``."""

import signal
import sys

from benchmarks._all import main

if __name__ == "__main__":
    # A run that is told to end takes with it what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(main(sys.argv[1:]))
