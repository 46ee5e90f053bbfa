"""Add-ons whose month falls due while hosts are under load: taken a month before by a card, and looked at after."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from ai_addons.billing.months import starts
from ai_addons.billing.packs import ADDON
from ai_addons.testing import ManualClock
from benchmarks._hosts_child import EMAIL, business_id, open_host
from benchmarks._hosts_servers import fetch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ai_addons.billing.gateways.fake.desk import Desk
    from benchmarks._hosts_child import Orders

_ZONE: Final = "Africa/Accra"
"""Of every business here: the hosts know nothing else of them."""
_MOST: Final = 12
_FREE: Final = 5_000_000
"""Micro-credits that the hybrid policy gives each month."""
_TAKEN: Final = """
    SELECT s.business_id, s.state, s.period, s.paid_through,
      (SELECT COUNT(*) FROM ai_credit_purchases o WHERE o.business_id = s.business_id
        AND o.subscription_id = s.id AND o.kind = 'addon_renewal' AND o.state = 'successful'),
      (SELECT COALESCE(SUM(g.amount), 0) FROM ai_credit_grants g WHERE g.business_id = s.business_id
        AND g.source = 'addon'),
      (SELECT COALESCE(SUM(g.amount), 0) FROM ai_credit_grants g WHERE g.business_id = s.business_id
        AND g.source = 'free_monthly')
    FROM ai_monthly_addons s ORDER BY s.business_id"""
_PAID: Final = "SELECT paid_at FROM ai_credit_purchases WHERE kind = 'addon_renewal' AND paid_at IS NOT NULL"
_REFERENCES: Final = """
    SELECT a.reference, a.business_id FROM ai_payment_attempts a JOIN ai_credit_purchases o
    ON o.business_id = a.business_id AND o.id = a.order_id WHERE o.kind = 'addon_renewal'"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """An add-on at the end, beside what its gateway collected.

    Attributes:
        business: Whose.
        state: What the books say of it.
        period: Number of its month.
        paid_through: Number of the last month that is paid.
        orders: Renewals that the books have as paid.
        addon: Micro-credits given for months of the add-on.
        free: Micro-credits given with the base subscription.
        charges: How much each payment for a renewal took at the gateway, in pesewas.
    """

    business: str
    state: str
    period: int
    paid_through: int
    orders: int
    addon: int
    free: int
    charges: tuple[int, ...]

    def faults(self, months: int) -> list[str]:
        """What is not as it must be once so many months were due after the first."""
        wanted: dict[str, tuple[object, object]] = {
            "state": (self.state, "active"),
            "month": (self.period, months),
            "paid through": (self.paid_through, months),
            "paid renewals": (self.orders, months),
            "charges": (self.charges, (ADDON.price.minor,) * months),
            "credits of the add-on": (self.addon, ADDON.credits.micro * (months + 1)),
            "free credits": (self.free, _FREE * (months + 1)),
        }
        return [f"{self.business}: {what} {found}, not {due}" for what, (found, due) in wanted.items() if found != due]


@dataclass(frozen=True, slots=True, kw_only=True)
class Months:
    """What became of the months that fell due.

    Attributes:
        due: How many there were.
        renewed: How many the books have as paid.
        under_load: How many of those were paid while the load lasted; the rest after it, by the next round of the job.
        charged: How many times the gateway took money for one.
        faults: What is not as it must be: a month that was not paid, charged or given exactly once.
    """

    due: int
    renewed: int
    under_load: int
    charged: int
    faults: tuple[str, ...]


def anchor_of(due: int) -> tuple[int, int]:
    """When an add-on must have begun for a month of it to begin at an instant, and which month that is.

    It is the month before, unless that has no such day: what is due on 31 March began in January.

    Args:
        due: UTC microseconds.
    """
    anchors = ((starts(due, _ZONE, -back), back) for back in range(1, _MOST))
    return next((anchor, back) for anchor, back in anchors if starts(anchor, _ZONE, back) == due)


def take(orders: Orders, desk: Desk, due: Sequence[int]) -> dict[str, int]:
    """Let businesses take the add-on by a card, so that a month of each begins at a moment of ours.

    Args:
        orders: As hosts are told.
        desk: The gateway's side.
        due: When the next month of each begins, UTC microseconds; the first is that of business 0.

    Returns:
        How many months of each business are due after the first.
    """
    clock = ManualClock()
    months = dict[str, int]()
    with closing(open_host(orders, clock=clock)) as addons:
        for number, at in enumerate(due):
            business = business_id(number)
            anchor, months[business] = anchor_of(at)
            clock.set(anchor)
            addons.set_policy(business, "hybrid", actor="benchmark")
            reference = addons.orders.start(business, addon=True, email=EMAIL).attempt.reference
            desk.approve(reference, channel="card", save_card=True)
            addons.orders.verify(business, reference)
            for month in range(1, months[business]):
                clock.set(starts(anchor, _ZONE, month))
                addons.sweep()
                addons.orders.renew()
    return months


def look(url: str, desk: Desk, months: Mapping[str, int], *, ended: int) -> Months:
    """The books beside the gateway's own.

    Args:
        url: Of the database.
        desk: The gateway's side.
        months: How many months of each business were due after the first.
        ended: When the load was over, UTC microseconds.
    """
    owners: dict[str, str] = dict(fetch(url, _REFERENCES))
    with desk.lock:
        paid = [(one.reference, one.amount) for one in desk.payments.all() if one.paid_at is not None]
    found = compared(fetch(url, _TAKEN), owners, paid, months)
    return replace(found, under_load=sum(at <= ended for (at,) in fetch(url, _PAID)))


def compared(
    rows: Iterable[Sequence[Any]],
    owners: Mapping[str, str],
    paid: Iterable[tuple[str, int]],
    months: Mapping[str, int],
) -> Months:
    """What `look` finds, of what it read; not yet when it was paid.

    Args:
        rows: Add-ons, as `Taken` has them but for the charges.
        owners: Whose renewal a reference pays.
        paid: Reference and pesewas of each payment at the gateway.
        months: How many months of each business were due after the first.
    """
    charges = dict[str, list[int]]()
    for reference, amount in paid:
        if reference in owners:
            charges.setdefault(owners[reference], []).append(amount)
    taken = [
        Taken(
            business=str(business),
            state=str(state),
            period=int(period),
            paid_through=int(paid_through),
            orders=int(renewals),
            addon=int(addon),
            free=int(free),
            charges=tuple(charges.get(str(business), ())),
        )
        for business, state, period, paid_through, renewals, addon, free in rows
    ]
    known = Counter(one.business for one in taken)
    twice = [f"{business}: {known[business]} add-ons, not 1" for business in months if known[business] != 1]
    return Months(
        due=sum(months.values()),
        renewed=sum(one.orders for one in taken),
        under_load=0,
        charged=sum(len(one.charges) for one in taken),
        faults=(*twice, *(fault for one in taken for fault in one.faults(months.get(one.business, 0)))),
    )
