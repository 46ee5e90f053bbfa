"""Prices and packs with effective dates, and the floor under prices."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_addons.billing.margin import loaded_margin
from ai_addons.billing.packs import PREPAID_PACKS
from ai_addons.billing.prices import (
    FloorVerdict,
    PackVersion,
    PriceVersion,
    allowed_cost,
    check_floor,
    in_force,
    loaded_cost,
    packs_in_force,
    prices_in_force,
    round_up,
)
from ai_addons.catalog import Pack
from ai_addons.money import Credits, MicroGhs, Money

STARTER, VALUE, PRO = PREPAID_PACKS
PRICE = PriceVersion(
    feature="report_summary",
    credits=Credits("0.2"),
    effective_from=100,
    quantum=Credits("0.1"),
    expected_cost=MicroGhs(3_220),
    loss_leader=False,
    published_at=50,
    actor="u_1",
)
PACK = PackVersion(pack=VALUE, effective_from=100, withdrawn=False, published_at=50, actor="u_1")


def check(price: str, cost: int | None, **change: Any) -> FloorVerdict:
    """A price at GHS 0.50 a credit, floor 0 and target 90 % unless told otherwise."""
    options = {"floor_margin": Decimal(0), "target_margin": Decimal("0.90")} | change
    return check_floor(Credits(price), None if cost is None else MicroGhs(cost), **options)


@pytest.mark.parametrize(("at", "credits"), [(99, None), (100, "0.2"), (199, "0.2"), (200, "0.3"), (10**15, "0.3")])
def test_a_price_holds_from_its_first_microsecond_until_the_next(at: int, credits: str | None) -> None:  # noqa: A002  # the field's word
    """The latest version begun is the price, whatever the order they were published in."""
    later = replace(PRICE, credits=Credits("0.3"), effective_from=200)
    for versions in ([PRICE, later], [later, PRICE]):
        found = in_force(versions, at)
        assert (found and found.credits) == (credits and Credits(credits))


def test_of_two_prices_from_one_instant_the_one_published_later_holds() -> None:
    """A correction wins over what it corrects, but a later beginning wins over a later publication."""
    fixed = replace(PRICE, credits=Credits("0.4"), published_at=60)
    assert in_force([fixed, PRICE], 100) == fixed
    assert in_force([fixed, replace(PRICE, effective_from=101)], 101) == replace(PRICE, effective_from=101)


def test_each_feature_has_its_own_price_or_none() -> None:
    """A free feature is listed at zero; one whose price has not begun is not listed at all."""
    free = replace(PRICE, feature="own", credits=Credits(0))
    future = replace(PRICE, feature="soon", effective_from=101)
    dearer = replace(PRICE, credits=Credits("0.3"), effective_from=99)
    assert prices_in_force([free, future, dearer, PRICE], 100) == {"own": free, "report_summary": PRICE}
    assert prices_in_force([], 100) == {}


@pytest.mark.parametrize(
    ("change", "sound"),
    [
        ({"credits": Credits(0)}, True),
        ({"credits": Credits("-0.000001")}, False),
        ({"quantum": Credits("0.000001")}, True),
        ({"quantum": Credits(0)}, False),
        ({"expected_cost": None}, True),
        ({"expected_cost": MicroGhs(0)}, True),
        ({"expected_cost": MicroGhs(-1)}, False),
    ],
)
def test_a_price_is_never_negative(change: dict[str, Any], sound: bool) -> None:  # a table column
    """Free is a price and unknown is a cost; less than nothing is neither."""
    if sound:
        assert in_force([replace(PRICE, **change)], 100) == replace(PRICE, **change)
        return
    with pytest.raises(ValueError, match="price") as refused:
        replace(PRICE, **change)
    assert str(refused.value) == (
        "The price of 'report_summary' was not published and nothing was charged: price and expected cost must not be "
        "negative, and the quantum must be above zero. Correct them."
    )


def test_list_packs_are_sold_until_a_version_says_otherwise() -> None:
    """Without versions, and before they begin, the list is the offer, cheapest first."""
    assert packs_in_force((PRO, STARTER, VALUE), (), 100) == PREPAID_PACKS
    assert packs_in_force(PREPAID_PACKS, (replace(PACK, withdrawn=True),), 99) == PREPAID_PACKS


def test_a_version_replaces_adds_or_withdraws_a_pack() -> None:
    """One pack type is on sale once, at the terms of its latest version."""
    sale = replace(PACK, pack=replace(VALUE, price=Money(20)))
    mini = replace(PACK, pack=Pack(type="MINI", price=Money(25), credits=Credits(24)))
    gone = replace(PACK, pack=PRO, withdrawn=True)
    assert packs_in_force(PREPAID_PACKS, (sale, mini, gone), 100) == (sale.pack, mini.pack, STARTER)


def test_a_withdrawn_pack_can_come_back() -> None:
    """Only the version in force counts."""
    gone, back = replace(PACK, withdrawn=True), replace(PACK, effective_from=200)
    assert packs_in_force((VALUE,), (gone, back), 199) == ()
    assert packs_in_force((VALUE,), (gone, back), 200) == (VALUE,)


def test_packs_of_one_price_stand_with_the_larger_last() -> None:
    """The last pack of a list is its largest, and the order never depends on chance."""
    small, large = (Pack(type=name, price=Money(30), credits=Credits(size)) for name, size in (("Z", 20), ("A", 40)))
    twin = replace(large, type="B")
    assert packs_in_force((twin, large, small), (), 0) == (small, large, twin)


@pytest.mark.parametrize(
    ("change", "sound"),
    [
        ({"price": Money("0.01")}, True),
        ({"price": Money(0)}, False),
        ({"price": Money(80, "USD")}, False),
        ({"bonus": Credits(0)}, True),
        ({"bonus": Credits("99.999999")}, True),
        ({"bonus": Credits(100)}, False),
        ({"bonus": Credits("-0.000001")}, False),
        ({"credits": Credits(0), "bonus": Credits(0)}, False),
    ],
)
def test_a_pack_has_a_price_and_bought_credits(change: dict[str, Any], sound: bool) -> None:  # a table column
    """A pack that could not be accounted for is refused before it is on sale."""
    pack = replace(VALUE, **change)
    if sound:
        assert packs_in_force((), (replace(PACK, pack=pack),), 100) == (pack,)
        return
    with pytest.raises(ValueError, match="Pack") as refused:
        replace(PACK, pack=pack)
    assert str(refused.value) == (
        "Pack 'VALUE' was not published and nothing was charged: it needs a price in cedis (GHS) above zero, and a "
        "bonus from zero to less than all its credits. Correct them."
    )


@pytest.mark.parametrize(
    ("price", "quantum", "published"),
    [
        ("0", "0.1", "0"),
        ("0.000001", "0.1", "0.1"),
        ("0.1", "0.1", "0.1"),
        ("0.100001", "0.1", "0.2"),
        ("3.14", "0.25", "3.25"),
        ("3.14", "0.000001", "3.14"),
    ],
)
def test_a_derived_price_is_rounded_up_to_its_quantum(price: str, quantum: str, published: str) -> None:
    """Never below what was worked out, never a whole quantum above it."""
    assert round_up(Credits(price), Credits(quantum)) == Credits(published)


@given(price=st.integers(0, 10**12), quantum=st.integers(1, 10**7))
def test_rounding_up_is_the_least_whole_number_of_quanta(price: int, quantum: int) -> None:
    """What comes out divides by the quantum, covers the price, and is the smallest that does."""
    published = round_up(Credits.from_micro(price), Credits.from_micro(quantum)).micro
    assert published % quantum == 0
    assert price <= published < price + quantum


@pytest.mark.parametrize("quantum", ["0", "-0.1"])
def test_a_price_is_not_rounded_to_nothing(quantum: str) -> None:
    """A quantum that is no step is refused in plain words."""
    with pytest.raises(ValueError, match="price") as refused:
        round_up(Credits(1), Credits(quantum))
    assert str(refused.value) == (
        f"A price cannot be rounded to steps of {quantum} credits. Nothing was charged. Give more than 0."
    )


@pytest.mark.parametrize(
    ("price", "micro"),
    [("0.1", 4_025), ("0.2", 8_050), ("0.5", 20_125), ("3", 120_750), ("4", 161_000), ("5", 201_250), ("0", 0)],
)
def test_the_allowed_cost_at_half_a_cedi_and_ninety_percent(price: str, micro: int) -> None:
    """GHS 0.04025 per credit of price after the gateway fee, on every host."""
    with localcontext(prec=1):
        assert allowed_cost(Credits(price), Decimal("0.90")) == micro


def test_the_allowed_cost_is_a_margin_and_no_mark_up() -> None:
    """It is rounded down, follows fee and unit price, and falls below zero when nothing is left."""
    assert allowed_cost(Credits("0.000003"), Decimal("0.90")) == 0
    assert allowed_cost(Credits(1), Decimal("0.90"), cheapest_unit_price=MicroGhs(720_000)) == 57_960
    assert allowed_cost(Credits(1), Decimal("0.90"), fee=Decimal(0)) == 50_000
    assert allowed_cost(Credits(1), Decimal("0.99")) == -4_750


@pytest.mark.parametrize(("cost", "loaded"), [(0, 0), (1, 2), (4, 5), (3_220, 4_025), (3_221, 4_027)])
def test_retries_and_repairs_cost_a_quarter_more(cost: int, loaded: int) -> None:
    """A cost is rounded up, so that no loss hides in a rounding."""
    assert loaded_cost(MicroGhs(cost)) == loaded


@pytest.mark.parametrize(
    ("cost", "outcome", "reason", "margin"),
    [
        (0, "ok", "within_target", "0.980"),
        (3_220, "ok", "within_target", "0.900"),
        (3_221, "warn", "below_target", "0.899"),
        (39_220, "warn", "below_target", "0.000"),
        (39_221, "refuse", "below_floor", "-0.001"),
    ],
)
def test_a_price_is_judged_against_floor_and_target(cost: int, outcome: str, reason: str, margin: str) -> None:
    """At 0.1 credits: fine to GHS 0.004025 a call with retries, a warning to 0.049025, refused above."""
    verdict = check("0.1", cost)
    assert (verdict.outcome, verdict.reason, str(verdict.margin)) == (outcome, reason, margin)
    assert (verdict.price, verdict.cost) == (Credits("0.1"), loaded_cost(MicroGhs(cost)))
    assert (verdict.floor, verdict.target) == (49_025, 4_025)


def test_a_floor_above_the_target_still_counts() -> None:
    """Settings that contradict each other are read strictly."""
    odd = {"floor_margin": Decimal("0.90"), "target_margin": Decimal("0.60")}
    assert [check("0.1", cost, **odd).outcome for cost in (3_220, 3_221)] == ["ok", "refuse"]


def test_fee_and_unit_price_reach_both_limits_and_the_margin() -> None:
    """A verdict is given for the credit and the gateway it was asked for."""
    verdict = check("1", 80_000, fee=Decimal("0.05"), cheapest_unit_price=MicroGhs(800_000))
    assert (verdict.floor, verdict.target, verdict.margin) == (760_000, 40_000, Decimal("0.825"))
    assert verdict.reason == "below_target"


@pytest.mark.parametrize("price", ["0", "0.1"])
@pytest.mark.parametrize("leader", [False, True])
def test_an_unknown_cost_is_always_shown(price: str, leader: bool) -> None:  # a table column
    """Unknown is neither zero nor fine, whatever the price and whatever was flagged."""
    verdict = check(price, None, loss_leader=leader)
    assert (verdict.outcome, verdict.reason, verdict.cost, verdict.margin) == ("warn", "unknown_cost", None, None)


@pytest.mark.parametrize(
    ("cost", "leader", "outcome", "reason"),
    [
        (0, False, "ok", "within_target"),
        (1, False, "refuse", "below_floor"),
        (1, True, "ok", "loss_leader"),
    ],
)
def test_a_free_feature_is_a_loss_leader_unless_it_costs_nothing(
    cost: int, leader: bool, outcome: str, reason: str
) -> None:
    """Free is a price like any other: giving away what costs money has to be meant."""
    verdict = check("0", cost, loss_leader=leader)
    assert (verdict.outcome, verdict.reason, verdict.margin) == (outcome, reason, None)


@pytest.mark.parametrize(("cost", "reason"), [(3_220, "within_target"), (3_221, "loss_leader"), (10**9, "loss_leader")])
def test_a_loss_leader_passes_with_a_note(cost: int, reason: str) -> None:
    """What is meant is let through and told; where there is no loss there is no note."""
    verdict = check("0.1", cost, loss_leader=True)
    assert (verdict.outcome, verdict.reason) == ("ok", reason)


@pytest.mark.parametrize(
    ("cost", "leader", "message"),
    [
        (3_220, False, "At 0.1 credits a call may cost GHS 0.004025 and is expected to cost GHS 0.004025."),
        (
            4_000,
            False,
            (
                "At 0.1 credits a call should cost at most GHS 0.004025 and is expected to cost GHS 0.005000. The "
                "price can be published; nothing was charged. Raise it or choose a cheaper model to reach the target "
                "margin."
            ),
        ),
        (
            40_000,
            False,
            (
                "At 0.1 credits a call may cost at most GHS 0.049025 and is expected to cost GHS 0.050000. The price "
                "cannot be published; nothing was charged. Raise it, choose a cheaper model, or publish it as a loss "
                "leader."
            ),
        ),
        (
            40_000,
            True,
            (
                "A loss leader: at 0.1 credits a call should cost at most GHS 0.004025 and is expected to cost "
                "GHS 0.050000. It is published as it is meant."
            ),
        ),
        (
            None,
            False,
            (
                "At 0.1 credits a call may cost at most GHS 0.049025, and what it will cost is unknown, so a loss "
                "would not be seen. The price can be published; nothing was charged. Give the expected tokens and the "
                "model's price."
            ),
        ),
    ],
)
def test_a_verdict_says_the_numbers_and_what_to_do(cost: int | None, leader: bool, message: str) -> None:  # a column
    """An operator reads limit, cost, consequence and remedy in one message."""
    assert check("0.1", cost, loss_leader=leader).message == message


@given(price=st.integers(1, 10**8), cost=st.integers(0, 10**8))
def test_the_verdict_agrees_with_the_margin_shown_by_the_check(price: int, cost: int) -> None:
    """What passes at 90 % keeps 90 %; what is refused at 0 keeps nothing, but for one rounding of a micro-cedi."""
    margin = loaded_margin(Credits.from_micro(price * 1_000), MicroGhs(cost))
    verdict = check(str(Decimal(price) / 1_000), cost)
    assert margin is not None
    assert verdict.margin is not None
    assert (verdict.outcome == "ok") <= (margin >= Decimal("0.900") and verdict.margin >= Decimal("0.900"))
    assert (verdict.outcome == "refuse") <= (verdict.margin <= 0)
    assert abs(margin - verdict.margin) <= Decimal("0.003")
