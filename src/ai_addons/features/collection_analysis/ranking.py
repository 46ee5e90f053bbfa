"""Whom to contact first, and how: the order and the action of every customer who owes."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final

from ai_addons.features.collection_analysis.chance import chance_unpaid, customer_habit, recent, shop_habit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from ai_addons.features.collection_analysis.chance import Habit
    from ai_addons.features.collection_analysis.models import (
        Action,
        CollectionPolicy,
        OpenInvoice,
        ReasonCode,
        Receivables,
        SettledInvoice,
    )

_PLACES: Final = Decimal("0.0001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What one customer owes, and what is known about it.

    Attributes:
        ref: The shop's reference.
        outstanding: Owed in all, in GHS.
        overdue: Past due, in GHS.
        days_overdue: Of the oldest open bill; 0 if none is overdue.
        expected: Likely past due and unpaid in 14 days, in GHS, not rounded.
        habit: How the customer pays.
        disputed: Whether any open bill is disputed.
        promised: Whether a promised day has not passed.
        paid_today: Whether a bill was paid in full on the day of the figures.
        broken_promises: The most on one bill; one promise often covers several bills.
        unanswered: The most on one bill, for the same reason.
    """

    ref: str
    outstanding: Decimal
    overdue: Decimal
    days_overdue: int
    expected: Decimal
    habit: Habit
    disputed: bool
    promised: bool
    paid_today: bool
    broken_promises: int
    unanswered: int

    @property
    def chance(self) -> Decimal:
        """The chance for an owed cedi: expected unpaid / owed."""
        return (self.expected / self.outstanding).quantize(_PLACES, ROUND_HALF_UP)

    @property
    def paused(self) -> bool:
        """Whether the customer is left alone for now."""
        return self.disputed or self.promised or self.paid_today


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A customer with a place and an action.

    Attributes:
        standing: What is owed.
        rank: 1 is first.
        action: What to do next.
        reason: The rule that chose it.
    """

    standing: Standing
    rank: int
    action: Action
    reason: ReasonCode


def standings(receivables: Receivables, policy: CollectionPolicy) -> tuple[Standing, ...]:
    """Every customer who owes, by reference."""
    settled = recent(receivables.settled_invoices, receivables.as_of)
    shop = shop_habit(settled, policy)
    history: dict[str, list[SettledInvoice]] = defaultdict(list)
    for bill in settled:
        history[bill.customer_ref].append(bill)
    owed = _by_customer(receivables.open_invoices)
    today = {bill.customer_ref for bill in receivables.settled_invoices if bill.paid == receivables.as_of}
    return tuple(
        standing(ref, owed[ref], customer_habit(history[ref], shop), receivables.as_of, paid_today=ref in today)
        for ref in sorted(owed)
    )


def _by_customer(bills: Iterable[OpenInvoice]) -> Mapping[str, list[OpenInvoice]]:
    """The bills on which something is owed."""
    owed: dict[str, list[OpenInvoice]] = defaultdict(list)
    for bill in bills:
        if bill.outstanding > 0:
            owed[bill.customer_ref].append(bill)
    return owed


def standing(ref: str, bills: Sequence[OpenInvoice], habit: Habit, as_of: date, *, paid_today: bool) -> Standing:
    """One customer's open bills taken together: one call covers them all."""
    aged = [((as_of - bill.due).days, bill.outstanding) for bill in bills]
    return Standing(
        ref=ref,
        outstanding=sum((owed for _, owed in aged), Decimal(0)),
        overdue=sum((owed for days, owed in aged if days > 0), Decimal(0)),
        days_overdue=max(0, *(days for days, _ in aged)),
        expected=sum((chance_unpaid(habit, days) * owed for days, owed in aged), Decimal(0)),
        habit=habit,
        disputed=any(bill.dispute for bill in bills),
        promised=any(bill.promise_date is not None and bill.promise_date >= as_of for bill in bills),
        paid_today=paid_today,
        broken_promises=max(bill.broken_promises for bill in bills),
        unanswered=max(bill.unanswered_contacts for bill in bills),
    )


def ranked(found: Sequence[Standing], policy: CollectionPolicy, calls: int) -> tuple[Placed, ...]:
    """Everybody in order: most expected unpaid money first, paused customers last, ties by reference.

    Args:
        found: Who owes.
        policy: The shop's rules.
        calls: How many calls are possible.
    """
    large = largest(found, policy.visit_top_share)
    ordered = sorted(found, key=lambda one: (one.paused, -one.expected, one.ref))
    return tuple(
        Placed(standing=one, rank=rank, action=action, reason=reason)
        for rank, one in enumerate(ordered, 1)
        for action, reason in [act(one, policy, large=one.ref in large, within=rank <= calls)]
    )


def largest(found: Sequence[Standing], share: Decimal) -> frozenset[str]:
    """The references of the top share of customers by what they owe, rounded up, ties by reference."""
    by_amount = sorted(found, key=lambda one: (-one.outstanding, one.ref))
    return frozenset(one.ref for one in by_amount[: math.ceil(share * len(found))])


def act(one: Standing, policy: CollectionPolicy, *, large: bool, within: bool) -> tuple[Action, ReasonCode]:
    """The first rule that fits, set by hand.

    Args:
        one: The customer.
        policy: The shop's rules.
        large: Whether the customer is among those who owe most.
        within: Whether a call is left for this place in the list.
    """
    visit = large and one.days_overdue > policy.visit_after_days and one.unanswered >= policy.visit_after_unanswered
    rules: tuple[tuple[bool, Action, ReasonCode], ...] = (
        (one.disputed, "pause", "DISPUTE"),
        (one.promised, "pause", "LIVE_PROMISE"),
        (one.paid_today, "pause", "PAID_TODAY"),
        (one.broken_promises >= policy.plan_after_broken_promises, "plan", "BROKEN_PROMISES"),
        (visit, "visit", "UNANSWERED"),
        (within, "call", "WITHIN_CAPACITY"),
        (True, "message", "BEYOND_CAPACITY"),
    )
    return next((action, reason) for fits, action, reason in rules if fits)
