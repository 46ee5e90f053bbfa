"""The arithmetic of a collection analysis: chances, order, actions, buckets."""

from __future__ import annotations

import math
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ai_addons.features.collection_analysis import (
    Capacity,
    CollectionPolicy,
    MonthEndAmount,
    OpenInvoice,
    Receivables,
    SettledInvoice,
)
from ai_addons.features.collection_analysis.ageing import ageing, bucket_of, roll_rates, share
from ai_addons.features.collection_analysis.chance import Habit, chance_unpaid, customer_habit, recent, shop_habit
from ai_addons.features.collection_analysis.plan import plan_collection
from ai_addons.features.collection_analysis.ranking import largest, standings
from tests.sizes import tries

if TYPE_CHECKING:
    from random import Random

    from ai_addons.features.collection_analysis.plan import Plan

TODAY = date(2026, 11, 20)
POLICY = CollectionPolicy()


def owes(customer: str, overdue: int, amount: str = "100", **changes: Any) -> OpenInvoice:
    """A bill so many days overdue, with a number of its own."""
    due = TODAY - timedelta(days=overdue)
    ref = changes.pop("ref", f"{customer}/{overdue}/{amount}")
    issued = due - timedelta(days=changes.pop("term", 30))
    return OpenInvoice(ref=ref, customer_ref=customer, issued=issued, due=due, amount=Decimal(amount), **changes)


def paid(customer: str, late: int, *, due_ago: int = 100) -> SettledInvoice:
    """A bill paid so many days late."""
    due = TODAY - timedelta(days=due_ago)
    return SettledInvoice(
        customer_ref=customer, issued=due - timedelta(days=30), due=due, paid=due + timedelta(days=late)
    )


def receivables(*bills: OpenInvoice, calls: int = 10, **changes: Any) -> Receivables:
    """What a shop is owed."""
    base: dict[str, Any] = {
        "as_of": TODAY,
        "open_invoices": bills,
        "capacity": Capacity(calls_per_day=calls, days=1),
    }
    return Receivables(**(base | changes))


def plan(*bills: OpenInvoice, policy: CollectionPolicy = POLICY, **changes: Any) -> Plan:
    """What code makes of it."""
    return plan_collection(receivables(*bills, **changes), policy)


def actions(made: Plan) -> dict[str, tuple[str, str]]:
    """Action and rule by customer, in order."""
    return {one.standing.ref: (one.action, one.reason) for one in made.placed}


amounts = st.decimals("0.01", 9_999_999, places=2)


@st.composite
def shops(draw: st.DrawFn) -> Receivables:
    """Any shop: few customers with many bills, ties, odd amounts."""
    names = st.sampled_from(["Ama", "Kofi", "Esi", "Yaw", "{CB}", "[PERSON_1]", "Abena 7", "Kwame\u200b"])
    many = draw(st.integers(0, 14))
    bills = []
    for number in range(many):
        amount = draw(amounts)
        bills.append(
            owes(
                draw(names),
                draw(st.integers(-60, 400)),
                str(amount),
                ref=f"I{number}",
                term=500,
                paid_so_far=draw(st.sampled_from([Decimal(0), amount, (amount / 2).quantize(Decimal("0.01"))])),
                dispute=draw(st.booleans()),
                promise_date=draw(st.none() | st.dates(TODAY - timedelta(9), TODAY + timedelta(9))),
                broken_promises=draw(st.integers(0, 4)),
                unanswered_contacts=draw(st.integers(0, 4)),
            )
        )
    settled = draw(st.lists(st.builds(paid, names, st.integers(-20, 95), due_ago=st.just(95)), max_size=10))
    months = [
        MonthEndAmount(ref=f"I{number}", bucket=draw(st.sampled_from(["current", "days_1_30", "over_90"])), amount=1)
        for number in range(0, many, 2)
    ]
    return receivables(
        *bills,
        calls=draw(st.integers(1, 5)),
        settled_invoices=tuple(settled),
        month_end_buckets=tuple(months),
        credit_sales_90d=draw(st.just(Decimal(0)) | amounts),
    )


