"""The marks a developer puts on fields: ``Annotated[str, Pii.NAME]``."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, final, get_args

from ai_addons.privacy.base import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable


class Pii(Enum):
    """What sort of personal data a field holds.

    A marked value never leaves: it is replaced by a placeholder in its own field
    and wherever else it occurs in the call, also in other spellings of it. That
    holds even if it breaks the format of its sort.

    ============ ======================================================
    ``NAME``     a person's name
    ``PHONE``    a phone number
    ``EMAIL``    an e-mail address
    ``ADDRESS``  a place where somebody can be found
    ``ID``       a number or code of a document, tax ids included
    ``ACCOUNT``  a bank account, card or wallet
    ``BUSINESS`` the name of a business
    ``DOB``      a date of birth
    ``AMOUNT``   a figure the answer must repeat to the last digit
    ``DROP``     nothing the model needs: the field is left out
    ============ ======================================================
    """

    NAME = "NAME"
    PHONE = "PHONE"
    EMAIL = "EMAIL"
    ADDRESS = "ADDRESS"
    ID = "ID"
    ACCOUNT = "ACCOUNT"
    BUSINESS = "BUSINESS"
    DOB = "DOB"
    AMOUNT = "AMOUNT"
    DROP = "DROP"

    # As for `Kind`.
    if not TYPE_CHECKING:  # to type checkers it is the hash that every class has
        __hash__ = object.__hash__

    @property
    def kind(self) -> Kind:
        """The type word of its placeholders."""
        return _KINDS[self]


_SHORTEST_CUT: Final = 2
# Asked for every marked value; looking a word up among the kinds takes several times as long.
_KINDS: Final = {mark: Kind(mark.value) for mark in Pii if mark not in {Pii.NAME, Pii.DOB, Pii.DROP}} | {
    Pii.NAME: Kind.PERSON,
    Pii.DOB: Kind.DATE,
}


@final
class FreeText:
    """Marks text that may hold anything; it is searched for personal data. So is text without any mark.

    Args:
        cut: The most characters that are sent: a longer text is cut at a blank, never
            inside a value, and ends in ``…``. None leaves it whole.

    Raises:
        ValueError: For a limit of less than two characters.
    """

    __slots__ = ("cut",)

    cut: int | None

    def __init__(self, *, cut: int | None = None) -> None:
        if cut is not None and cut < _SHORTEST_CUT:
            msg = f"FreeText(cut={cut}) leaves nothing of a text; give the most characters to send"
            raise ValueError(msg)
        self.cut = cut

    def __repr__(self) -> str:
        """As it was written."""
        return "FreeText" if self.cut is None else f"FreeText(cut={self.cut})"


@final
class Public:
    """Marks a shop's own public text, such as a product name; contact details in it may be sent."""


class Bucket:
    """Marks a number that is sent as a band only, because exact figures single people out.

    ``Annotated[Decimal, Bucket(50, 100, 200)]`` sends ``under 50``, ``50-100``,
    ``100-200`` or ``200 or more``; a value on an edge belongs to the band above it.
    ``Bucket(7, 14, up_to=True)`` sends ``up to 7``, ``over 7 up to 14`` or ``over 14``.

    Args:
        *edges: Where bands begin, rising.
        up_to: Whether a value on an edge belongs to the band below it.

    Raises:
        TypeError: For an edge that is not an exact number, such as a float.
        ValueError: Without edges, or if they do not rise.
    """

    __slots__ = ("edges", "up_to")

    edges: tuple[Decimal, ...]
    up_to: bool

    def __init__(self, *edges: int | str | Decimal, up_to: bool = False) -> None:
        self.edges = tuple(_edge(edge) for edge in edges)
        self.up_to = up_to
        if not edges or any(low >= high for low, high in pairwise(self.edges)):
            msg = f"Bucket edges must rise and there must be at least one, not {edges!r}"
            raise ValueError(msg)

    def __repr__(self) -> str:
        """As it was written."""
        return f"Bucket({', '.join(map(str, self.edges))}{', up_to=True' if self.up_to else ''})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bucket) and (self.edges, self.up_to) == (other.edges, other.up_to)

    def __hash__(self) -> int:
        return hash((Bucket, self.edges, self.up_to))

    def band(self, value: object) -> str:
        """The band of a value; ``unknown`` for what is not a number."""
        number = _number(value)
        if number is None:
            return "unknown"
        place = (bisect_left if self.up_to else bisect_right)(self.edges, number)
        low = self.edges[place - 1] if place else None
        high = self.edges[place] if place < len(self.edges) else None
        if low is None:
            return f"{'up to' if self.up_to else 'under'} {high}"
        if high is None:
            return f"over {low}" if self.up_to else f"{low} or more"
        return f"over {low} up to {high}" if self.up_to else f"{low}-{high}"


