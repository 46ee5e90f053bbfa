"""What happened, told to whoever listens: frozen facts without content or names.

Hooks are for logs, metrics and alerts. They cannot change a call, and one that
fails is logged and skipped.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ai_addons.money import Credits, PicoUsd

logger: logging.Logger = logging.getLogger("ai_addons")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCharged:
    """A call gave an answer and its credits were captured (or it was a free repeat)."""

    call_id: str
    feature: str
    charged: Credits
    cached: bool
    model: str | None
    cost: PicoUsd | None
    latency_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFailed:
    """A call gave no answer; its hold is void and nothing was charged."""

    call_id: str
    feature: str
    code: str
    fell_back: bool
    cost: PicoUsd | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRefused:
    """A call was refused before the model was asked (too few credits, a limit, not enabled)."""

    feature: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorAlert:
    """Something only the operator can mend: a wrong key, an empty provider account, an unpriced answer."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletEvent:
    """Something happened in a wallet that its owner or the operator should know; durable when it is told.

    Attributes:
        topic: What: ``wallet.low_balance``, ``limit.warning``, ``limit.reached``, ``addon.renewal_due`` …
        business: Whose wallet.
        facts: Plain facts, amounts as decimal text.
    """

    topic: str
    business: str
    facts: Mapping[str, str]


Event: TypeAlias = CallCharged | CallFailed | CallRefused | OperatorAlert | WalletEvent


class EventHook(Protocol):
    """Receives every event, in the thread of the call."""

    def __call__(self, event: Event, /) -> None:
        """Take note of one event; must not block."""
        ...


def emit(hooks: Iterable[EventHook], event: Event) -> None:
    """Tell every hook; a hook that fails is logged and never breaks a paid call."""
    for hook in hooks:
        try:
            hook(event)
        except Exception:  # the one guard where any failure of a host's hook must stop
            logger.exception("an event hook failed on %s", type(event).__name__)
