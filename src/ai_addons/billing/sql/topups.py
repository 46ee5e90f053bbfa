"""What automatic top-ups ask of the books."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, delete, select, text

from ai_addons.billing.schema import EXACT, TEXT, purchases, top_ups
from ai_addons.billing.sql.statements import put_row

_OWN: Final = top_ups.c.business_id == bindparam("business", type_=TEXT)

TOP_UP: Final = select(top_ups).where(_OWN)
PUT_TOP_UP: Final = put_row(top_ups)
DROP_TOP_UP: Final = delete(top_ups).where(_OWN)

# Every automatic order of a business, the newest first; the unique index of keys finds them.
AUTOMATIC: Final = (
    select(purchases)
    .where(
        purchases.c.business_id == bindparam("business", type_=TEXT),
        purchases.c.key >= bindparam("first", type_=TEXT),
        purchases.c.key < bindparam("end", type_=TEXT),
    )
    .order_by(purchases.c.created_at.desc(), purchases.c.id.desc())
    .limit(bindparam("most", type_=EXACT))
)

# Businesses whose credits are below what they agreed to, or whose automatic order has no end yet; page by page.
TOP_UPS_DUE: Final = text(
    "SELECT rule.business_id FROM ai_top_ups AS rule "
    "JOIN business_ai_credits AS wallet ON wallet.business_id = rule.business_id "
    "WHERE rule.enabled = 1 AND wallet.status = 'active' AND rule.business_id > :after "
    "AND (wallet.posted - wallet.held < rule.threshold OR EXISTS (SELECT 1 FROM ai_credit_purchases AS bought "
    "WHERE bought.business_id = rule.business_id AND bought.state = 'pending' "
    "AND bought.key >= :first AND bought.key < :end)) "
    "ORDER BY rule.business_id LIMIT 100"
).bindparams(*(bindparam(name, type_=TEXT) for name in ("after", "first", "end")))
