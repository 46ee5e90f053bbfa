"""Heads of the ledgers, kept outside the database.

A hash chain shows every edit by somebody who cannot rewrite the head as well.
Who can write to the database can. So the heads leave it now and then, to a log
or a backup; compared later, they show a ledger that was rewritten as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from ai_addons.billing.doctor import Finding, Report
from ai_addons.billing.sql import audits as sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ai_addons.billing.sql import Database, Row, Tx

_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The last row of a wallet's ledger at some moment.

    Attributes:
        business: Whose.
        seq: Position of the row.
        hash: Its seal, which covers all rows before it.
    """

    business: str
    seq: int
    hash: str


def heads(database: Database) -> Iterator[Head]:
    """The heads of all ledgers, by business, a page at a time.

    Args:
        database: The books.

    Raises:
        StoreUnavailable: If the database cannot be read.
    """
    after = ""
    while page := database.read(partial(_page, after)):
        yield from (Head(business=row.business_id, seq=row.seq, hash=row.chain_head) for row in page if row.seq)
        after = page[-1].business_id


def compare(database: Database, kept: Iterable[Head]) -> Report:
    """Whether the ledgers of today go on from the heads kept earlier.

    Args:
        database: The books.
        kept: What `heads` gave then.

    Raises:
        StoreUnavailable: If the database cannot be read.
    """
    known = list(kept)
    found = (database.read(partial(_differs, head)) for head in known)
    return Report(tuple(finding for finding in found if finding is not None), len(known))


def _page(after: str, tx: Tx) -> list[Row]:
    return tx.rows(sql.WALLETS, {"after": after, "most": _PAGE})


def _differs(head: Head, tx: Tx) -> Finding | None:
    row = tx.one(sql.ENTRY, {"business": head.business, "seq": head.seq})
    if row is not None and row.hash == head.hash:
        return None
    found = "is missing" if row is None else "has another hash"
    return Finding(head.business, "the ledger goes on from the head that was kept", f"row {head.seq} {found}")
