"""A business's statement: its balance before and after some days, and every booking between them."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from ai_addons.billing.ledger import effect
from ai_addons.billing.periods import from_micros, midnight
from ai_addons.billing.rows import read_entry
from ai_addons.billing.sql import reports as sql
from ai_addons.errors import BillingError
from ai_addons.money import Credits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ai_addons.billing.books import Books
    from ai_addons.billing.ledger import EntryKind, LedgerEntry
    from ai_addons.billing.sql import Row, Tx

_DAY: Final = timedelta(days=1)
_PAGE: Final = 1_000
# Far enough from where the calendar ends that every zone has these days.
_FIRST_DAY: Final = date(2000, 1, 1)
_LAST_DAY: Final = date(2999, 12, 31)

_WORDS: Final[dict[str, str]] = {
    "grant": "received",
    "usage": "used",
    "expire": "expired",
    "void": "carried over",
    "adjust": "taken by the operator",
    "reverse": "undone",
    "bad_debt": "not paid",
    "clawback": "taken back",
    "write_off": "spent before money was returned",
    "debt": "owed after money was returned",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KindTotal:
    """All bookings of one kind in a statement.

    Attributes:
        kind: Kind of the ledger row.
        count: How many.
        change: What they did to the balance; zero for what the wallet did not pay.
    """

    kind: EntryKind
    count: int
    change: Credits


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What came into a wallet and left it; opening plus all changes is closing.

    Attributes:
        business: Whose wallet.
        first: First day, in the business's zone.
        last: Last day, included.
        tz: IANA name of that zone.
        opening: Posted credits before the first day.
        closing: Posted credits after the last day.
        totals: By kind, those that occur, in the order they first did.
        entries: The ledger rows booked on these days, oldest first.
        names: What the features in them are called, by key.
    """

    business: str
    first: date
    last: date
    tz: str
    opening: Credits
    closing: Credits
    totals: tuple[KindTotal, ...]
    entries: tuple[LedgerEntry, ...]
    names: Mapping[str, str]

    def text(self) -> str:
        """The statement for people, as plain text."""
        head = [f"Statement of {self.business}", f"{self.first} to {self.last}, times in {self.tz}", ""]
        sums = [("Opening balance", "", f"{self.opening}")]
        sums += [(f"  {word(one.kind)}", f"{one.count}", signed(one.change)) for one in self.totals]
        sums += [("Closing balance", "", f"{self.closing}")]
        zone = ZoneInfo(self.tz)
        rows = [_row(entry, zone, self.names) for entry in self.entries]
        body = ["", *_columns(rows, right=(3, 4))] if rows else []
        return "\n".join([*head, *_columns(sums, right=(1, 2)), *body, ""])


def read_statement(books: Books, business: str, first: date, last: date, *, names: Callable[[str], str]) -> Statement:
    """Make a statement from the books.

    Args:
        books: The open books; what is due in the wallet is done already.
        business: Whose wallet.
        first: First day, in the business's zone.
        last: Last day, included.
        names: Finds what a feature is called, by its key.

    Raises:
        BillingError: If the ledger does not add up.
        StoreUnavailable: If the database cannot be read.
    """
    # No snapshot: up to the wallet's last row, which is read first, a ledger never changes.
    part = books.database.read(partial(_find_part, business, first, last))
    if part is None:
        part = _Part(tz=books.terms.profile(business).tz, after=0, last=0, opening=Credits(0), closing=Credits(0))
    return make_statement(
        business=business,
        days=(first, last),
        tz=part.tz,
        opening=part.opening,
        closing=part.closing,
        entries=_entries(books, business, part),
        names=names,
    )


def make_statement(
    *,
    business: str,
    days: tuple[date, date],
    tz: str,
    opening: Credits,
    closing: Credits,
    entries: Iterable[LedgerEntry],
    names: Callable[[str], str],
) -> Statement:
    """Put a statement together, and check that it adds up.

    Args:
        business: Whose.
        days: First and last day.
        tz: IANA name of the business's zone.
        opening: Posted balance before the first entry.
        closing: Posted balance after the last one.
        entries: Every ledger row between, oldest first.
        names: Finds what a feature is called, by its key.

    Raises:
        BillingError: If opening plus all changes is not closing.
    """
    known = tuple(entries)
    totals = _totals(known)
    if sum((one.change for one in totals), opening) != closing:
        raise not_whole()
    return Statement(
        business=business,
        first=days[0],
        last=days[1],
        tz=tz,
        opening=opening,
        closing=closing,
        totals=totals,
        entries=known,
        names={key: names(key) for key in map(feature_of, known) if key is not None},
    )


def not_whole() -> BillingError:
    """The error of a ledger from which a statement cannot be made."""
    msg = "The ledger does not add up, so there is no statement. Nothing was booked. Run `ai-addons doctor`."
    return BillingError(msg)


