"""Several calls made together: what goes in, and what comes out.

`addons.batch` and `addons.aio.batch` take calls that were bound but not made
(`feature.bind(…)`), hold the sum of their prices at once, and give back a result
for each, in the same order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar, cast, overload

from ai_addons.money import Credits, PicoUsd

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from ai_addons._invocation import CallOptions, Invocation
    from ai_addons.receipt import Receipt
    from ai_addons.scope import Payer

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundCall(Generic[R_co]):
    """A feature with its arguments and options, not called yet; made by ``feature.bind(…)``.

    Nothing has happened: no prompt is built, nobody is asked who pays. It may be
    given to a batch any number of times.

    Attributes:
        invocation: The feature with its arguments.
        options: As given to ``feature.options``.
        payer: Finds who pays, when the batch is made.
        ready: Waits for the prompt of an ``async def`` builder; None for a plain one.
    """

    invocation: Invocation[R_co]
    options: CallOptions
    payer: Callable[[], Payer] = field(repr=False)
    ready: Callable[[], Awaitable[Invocation[R_co]]] | None = field(default=None, repr=False)

    @property
    def feature(self) -> str:
        """Key of the feature."""
        return self.invocation.spec.key


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchItem(Generic[R_co]):
    """What came of one call of a batch.

    Attributes:
        feature: Key of the feature.
        value: Its value; None if it failed.
        receipt: Its receipt; None if it failed.
        error: Why it failed; None if it did not. A failed call is not charged.
    """

    feature: str
    value: R_co | None = field(default=None, repr=False)
    receipt: Receipt | None = None
    error: Exception | None = None

    @property
    def ok(self) -> bool:
        """Whether it has a value."""
        return self.error is None

    def result(self) -> R_co:
        """The value.

        Raises:
            Exception: `error`, if it failed.
        """
        if self.error is not None:
            raise self.error
        return cast("R_co", self.value)


@dataclass(frozen=True, slots=True)
class BatchResult(Generic[R_co]):
    """What came of a batch: an item for each call, in the order they were given.

    Attributes:
        items: One for each call.
    """

    items: tuple[BatchItem[R_co], ...]

    def __iter__(self) -> Iterator[BatchItem[R_co]]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, place: int) -> BatchItem[R_co]: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[BatchItem[R_co], ...]: ...
    def __getitem__(self, place: int | slice) -> BatchItem[R_co] | tuple[BatchItem[R_co], ...]:
        return self.items[place]

    @property
    def receipts(self) -> tuple[Receipt, ...]:
        """The receipts of the calls that have a value."""
        return tuple(item.receipt for item in self.items if item.receipt is not None)

    @property
    def charged(self) -> Credits:
        """What all calls together were charged."""
        return Credits.from_micro(sum(receipt.charged.micro for receipt in self.receipts))

    @property
    def cost(self) -> PicoUsd | None:
        """Provider cost of the calls that have a value, pico-USD; None if one is unknown; for operators.

        What failed calls cost stands in the call log.
        """
        costs = [receipt.cost for receipt in self.receipts]
        known = [cost for cost in costs if cost is not None]
        return PicoUsd(sum(known)) if len(known) == len(costs) else None

    @property
    def failed(self) -> int:
        """How many calls failed."""
        return sum(not item.ok for item in self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchProgress:
    """How far a batch is; told whenever a call ends.

    Attributes:
        place: Place of the call that ended, from 0.
        item: What came of it.
        done: How many have ended.
        total: How many there are.
        charged: What those that ended were charged together.
    """

    place: int
    item: BatchItem[object]
    done: int
    total: int
    charged: Credits


class BatchInterrupted(KeyboardInterrupt):
    """Ctrl-C ended a batch: calls in flight were given up uncharged, the others were not made.

    Attributes:
        result: What had ended by then is in it; the other items have the error `NotFinished`.
    """

    def __init__(self, result: BatchResult[object]) -> None:
        super().__init__()
        self.result = result
