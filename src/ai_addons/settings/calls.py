"""Limits of calls, alone and in batches."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, Self

from pydantic import Field, model_validator

from ai_addons.settings.base import Section
from ai_addons.settings.values import Duration

HOLD_MARGIN: Final = timedelta(minutes=1)
"""How much longer than a call its hold must live."""


class BreakerSettings(Section):
    """When a model that keeps failing is left alone; each process counts for itself.

    The next model of the route is asked meanwhile. Where every model is left alone a
    call fails at once, uncharged, or gives its fallback.
    """

    failures: int = Field(default=5, ge=0, le=1_000)
    """Failures of the provider in a row that open the circuit; 0 for no circuit breaker."""
    window: Duration = Field(default=timedelta(seconds=60), gt=timedelta(0))
    """Within which they must fall."""
    pause: Duration = Field(default=timedelta(seconds=30), gt=timedelta(0))
    """How long the model is left alone before one call tries it; twice as long after each failure of that call."""
    longest: Duration = Field(default=timedelta(minutes=5), gt=timedelta(0))
    """Most time it is left alone, also where the provider asks for more (``Retry-After``)."""


class CallSettings(Section):
    """Limits of one call."""

    deadline: Duration = timedelta(seconds=30)
    """Time for the whole call: all attempts, waits, the repair and the fallbacks."""
    hold_ttl: Duration = timedelta(seconds=120)
    """After this an orphan hold is released; must exceed the deadline by a minute."""
    attempts: int = Field(default=3, ge=1, le=10)
    """Attempts at one model before the next is tried."""
    replay_days: int = Field(default=7, ge=0)
    """How long the answer of a call with an idempotency key is kept for a replay."""
    free_repeats: bool = True
    """Whether a business's own repeat within the cache time is free."""
    breaker: BreakerSettings = BreakerSettings()
    """When a model that keeps failing is left alone."""

    @model_validator(mode="after")
    def _hold_outlives_the_call(self) -> Self:
        if self.hold_ttl < self.deadline + HOLD_MARGIN:
            seconds = round((self.deadline + HOLD_MARGIN).total_seconds())
            msg = (
                f"hold_ttl must exceed the deadline by a minute, or an answer may come after its hold; use '{seconds}s'"
            )
            raise ValueError(msg)
        return self


class BatchSettings(Section):
    """Limits of one batch of calls."""

    concurrency: int = Field(default=4, ge=1, le=64)
    """Calls made at a time."""
    deadline: Duration = Field(default=timedelta(minutes=10), ge=timedelta(seconds=5))
    """Time for all calls together; those not begun by then are given back. Their credits are held a minute longer."""
    most: int = Field(default=500, ge=1, le=10_000)
    """Calls in one batch; their credits are held in one transaction."""
