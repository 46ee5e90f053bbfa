"""KPIs of money: payments granted, orders paid, what is left of the revenue. Pure."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ai_addons.billing.kpis.intervals import share_of
from ai_addons.billing.kpis.shape import Kpi, share_kpi, unsupplied
from ai_addons.money import MicroGhs, ghs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_addons.billing.kpis.facts import Facts

PAID_OUT: Final = Decimal("0.98")
MARGIN: Final = Decimal("0.60")


def payments(facts: Facts) -> Iterator[Kpi]:
    """Payments that gateways confirmed, and whether each was granted once and soon."""
    key, name = "payments_granted", "Confirmed payments granted once within 5 minutes"
    score = facts.payments
    if score is None:
        note = (
            f"Only the gateways know all confirmed payments: ask them. Our own rows have {facts.granted} granted ones."
        )
        yield unsupplied(facts, key, name, PAID_OUT, note)
    else:
        note = f"By the gateways' own lists, a day late; {score.missing} were not granted at all."
        counts = score.in_time, score.confirmed
        yield share_kpi(facts, key, name, counts, PAID_OUT, note=note, until=facts.scored_until)


def conversion(facts: Facts) -> Iterator[Kpi]:
    """Orders that were paid, by method, and why attempts came to nothing."""
    note = "By order, a day late. What the payer declines or lets lapse is in it."
    for one in facts.conversion:
        method = one.method or "not chosen"
        counts, until = (one.paid, one.initiated), facts.scored_until
        name = f"Orders paid, {method}"
        yield share_kpi(facts, "payment_conversion", name, counts, None, part=method, note=note, until=until)


def refusals(facts: Facts) -> Iterator[Kpi]:
    """Why attempts to pay came to nothing, by method."""
    totals = Counter[str]()
    for miss in facts.refusals:
        totals[miss.method] += miss.attempts
    for miss in facts.refusals:
        method = miss.method or "not chosen"
        counts, part = (miss.attempts, totals[miss.method]), f"{method}: {miss.reason}"
        name = f"Attempts that came to nothing, {part}"
        until = facts.scored_until
        yield share_kpi(facts, "payment_refusals", name, counts, None, part=part, note="Of those.", until=until)


def margin(facts: Facts) -> Iterator[Kpi]:
    """What is left of the revenue of the credits used."""
    total = facts.margins.total
    revenue, profit = total.revenue - total.tax, total.revenue - total.tax - total.fee - total.cost
    known = revenue > 0 and not total.unpriced
    value = share_of(profit, revenue) if known else None
    unpriced = f" {total.unpriced} calls of unknown cost: no margin is made up." if total.unpriced else ""
    yield Kpi(
        key="margin",
        name="Margin of the credits used",
        since=facts.since,
        until=facts.until,
        numerator=ghs(MicroGhs(profit)),
        denominator=ghs(MicroGhs(revenue)),
        value=value,
        target=MARGIN,
        verdict="not enough data" if value is None else "met" if value > MARGIN else "not met",
        note="Cedis, by the grants that paid, after the gateway's fee, at the booked exchange rates. "
        f"A ratio of sums, so it has no interval.{unpriced}",
    )
