"""An invented wholesaler's receivables: for the demo, the docs, prompt snapshots and the cost table.

How late somebody pays is drawn once per customer, amounts are log-normal around the
customer's size, some bills are disputed, promised or paid in part.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Final

from ai_addons.features.collection_analysis.ageing import bucket_of
from ai_addons.features.collection_analysis.models import (
    MOST_INVOICES,
    Capacity,
    MonthEndAmount,
    OpenInvoice,
    Receivables,
    SettledInvoice,
)

_SEED: Final = 57
_AS_OF: Final = date(2026, 11, 20)
_MONTH_END: Final = date(2026, 10, 31)
_TERM: Final = timedelta(days=30)
_OWNERS: Final = (
    "Adwoa",
    "Kofi",
    "Esi",
    "Yaw",
    "Akosua",
    "Kwame",
    "Abena",
    "Kojo",
    "Efua",
    "Kwabena",
    "Mansa",
    "Ebo",
    "Dede",
    "Nii",
    "Enyonam",
    "Selorm",
    "Fati",
    "Issah",
)
_TRADES: Final = ("Provisions", "Cold Store", "Chop Bar", "Ventures", "Enterprise", "Mini Mart", "Bakery", "Pharmacy")
_OWING, _MOST_OWING = 0.6, 0.9 * MOST_INVOICES
_CONTACTED, _PROMISED, _DISPUTED, _PART_PAID = 0.6, 0.3, 0.04, 0.15
"""Shares of the bills."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Debtor:
    """An invented customer: name, usual days late, usual size of a bill (log GHS)."""

    ref: str
    lateness: float
    size: float


def example(customers: int = 500) -> Receivables:
    """The receivables of a wholesaler in Accra with so many credit customers.

    Args:
        customers: How many; three in five owe, fewer from 7,500 customers on, so that the bills stay within the limit.

    Returns:
        The same for the same number.
    """
    draw = Random(_SEED)  # noqa: S311  # invented customers, not secrets
    debtors = [_debtor(draw, number) for number in range(customers)]
    owing = min(_OWING, _MOST_OWING / max(customers, 1))
    open_bills = [_open(draw, one, number) for number, one in enumerate(debtors) if draw.random() < owing]
    settled = [_settled(draw, one) for one in debtors for _ in range(draw.randrange(1, 6))]
    return Receivables(
        as_of=_AS_OF,
        open_invoices=tuple(open_bills),
        settled_invoices=tuple(settled),
        credit_sales_90d=sum((bill.amount for bill in open_bills), Decimal(0)) * 2,
        month_end_buckets=tuple(_at_month_end(bill) for bill in open_bills if bill.issued <= _MONTH_END),
        capacity=Capacity(calls_per_day=4, days=5),
    )


def _debtor(draw: Random, number: int) -> _Debtor:
    owner, trade = draw.choice(_OWNERS), draw.choice(_TRADES)
    return _Debtor(ref=f"{owner} {trade} {number + 1}", lateness=draw.gauss(-3, 9), size=draw.gauss(6.2, 0.8))


def _open(draw: Random, debtor: _Debtor, number: int) -> OpenInvoice:
    """A bill not paid yet; a customer who pays late has older ones."""
    overdue = min(max(round(draw.gauss(2 * debtor.lateness, 14)), -29), 120)
    due = _AS_OF - timedelta(days=overdue)
    amount = Decimal(max(20, round(draw.lognormvariate(debtor.size, 0.5))))
    contacted = overdue > 0 and draw.random() < _CONTACTED
    promised = contacted and draw.random() < _PROMISED
    return OpenInvoice(
        ref=f"INV-{number + 1:05}",
        customer_ref=debtor.ref,
        issued=due - _TERM,
        due=due,
        amount=amount,
        paid_so_far=amount // 3 if draw.random() < _PART_PAID else Decimal(0),
        dispute=draw.random() < _DISPUTED,
        promise_date=_AS_OF + timedelta(days=draw.randrange(-9, 6)) if promised else None,
        broken_promises=draw.randrange(3) if contacted else 0,
        last_contact=_AS_OF - timedelta(days=draw.randrange(1, 15)) if contacted else None,
        unanswered_contacts=draw.randrange(4) if contacted else 0,
    )


def _settled(draw: Random, debtor: _Debtor) -> SettledInvoice:
    due = _AS_OF - timedelta(days=draw.randrange(60, 600))
    late = max(-29, min(58, round(draw.gauss(debtor.lateness, 6))))
    return SettledInvoice(customer_ref=debtor.ref, issued=due - _TERM, due=due, paid=due + timedelta(days=late))


def _at_month_end(bill: OpenInvoice) -> MonthEndAmount:
    return MonthEndAmount(ref=bill.ref, bucket=bucket_of((_MONTH_END - bill.due).days), amount=bill.amount)
