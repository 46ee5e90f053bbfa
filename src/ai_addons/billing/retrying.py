"""Before an order is paid in another way: what became of the ways before. A card is not charged twice in doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ai_addons.billing.opening import LEASE
from ai_addons.errors import PaymentPending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ai_addons.billing.orders import Attempt

_UNENDED: Final = frozenset({"started", "open"})


def ask_before(attempts: Sequence[Attempt], apply: Callable[[str], object], *, by_card: bool) -> None:
    """Ask about attempts of an order that have no end, where another one might take its money twice.

    Nobody approves the charge of a saved card. So one whose outcome is not known is asked about before anything
    else is tried, and before a saved card is charged all others are.

    Args:
        attempts: Of the order, oldest first.
        apply: Asks a gateway about an attempt, and books what it says.
        by_card: Whether a saved card is to be charged now.

    Raises:
        GatewayError: If a gateway cannot be asked.
    """
    for attempt in attempts:
        if attempt.state in _UNENDED and (by_card or _charges(attempt)):
            apply(attempt.reference)


def refuse_in_doubt(attempts: Iterable[Attempt], now: int) -> None:
    """Let nothing else be tried while a saved card may be charged.

    Args:
        attempts: Of the order, with its wallet locked.
        now: UTC microseconds.

    Raises:
        PaymentPending: If so.
    """
    if any(_charges(attempt) and not _is_over(attempt, now) for attempt in attempts):
        raise PaymentPending


def _charges(attempt: Attempt) -> bool:
    """Whether it charges a saved card; a card that its payer gives on a page has the page's address."""
    return attempt.method == "card" and attempt.url is None


def _is_over(attempt: Attempt, now: int) -> bool:
    """Whether it takes no money any more; one that its gateway never heard of does not, once nobody is at it."""
    if attempt.state != "started":
        return attempt.state != "open"
    return attempt.reason is not None or now - attempt.created_at >= LEASE