@settings(max_examples=tries(200))
@given(shops())
def test_every_plan_adds_up(shop: Receivables) -> None:
    """Buckets, customers and totals are three ways to cut the same money; all shares stay within 0 and 1."""
    made = plan_collection(shop, POLICY)
    owed = sum((bill.outstanding for bill in shop.open_invoices), Decimal(0))
    sums = made.totals
    assert sum((one.amount for one in made.ageing), Decimal(0)) == owed == sums.outstanding
    assert sum((one.standing.outstanding for one in made.placed), Decimal(0)) == owed
    assert sum((one.standing.overdue for one in made.placed), Decimal(0)) == sums.overdue
    assert sum((one.amount for one in made.ageing[1:]), Decimal(0)) == sums.overdue
    assert sum(one.invoices for one in made.ageing) == sums.invoices
    assert 0 <= sums.par60 <= sums.par30 <= 1
    assert 0 <= sums.top_fifth_share <= sums.top_10_share <= 1 or sums.customers > 50
    assert 0 <= sums.expected_unpaid <= sums.outstanding
    assert all(0 <= one.rate <= 1 and one.rolled <= one.month_end_amount for one in made.roll_rates)
    assert all(0 < one.standing.chance <= 1 for one in made.placed)


@settings(max_examples=tries(200))
@given(shops(), st.randoms(use_true_random=False))
def test_every_list_is_in_order_whatever_the_order_of_the_bills(shop: Receivables, draw: Random) -> None:
    """Ranks run from 1, money falls, the paused come last, and shuffled bills give the same list."""
    made = plan_collection(shop, POLICY)
    assert [one.rank for one in made.placed] == list(range(1, len(made.placed) + 1))
    assert [one.standing.paused for one in made.placed] == sorted(one.standing.paused for one in made.placed)
    active = [one.standing.expected for one in made.placed if not one.standing.paused]
    assert active == sorted(active, reverse=True)
    assert all((one.action == "pause") == one.standing.paused for one in made.placed)
    assert sum(one.action == "call" for one in made.placed) <= shop.capacity.calls
    bills, settled = list(shop.open_invoices), list(shop.settled_invoices)
    draw.shuffle(bills)
    draw.shuffle(settled)
    mixed = shop.model_copy(update={"open_invoices": tuple(bills), "settled_invoices": tuple(settled)})
    assert plan_collection(mixed, POLICY).placed == made.placed


@given(
    st.floats(0, 1), st.floats(0, 300), st.integers(-400, 400), st.floats(0, 1), st.floats(0, 50), st.integers(0, 90)
)
def test_a_worse_record_or_an_older_bill_never_lowers_the_chance(
    late: float, mean: float, days: int, more_late: float, more_mean: float, older: int
) -> None:
    """The chance grows with lateness, mean days and age, and stays within 0 and 1."""
    before = chance_unpaid(Habit(n=1, late_share=late, mean_days=mean), days)
    worse = Habit(n=1, late_share=min(1, late + more_late), mean_days=mean + more_mean)
    assert 0 < before <= chance_unpaid(worse, days + older) <= 1


@pytest.mark.parametrize(
    ("late_share", "mean_days", "days", "chance"),
    [
        # exp(-z) by hand: z = -2.2 + 3 x 0.35 + 0.03 x 3 = -1.06; -1.06 + 0.06 x 10 = -0.46; and so on.
        (0.35, 3.0, 0, "0.2573"),
        (0.35, 3.0, 10, "0.3870"),
        (1.0, 20.0, 45, "0.9837"),
        (1.0, 20.0, 400, "0.9837"),
        (0.0, 0.0, -30, "0.0180"),
        (0.0, 0.0, -300, "0.0180"),
    ],
)
def test_the_chance_is_the_formula(late_share: float, mean_days: float, days: int, chance: str) -> None:
    """The weights set by hand, with the days clipped to 30 before and 45 after."""
    habit = Habit(n=0, late_share=late_share, mean_days=mean_days)
    assert chance_unpaid(habit, days) == Decimal(chance)


