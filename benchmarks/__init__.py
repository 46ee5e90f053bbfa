"""What is measured by hand; run from the root of the repository.

``python -m benchmarks`` runs all, and with ``--write`` puts the figures on ``docs/benchmarks.md``.
``python -m benchmarks.NAME`` runs one. A module without an underscore in front of its name is a benchmark: it says what
it measures and beside what, and makes a `Benchmark` of its parts.
"""
