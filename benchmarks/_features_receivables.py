"""Invented receivables: invoices of customers whose lateness is drawn once, with what happened to each bill.

A stand-in for the business invoices of the reference, which are not on this machine: 100 debtors on
30-day terms, about one bill in three paid late, amounts log-normal around the customer's size, some bills
disputed, some paid in part, some promised for a later day. What is measured on it says whether the methods
come out in the same order, not how well they do in a real shop. The shares of late and disputed bills and the
spread of the amounts were set by hand, so that random and largest-first fare about as they did there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Final

from ai_addons.features.collection_analysis.models import OpenInvoice, SettledInvoice

if TYPE_CHECKING:
    from collections.abc import Sequence

TERM: Final = timedelta(days=30)
START: Final = date(2025, 1, 1)
DAYS: Final = 560
DEBTORS: Final = 100
_BILLS_A_DAY: Final = 0.031
"""A customer's: keeps about 95 bills open among 100 customers."""
_DISPUTED, _PART_PAID, _PROMISED = 0.05, 0.12, 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Debtor:
    """A customer: lateness and size are drawn once.

    Attributes:
        ref: Name.
        lateness: Usual days from the due date to the payment; below 0 for early.
        spread: How much that varies, in days.
        size: Usual logarithm of an amount in GHS.
    """

    ref: str
    lateness: float
    spread: float
    size: float


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One bill and its whole life.

    Attributes:
        ref: Its number.
        debtor: Who owes.
        issued: Day of the sale.
        due: Due date.
        paid: Day of the full payment.
        amount: In GHS.
        part: Paid on the due date already, in GHS.
        disputed: Whether it is in dispute from its due date until it is paid.
        promise: Days after the due date for which a payment was promised; None without.
    """

    ref: str
    debtor: str
    issued: date
    due: date
    paid: date
    amount: Decimal
    part: Decimal
    disputed: bool
    promise: int | None

    def outstanding(self, day: date) -> Decimal:
        """What is left to pay on a day, in GHS."""
        if not self.issued <= day < self.paid:
            return Decimal(0)
        return self.amount - (self.part if day >= self.due else Decimal(0))

    def soon_bad(self, day: date, ahead: int = 14) -> bool:
        """Whether the bill is past due and unpaid so many days later."""
        later = day + timedelta(days=ahead)
        return self.due < later < self.paid

    def as_open(self, day: date) -> OpenInvoice:
        """The bill as a shop sees it on a day."""
        due = day >= self.due
        return OpenInvoice(
            ref=self.ref,
            customer_ref=self.debtor,
            issued=self.issued,
            due=self.due,
            amount=self.amount,
            paid_so_far=self.part if due else Decimal(0),
            dispute=self.disputed and due,
            promise_date=self.due + timedelta(days=self.promise) if due and self.promise is not None else None,
        )

    def as_settled(self) -> SettledInvoice:
        """The bill once it is paid."""
        return SettledInvoice(customer_ref=self.debtor, issued=self.issued, due=self.due, paid=self.paid)


def bills(seed: int, debtors: int = DEBTORS) -> list[History]:
    """Every bill of a shop over its days, by day of issue.

    Args:
        seed: Which shop.
        debtors: How many customers.
    """
    draw = Random(seed)  # noqa: S311  # invented customers, not secrets
    made = [
        _bill(draw, one, START + timedelta(days=day), f"I{number}-{day}")
        for number, one in enumerate(_debtor(draw, number) for number in range(debtors))
        for day in range(DAYS)
        if draw.random() < _BILLS_A_DAY
    ]
    return sorted(made, key=lambda bill: (bill.issued, bill.ref))


def _debtor(draw: Random, number: int) -> Debtor:
    """Most pay around the due date, some are weeks late as a rule."""
    habitual = draw.random() < 0.2  # noqa: PLR2004  # one in five
    return Debtor(
        ref=f"D{number:03}",
        lateness=draw.gauss(14, 6) if habitual else draw.gauss(-5, 4),
        spread=draw.uniform(3, 8),
        size=draw.gauss(6.3, 0.25),
    )


def _bill(draw: Random, debtor: Debtor, issued: date, ref: str) -> History:
    disputed = draw.random() < _DISPUTED
    late = draw.gauss(debtor.lateness, debtor.spread) + (draw.uniform(5, 25) if disputed else 0)
    amount = Decimal(max(10, round(draw.lognormvariate(debtor.size, 0.3))))
    due = issued + TERM
    return History(
        ref=ref,
        debtor=debtor.ref,
        issued=issued,
        due=due,
        paid=max(issued + timedelta(days=1), due + timedelta(days=round(late))),
        amount=amount,
        part=amount // 3 if draw.random() < _PART_PAID else Decimal(0),
        disputed=disputed,
        promise=draw.randrange(1, 15) if draw.random() < _PROMISED else None,
    )


def fortnights(count: int = 19) -> list[date]:
    """So many dates, a fortnight apart, the last one three weeks before the end."""
    last = START + timedelta(days=DAYS - 21)
    return [last - timedelta(days=14 * back) for back in range(count)][::-1]


def open_on(everything: Sequence[History], day: date) -> list[History]:
    """The bills on which something is owed on a day."""
    return [bill for bill in everything if bill.outstanding(day) > 0]
