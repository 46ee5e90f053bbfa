"""A month's statement, a page at a time, as its lines stand on a page. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from ai_addons.billing.statements import change, feature_of, word
from ai_addons.web.pages.filters import source_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ai_addons.billing.ledger import LedgerEntry
    from ai_addons.billing.statements import Statement
    from ai_addons.money import Credits

LINES: Final = 50
"""Lines of a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerPage:
    """Some lines of a statement.

    Attributes:
        entries: Rows of the ledger, the newest first.
        number: Which page, from 1.
        count: How many there are.
    """

    entries: tuple[LedgerEntry, ...]
    number: int
    count: int

    @classmethod
    def of(cls, statement: Statement, number: int) -> Self | None:
        """A page of a statement; None if it has no such page. A statement without lines has one page."""
        count = max(1, -(-len(statement.entries) // LINES))
        if number > count:
            return None
        newest = statement.entries[::-1]
        return cls(entries=newest[(number - 1) * LINES : number * LINES], number=number, count=count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A booking for people.

    Attributes:
        at: UTC microseconds.
        what: What happened.
        about: Which feature, or where credits came from; empty for neither.
        change: What it did to the balance.
        balance: The balance after it.
    """

    at: int
    what: str
    about: str
    change: Credits
    balance: Credits


def lines(entries: Iterable[LedgerEntry], names: Mapping[str, str]) -> list[Line]:
    """Ledger rows for people.

    Args:
        entries: The rows.
        names: What features are called, by key.
    """
    return [
        Line(
            at=entry.booked_at,
            what=word(entry.kind).capitalize(),
            about=_about(entry, names),
            change=change(entry),
            balance=entry.balance_after,
        )
        for entry in entries
    ]


def kind_text(kind: str) -> str:
    """What a kind of booking is called."""
    return word(kind).capitalize()


def _about(entry: LedgerEntry, names: Mapping[str, str]) -> str:
    feature = feature_of(entry)
    if feature is not None:
        return names.get(feature, feature)
    account, _, source = entry.debit.partition(":")
    # A reference is an order's or an operator's name for it, which says nothing to people.
    return source_text(source) if account == "issuance" else ""
