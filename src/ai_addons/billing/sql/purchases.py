"""What orders and payments read and write. A statement is always given the same parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, bindparam, delete, func, insert, literal_column, or_, select, text, tuple_, update

from ai_addons.billing.schema import (
    EXACT,
    TEXT,
    gateway_events,
    grants,
    payment_attempts,
    purchases,
    quarantine,
    saved_cards,
    subscriptions,
)

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Table


def _text(name: str) -> ColumnElement[str]:
    return bindparam(name, type_=TEXT)


def _exact(name: str) -> ColumnElement[int]:
    return bindparam(name, type_=EXACT)


def _own(table: Table) -> ColumnElement[bool]:
    return table.c.business_id == _text("business")


_THIS_ORDER: Final = and_(_own(purchases), purchases.c.id == _text("order"))

# Orders. Every change of one is made under its wallet's lock.
ADD_ORDER: Final = insert(purchases)
ORDER: Final = select(purchases).where(_THIS_ORDER)
ORDER_UNDER_KEY: Final = select(purchases).where(_own(purchases), purchases.c.key == _text("key"))
ORDER_OF_PERIOD: Final = select(purchases).where(
    _own(purchases),
    purchases.c.subscription_id == _text("subscription"),
    purchases.c.period == _exact("period"),
    purchases.c.state == literal_column("'pending'"),
)
AFTER_ALL: Final = "\x7f"
"""Sorts behind every id of ours."""
# By id alone: ids sort by time, and the key of the table is a page's order.
ORDERS: Final = (
    select(purchases)
    .where(_own(purchases), purchases.c.id < _text("before"))
    .order_by(purchases.c.id.desc())
    .limit(_exact("most"))
)
SAVE_ORDER: Final = update(purchases).where(_THIS_ORDER)
# What money that goes back makes of a paid order.
FOLLOW_MONEY: Final = update(purchases).where(_THIS_ORDER, purchases.c.paid_at.is_not(None))
OVERDUE: Final = (
    select(purchases.c.business_id, purchases.c.id, purchases.c.created_at)
    .where(
        purchases.c.state == literal_column("'pending'"),
        purchases.c.created_at <= _exact("before"),
        # A renewal may be paid until its grace is over.
        or_(purchases.c.kind != literal_column("'addon_renewal'"), purchases.c.created_at <= _exact("renewals_before")),
        tuple_(purchases.c.created_at, purchases.c.id) > tuple_(_exact("after_at"), _text("after")),
    )
    .order_by(purchases.c.created_at, purchases.c.id)
    .limit(literal_column("100"))
)

NUMBER_RECEIPT: Final = update(purchases).where(_THIS_ORDER)
# Paid orders of which money is on its way back, or contested; the oldest first.
GOING_BACK: Final = text(
    "SELECT business_id, order_id, MIN(created_at) AS since FROM ("
    "SELECT business_id, order_id, created_at FROM ai_refunds "
    "WHERE state IN ('asked', 'pending', 'needs_attention') UNION ALL "
    "SELECT business_id, order_id, created_at FROM ai_disputes WHERE state = 'open') AS going "
    "GROUP BY business_id, order_id ORDER BY since, business_id, order_id LIMIT 1000"
)

# Add-ons whose next month may be paid for; a business has one at a time.
_GOES_ON: Final = subscriptions.c.state.in_([literal_column("'active'"), literal_column("'past_due'")])
RENEWABLE: Final = (
    select(subscriptions)
    .where(_GOES_ON, subscriptions.c.business_id > _text("after"))
    .order_by(subscriptions.c.business_id, subscriptions.c.id)
    .limit(literal_column("100"))
)
SEVERAL_RENEWABLE: Final = select(func.count().label("addons")).select_from(subscriptions).where(_GOES_ON)

BOUGHT: Final = text(
    "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) AS bought FROM ai_credit_grants "
    "WHERE business_id = :business AND source IN ('purchase', 'bonus', 'addon')"
).bindparams(bindparam("business", type_=TEXT))

# Attempts.
ADD_ATTEMPT: Final = insert(payment_attempts)
ATTEMPT: Final = select(payment_attempts).where(payment_attempts.c.reference == _text("reference"))
ATTEMPTS: Final = (
    select(payment_attempts)
    .where(_own(payment_attempts), payment_attempts.c.order_id == _text("order"))
    .order_by(payment_attempts.c.created_at, payment_attempts.c.reference)
)
ATTEMPTS_BETWEEN: Final = (
    select(payment_attempts)
    .where(
        _own(payment_attempts),
        payment_attempts.c.order_id >= _text("first"),
        payment_attempts.c.order_id <= _text("last"),
    )
    .order_by(payment_attempts.c.order_id, payment_attempts.c.created_at, payment_attempts.c.reference)
)
# Whoever moves it asks, for all hosts.
ASK: Final = text(
    "UPDATE ai_payment_attempts SET asked_at = :now WHERE reference = :reference "
    "AND state IN ('started', 'open') AND (asked_at IS NULL OR asked_at <= :before)"
).bindparams(bindparam("reference", type_=TEXT), *(bindparam(name, type_=EXACT) for name in ("now", "before")))
SAVE_ATTEMPT: Final = update(payment_attempts).where(payment_attempts.c.reference == _text("of_reference"))
# Pages by time and reference, so that one pass sees each attempt once.
SEVERAL_UNPAID: Final = (
    select(func.count().label("attempts"))
    .select_from(payment_attempts)
    .where(
        payment_attempts.c.state.in_([literal_column("'started'"), literal_column("'open'")]),
        payment_attempts.c.created_at >= _exact("since"),
    )
)
UNPAID_ATTEMPTS: Final = text(
    "SELECT attempt.reference, attempt.created_at, attempt.gateway FROM ai_payment_attempts AS attempt "
    "WHERE attempt.state IN ('started', 'open') AND attempt.created_at >= :since "
    "AND (attempt.created_at, attempt.reference) > (:after_at, :after) "
    "ORDER BY attempt.created_at, attempt.reference LIMIT 100"
).bindparams(*(bindparam(name, type_=EXACT) for name in ("since", "after_at")), bindparam("after", type_=TEXT))
PAID_ATTEMPTS: Final = select(payment_attempts).where(
    payment_attempts.c.gateway == _text("gateway"),
    payment_attempts.c.state == literal_column("'paid'"),
    payment_attempts.c.created_at >= _exact("since"),
    payment_attempts.c.created_at < _exact("until"),
)

# Quarantine.
ADD_QUARANTINE: Final = insert(quarantine)
QUARANTINED: Final = select(quarantine).where(_own(quarantine), quarantine.c.id == _text("id"))
QUARANTINED_OF: Final = (
    select(quarantine)
    .where(_own(quarantine), quarantine.c.order_id == _text("order"))
    .order_by(quarantine.c.opened_at, quarantine.c.id)
)
# What came for a payment that an operator released.
RELEASED: Final = select(quarantine.c.paid_minor, quarantine.c.paid_currency, quarantine.c.paid_live).where(
    quarantine.c.reference == _text("reference"), quarantine.c.resolution == literal_column("'released'")
)
OPEN_QUARANTINE: Final = (
    select(quarantine)
    .where(quarantine.c.resolved_at.is_(None))
    .order_by(quarantine.c.opened_at, quarantine.c.id)
    .limit(_exact("most"))
)
RESOLVE: Final = update(quarantine).where(_own(quarantine), quarantine.c.id == _text("of_id"))

# The inbox of webhooks. What comes again is worked on again: its key is not unique for certain.
_EVENT_COLUMNS: Final = ("gateway", "key", "name", "topic", "reference", "body", "received_at")
ADD_GATEWAY_EVENT: Final = text(
    "INSERT INTO ai_gateway_events (gateway, key, name, topic, reference, body, received_at, seen, tries, next_at) "
    "VALUES (:gateway, :key, :name, :topic, :reference, :body, :received_at, 1, 0, :received_at) "
    "ON CONFLICT (gateway, key) DO UPDATE SET seen = ai_gateway_events.seen + 1, tries = 0, body = excluded.body, "
    "name = excluded.name, topic = excluded.topic, reference = excluded.reference, "
    "next_at = excluded.received_at, processed_at = NULL, error = NULL"
).bindparams(*(bindparam(name, type_=gateway_events.c[name].type) for name in _EVENT_COLUMNS))
GATEWAY_EVENT: Final = select(gateway_events).where(
    gateway_events.c.gateway == _text("gateway"), gateway_events.c.key == _text("key")
)
GATEWAY_EVENTS_DUE: Final = (
    select(gateway_events)
    .where(gateway_events.c.next_at <= _exact("now"))
    .order_by(gateway_events.c.next_at, gateway_events.c.gateway, gateway_events.c.key)
    .limit(_exact("most"))
)
SAVE_GATEWAY_EVENT: Final = update(gateway_events).where(
    gateway_events.c.gateway == _text("of_gateway"),
    gateway_events.c.key == _text("of_key"),
    # Not if it came once more meanwhile: then it is to be worked on once more.
    gateway_events.c.seen == _exact("was_seen"),
)
DROP_GATEWAY_EVENTS: Final = delete(gateway_events).where(gateway_events.c.processed_at <= _exact("before"))

# Cards.
ADD_CARD: Final = text(
    "INSERT INTO ai_saved_cards (business_id, id, gateway, code, email, brand, last4, expires, saved_at) "
    "VALUES (:business_id, :id, :gateway, :code, :email, :brand, :last4, :expires, :saved_at) "
    "ON CONFLICT (business_id, gateway, code) DO UPDATE SET expires = excluded.expires, email = excluded.email"
).bindparams(*(bindparam(column.name, type_=column.type) for column in saved_cards.c))
CARDS: Final = (
    select(saved_cards).where(_own(saved_cards)).order_by(saved_cards.c.saved_at.desc(), saved_cards.c.id.desc())
)
DROP_CARD: Final = delete(saved_cards).where(_own(saved_cards), saved_cards.c.id == _text("card"))

# For the doctor: every order of a business with what it gave.
ORDERS_AND_GRANTS: Final = (
    select(
        purchases.c.id,
        purchases.c.kind,
        purchases.c.state,
        purchases.c.paid_at,
        purchases.c.paid_reference,
        purchases.c.credits,
        purchases.c.bonus,
        purchases.c.subscription_id,
        purchases.c.period,
        grants.c.source,
        grants.c.amount,
    )
    .select_from(purchases)
    .outerjoin(
        grants,
        and_(
            grants.c.business_id == purchases.c.business_id,
            grants.c.source_ref == purchases.c.id,
            or_(grants.c.source == literal_column("'purchase'"), grants.c.source == literal_column("'bonus'")),
        ),
    )
    .where(_own(purchases))
    .order_by(purchases.c.id, grants.c.source)
)
PAID_ATTEMPTS_OF: Final = select(payment_attempts.c.order_id, payment_attempts.c.reference).where(
    _own(payment_attempts), payment_attempts.c.state == literal_column("'paid'")
)
