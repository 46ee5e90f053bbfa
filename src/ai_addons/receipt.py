"""What a call gives back beside its value: the quote before, the receipt after."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar

from ai_addons.money import Credits, MicroGhs, PicoUsd, ghs, usd
from ai_addons.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from decimal import Decimal

    from ai_addons.catalog import Offer
    from ai_addons.llm.base import Attempt, Usage
    from ai_addons.prompt import DegradedReason, Source

R = TypeVar("R")

# A shop owner is shown what a call cost them, never what it cost the operator.
_OPERATORS_ONLY: Final = frozenset({"cost", "cost_ghs_micro", "attempts"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What one call did and what it cost.

    Attributes:
        id: The idempotency key, or the id made for this call.
        feature: Feature key.
        business: Who paid.
        user: Who asked.
        at: When it was booked, UTC microseconds.
        price: What the feature costs.
        charged: What this call cost: the price, or zero.
        balance: Credits available afterwards.
        source: Where the words come from: ``ai``, ``offline``, ``cache`` or ``rules``.
        degraded_reason: Why the model was not used, if it was not.
        cached: Whether a stored answer was given.
        stale: Whether that answer's time was over and nothing better could be had; it is never charged.
        replayed: Whether this key was paid for before and nothing was charged now.
        model: Route of the model that answered, None without one.
        prompt_version: Version of the feature's prompt.
        masked: How many values of each kind were replaced before anything left.
        usage: Tokens of all attempts, None if unknown.
        latency_ms: Milliseconds from call to answer.
        attempts: Every request made; for operators.
        cost: Provider cost in pico-USD, None if unknown; for operators.
        cost_ghs_micro: The same in micro-GHS at the booked rate; for operators.
    """

    id: str
    feature: str
    business: str
    user: str | None
    at: int
    price: Credits
    charged: Credits
    balance: Credits
    source: Source
    degraded_reason: DegradedReason | None
    cached: bool
    stale: bool
    replayed: bool
    model: str | None
    prompt_version: str
    masked: Mapping[str, int]
    usage: Usage | None
    latency_ms: int
    attempts: tuple[Attempt, ...]
    cost: PicoUsd | None
    cost_ghs_micro: MicroGhs | None

    @property
    def folded(self) -> int:
        """How many calls the largest of its requests carried; 1 for a call that was asked alone."""
        return max((attempt.folded for attempt in self.attempts), default=1)

    @property
    def cost_usd(self) -> Decimal | None:
        """Provider cost in US dollars, None while unknown; for operators."""
        return None if self.cost is None else usd(self.cost)

    @property
    def cost_ghs(self) -> Decimal | None:
        """Provider cost in cedis, None while unknown; for operators."""
        return None if self.cost_ghs_micro is None else ghs(self.cost_ghs_micro)

    def for_shop(self) -> dict[str, Any]:
        """The receipt as the shop may see it: without the operator's cost."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name not in _OPERATORS_ONLY}


class Billed(NamedTuple, Generic[R]):
    """A value with its receipt; unpacks as ``value, receipt``."""

    value: R
    receipt: Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a call would cost now; nothing was called or charged.

    Attributes:
        feature: Feature key.
        price: List price in credits.
        charge: What this call would be charged: zero for a free repeat.
        available: Credits available to the business.
        cached: Whether a stored answer would be given.
        offers: Packs that would cover a shortfall, empty if there is none.
    """

    feature: str
    price: Credits
    charge: Credits
    available: Credits
    cached: bool
    offers: tuple[Offer, ...]

    @property
    def affordable(self) -> bool:
        """Whether the call would go through."""
        return self.charge <= self.available


_logs: Final[Scope[tuple[list[Receipt], ...]]] = Scope("ai_addons_receipts", ())


@contextmanager
def receipts() -> Generator[list[Receipt], None, None]:
    """Collect the receipts of all calls in the block, in order; blocks may nest."""
    log: list[Receipt] = []
    with _logs.set((*_logs.get(), log)):
        yield log


def collectors() -> tuple[list[Receipt], ...]:
    """What collects the receipts around the caller."""
    return _logs.get()


def hand_over(receipt: Receipt) -> None:
    """Give a receipt to every collector around the caller."""
    for log in collectors():
        log.append(receipt)
