"""The plugin's markers and command-line options, and what they allow."""

from __future__ import annotations

import os
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

LIVE: Final = "ai_live"
CASSETTE: Final = "ai_cassette"
MARKERS: Final[Mapping[str, str]] = {
    LIVE: "this test may ask a real model and cost real money; it is skipped without --ai-live",
    f"{CASSETTE}(name)": "models answer from tests' cassettes/name.json; --ai-record asks a real model and writes it",
}
"""Each marker and what it means."""

OPTIONS: Final[Mapping[str, str]] = {
    "--ai-live": "Run the tests marked ai_live, which ask real models.",
    "--ai-record": "Ask real models in tests with a cassette and write the cassettes anew. Refused in CI.",
    "--ai-budget": "US dollars that all real model calls of a run may cost together.",
}
"""Each option and what it does."""

DEFAULT_BUDGET: Final = Decimal("0.50")


def add_options(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("ai_addons", "paid AI features")
    group.addoption("--ai-live", action="store_true", help=OPTIONS["--ai-live"])
    group.addoption("--ai-record", action="store_true", help=OPTIONS["--ai-record"])
    group.addoption(
        "--ai-budget",
        type=_dollars,
        default=DEFAULT_BUDGET,
        metavar="USD",
        help=f"{OPTIONS['--ai-budget']} Default: {DEFAULT_BUDGET}.",
    )


def check_options(config: pytest.Config, environ: Mapping[str, str]) -> None:
    """Refuse to record where nobody looks at what is recorded.

    Raises:
        pytest.UsageError: For ``--ai-record`` in CI.
    """
    if config.getoption("--ai-record") and environ.get("CI", "").lower() not in ("", "0", "false"):
        msg = "--ai-record is refused in CI: record on your own machine, read what was recorded, and commit it"
        raise pytest.UsageError(msg)


def budget(config: pytest.Config) -> Decimal:
    """US dollars that this process may spend; workers of pytest-xdist share them evenly."""
    whole: object = config.getoption("--ai-budget")
    return Decimal(str(whole)) / int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))


def is_live(config: pytest.Config, item: pytest.Item) -> bool:
    """Whether this test may ask a real model."""
    return item.get_closest_marker(LIVE) is not None and bool(config.getoption("--ai-live"))


def cassette_of(item: pytest.Item) -> str | None:
    """Name of a test's cassette, None if it has none.

    Raises:
        pytest.UsageError: If the marker gives none.
    """
    marker = item.get_closest_marker(CASSETTE)
    if marker is None:
        return None
    if len(marker.args) != 1 or marker.kwargs or not isinstance(marker.args[0], str):
        msg = f'{item.nodeid}: give the cassette a name, @pytest.mark.{CASSETTE}("name")'
        raise pytest.UsageError(msg)
    return marker.args[0]


def _dollars(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(-1)
    if not (amount.is_finite() and amount >= 0):
        msg = f"--ai-budget is a sum in US dollars such as 0.50, not {text!r}"
        raise pytest.UsageError(msg)
    return amount
