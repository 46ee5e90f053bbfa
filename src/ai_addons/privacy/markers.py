"""The marks a developer puts on fields: ``Annotated[str, Pii.NAME]``."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import TYPE_CHECKING, Final, TypeAlias, final

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

    @property
    def kind(self) -> Kind:
        """The type word of its placeholders."""
        return _KINDS.get(self) or Kind(self.value)


_KINDS: Final = {Pii.NAME: Kind.PERSON, Pii.DOB: Kind.DATE}


@final
class FreeText:
    """Marks text that may hold anything; it is searched for personal data. So is text without any mark."""


@final
class Public:
    """Marks a shop's own public text, such as a product name; contact details in it may be sent."""


class Bucket:
    """Marks a number that is sent as a band only, because exact figures single people out.

    ``Annotated[Decimal, Bucket(50, 100, 200)]`` sends ``under 50``, ``50-100``,
    ``100-200`` or ``200 or more``; a value on an edge belongs to the band above it.

    Args:
        *edges: Where bands begin, rising.

    Raises:
        TypeError: For an edge that is not an exact number, such as a float.
        ValueError: Without edges, or if they do not rise.
    """

    __slots__ = ("edges",)

    edges: tuple[Decimal, ...]

    def __init__(self, *edges: int | str | Decimal) -> None:
        self.edges = tuple(_edge(edge) for edge in edges)
        if not edges or any(low >= high for low, high in zip(self.edges, self.edges[1:], strict=False)):
            msg = f"Bucket edges must rise and there must be at least one, not {edges!r}"
            raise ValueError(msg)

    def __repr__(self) -> str:
        """As it was written."""
        return f"Bucket({', '.join(map(str, self.edges))})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bucket) and self.edges == other.edges

    def __hash__(self) -> int:
        return hash((Bucket, self.edges))

    def band(self, value: object) -> str:
        """The band of a value; ``unknown`` for what is not a number."""
        number = _number(value)
        if number is None:
            return "unknown"
        if number < self.edges[0]:
            return f"under {self.edges[0]}"
        for low, high in zip(self.edges, self.edges[1:], strict=False):
            if number < high:
                return f"{low}-{high}"
        return f"{self.edges[-1]} or more"


Mark: TypeAlias = Pii | Bucket | type[FreeText] | type[Public]
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
        if isinstance(item, (Pii, Bucket)):
            found = item
        elif item is FreeText or isinstance(item, FreeText):
            found = FreeText
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
    if isinstance(mark, Bucket):
        return 2
    return 3 if mark is FreeText else 4