Period: TypeAlias = Literal["month", "quarter", "year", "decade"]
"""What is left of a date in a `DateBucket`."""


class DateBucket:
    """Marks a date or date and time of which only the period is sent, because exact dates single people out.

    ========== ===========
    month      ``2026-11``
    quarter    ``2026-Q4``
    year       ``2026``
    decade     ``1980s``, for a date of birth
    ========== ===========

    Args:
        period: What is sent.

    Raises:
        ValueError: For another word.
    """

    __slots__ = ("period",)

    period: Period

    def __init__(self, period: Period) -> None:
        if period not in get_args(Period):
            msg = f"DateBucket takes one of {', '.join(get_args(Period))}, not {period!r}"
            raise ValueError(msg)
        self.period = period

    def __repr__(self) -> str:
        """As it was written."""
        return f"DateBucket({self.period!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DateBucket) and self.period == other.period

    def __hash__(self) -> int:
        return hash((DateBucket, self.period))

    def band(self, value: object) -> str:
        """The period of a date, a date and time in its own zone, or a text in ISO form; ``unknown`` for others."""
        day = _day(value)
        if day is None:
            return "unknown"
        if self.period == "month":
            return f"{day.year:04}-{day.month:02}"
        if self.period == "quarter":
            return f"{day.year:04}-Q{(day.month + 2) // 3}"
        return f"{day.year:04}" if self.period == "year" else f"{day.year // 10:03}0s"


def _day(value: object) -> date | None:
    if isinstance(value, date):
        return value
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


BUCKETS: Final = (Bucket, DateBucket)
"""Marks that send a band of a value."""


Mark: TypeAlias = Pii | Bucket | DateBucket | FreeText | type[FreeText] | type[Public]
"""What a field may be marked with."""


def _edge(edge: object) -> Decimal:
    if isinstance(edge, bool) or not isinstance(edge, (int, str, Decimal)):
        msg = f"Bucket edges are int, str or Decimal, not {type(edge).__name__}: floats are not exact"
        raise TypeError(msg)
    number = _number(edge)
    if number is None:
        msg = f"{edge!r} is no edge for a Bucket: it is not a finite number"
        raise ValueError(msg)
    return number


def _number(value: object) -> Decimal | None:
    """A finite number, read exactly as it prints."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def mark_in(metadata: Iterable[object]) -> Mark | None:
    """The mark among the metadata of an annotation; the last one wins, being the outermost."""
    found: Mark | None = None
    for item in metadata:
        if isinstance(item, (Pii, *BUCKETS)):
            found = item
        elif item is FreeText or isinstance(item, FreeText):
            found = item if isinstance(item, FreeText) and item.cut is not None else FreeText
        elif item is Public or isinstance(item, Public):
            found = Public
    return found


def strictest(marks: Iterable[Mark | None]) -> Mark | None:
    """The mark that hides most, where several could apply."""
    return min((mark for mark in marks if mark is not None), key=_rank, default=None)


def _rank(mark: Mark) -> int:
    if mark is Pii.DROP:
        return 0
    if isinstance(mark, Pii):
        return 1
    if isinstance(mark, BUCKETS):
        return 2
    return 4 if mark is Public else 3


AMOUNT_BANDS: Final = Bucket(50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
"""Bands of an amount in cedis: with them few customers of a shop are the only one of their sort."""

DAY_BANDS: Final = Bucket(7, 14, 30, 60, 90, 180, up_to=True)
"""Bands of a number of days, such as days late."""
