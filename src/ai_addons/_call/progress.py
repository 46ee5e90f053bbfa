"""What has happened in a call so far: attempts at models, answers, and what they add up to."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ai_addons.billing.records import Tokens
from ai_addons.llm.base import Attempt, Usage
from ai_addons.money import PicoUsd

if TYPE_CHECKING:
    from ai_addons.billing.records import Finished
    from ai_addons.errors import AddOnsError
    from ai_addons.events import StepTaken


_NOTHING: Final = PicoUsd(0)


@dataclass(slots=True)
class Progress:
    """The state of one call; lives as long as its generator.

    Attributes:
        attempts: Every request made.
        steps: Every visit to the books, with its time.
        answers: Masked text by question; None for a question that had no usable answer.
        replay: The same, kept from the first time, to be given again.
        asked: Whether any model was asked.
        bounds: The most one attempt at each model can cost, pico-USD.
        shown: Whether the reader was handed a part of the answer.
        timed_out: Whether another call was waited for in vain.
        stale: Why an answer had to do whose time is over; None if none had to.
        saved: What the provider took when the repeated answers were made.
        model: Route of the model that answered last.
    """

    attempts: list[Attempt] = field(default_factory=list[Attempt])
    steps: list[StepTaken] = field(default_factory=list["StepTaken"])
    answers: dict[str, str | None] = field(default_factory=dict[str, "str | None"], repr=False)
    replay: dict[str, str | None] = field(default_factory=dict[str, "str | None"], repr=False)
    asked: bool = False
    bounds: dict[str, int] = field(default_factory=dict[str, int])
    shown: bool = False
    timed_out: bool = False
    stale: AddOnsError | None = None
    saved: PicoUsd = _NOTHING
    model: str | None = None

    def replay_from(self, finished: Finished | None) -> None:
        """Give again what this call gave the first time, if that was kept."""
        if finished is not None and finished.answers is not None:
            self.replay = json.loads(finished.answers)
            self.model = finished.model

    @property
    def kept_answers(self) -> str | None:
        """The answers as they are kept for a replay."""
        return json.dumps(self.answers) if self.answers else None

    @property
    def usage(self) -> Usage | None:
        """All tokens; None if an attempt that may have used some does not say."""
        total = Usage()
        for attempt in self.attempts:
            if attempt.usage is not None:
                total += attempt.usage
            elif attempt.cost != 0:
                return None
        return total

    @property
    def tokens(self) -> Tokens | None:
        """The same for the books."""
        usage = self.usage
        if usage is None:
            return None
        return Tokens(
            input=usage.input,
            cached=usage.cached,
            cache_write=usage.cache_write,
            output=usage.output,
            reasoning=usage.reasoning,
        )

    @property
    def cost(self) -> PicoUsd | None:
        """What the models cost us over all attempts; unknown if any of them is."""
        return self.cost_since(0)

    def cost_since(self, began: int) -> PicoUsd | None:
        """The same without the first so many attempts."""
        costs = [attempt.cost for attempt in self.attempts[began:]]
        known = [cost for cost in costs if cost is not None]
        return PicoUsd(sum(known)) if len(known) == len(costs) else None

    @property
    def at_most(self) -> PicoUsd:
        """The most the attempts can have cost: what is known, and the bound of each that is not."""
        costs = (self.bounds.get(one.model, 0) if one.cost is None else one.cost for one in self.attempts)
        return PicoUsd(sum(costs))

    def attempts_meta(self) -> list[dict[str, object]]:
        """The attempts for the call log, without content."""
        return [
            dict[str, object]({"folded": attempt.folded} if attempt.folded > 1 else {})
            | {
                "model": attempt.model,
                "answered_by": attempt.answered_by,
                "cost_pico_usd": attempt.cost,
                "latency_ms": attempt.latency_ms,
                "error": attempt.error,
                "request_id": attempt.request_id,
            }
            for attempt in self.attempts
        ]
