"""What goes into the store and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from ai_addons.money import Credits, PicoUsd

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from ai_addons.billing.grants import Grant
    from ai_addons.billing.policy import Subscription
    from ai_addons.money import MicroGhs

_LONGEST_ID: Final = 255
_NO_COST: Final = PicoUsd(0)

Overrun: TypeAlias = Literal["reject", "cap", "overflow"]
"""What to do where a token-priced call used more than was held: give the call back, charge what
was held, or charge the rest too if the wallet can pay it. What nobody pays is booked as bad debt."""


def _nothing() -> Credits:
    return Credits(0)


WalletStatus: TypeAlias = Literal["active", "suspended", "closed"]
Outcome: TypeAlias = Literal["ok", "failed", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """The credits of one business at one moment.

    Attributes:
        business: Whose.
        posted: Credits booked, held ones included.
        held: Credits pinned by calls in progress.
        status: ``active``, ``suspended`` or ``closed``.
        grants: What the credits consist of, in burn order.
        low: Whether the balance is below the configured threshold.
        policy: Name of the billing policy in force, None for a business never seen.
        lifetime_in: Credits ever received, carried ones counted once.
        lifetime_used: Credits ever charged.
        subscription: The monthly add-on, the open one or the last; None if there never was one.
    """

    business: str
    posted: Credits
    held: Credits
    status: WalletStatus
    grants: tuple[Grant, ...] = ()
    low: bool = False
    policy: str | None = None
    lifetime_in: Credits = field(default_factory=_nothing)
    lifetime_used: Credits = field(default_factory=_nothing)
    subscription: Subscription | None = None

    @property
    def available(self) -> Credits:
        """What the next call can spend: posted minus held."""
        return self.posted - self.held

    def spendable(self, feature: str) -> Credits:
        """What the next call of one feature can spend: without credits that pay for other features only."""
        paying = (grant for grant in self.grants if grant.features is None or feature in grant.features)
        return Credits.from_micro(sum(grant.free.micro for grant in paying))


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantBooking:
    """The result of granting credits.

    Attributes:
        grant: The grant, as it is now.
        balance: Credits available afterwards.
        replayed: True if this grant was booked before and nothing changed.
    """

    grant: Grant
    balance: Credits
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """The result of an adjustment or a reversal.

    Attributes:
        amount: Credits given, or taken if less than zero; of a reversal, those of the row it undoes.
        balance: Credits available afterwards.
        replayed: True if it was booked before and nothing changed.
    """

    amount: Credits
    balance: Credits
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionBooking:
    """The result of taking, paying, cancelling or resuming an add-on.

    Attributes:
        subscription: The add-on as it is now.
        balance: Credits available afterwards.
        replayed: True if nothing changed.
    """

    subscription: Subscription
    balance: Credits
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """What an operator did.

    Attributes:
        at: When, UTC microseconds.
        actor: Who.
        action: What.
        business: About which business; empty for all.
        detail: The particulars, with the reason.
    """

    at: int
    actor: str
    action: str
    business: str
    detail: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallIdentity:
    """Which call this is, for holds, replays and the books.

    Attributes:
        business: Who pays.
        user: Who asked.
        id: The caller's idempotency key, or a fresh UUIDv7.
        feature: Feature key.
        request_hash: Keyed hash of everything that makes it this request.
        keyed: Whether the caller gave the id, so that a replay may come.
    """

    business: str
    user: str | None
    id: str
    feature: str
    request_hash: str
    keyed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Credits set aside for a call in progress."""

    call: CallIdentity
    attempt: int
    amount: Credits
    expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A call with this key was paid for before.

    Attributes:
        charged: What it cost then.
        answers: The masked answers kept for a replay, None if they are gone.
        model: The model that answered.
    """

    charged: Credits
    answers: str | None = field(repr=False)
    model: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """An exchange rate with its provenance.

    Attributes:
        scaled: GHS per USD times 10^8.
        day: Day of the rate.
        source: Where it comes from.
        stale: Whether it was too old to go by when it was written down; one from the settings always is.
    """

    scaled: int
    day: date
    source: str
    stale: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Token pools of all attempts of a call, summed."""

    input: int
    cached: int
    cache_write: int
    output: int
    reasoning: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """What a transaction row says of a call; never a prompt, an answer or a name.

    Attributes:
        outcome: ``ok``, ``failed``, or ``unknown`` for an orphan.
        source: ``ai``, ``cache`` or ``rules``.
        prompt_version: Version of the feature's prompt.
        error_code: Stable code of the error.
        model: Route of the model that answered.
        tokens: Sum over all attempts, None if any is unknown.
        cost: Provider cost over all attempts, None if any is unknown.
        at_most: The most they can have cost where it is unknown; None for the bound of the hold.
        latency_ms: Time of the whole call, None if unknown.
        began: When it began, in monotonic seconds of this process's clock; the books then take its time anew once they
            have its wallet, so that the wait for them counts. None leaves ``latency_ms`` as it is.
        cacheable: Whether it could have been answered from the cache, or was.
        saved: What the provider took for the answers that were repeated.
        request_meta: Counts and settings of the request.
        response_meta: Attempts, without content.
        answers: Masked answers to keep for a replay.
        keep_for: How long, in microseconds.
    """

    outcome: Outcome
    source: str
    prompt_version: str | None = None
    error_code: str | None = None
    model: str | None = None
    tokens: Tokens | None = None
    cost: PicoUsd | None = None
    at_most: PicoUsd | None = None
    latency_ms: int | None = None
    began: float | None = None
    cacheable: bool = False
    saved: PicoUsd = _NO_COST
    request_meta: Mapping[str, object] = field(default_factory=dict[str, object])
    response_meta: Mapping[str, object] = field(default_factory=dict[str, object])
    answers: str | None = field(default=None, repr=False)
    keep_for: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """How a call ended in the books."""

    charged: Credits
    balance: Credits
    cost_ghs: MicroGhs | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """One row of the call log (`ai_transactions`).

    Attributes:
        at: When it was booked first, UTC microseconds.
        charged: What the business paid.
        cost: What the provider cost, pico-USD; None while unknown.
        cost_ghs: The same in micro-GHS at the booked rate.
        rate: That rate; never changed afterwards.
        latency_ms: How long it took; None if unknown.
        day: The business's day it counts in, ISO.
        revenue: Micro-GHS that were paid for the credits it was charged.
        price_version: Which published price was in force, None for a list price.
        cacheable: Whether it could have been answered from the cache, or was.
        saved: What the provider took, in pico-USD, for the answers that were repeated.
    """

    business: str
    id: str
    attempt: int
    at: int
    feature: str
    user: str | None
    outcome: Outcome
    error_code: str | None
    charged: Credits
    source: str
    model: str | None
    tokens: Tokens | None
    cost: PicoUsd | None
    cost_ghs: MicroGhs | None
    rate: Rate
    latency_ms: int | None
    request_meta: Mapping[str, object]
    response_meta: Mapping[str, object]
    day: str
    revenue: MicroGhs
    price_version: str | None
    cacheable: bool
    saved: PicoUsd


def check_id(value: object, what: str) -> None:
    """Refuse a name that some database could not hold or would hold changed.

    Args:
        value: A business, user, key or reference, as the host gave it.
        what: What it is, for the message; the value itself stays out of it.

    Raises:
        ValueError: Unless it is 1 to 255 characters of text without NUL or lone surrogates.
    """
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_ID or "\0" in value or not _encodable(value):
        msg = f"{what} must be 1 to {_LONGEST_ID} characters of text. Nothing was charged."
        raise ValueError(msg)


def _encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
