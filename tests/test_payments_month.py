"""Forty days of a town's shops: packs and add-ons paid well, late, twice or never, and books that agree each night."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.books import kept_in, new_url, run_sql
from tests.payments_town import HABITS, WAYS, Town
from tests.sizes import FULL

if TYPE_CHECKING:
    from pathlib import Path

DAYS: Final = 40
SHOPS: Final = 200 if FULL else 25
MICRO_GHS_PER_PESEWA: Final = 10_000
PLAN_MINOR: Final = 5_000
ENDS: Final = {
    "early": ("active", 1),
    "on the day": ("active", 1),
    "in grace": ("active", 1),
    "after grace": ("active", 1),
    "never": ("ended", 0),
    "cancels": ("ended", 0),
}
"""For each habit of `HABITS` the add-on's state after forty days, and the last month that was paid."""


def ask(town: Town, statement: str) -> list[Any]:
    """What raw SQL finds in the books."""
    return run_sql(town.addons._wiring.database, statement)


def total(town: Town, statement: str) -> int:
    """One sum; 0 where there is nothing to add."""
    return int(ask(town, statement)[0][0] or 0)


def check_money(town: Town) -> None:
    """Payers' purses, the gateway, the orders and the grants name the same sums."""
    purses = sum(town.paid.values())
    collected = sum(one.amount for one in town.gateway.desk.payments.all() if one.status == "success")
    orders = dict(
        ask(
            town,
            "SELECT CASE WHEN subscription_id IS NULL THEN 'packs' ELSE 'months' END, SUM(price_minor)"
            " FROM ai_credit_purchases WHERE state = 'successful' GROUP BY 1",
        )
    )
    packs, months = int(orders.get("packs", 0)), int(orders.get("months", 0))
    aside = total(town, "SELECT SUM(paid_minor) FROM ai_payment_quarantine WHERE resolved_at IS NULL")
    assert purses == collected == packs + months + aside
    granted = total(town, "SELECT SUM(paid) FROM ai_credit_grants WHERE source IN ('purchase', 'bonus')")
    assert granted == packs * MICRO_GHS_PER_PESEWA
    assert months == PLAN_MINOR * total(town, "SELECT SUM(paid_through + 1) FROM ai_monthly_addons")
    begun = total(
        town,
        "SELECT SUM(CASE WHEN paid_through < period THEN paid_through ELSE period END + 1) FROM ai_monthly_addons",
    )
    for_months = total(town, "SELECT SUM(paid) FROM ai_credit_grants WHERE source = 'addon'")
    assert for_months == begun * PLAN_MINOR * MICRO_GHS_PER_PESEWA


def check_night(town: Town) -> None:
    """The reconciler leaves only what an operator decides; then every invariant of the books holds."""
    told = town.addons.orders.reconcile()
    town.happened["found by the reconciler"] += told.granted
    town.happened["given up"] = total(town, "SELECT COUNT(*) FROM ai_credit_purchases WHERE state = 'abandoned'")
    assert {one.what for one in told.discrepancies} <= {"quarantined"}, told.discrepancies
    assert town.addons.orders.reconcile().granted == 0
    assert town.addons.doctor().findings == ()
    check_money(town)


@pytest.mark.timeout(1_800 if FULL else 120)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"] if FULL else ["sqlite"])
def test_forty_days_of_a_town_end_each_night_with_books_that_agree(tmp_path: Path, kind: str) -> None:
    """Money handed over is money at the gateway, in paid orders and in grants; every add-on ends as it was paid."""
    with kept_in(kind), closing(Town(new_url(tmp_path), SHOPS, seed=7)) as town:
        for number in range(DAYS):
            town.day(number)
            check_night(town)
        wanted = {*WAYS, "refused", "sent back", "found by the reconciler", "given up"}
        assert {name for name, times in town.happened.items() if times} == wanted
        addons = {
            business: (state, through)
            for business, state, through in ask(town, "SELECT business_id, state, paid_through FROM ai_monthly_addons")
        }
        assert addons == {owner.business: ENDS[owner.habit] for owner in town.owners if owner.habit is not None}
        assert {owner.habit for owner in town.owners} == {None, *HABITS}
        free = ask(town, "SELECT DISTINCT business_id FROM ai_credit_grants WHERE source = 'free_monthly'")
        assert {business for (business,) in free} == {o.business for o in town.owners if o.policy == "hybrid"}