def change(entry: LedgerEntry) -> Credits:
    """What a ledger row did to the wallet's posted balance."""
    return effect(entry.debit, entry.credit, entry.amount)


def check_days(first: date, last: date) -> None:
    """Refuse days that are none or the wrong way round.

    Raises:
        TypeError: For a date with a time, which might mean another day in another zone.
        ValueError: If the last is before the first, or one is outside of the years 2000 to 2999.
    """
    if any(type(day) is not date for day in (first, last)):
        msg = "a day is a datetime.date, without a time; nothing was booked"
        raise TypeError(msg)
    if not _FIRST_DAY <= first <= last <= _LAST_DAY:
        msg = f"the days must run from {_FIRST_DAY} to {_LAST_DAY}, the first not after the last; nothing was booked"
        raise ValueError(msg)


def begin_and_end(first: date, last: date, tz: str) -> tuple[int, int]:
    """When some days begin and end in a zone.

    Args:
        first: First day.
        last: Last day, included.
        tz: IANA name of the zone.

    Returns:
        UTC microseconds; the end is the start of the day after.
    """
    return midnight(first, tz), midnight(last + _DAY, tz)


def signed(amount: Credits) -> str:
    """A change with its sign, in the wire form: ``+5.00``, ``-0.10``, ``0.00``."""
    return f"+{amount}" if amount > Credits(0) else str(amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Rows of a ledger after one position up to another, with the balance at both."""

    tz: str
    after: int
    last: int
    opening: Credits
    closing: Credits


def _find_part(business: str, first: date, last: date, tx: Tx) -> _Part | None:
    """Which part of a ledger was booked on some days; None for a business never seen."""
    wallet = tx.one(sql.LOOK, {"business": business})
    if wallet is None:
        return None
    after, until = (
        _booked_before(tx, business, wallet.seq, instant) for instant in begin_and_end(first, last, wallet.tz)
    )
    opening, closing = (_balance_at(tx, business, seq) for seq in (after, until))
    return _Part(tz=wallet.tz, after=after, last=until, opening=opening, closing=closing)


def _booked_before(tx: Tx, business: str, seq: int, instant: int) -> int:
    """How many of the first ``seq`` rows were booked before an instant; a ledger's times never run backwards."""
    return bisect_left(range(1, seq + 1), instant, key=lambda position: _point(tx, business, position).booked_at)


def _balance_at(tx: Tx, business: str, seq: int) -> Credits:
    return Credits.from_micro(_point(tx, business, seq).balance_after) if seq else Credits(0)


def _point(tx: Tx, business: str, seq: int) -> Row:
    row = tx.one(sql.POINT, {"business": business, "seq": seq})
    if row is None:
        raise not_whole()
    return row


def _entries(books: Books, business: str, part: _Part) -> Iterator[LedgerEntry]:
    """The rows by pages. They never change, so no transaction has to stay open."""
    for after in range(part.after, part.last, _PAGE):
        yield from books.database.read(partial(_page, business, after, min(after + _PAGE, part.last)))


def _page(business: str, after: int, last: int, tx: Tx) -> list[LedgerEntry]:
    return [read_entry(row) for row in tx.rows(sql.LEDGER_PART, {"business": business, "after": after, "last": last})]


def _totals(entries: Sequence[LedgerEntry]) -> tuple[KindTotal, ...]:
    by_kind: dict[EntryKind, list[Credits]] = {}
    for entry in entries:
        by_kind.setdefault(entry.kind, []).append(change(entry))
    return tuple(
        KindTotal(kind=kind, count=len(changes), change=sum(changes, Credits(0))) for kind, changes in by_kind.items()
    )


def word(kind: str) -> str:
    """What a kind of ledger row is called for people."""
    return _WORDS.get(kind, kind)


def _row(entry: LedgerEntry, zone: ZoneInfo, names: Mapping[str, str]) -> tuple[str, ...]:
    # A call is told by its feature; its id says nothing to people.
    feature = feature_of(entry)
    at = from_micros(entry.booked_at).astimezone(zone)
    return (
        f"{at:%Y-%m-%d %H:%M}",
        word(entry.kind),
        entry.ref if feature is None else names[feature],
        signed(change(entry)),
        str(entry.balance_after),
    )


def feature_of(entry: LedgerEntry) -> str | None:
    """Key of the feature that a ledger row paid for; None for any other row."""
    account, _, feature = entry.credit.partition(":")
    return feature if account == "revenue" else None


def _columns(rows: Sequence[Sequence[str]], *, right: tuple[int, ...]) -> list[str]:
    """Rows with their columns under each other, two spaces apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(_cells(row, widths, right)).rstrip() for row in rows]


def _cells(row: Sequence[str], widths: Sequence[int], right: tuple[int, ...]) -> list[str]:
    pairs = enumerate(zip(row, widths, strict=True))
    return [cell.rjust(width) if at in right else cell.ljust(width) for at, (cell, width) in pairs]
