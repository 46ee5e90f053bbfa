"""Which test files coverage does not watch: those that walk known lines once more, in other orders or with new values.

Watching makes Python twice as slow, all of it. These files prove behaviour and no line: what
they run is covered by the tests of the parts. If the report misses a line that one of them
alone reaches, take the file off this list, or better, test the line where it stands.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coverage import Coverage

WATCHER: Final[pytest.StashKey[Coverage | None]] = pytest.StashKey()
"""Who watches this session."""

PROVE_NO_LINE: Final = (
    # Many values, seeded or hostile, in place of one.
    "test_features_canaries",
    "test_features_hostile_*",
    "test_gateways_fuzz",
    "test_privacy_distortions",
    "test_privacy_fuzz",
    "test_privacy_hostile",
    "test_privacy_injection",
    "test_privacy_properties",
    "test_privacy_restore_hostile",
    "test_privacy_shares",
    "test_privacy_spellings",
    "test_privacy_tenants",
    "test_privacy_variants",
    # Many orders of the same steps, hands at once, hands that die.
    "test_*_kills",
    "test_*_machine",
    "test_*_races",
    "test_billing_addon_lives",
    "test_billing_failures*",
    "test_billing_years",
    "test_payments_month",
    # The eight features side by side; each has its own tests.
    "test_feature_costs",
    "test_features_decisions",
    "test_features_prompts",
    "test_features_ways",
    "test_features_without_model",
    # The whole from outside.
    "test_cli_tour*",
    "test_docs",
    "test_examples",
    "test_first_light",
    "test_import",
    "test_outcomes",
    "test_public_api",
    "test_shops",
    "test_typing",
    # Not the package.
    "test_benchmark_*",
    "test_evals",
)
MANY_VALUES: Final = ("test_features_*", "test_llm_*", "test_privacy_*")
"""Where the tests of Hypothesis prove no line: each file has tests of its own for the values that matter."""
# What makes coverage start by itself in child processes.
_FOR_CHILDREN: Final = ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")


def watcher() -> Coverage | None:
    """Who watches this process, if anybody does."""
    coverage = sys.modules.get("coverage")
    return None if coverage is None else coverage.Coverage.current()


def proves_no_line(item: pytest.Item | None) -> bool:
    """Whether a test need not be watched."""
    if item is None:
        return False
    of_hypothesis = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
    patterns = (*PROVE_NO_LINE, *MANY_VALUES) if of_hypothesis else PROVE_NO_LINE
    return any(fnmatchcase(item.path.stem, pattern) for pattern in patterns)


@contextmanager
def unwatched(item: pytest.Item) -> Iterator[None]:
    """Let nobody watch this block, nor the processes it starts."""
    watching = item.config.stash[WATCHER]
    if watching is None:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        for name in _FOR_CHILDREN:
            patch.delenv(name, raising=False)
        watching.stop()
        try:
            yield
        finally:
            watching.start()
