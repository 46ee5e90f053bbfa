"""What a feature hands to the till: the call as it was written, and its options."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta

    from ai_addons.addons import AddOns
    from ai_addons.catalog import FeatureSpec
    from ai_addons.prompt import Prompt, Steps

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOptions:
    """What a caller may set for one call.

    Attributes:
        business: Who pays instead of the one in `bill_to`.
        user: Who asks.
        idempotency_key: Makes a repeat of this very call free, for ever.
        model: A tier, or a model with its provider.
        deadline: Time for the whole call.
        cache: False neither reads nor writes stored answers.
        addons: The wiring to use instead of the installed one.
    """

    business: str | None = None
    user: str | None = None
    idempotency_key: str | None = None
    model: str | None = None
    deadline: timedelta | None = None
    cache: bool = True
    addons: AddOns | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation(Generic[R]):
    """A feature with its arguments: what a till is asked to ring up; it prints without them."""

    spec: FeatureSpec
    answer: object
    arguments: Mapping[str, object] = field(repr=False)
    build: Callable[[], Prompt[R] | Steps[R]] = field(repr=False)
    builder: Callable[..., object] = field(repr=False)
