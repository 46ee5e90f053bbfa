"""What happened, told to whoever listens: frozen facts without content or names.

Hooks are for logs, metrics, traces and alerts. They cannot change a call, and one
that fails is logged and skipped.

No event holds a prompt, an answer, a person's name or a key. Events of a call name
its business by a pseudonym, or not at all; only `WalletEvent`, which a host tells
the owner about, names the business itself.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ai_addons.catalog import Offer
    from ai_addons.money import Credits, PicoUsd

logger: logging.Logger = logging.getLogger("ai_addons")

AttemptReason: TypeAlias = Literal["first", "retry", "fallback", "repair"]
CacheResult: TypeAlias = Literal["hit", "miss", "coalesced"]
StepName: TypeAlias = Literal["find", "hold", "capture", "void", "record"]
Window: TypeAlias = Literal["day", "month"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTaken:
    """One visit to the books on behalf of a call; a part of `CallTimes`.

    Attributes:
        name: What was done there: ``find`` a replay, ``hold``, ``capture``, ``void``, or ``record`` a free call.
        started_at: UTC microseconds.
        duration_us: Microseconds it took, waiting for the lock included.
    """

    name: StepName
    started_at: int
    duration_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptMade:
    """One request to one model has ended; told when the model answered or was given up.

    Attributes:
        call_id: The call it was made for.
        feature: Feature key.
        model: Route asked, with its provider.
        reason: Why it was made: as the ``first`` one of a question, as a ``retry``, as a ``fallback`` to the
            next model, or as the ``repair`` of an answer that did not fit.
        code: Code of the error, None for an answer.
        answered_by: The model that says it answered; the provider's own words, so never a label.
        started_at: UTC microseconds.
        latency_ms: Milliseconds it took.
        input_tokens: Tokens of the prompt, those from the provider's cache included; None if unknown.
        cached_tokens: Those of them read from the provider's cache.
        cache_write_tokens: Those of them written to the provider's cache.
        output_tokens: Tokens of the answer, reasoning included; None if unknown.
        reasoning_tokens: Those of them spent on reasoning.
        cost: Provider cost in pico-USD; None if unknown, 0 only if nothing can have been billed.
    """

    call_id: str
    feature: str
    model: str
    reason: AttemptReason
    code: str | None
    answered_by: str | None
    started_at: int
    latency_ms: int
    input_tokens: int | None
    cached_tokens: int | None
    cache_write_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    cost: PicoUsd | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTimes:
    """When what happened in a call that is over; what traces are made of.

    Attributes:
        started_at: UTC microseconds.
        ended_at: UTC microseconds.
        steps: Visits to the books, in order.
        attempts: Requests to models, in order.
    """

    started_at: int
    ended_at: int
    steps: tuple[StepTaken, ...] = ()
    attempts: tuple[AttemptMade, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStarted:
    """A call has begun; nothing was held or asked yet. One of the three events below ends it.

    Attributes:
        call_id: The idempotency key, or the id made for this call; its id in ``ai_transactions``.
        business: Pseudonym of the business that pays.
        feature: Feature key.
        started_at: UTC microseconds.
    """

    call_id: str
    business: str
    feature: str
    started_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCharged:
    """A call gave an answer and its credits were captured, or it was free: a repeat, a replay, a settled result.

    Attributes:
        call_id: As in `CallStarted`.
        business: Pseudonym of the business that pays.
        feature: Feature key.
        charged: Credits taken; zero for what was free.
        cached: Whether a stored answer was given.
        replayed: Whether the same idempotency key was paid for before.
        model: Route of the model that answered, None without one.
        cost: Provider cost of all attempts in pico-USD, None if unknown.
        latency_ms: Milliseconds from call to answer.
        times: When what happened.
    """

    call_id: str
    business: str
    feature: str
    charged: Credits
    cached: bool
    replayed: bool
    model: str | None
    cost: PicoUsd | None
    latency_ms: int
    times: CallTimes


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFailed:
    """A call gave no answer of a model; its hold is void and nothing was charged.

    Attributes:
        call_id: As in `CallStarted`.
        business: Pseudonym of the business that would have paid.
        feature: Feature key.
        code: Code of the error; ``cancelled`` for an interruption, ``host_error`` for an exception of the host's.
        fell_back: Whether the caller got the feature's fallback instead.
        cost: Provider cost of all attempts in pico-USD, None if unknown.
        latency_ms: Milliseconds from call to failure.
        times: When what happened.
    """

    call_id: str
    business: str
    feature: str
    code: str
    fell_back: bool
    cost: PicoUsd | None
    latency_ms: int
    times: CallTimes


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRefused:
    """A call was refused before a model was asked: too few credits, a limit, not enabled, no price.

    Attributes:
        feature: Feature key.
        code: Code of the error.
        call_id: As in `CallStarted`; None where the call was refused before it began.
        business: Pseudonym of the business; None likewise.
        times: When what happened; None likewise.
    """

    feature: str
    code: str
    call_id: str | None = None
    business: str | None = None
    times: CallTimes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheAsked:
    """The answer cache was asked for one question of a call; quotes do not count.

    Attributes:
        call_id: As in `CallStarted`.
        feature: Feature key.
        result: ``hit``, ``miss``, or ``coalesced``: another call that was in flight gave the answer.
    """

    call_id: str
    feature: str
    result: CacheResult


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldTimedOut:
    """A hold that nobody resolved has expired and its credits are free again: a process died, or a store was away.

    Attributes:
        call_id: The call that held them.
        feature: Feature key.
        amount: Credits that were held.
    """

    call_id: str
    feature: str
    amount: Credits


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedLate:
    """An answer came after its hold had expired, and was booked all the same.

    Attributes:
        call_id: The call.
        feature: Feature key.
        charged: Credits taken after all.
        unpaid: Credits that the wallet no longer had, booked as bad debt; zero where a newer attempt paid.
    """

    call_id: str
    feature: str
    charged: Credits
    unpaid: Credits


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditsClawedBack:
    """Credits of an order were taken back because its money went back, or given again because it did not after all.

    Attributes:
        order_id: The order.
        taken: Credits taken from its grants; below zero for those given again.
        short: Credits that were to be taken but are spent: written off or owed; below zero where that is undone.
    """

    order_id: str
    taken: Credits
    short: Credits


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeOpened:
    """A payer's bank contests a payment; the credits it paid for are frozen until that is decided.

    Attributes:
        order_id: The order.
        dispute_id: The gateway's name of the dispute.
        amount_minor: What is contested, in minor units of the currency.
        currency: ISO code.
        due_at: By when the gateway wants evidence, UTC microseconds; None if it does not say.
    """

    order_id: str
    dispute_id: str
    amount_minor: int
    currency: str
    due_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitOpened:
    """A model failed so often that it is left alone for a while.

    Attributes:
        model: Route with its provider.
        code: Code of the last error.
        seconds: How long it is left alone.
    """

    model: str
    code: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitClosed:
    """A model that was left alone answers again.

    Attributes:
        model: Route with its provider.
    """

    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetWarned:
    """Provider cost has reached the share of the budget that is worth a warning.

    Attributes:
        window: Which budget: ``day`` or ``month``.
        spent: Provider cost so far in pico-USD, with what calls in progress may cost.
        budget: The budget in pico-USD.
    """

    window: Window
    spent: PicoUsd
    budget: PicoUsd


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetStopped:
    """The provider budget is spent; calls are refused until the next window.

    Attributes:
        window: Which budget: ``day`` or ``month``.
        spent: Provider cost so far in pico-USD, with what calls in progress may cost.
        budget: The budget in pico-USD.
    """

    window: Window
    spent: PicoUsd
    budget: PicoUsd


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDelivered:
    """The host's receiver took an event of the outbox.

    Attributes:
        topic: The event's topic.
        attempts: How many times it was sent.
    """

    topic: str
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookFailed:
    """The host's receiver did not take an event of the outbox.

    Attributes:
        topic: The event's topic.
        attempts: How many times it was sent.
        given_up: Whether nobody will send it again; an `OperatorAlert` follows.
    """

    topic: str
    attempts: int
    given_up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RateChecked:
    """A source was asked for the exchange rate.

    Attributes:
        source: Its name in the settings.
        outcome: ``good``, ``refused`` (an `OperatorAlert` follows), or ``failed``.
        age_days: Days since the rate's own day; None where it gave none.
    """

    source: str
    outcome: Literal["good", "refused", "failed"]
    age_days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorAlert:
    """Something only the operator can mend: a wrong key, an empty provider account, an unpriced answer.

    Attributes:
        code: A stable word for it.
        detail: What it is about: a model, or the id of an outbox event and what became of it.
    """

    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletEvent:
    """Something happened in a wallet that its owner or the operator should know; durable when it is told.

    Attributes:
        topic: What: ``wallet.low_balance``, ``limit.warning``, ``limit.reached``, ``addon.renewal_due``,
            ``order.paid``, ``order.failed``, ``order.abandoned``, ``payment.quarantined``, ``payment.reversed``,
            ``top_up.declined``, ``top_up.stopped`` …
        business: Whose wallet; the business id itself, so that the host can tell its owner.
        facts: Plain facts, amounts as decimal text.
        offers: Packs that would help, cheapest first; with ``wallet.low_balance`` those that lift the credits above
            the threshold, of which the fact ``suggested`` names one.
    """

    topic: str
    business: str
    facts: Mapping[str, str]
    offers: tuple[Offer, ...] = ()


CallEnded: TypeAlias = CallCharged | CallFailed | CallRefused
Event: TypeAlias = (
    CallStarted
    | AttemptMade
    | CacheAsked
    | CallEnded
    | HoldTimedOut
    | CapturedLate
    | CreditsClawedBack
    | DisputeOpened
    | CircuitOpened
    | CircuitClosed
    | BudgetWarned
    | BudgetStopped
    | WebhookDelivered
    | WebhookFailed
    | RateChecked
    | OperatorAlert
    | WalletEvent
)


class EventHook(Protocol):
    """Receives every event, in the thread or task of the call (`ai_addons.hooks` entry points).

    A hook of an async host runs on the event loop. Hooks that the settings name are made with no
    arguments, and are closed with their `AddOns` if they have a method ``close``.
    """

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
