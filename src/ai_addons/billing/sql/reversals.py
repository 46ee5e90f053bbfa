"""What refunds, disputes and claw-backs ask of the books."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, bindparam, func, literal_column, select

from ai_addons.billing.schema import EXACT, TEXT, clawbacks, disputes, ledger, refunds
from ai_addons.billing.sql.statements import put_row

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Table


def _own(table: Table) -> ColumnElement[bool]:
    return table.c.business_id == bindparam("business", type_=TEXT)


def _of_order(table: Table) -> ColumnElement[bool]:
    return and_(_own(table), table.c.order_id == bindparam("order", type_=TEXT))


REFUNDS: Final = select(refunds).where(_of_order(refunds)).order_by(refunds.c.created_at, refunds.c.id)
PUT_REFUND: Final = put_row(refunds)
DISPUTES: Final = select(disputes).where(_of_order(disputes)).order_by(disputes.c.created_at, disputes.c.id)
PUT_DISPUTE: Final = put_row(disputes)

CLAWBACK: Final = select(clawbacks).where(_of_order(clawbacks))
# Written out rather than bound: a partial index is only used for the very condition it was made with.
WANTING: Final = (
    select(clawbacks).where(_own(clawbacks), clawbacks.c.wanting == literal_column("1")).order_by(clawbacks.c.order_id)
)
SUSPENDING: Final = select(clawbacks.c.order_id).where(_own(clawbacks), clawbacks.c.suspended == literal_column("1"))
PUT_CLAWBACK: Final = put_row(clawbacks)

LAPSED: Final = select(func.coalesce(func.sum(ledger.c.amount), 0).cast(EXACT)).where(
    _own(ledger),
    ledger.c.kind == bindparam("kind", type_=TEXT),
    ledger.c.ref >= bindparam("first", type_=TEXT),
    ledger.c.ref < bindparam("end", type_=TEXT),
)
"""What rows of a kind took from one grant; their references begin with its id."""
