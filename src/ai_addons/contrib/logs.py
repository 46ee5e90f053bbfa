"""Events as log lines of the logger ``ai_addons``, for whoever collects logs and no metrics."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Final

from ai_addons.events import (
    AttemptMade,
    BudgetStopped,
    BudgetWarned,
    CacheAsked,
    CallFailed,
    CallStarted,
    CircuitOpened,
    HoldTimedOut,
    OperatorAlert,
    RateChecked,
    WalletEvent,
    WebhookFailed,
)
from ai_addons.money import Credits, PicoUsd, usd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_addons.events import Event

_LEVELS: Final[Mapping[type, int]] = {
    CallStarted: logging.DEBUG,
    AttemptMade: logging.DEBUG,
    CacheAsked: logging.DEBUG,
    CallFailed: logging.WARNING,
    HoldTimedOut: logging.WARNING,
    CircuitOpened: logging.WARNING,
    BudgetWarned: logging.WARNING,
    WebhookFailed: logging.WARNING,
    OperatorAlert: logging.ERROR,
    BudgetStopped: logging.ERROR,
}
_WARNINGS: Final = ("wallet.low_balance", "limit.", "top_up.")
_MONEY: Final = frozenset({"cost", "spent", "budget"})
# A trace is no line; what a provider calls itself is its own text; a business id stays in the books.
_LEFT_OUT: Final = frozenset({"times", "answered_by", "offers"})


class LoggingHook:
    """Writes one line for each event, without content.

    The line reads ``call charged call_id=… feature=…``; the record has the same as attributes whose names begin
    with ``ai_``, and ``ai_event`` for the event's type, so that any formatter can use them.

    ======== ===================================================================
    DEBUG    a call began, a model was asked, the cache was asked
    INFO     a call was charged or refused, a webhook was delivered, and the like
    WARNING  a call or an attempt failed, a hold timed out, credits run low, a limit is near
    ERROR    only the operator can mend it
    ======== ===================================================================

    Args:
        logger: Where to write; None for the logger ``ai_addons``.
    """

    def __init__(self, logger: logging.Logger | None = None) -> None:
        self._logger: logging.Logger = logging.getLogger("ai_addons") if logger is None else logger

    def __call__(self, event: Event, /) -> None:
        """Write one event."""
        level = level_of(event)
        if self._logger.isEnabledFor(level):
            told = dict(_facts(event))
            text = " ".join([_words(type(event).__name__), *(f"{name}={_plain(told[name])}" for name in told)])
            extra = {f"ai_{name}": value for name, value in told.items()} | {"ai_event": type(event).__name__}
            # The text is an argument: a percent sign in it must not be read as a format.
            self._logger.log(level, "%s", text, extra=extra)


def level_of(event: Event) -> int:
    """How much an event matters."""
    if isinstance(event, AttemptMade) and event.code is not None:
        return logging.WARNING
    if isinstance(event, RateChecked) and event.outcome != "good":
        return logging.WARNING
    if isinstance(event, WebhookFailed) and event.given_up:
        return logging.ERROR
    if isinstance(event, WalletEvent) and event.topic.startswith(_WARNINGS):
        return logging.WARNING
    return _LEVELS.get(type(event), logging.INFO)


def _facts(event: Event) -> Iterator[tuple[str, str | int | float | bool]]:
    """What a line says: plain values by name, amounts as exact text, unknown ones left out."""
    for field in fields(event):
        name, value = field.name, getattr(event, field.name)
        if value is None or name in _LEFT_OUT or (isinstance(event, WalletEvent) and name == "business"):
            continue
        if isinstance(value, Mapping):
            yield from value.items()
        elif isinstance(value, Credits):
            yield name, value.short
        elif name in _MONEY:
            yield f"{name}_usd", f"{usd(PicoUsd(value)):f}"
        else:
            yield name, value


def _words(name: str) -> str:
    """The name of an event in words: ``CallCharged`` is ``call charged``."""
    return "".join(f" {sign.lower()}" if sign.isupper() else sign for sign in name).strip()


def _plain(value: object) -> str:
    """A value that keeps to its line: an idempotency key is any text a host likes."""
    text = str(value)
    return text if text.isprintable() and " " not in text else repr(text)
