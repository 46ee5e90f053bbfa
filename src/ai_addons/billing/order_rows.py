"""What rows of orders, attempts, quarantined payments and cards mean."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, TypeVar

from ai_addons.billing.gateways.base import SavedCard
from ai_addons.billing.orders import Attempt, Card, Order, Quarantined
from ai_addons.billing.records import Rate
from ai_addons.billing.sql import purchases as sql
from ai_addons.errors import NotFound
from ai_addons.money import Credits, Money

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ai_addons.billing.sql import Row
    from ai_addons.billing.wallet import LockedWallet

T = TypeVar("T")


def read_order(row: Row) -> Order:
    """An order from its row."""
    return Order(
        id=row.id,
        business=row.business_id,
        user=row.user_id,
        kind=row.kind,
        pack=row.pack,
        pack_version=row.pack_version,
        price=Money.from_minor(row.price_minor, row.currency),
        credits=Credits.from_micro(row.credits),
        bonus=Credits.from_micro(row.bonus),
        state=row.state,
        email=row.email,
        subscription=row.subscription_id,
        period=row.period,
        created_at=row.created_at,
        paid_at=row.paid_at,
        paid_reference=row.paid_reference,
        ended_at=row.ended_at,
        key=row.key,
        request_hash=row.request_hash,
        receipt_number=row.receipt_number,
    )


def order_values(order: Order) -> dict[str, object]:
    """An order's row; gateway and method follow with its first attempt."""
    return {
        "business_id": order.business,
        "id": order.id,
        "user_id": order.user,
        "kind": order.kind,
        "pack": order.pack,
        "pack_version": order.pack_version,
        "price_minor": order.price.minor,
        "currency": order.price.currency,
        "credits": order.credits.micro,
        "bonus": order.bonus.micro,
        "state": order.state,
        "key": order.key,
        "request_hash": order.request_hash,
        "gateway": None,
        "method": None,
        "email": order.email,
        "subscription_id": order.subscription,
        "period": order.period,
        "created_at": order.created_at,
        "paid_at": order.paid_at,
        "paid_reference": order.paid_reference,
        "ended_at": order.ended_at,
        "receipt_number": order.receipt_number,
    }


def read_attempt(row: Row) -> Attempt:
    """An attempt from its row."""
    return Attempt(
        reference=row.reference,
        business=row.business_id,
        order=row.order_id,
        gateway=row.gateway,
        method=row.method,
        state=row.state,
        asked=Money.from_minor(row.amount_minor, row.currency),
        live=bool(row.live),
        url=row.url,
        next_step=row.next_step,
        outcome=row.outcome,
        raw_status=row.raw_status,
        reason=row.reason,
        fees_minor=row.fees_minor,
        surplus_minor=row.surplus_minor,
        rate=_read_rate(row),
        created_at=row.created_at,
        checked_at=row.checked_at,
    )


def _read_rate(row: Row) -> Rate | None:
    if row.fx_rate is None:
        return None
    return Rate(scaled=row.fx_rate, day=date.fromisoformat(row.fx_date), source=row.fx_source)


def attempt_values(attempt: Attempt) -> dict[str, object]:
    """An attempt's columns that may change, without its key."""
    return {
        "method": attempt.method,
        "state": attempt.state,
        "amount_minor": attempt.asked.minor,
        "currency": attempt.asked.currency,
        "url": attempt.url,
        "next_step": attempt.next_step,
        "outcome": attempt.outcome,
        "raw_status": attempt.raw_status,
        "reason": attempt.reason,
        "fees_minor": attempt.fees_minor,
        "surplus_minor": attempt.surplus_minor,
        "fx_rate": None if attempt.rate is None else attempt.rate.scaled,
        "fx_date": None if attempt.rate is None else attempt.rate.day.isoformat(),
        "fx_source": None if attempt.rate is None else attempt.rate.source,
        "checked_at": attempt.checked_at,
    }


def new_attempt_values(attempt: Attempt) -> dict[str, object]:
    """An attempt's row."""
    return {
        "reference": attempt.reference,
        "business_id": attempt.business,
        "order_id": attempt.order,
        "gateway": attempt.gateway,
        "live": int(attempt.live),
        "created_at": attempt.created_at,
        **attempt_values(attempt),
    }


def read_quarantined(row: Row) -> Quarantined:
    """A payment in quarantine from its row."""
    return Quarantined(
        id=row.id,
        business=row.business_id,
        order=row.order_id,
        reference=row.reference,
        reason=row.reason,
        expected=Money.from_minor(row.expected_minor, row.expected_currency),
        paid_minor=row.paid_minor,
        paid_currency=row.paid_currency,
        live=None if row.paid_live is None else bool(row.paid_live),
        opened_at=row.opened_at,
        resolution=row.resolution,
        actor=row.actor,
        note=row.note,
        resolved_at=row.resolved_at,
    )


def quarantined_values(one: Quarantined) -> dict[str, object]:
    """The row of a payment that goes into quarantine."""
    return {
        "business_id": one.business,
        "id": one.id,
        "order_id": one.order,
        "reference": one.reference,
        "reason": one.reason,
        "expected_minor": one.expected.minor,
        "expected_currency": one.expected.currency,
        "paid_minor": one.paid_minor,
        "paid_currency": one.paid_currency,
        "paid_live": None if one.live is None else int(one.live),
        "opened_at": one.opened_at,
    }


def collected(attempt: Attempt, released: Sequence[Row]) -> tuple[int | None, str | None]:
    """What the books say was paid by an attempt that paid, in minor units.

    Args:
        attempt: It.
        released: How it was released from quarantine, if it was: an operator may have accepted less, or other money.
    """
    if released:
        return released[0].paid_minor, released[0].paid_currency
    return attempt.asked.minor + attempt.surplus_minor, attempt.asked.currency


def read_card(row: Row) -> SavedCard:
    """A card that may be charged again, from its row."""
    return SavedCard(code=row.code, email=row.email, brand=row.brand, last4=row.last4, expires=row.expires)


def read_saved(row: Row) -> Card:
    """The same as people may see it."""
    return Card(
        id=row.id, gateway=row.gateway, brand=row.brand, last4=row.last4, expires=row.expires, saved_at=row.saved_at
    )


def the(rows: Sequence[Row], read: Callable[[Row], T]) -> T:
    """What the one row that was looked for means.

    Raises:
        NotFound: If there is none.
    """
    if not rows:
        raise NotFound
    return read(rows[0])


def save_order(wallet: LockedWallet, order: Order) -> None:
    """Write back what may change of an order."""
    wallet.tx.write(
        sql.SAVE_ORDER,
        {
            "business": order.business,
            "order": order.id,
            "state": order.state,
            "paid_at": order.paid_at,
            "paid_reference": order.paid_reference,
            "ended_at": order.ended_at,
        },
    )
