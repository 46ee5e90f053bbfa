"""What web endpoints keep: requests counted, answers. A statement is always given the same parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, delete, select, text, update

from ai_addons.billing.schema import EXACT, TEXT, web_rates, web_replies

if TYPE_CHECKING:
    from sqlalchemy import BindParameter


def _texts(*names: str) -> list[BindParameter[str]]:
    return [bindparam(name, type_=TEXT) for name in names]


def _numbers(*names: str) -> list[BindParameter[int]]:
    return [bindparam(name, type_=EXACT) for name in names]


# A window that another host's clock has begun already is gone on with.
COUNT: Final = text(
    "INSERT INTO ai_web_rates (business_id, user_id, action, starts_at, used) "
    "VALUES (:business, :user, :action, :starts_at, 1) "
    "ON CONFLICT (business_id, user_id, action) DO UPDATE SET "
    "used = CASE WHEN ai_web_rates.starts_at < excluded.starts_at THEN 1 ELSE ai_web_rates.used + 1 END, "
    "starts_at = CASE WHEN ai_web_rates.starts_at < excluded.starts_at THEN excluded.starts_at "
    "ELSE ai_web_rates.starts_at END "
    "RETURNING used, starts_at"
).bindparams(*_texts("business", "user", "action"), *_numbers("starts_at"))
"""Counts a request."""
COUNTED: Final = select(web_rates.c.used, web_rates.c.starts_at).where(
    web_rates.c.business_id == bindparam("business", type_=TEXT),
    web_rates.c.user_id == bindparam("user", type_=TEXT),
    web_rates.c.action == bindparam("action", type_=TEXT),
)
"""How many requests were counted."""

DROP_RATES: Final = delete(web_rates).where(web_rates.c.starts_at < bindparam("before", type_=EXACT))
"""Windows that are over; they name users."""

_THIS_REPLY: Final = (
    web_replies.c.business_id == bindparam("business", type_=TEXT),
    web_replies.c.key == bindparam("of_key", type_=TEXT),
)
REPLY: Final = select(web_replies).where(*_THIS_REPLY).with_for_update()
BEGIN_REPLY: Final = text(
    "INSERT INTO ai_web_replies (business_id, key, request_hash, begun_at, expires_at) "
    "VALUES (:business, :key, :request_hash, :begun_at, :expires_at) ON CONFLICT (business_id, key) DO NOTHING"
).bindparams(*_texts("business", "key", "request_hash"), *_numbers("begun_at", "expires_at"))
TAKE_REPLY: Final = update(web_replies).where(*_THIS_REPLY)
END_REPLY: Final = update(web_replies).where(
    *_THIS_REPLY, web_replies.c.begun_at == bindparam("of_begun", type_=EXACT), web_replies.c.status.is_(None)
)
"""Ends a request for whoever has its key; one that lost it to another changes nothing."""
DROP_REPLIES: Final = delete(web_replies).where(web_replies.c.expires_at <= bindparam("now", type_=EXACT))
