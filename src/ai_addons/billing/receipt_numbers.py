"""Numbers of receipts: without gaps, one for each thing they are about, given in the transaction that asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from ai_addons.billing.records import check_id
from ai_addons.billing.sql import rates as sql

if TYPE_CHECKING:
    from ai_addons.billing.sql import Tx

Series: TypeAlias = Literal["receipt", "credit_note"]


def give_number(tx: Tx, *, seller: str, series: Series, ref: str, now: int) -> int:
    """The next number of a seller's series; the same one again for the same reference.

    The series stays locked until the transaction ends, so a number whose transaction is
    rolled back is given to the next. Ask last: whoever else needs a number waits.

    Args:
        tx: The transaction in which the receipt is made.
        seller: Stable id of who sells, e.g. its tax number.
        series: Receipts and credit notes are counted apart.
        ref: What it is about, e.g. the order's or the refund's id.
        now: UTC microseconds.

    Returns:
        From 1, without gaps.

    Raises:
        ValueError: For a seller or a reference that is no name.
    """
    check_id(seller, "the seller")
    check_id(ref, "the receipt's reference")
    key = {"seller": seller, "series": series}
    tx.write(sql.FIRST_NUMBER, key)
    # Before the look-up: on PostgreSQL another transaction may be giving this very reference its number.
    tx.write(sql.LOCK_SERIES, key)
    given = tx.one(sql.RECEIPT_OF, {**key, "ref": ref})
    if given is not None:
        return int(given.number)
    number = int(tx.value(sql.NEXT_NUMBER, key))
    tx.write(sql.GIVE_NUMBER, {**key, "number": number, "ref": ref, "given_at": now})
    return number
