"""Whole tables by pages, one business at a time: what reads them holds a page, never a table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Table, and_, bindparam, func, or_, select, tuple_

from ai_addons.billing.schema import EXACT, TEXT, ledger, purchases, transactions, usage_daily, wallets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ClauseElement

    from ai_addons.billing.sql.database import Database
    from ai_addons.billing.sql.tx import Row, Tx

PAGE: Final = 500
"""Rows read at a time."""

_FIRST_TIME: Final = -(2**62)
_LAST_TIME: Final = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Paged:
    """How one table is read.

    Attributes:
        time: Column by which a window is cut.
        order: Columns that order the rows of a business; together they are unique.
        statement: Asks for the next page.
        counted: Asks how many rows a window has.
        begin: What comes before the first row.
    """

    time: str
    order: tuple[str, ...]
    statement: ClauseElement
    counted: ClauseElement
    begin: tuple[Any, ...]


def _paged(table: Table, time: str, *rest: str) -> Paged:
    order = (time, *rest)
    columns = [table.c[name] for name in order]
    after = tuple_(*(bindparam(f"after_{name}", type_=table.c[name].type) for name in order))
    kind = table.c[time].type
    business = bindparam("business", type_=TEXT)
    window = (table.c[time] >= bindparam("since", type_=kind), table.c[time] < bindparam("until", type_=kind))
    statement = (
        select(table)
        .where(and_(table.c.business_id == business, *window, tuple_(*columns) > after))
        .order_by(*columns)
        .limit(bindparam("most", type_=EXACT))
    )
    counted = (
        select(func.count().label("rows"))
        .where(or_(business.is_(None), table.c.business_id == business), *window)
        .select_from(table)
    )
    begin = tuple("" if table.c[name].type is TEXT else _FIRST_TIME for name in order)
    return Paged(time=time, order=order, statement=statement, counted=counted, begin=begin)


TRANSACTIONS: Final = _paged(transactions, "at", "id", "attempt")
LEDGER: Final = _paged(ledger, "booked_at", "seq")
ORDERS: Final = _paged(purchases, "created_at", "id")
USAGE: Final = _paged(usage_daily, "day", "feature")

_BUSINESSES: Final = (
    select(wallets.c.business_id)
    .where(wallets.c.business_id > bindparam("after", type_=TEXT))
    .order_by(wallets.c.business_id)
    .limit(bindparam("most", type_=EXACT))
)
_ALL_BUSINESSES: Final = select(func.count().label("wallets")).select_from(wallets)


def businesses(database: Database) -> Iterator[str]:
    """Every business with a wallet, in order."""
    after = ""
    while page := database.read(partial(_ids, after)):
        yield from page
        after = page[-1]


def _ids(after: str, tx: Tx) -> list[str]:
    return [row.business_id for row in tx.rows(_BUSINESSES, {"after": after, "most": PAGE})]


def count(database: Database, table: Paged, asked: dict[str, Any]) -> int:
    """How many rows a window has.

    Args:
        database: Where they are.
        table: Which table.
        asked: ``business`` (None for all), ``since`` and ``until``, as for `pages`.
    """
    (row,) = database.read(lambda tx: tx.rows(table.counted, asked))
    return int(row.rows)


def count_businesses(tx: Tx) -> int:
    """How many businesses have a wallet."""
    (row,) = tx.rows(_ALL_BUSINESSES, {})
    return int(row.wallets)


def pages(
    database: Database, table: Paged, business: str, *, since: int | str = _FIRST_TIME, until: int | str = _LAST_TIME
) -> Iterator[Row]:
    """The rows of a business in their order, between two times: the first included, the second not.

    Args:
        database: Where they are.
        table: Which table.
        business: Whose rows.
        since: UTC microseconds; an ISO day where the table counts days.
        until: Likewise.
    """
    after = table.begin
    while True:
        places = {f"after_{name}": value for name, value in zip(table.order, after, strict=True)}
        asked = {"business": business, "since": since, "until": until, "most": PAGE, **places}
        found = database.read(partial(_page, table.statement, asked))
        yield from found
        if len(found) < PAGE:
            return
        after = tuple(getattr(found[-1], name) for name in table.order)


def _page(statement: ClauseElement, asked: dict[str, Any], tx: Tx) -> list[Row]:
    return tx.rows(statement, asked)
