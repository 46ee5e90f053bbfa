"""What a call is given before it starts, and the kinds of steps it is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ai_addons._call.leftovers import Leftovers
    from ai_addons.billing.records import Hold
    from ai_addons.billing.store import Store
    from ai_addons.cache.base import AnswerCache
    from ai_addons.cache.flights import Flight, Flights
    from ai_addons.cache.keys import Keys
    from ai_addons.catalog import FeatureSpec, Offer
    from ai_addons.clock import Clock, Ids
    from ai_addons.events import EventHook
    from ai_addons.llm.base import ModelRequest
    from ai_addons.llm.breaker import Breaker
    from ai_addons.llm.costs import PriceBook
    from ai_addons.llm.listening import AsyncListener, Listener
    from ai_addons.money import Credits
    from ai_addons.privacy.base import Masker, Rules
    from ai_addons.prompt import Prompt, Steps
    from ai_addons.scope import Payer
    from ai_addons.settings import Thinking

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Do:
    """A step on the store or the cache; always finished, its value always delivered."""

    # With its arguments, which may be an answer.
    run: Callable[[], Any] = field(repr=False)


@dataclass(slots=True)
class AskModel:
    """A step that waits for a model; it can be interrupted.

    Attributes:
        request: What is asked.
        deadline: When this model must have answered, monotonic seconds.
        started: Set by the driver when it begins to ask: from then on it may cost us.
    """

    request: ModelRequest
    deadline: float
    started: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """A step that waits for another call's answer; it can be interrupted. Gives whether the flight landed.

    Attributes:
        flight: The other call's question.
        seconds: How long at most.
    """

    flight: Flight
    seconds: float


@dataclass(slots=True)
class OpenAnswer(AskModel):
    """A step that waits for the first text of a model's answer. Gives who hears the rest, or how it ended."""


@dataclass(frozen=True, slots=True)
class Hear:
    """A step that waits for the next piece of an answer. Gives the piece, or how the answer ended.

    Attributes:
        listener: Who hears it.
    """

    listener: Listener | AsyncListener


@dataclass(frozen=True, slots=True)
class HangUp:
    """A step that ends an answer, whole or not, and lets go of its connection; always finished, like `Do`.

    Attributes:
        listener: Who heard it.
    """

    listener: Listener | AsyncListener


@dataclass(slots=True)
class Show:
    """A step that hands a piece of the answer to the reader; whatever interrupts here, the reader stopped.

    Attributes:
        piece: Text to read, restored.
        handed: Set by the driver when the reader gets it: from then on it is paid for.
    """

    piece: str = field(repr=False)
    handed: bool = False


Step: TypeAlias = Do | AskModel | Wait | OpenAnswer | Hear | HangUp | Show


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[R]):
    """Everything that is settled about a call before it starts.

    Attributes:
        spec: The feature.
        answer: Type the model answers unless the prompt names another.
        arguments: The builder's arguments by name, for the request hash.
        build: Runs the builder.
        payer: Who pays.
        key: The caller's idempotency key.
        price: Credits.
        price_version: Which published price that is, None for a list price.
        route: Models in order.
        chosen: The model or tier that the caller asked for, None for the configured one.
        builder: The builder itself, whose constants say nothing of a business.
        cache_for: Seconds answers are kept, None for not at all.
        stale_for: Seconds more in which an answer may do where there is no other.
        max_tokens: Output cap, with room for thinking.
        thinking: How much the model thinks before it answers.
        attempts: Most attempts at one model.
        seconds: Time for the whole call.
        replay_us: Microseconds a keyed answer is kept for a replay.
        free_repeats: Whether the business's own repeat is free.
        rules: What happens to personal data.
        fold: How many calls like it one request may carry.
        reserved: Credits that were held for it beforehand, together with those of other calls; None for none.
    """

    spec: FeatureSpec
    answer: object
    arguments: Mapping[str, object] = field(repr=False)
    build: Callable[[], Prompt[R] | Steps[R]] = field(repr=False)
    payer: Payer
    key: str | None
    price: Credits
    price_version: str | None
    route: tuple[str, ...]
    chosen: str | None
    builder: Callable[..., object]
    cache_for: float | None
    stale_for: float
    max_tokens: int
    thinking: Thinking
    attempts: int
    seconds: float
    replay_us: int
    free_repeats: bool
    rules: Rules
    fold: int = 1
    reserved: Hold | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """What a call works with."""

    store: Store
    cache: AnswerCache | None
    flights: Flights
    lock_seconds: float
    masker: Masker
    keys: Keys
    prices: PriceBook
    breaker: Breaker
    clock: Clock
    ids: Ids
    hooks: Sequence[EventHook]
    offers: Callable[[str | None, Credits], tuple[Offer, ...]]
    leftovers: Leftovers