def test_a_record_is_shrunk_towards_the_shops() -> None:
    """Two bills, one late by 10: (1 + 4 x 0.25) / 6 and (10 + 4 x 5) / 6, by hand."""
    shop = Habit(n=40, late_share=0.25, mean_days=5.0)
    own = customer_habit([paid("Ama", 10), paid("Ama", -3)], shop)
    assert own.n == 2
    assert [own.late_share, own.mean_days] == pytest.approx([2 / 6, 5.0])
    assert customer_habit([], shop) == Habit(n=0, late_share=0.25, mean_days=5.0)


def test_a_shop_without_a_settled_bill_is_assumed() -> None:
    """35 % late and 3 days, or what the policy says."""
    assert shop_habit([], POLICY) == Habit(n=0, late_share=0.35, mean_days=3.0)
    strict = CollectionPolicy(assumed_late_share=Decimal("0.5"), assumed_days_late=Decimal(9))
    assert shop_habit([], strict) == Habit(n=0, late_share=0.5, mean_days=9.0)
    assert shop_habit([paid("Ama", 0), paid("Ama", 8)], POLICY) == Habit(n=2, late_share=0.5, mean_days=4.0)


def test_only_two_years_are_looked_at() -> None:
    """A bill issued 730 days ago counts, one day more does not."""
    kept, gone = paid("Ama", 0, due_ago=700), paid("Ama", 0, due_ago=701)
    assert recent([kept, gone], TODAY) == [kept]
    made = plan(owes("Ama", 1), settled_invoices=(kept, gone))
    assert (made.settled, made.old_settled) == (1, 1)


def test_bills_of_a_customer_are_taken_together() -> None:
    """Three bills, one in part paid, one paid in full and so not owed: sums and the chance by hand."""
    bills = (
        owes("Ama", 10, "100", broken_promises=1),
        owes("Ama", 0, "300", paid_so_far=Decimal(100), unanswered_contacts=3),
        owes("Ama", 99, "50", paid_so_far=Decimal(50), dispute=True),
    )
    (ama,) = standings(receivables(*bills), POLICY)
    assert (ama.outstanding, ama.overdue, ama.days_overdue) == (Decimal(300), Decimal(100), 10)
    assert ama.expected == Decimal("0.3870") * 100 + Decimal("0.2573") * 200
    assert ama.chance == Decimal("0.3005")
    assert (ama.disputed, ama.broken_promises, ama.unanswered) == (False, 1, 3)


LATE = {"unanswered_contacts": 2}


@pytest.mark.parametrize(
    ("bill", "expected"),
    [
        (owes("Ama", 40, "900", dispute=True, promise_date=TODAY), ("pause", "DISPUTE")),
        (owes("Ama", 40, "900", promise_date=TODAY), ("pause", "LIVE_PROMISE")),
        (owes("Ama", 40, "900", promise_date=TODAY - timedelta(1)), ("call", "WITHIN_CAPACITY")),
        (owes("Ama", 40, "900", broken_promises=2, **LATE), ("plan", "BROKEN_PROMISES")),
        (owes("Ama", 40, "900", broken_promises=1, **LATE), ("visit", "UNANSWERED")),
        (owes("Ama", 31, "900", **LATE), ("visit", "UNANSWERED")),
        (owes("Ama", 30, "900", **LATE), ("call", "WITHIN_CAPACITY")),
        (owes("Ama", 31, "900", unanswered_contacts=1), ("call", "WITHIN_CAPACITY")),
        (owes("Ama", 31, "99", **LATE), ("call", "WITHIN_CAPACITY")),
        (owes("Ama", -20, "50"), ("message", "BEYOND_CAPACITY")),
    ],
)
def test_the_first_rule_that_fits_chooses_the_action(bill: OpenInvoice, expected: tuple[str, str]) -> None:
    """Each rule and its edges, among nine others who owe 100 each: only one of ten is in the top tenth."""
    others = [owes(f"Other {letter}", 1) for letter in "ABCDEFGHI"]
    assert actions(plan(bill, *others, calls=9))["Ama"] == expected


