"""Real models in tests: who may be asked, and how much it may cost."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from ai_addons.llm.base import ModelFailure, Verdict
from ai_addons.llm.costs import prompt_bytes
from ai_addons.money import PicoUsd, usd

if TYPE_CHECKING:
    from collections.abc import Generator

    from ai_addons.llm.base import Llm, ModelReply, ModelRequest
    from ai_addons.llm.costs import PriceBook

BUDGET_OPTION: Final = "--ai-budget"


class LiveBudgetSpent(AssertionError):
    """A test wanted to ask a real model, and the sum allowed for that is spent."""


class LivePurse:
    """What all real model calls of a test run may cost together; safe to share between threads.

    Args:
        most: The sum, pico-USD.
    """

    def __init__(self, most: PicoUsd) -> None:
        self._lock = threading.Lock()
        self._most = most
        self._spent = 0

    @property
    def spent(self) -> PicoUsd:
        """What was spent so far, calls on their way counted at their most."""
        return PicoUsd(self._spent)

    def take(self, amount: int) -> None:
        """Set a sum aside before a call.

        Raises:
            LiveBudgetSpent: If so much is not left; nothing was sent.
        """
        with self._lock:
            if self._spent + amount > self._most:
                most, spent, whole = (f"USD {usd(PicoUsd(sum_)):f}" for sum_ in (amount, self._spent, self._most))
                msg = (
                    f"This call may cost up to {most}, and {spent} of the {whole} for this run are spent. "
                    f"It was not sent. Raise {BUDGET_OPTION} to allow it."
                )
                raise LiveBudgetSpent(msg)
            self._spent += amount

    def give_back(self, amount: int) -> None:
        """Return what a call did not cost."""
        with self._lock:
            self._spent -= amount


class CappedLlm:
    """Asks another model while there is money for it (the `Llm` port).

    Args:
        llm: Who is asked.
        prices: What it costs; a model without a price is refused.
        purse: Who pays.
    """

    def __init__(self, llm: Llm, prices: PriceBook, purse: LivePurse) -> None:
        self._llm = llm
        self._prices = prices
        self._purse = purse

    def complete(self, request: ModelRequest) -> ModelReply:
        """Ask once, if the most it can cost is left.

        Raises:
            LiveBudgetSpent: If it is not; nothing was sent.
            UnpricedModel: If nobody knows what it costs; nothing was sent.
            ModelFailure: If there is no reply.
        """
        with self._paid(request) as replies:
            replies.append(self._llm.complete(request))
        return replies[0]

    async def acomplete(self, request: ModelRequest) -> ModelReply:
        """The same for async callers."""
        with self._paid(request) as replies:
            replies.append(await self._llm.acomplete(request))
        return replies[0]

    @contextmanager
    def _paid(self, request: ModelRequest) -> Generator[list[ModelReply]]:
        """Hold the most a request can cost; what is unknown afterwards stays held."""
        bound = (
            self._prices.bound(request.model, prompt_bytes(request.messages, request.schema), request.max_tokens) or 0
        )
        self._purse.take(bound)
        replies: list[ModelReply] = []
        try:
            yield replies
        except ModelFailure as failure:
            if failure.verdict is not Verdict.MAYBE_BILLED:
                self._purse.give_back(bound)
            raise
        cost = self._prices.cost(request.model, replies[0])
        if cost is not None:
            self._purse.give_back(bound - cost)