def test_a_customer_who_paid_today_is_left_alone() -> None:
    """Chasing somebody who has just paid is the usual failure; two days ago is another matter."""
    bills = (owes("Ama", 40), owes("Kofi", 40))
    settled = (paid("Ama", 10, due_ago=10), paid("Kofi", 10, due_ago=12))
    assert actions(plan(*bills, settled_invoices=settled)) == {
        "Kofi": ("call", "WITHIN_CAPACITY"),
        "Ama": ("pause", "PAID_TODAY"),
    }


def test_equal_money_is_ordered_by_reference_and_calls_run_out() -> None:
    """A tie is settled the same way each time; beyond the calls there are messages."""
    made = plan(*(owes(name, 5) for name in ("Yaw", "Esi", "Ama")), calls=2)
    assert actions(made) == {
        "Ama": ("call", "WITHIN_CAPACITY"),
        "Esi": ("call", "WITHIN_CAPACITY"),
        "Yaw": ("message", "BEYOND_CAPACITY"),
    }


def test_money_is_in_the_order_not_age_alone() -> None:
    """GHS 5,000 five days late comes before GHS 50 ninety days late."""
    assert list(actions(plan(owes("Ama", 90, "50"), owes("Kofi", 5, "5000")))) == ["Kofi", "Ama"]


def test_the_largest_are_rounded_up() -> None:
    """A tenth of eleven customers is two; ties go by reference."""
    found = standings(receivables(*(owes(f"C{n:02}", 1, "100" if n else "200") for n in range(11))), POLICY)
    assert largest(found, Decimal("0.1")) == {"C00", "C01"}
    assert largest(found, Decimal(0)) == frozenset()


@pytest.mark.parametrize(
    ("days", "bucket"),
    [
        (-5, "current"),
        (0, "current"),
        (1, "days_1_30"),
        (30, "days_1_30"),
        (31, "days_31_60"),
        (60, "days_31_60"),
        (61, "days_61_90"),
        (90, "days_61_90"),
        (91, "over_90"),
        (4_000, "over_90"),
    ],
)
def test_buckets_have_their_edges(days: int, bucket: str) -> None:
    """A bill on its due date is current; each bucket ends on its last day."""
    assert bucket_of(days) == bucket


def test_totals_by_hand() -> None:
    """GHS 1,000: 400 current, 300 at 30 days, 200 at 31, 100 at 61."""
    bills = (owes("A", 0, "400"), owes("B", 30, "300"), owes("C", 31, "200"), owes("D", 61, "100"))
    made = plan(*bills, credit_sales_90d=Decimal(2_000))
    sums = made.totals
    assert (sums.outstanding, sums.overdue, sums.invoices) == (Decimal(1_000), Decimal(600), 4)
    assert (sums.customers, sums.customers_overdue) == (4, 3)
    assert (sums.par30, sums.par60) == (Decimal("0.3"), Decimal("0.1"))
    assert sums.dso == 45
    assert (sums.top_10_share, sums.top_fifth_share) == (Decimal(1), Decimal("0.4"))
    assert [one.amount for one in made.ageing] == [400, 300, 200, 100, 0]
    assert [one.share for one in made.ageing] == [
        Decimal("0.4"),
        Decimal("0.3"),
        Decimal("0.2"),
        Decimal("0.1"),
        Decimal(0),
    ]


def test_roll_rates_by_hand() -> None:
    """Of 400 current, 100 rolled; one bill was paid in part since, one in full, one stayed."""
    rows = (
        MonthEndAmount(ref="rolled", bucket="current", amount=Decimal(150)),
        MonthEndAmount(ref="stayed", bucket="current", amount=Decimal(200)),
        MonthEndAmount(ref="paid", bucket="current", amount=Decimal(50)),
        MonthEndAmount(ref="old", bucket="over_90", amount=Decimal(70)),
        MonthEndAmount(ref="grown", bucket="days_1_30", amount=Decimal(30)),
    )
    bills = (
        owes("A", 5, "150", ref="rolled", paid_so_far=Decimal(50)),
        owes("B", 0, "200", ref="stayed"),
        owes("C", 200, "70", ref="old"),
        owes("D", 33, "90", ref="grown"),
    )
    rates: dict[str, tuple[Decimal, Decimal, Decimal]] = {
        one.bucket: (one.month_end_amount, one.rolled, one.rate) for one in roll_rates(rows, bills, TODAY)
    }
    assert rates == {
        "current": (Decimal(400), Decimal(100), Decimal("0.25")),
        # More than was open then cannot have rolled.
        "days_1_30": (Decimal(30), Decimal(30), Decimal(1)),
    }


def test_nothing_owed_is_a_plan_too() -> None:
    """No bill, or none with anything left to pay: zeros, no division by them."""
    for bills in ((), (owes("Ama", 5, "100", paid_so_far=Decimal(100)),)):
        made = plan(*bills)
        assert made.placed == ()
        assert (made.totals.outstanding, made.totals.par30, made.totals.dso) == (Decimal(0), Decimal(0), None)
    assert share(Decimal(1), Decimal(0)) == 0
    assert [one.customers for one in ageing([], TODAY)] == [0] * 5


def test_five_thousand_bills_are_no_trouble() -> None:
    """The largest input is ranked like any other."""
    made = plan(*(owes(f"C{n % 1_000}", n % 120 - 20, "10", ref=f"I{n}") for n in range(5_000)))
    assert (len(made.placed), len(made.listed), len(made.told)) == (1_000, 50, 20)
    assert list(made.told)[:2] == ["CA", "CB"]
    assert made.totals.outstanding == 50_000


def test_the_exact_sum_is_not_the_sum_of_floats() -> None:
    """Ten thousandth parts of a pesewa are kept until the end."""
    made = plan(*(owes("Ama", 0, "0.10", ref=f"I{n}") for n in range(3)))
    (ama,) = made.placed
    assert ama.standing.expected == Decimal("0.07719")
    assert made.totals.expected_unpaid == Decimal("0.08")
    assert math.isclose(float(ama.standing.chance), 0.2573)


@pytest.mark.parametrize(
    "change",
    [
        {"as_of": None},
        {"open_invoices": (owes("A", 1), owes("A", 1))},
        {"open_invoices": (owes("A", -40, term=30),)},
        {"open_invoices": (owes("A", 1, last_contact=TODAY + timedelta(1)),)},
        {"settled_invoices": (paid("A", 10, due_ago=5),)},
        {"month_end_buckets": (MonthEndAmount(ref="x", bucket="current", amount=1),) * 2},
        {"credit_sales_90d": 1.5},
        {"credit_sales_90d": -1},
        {"capacity": {"calls_per_day": 0}},
        {"capacity": {"calls_per_day": 101}},
        {"capacity": {"days": 8}},
        {"customers": 3},
        {"open_invoices": tuple(owes("A", 1, ref=f"I{n}") for n in range(5_001))},
    ],
)
def test_what_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    """Nothing from the future, no bill twice, no float, no unknown field, no more than the limits."""
    with pytest.raises(ValidationError):
        receivables(**change)


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "0"},
        {"paid_so_far": "100.01"},
        {"due": TODAY - timedelta(99)},
        {"customer_ref": ""},
        {"customer_ref": "\u200b"},
        {"customer_ref": "x" * 61},
        {"broken_promises": -1},
        {"phone": "0244123456"},
    ],
)
def test_a_bill_that_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    """More paid than owed, due before issue, a blank customer, an extra field."""
    good = owes("Ama", 1).model_dump()
    with pytest.raises(ValidationError):
        OpenInvoice.model_validate(good | change)
    with pytest.raises(ValidationError, match="before it is issued"):
        SettledInvoice(customer_ref="A", issued=TODAY, due=TODAY - timedelta(1), paid=TODAY)
