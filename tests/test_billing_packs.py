"""Packs, policies, rates and the pure rules of burning."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_addons.billing import policy
from ai_addons.billing.grants import PRIORITY, Grant, burn_key, spend, spread
from ai_addons.billing.margin import CHEAPEST_CREDIT
from ai_addons.billing.packs import (
    ADDON,
    CUSTOM,
    HYBRID_PACKS,
    PREPAID_PACKS,
    cheaper,
    cheapest_unit_price,
    custom,
    extra,
    offers,
    paid_micro_ghs,
    saving,
    share,
    unit_price,
)
from ai_addons.billing.prepaid import PrepaidPolicy
from ai_addons.billing.rates import static_rate
from ai_addons.catalog import Pack
from ai_addons.money import Credits, Money
from ai_addons.settings import FxSettings

if TYPE_CHECKING:
    from collections.abc import Callable

STARTER, VALUE, PRO = PREPAID_PACKS
DOLLARS = Pack(type="ODD", price=Money(30, "USD"), credits=Credits(30))
GRANT = Grant(
    id="1",
    source="purchase",
    ref="order-1",
    amount=Credits(10),
    remaining=Credits(10),
    held=Credits(0),
    priority=PRIORITY["purchase"],
    paid=0,
    effective_at=100,
    expires_at=None,
)


def test_the_prepaid_policy_sells_three_packs_and_gives_a_trial() -> None:
    """What a shop owner sees: packs from cheap to dear, five credits to try."""
    prepaid: policy.Policy = PrepaidPolicy()
    assert (prepaid.name, prepaid.trial) == ("prepaid", Credits(5))
    assert [(pack.type, str(pack.price), pack.credits.short) for pack in prepaid.packs()] == [
        ("STARTER", "GHS 30.00", "30"),
        ("VALUE", "GHS 80.00", "100"),
        ("PRO", "GHS 180.00", "250"),
    ]


def test_the_built_in_policy_has_all_that_the_port_asks_for() -> None:
    """A policy of one's own can be modelled on the built-in one."""
    asked = {name for name in vars(policy.Policy) if not name.startswith("_")}
    assert asked >= {"name", "trial", "packs"}
    assert all(hasattr(PrepaidPolicy(), name) for name in asked)


def test_bonus_credits_are_what_a_pack_gives_beyond_its_price() -> None:
    """VALUE is 80 paid and 20 bonus, PRO 180 and 70; VALUE is the one recommended."""
    assert [pack.credits - pack.bonus for pack in PREPAID_PACKS] == [Credits(30), Credits(80), Credits(180)]
    assert [pack.type for pack in PREPAID_PACKS if pack.recommended] == ["VALUE"]


def test_savings_and_unit_prices_are_derived() -> None:
    """VALUE is 20 % cheaper per credit and PRO 28 %, bonus counted."""
    assert [saving(pack) for pack in PREPAID_PACKS] == [Decimal("0.000"), Decimal("0.200"), Decimal("0.280")]
    assert [unit_price(pack) for pack in PREPAID_PACKS] == [1_000_000, 800_000, 720_000]


def test_the_hybrid_policy_tops_up_with_two_packs() -> None:
    """QUICK for a small gap, and the same VALUE as everywhere, recommended."""
    assert (Pack(type="QUICK", price=Money(30), credits=Credits(30)), VALUE) == HYBRID_PACKS


def test_the_add_on_is_a_hundred_credits_a_month() -> None:
    """GHS 50 a month, at most 50 credits live on, seven days to pay a renewal."""
    assert (ADDON.price, ADDON.credits, ADDON.rollover_cap) == (Money(50), Credits(100), Credits(50))
    assert ADDON.grace_us == 604_800_000_000


def test_bonus_and_saving_are_not_the_same_share() -> None:
    """VALUE is a quarter more credits and a fifth cheaper, PRO 38.9 % more and 28 % cheaper."""
    assert [extra(pack) for pack in PREPAID_PACKS] == [Decimal("0.000"), Decimal("0.250"), Decimal("0.389")]


def test_the_add_on_is_compared_per_credit() -> None:
    """Half the price of STARTER, 37.5 % under VALUE, 30.6 % under PRO; its own saving is against one cedi."""
    assert [cheaper(ADDON, than=pack) for pack in PREPAID_PACKS] == [Decimal("0.5"), Decimal("0.375"), Decimal("0.306")]
    assert (cheaper(STARTER, than=VALUE), saving(ADDON)) == (Decimal("-0.25"), Decimal("0.5"))


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (1, 2_000, "0.001"),
        (999, 2_000_000, "0.000"),
        (-1, 2_000, "0.000"),
        (-3, 4, "-0.750"),
        (2, 3, "0.667"),
        (10**40 + 1, 10**40, "1.000"),
    ],
)
def test_a_share_is_rounded_half_up_to_thousandths(part: int, whole: int, shown: str) -> None:
    """The same figure on every host, whatever its decimal context."""
    with localcontext(prec=1):
        found = share(part, whole)
    assert str(found) == shown


def test_a_grant_keeps_what_was_paid_in_micro_cedis() -> None:
    """GHS 80 is 80,000,000, for a pack as for a month of the add-on."""
    assert [paid_micro_ghs(sold) for sold in (STARTER, VALUE, PRO, ADDON)] == [
        30_000_000,
        80_000_000,
        180_000_000,
        50_000_000,
    ]
    assert paid_micro_ghs(Pack(type="ODD", price=Money("0.01"), credits=Credits(1))) == 10_000


@pytest.mark.parametrize("rule", [paid_micro_ghs, unit_price, saving])
def test_dollars_are_never_taken_for_cedis(rule: Callable[[Pack], object]) -> None:
    """A pack in another currency is refused instead of being booked at a wrong worth."""
    with pytest.raises(ValueError, match="GHS") as refused:
        rule(DOLLARS)
    assert str(refused.value) == (
        "Credits are sold in cedis (GHS), not for USD 30.00. Nothing was charged. Give the price in GHS."
    )


@pytest.mark.parametrize(
    ("amount", "credits"),
    [
        ("10", "10"),
        ("12.34", "12.34"),
        ("79.99", "79.99"),
        ("80", "100"),
        ("80.01", "100.01"),
        ("179.99", "224.98"),
        ("180", "250"),
        ("180.01", "250.01"),
        ("5000", "6944.44"),
    ],
)
def test_a_custom_pack_is_priced_by_its_tier(amount: str, credits: str) -> None:  # noqa: A002  # the field's word
    """1.00 a credit below 80 cedis, 0.80 below 180, 0.72 from there, rounded down to a hundredth, no bonus line."""
    assert custom(CUSTOM, Money(amount)) == Pack(type="CUSTOM", price=Money(amount), credits=Credits(credits))


def test_a_custom_pack_is_exact_at_any_size() -> None:
    """However much is paid, not a hundredth of a credit is lost or made up."""
    pack = replace(CUSTOM, most=Money(10**15))
    assert custom(pack, Money("999999999999999.99")).credits == Credits("1388888888888888.87")


@given(minor=st.integers(1_000, 499_999))
def test_a_cedi_more_never_buys_less(minor: int) -> None:
    """Paying more never gives fewer credits, and a credit is never sold below the lowest tier."""
    less, more = (custom(CUSTOM, Money.from_minor(amount)) for amount in (minor, minor + 1))
    assert less.credits <= more.credits
    assert unit_price(less) >= 720_000


@pytest.mark.parametrize("amount", ["9.99", "5000.01", "0", "-10"])
def test_an_amount_outside_the_bounds_is_refused_in_plain_words(amount: str) -> None:
    """The message names both bounds and what was asked, and says that nothing was charged."""
    with pytest.raises(ValueError, match="custom pack") as refused:
        custom(CUSTOM, Money(amount))
    assert str(refused.value) == (
        f"A custom pack costs GHS 10.00 to GHS 5,000.00, not {Money(amount)}. Nothing was charged. Choose within that."
    )


def test_a_custom_pack_is_paid_in_cedis() -> None:
    """An amount within the bounds in another currency buys nothing."""
    with pytest.raises(ValueError, match=r"not for USD 20\.00"):
        custom(CUSTOM, Money(20, "USD"))


@pytest.mark.parametrize(
    "change",
    [
        {"tiers": ()},
        {"tiers": ((Money("10.01"), 1_000_000),)},
        {"tiers": ((Money(10), 1_000_000), (Money(10), 800_000))},
        {"tiers": ((Money(10), 1_000_000), (Money(80), 0))},
        {"tiers": ((Money(10), -1),)},
        {"quantum": Credits(0)},
        {"quantum": Credits("-0.01")},
        {"quantum": Credits("10.000001")},
        {"tiers": ((Money(10), 1_000_000), (Money(80), 10**12))},
        {"least": Money("5000.01")},
        {"least": Money(0), "tiers": ((Money(0), 1_000_000),)},
    ],
)
def test_a_custom_pack_that_could_sell_nothing_is_refused(change: dict[str, Any]) -> None:
    """A wrong setting is found when it is read, not when an owner has paid for no credits."""
    with pytest.raises(ValueError, match="custom pack") as refused:
        replace(CUSTOM, **change)
    assert str(refused.value) == (
        "A custom pack needs bounds from small to large, a quantum, and tiers from small to large with a price above "
        "zero, the first at or below its smallest amount; each must buy at least one quantum. Nothing was charged. "
        "Correct the custom pack."
    )


@pytest.mark.parametrize(
    "change",
    [
        {"least": Money(5_000)},
        {"quantum": Credits(10)},
        {"tiers": ((Money(0), 1_000_000),)},
        {"tiers": ((Money(10), 1),)},
        {"tiers": ((Money(10), 1_000_000), (Money(80), 800_000_000))},
    ],
)
def test_a_custom_pack_may_go_to_its_bounds(change: dict[str, Any]) -> None:
    """Bounds that meet, a coarse quantum and tiers from zero are the operator's choice."""
    pack = replace(CUSTOM, **change)
    assert custom(pack, pack.least).credits > Credits(0)


@pytest.mark.parametrize(
    "change", [{"least": Money(10, "USD")}, {"most": Money(99, "USD")}, {"tiers": ((Money(10, "USD"), 1),)}]
)
def test_the_bounds_of_a_custom_pack_are_in_cedis(change: dict[str, Any]) -> None:
    """Each of its amounts is checked."""
    with pytest.raises(ValueError, match=r"^Credits are sold in cedis"):
        replace(CUSTOM, **change)


def test_the_cheapest_credit_on_sale_is_found() -> None:
    """Floors are measured at the least that any pack, add-on or tier brings."""
    assert cheapest_unit_price(PREPAID_PACKS) == 720_000
    assert cheapest_unit_price((*HYBRID_PACKS, ADDON), CUSTOM) == CHEAPEST_CREDIT == 500_000
    assert cheapest_unit_price(HYBRID_PACKS, CUSTOM) == 720_000
    assert cheapest_unit_price(()) is None


@pytest.mark.parametrize(
    ("short", "offered"),
    [
        ("0.1", ["STARTER", "VALUE", "PRO"]),
        ("30", ["STARTER", "VALUE", "PRO"]),
        ("30.000001", ["VALUE", "PRO"]),
        ("100.5", ["PRO"]),
        ("9000", ["PRO"]),
    ],
)
def test_only_packs_that_help_are_offered(short: str, offered: list[str]) -> None:
    """The offers cover the shortfall, cheapest first; if none does, the largest is offered."""
    assert [offer.type for offer in offers(PREPAID_PACKS, Credits(short))] == offered


def test_an_offer_shows_its_pack_as_the_price_page_does() -> None:
    """Name, price, credits and recommendation are the pack's own."""
    assert [
        (offer.type, offer.price, offer.credits, offer.recommended) for offer in offers(PREPAID_PACKS, Credits(1))
    ] == [(pack.type, pack.price, pack.credits, pack.recommended) for pack in PREPAID_PACKS]


@pytest.mark.parametrize(("price", "each"), [("10.00", 3_333_333), ("20000000000.00", 6_666_666_666_666_666)])
def test_a_unit_price_is_rounded_down_to_a_whole_micro_cedi(price: str, each: int) -> None:
    """What a credit brought is never overstated, and exact however dear the pack is."""
    assert unit_price(Pack(type="ODD", price=Money(price), credits=Credits(3))) == each


def test_a_policy_that_sells_nothing_offers_nothing() -> None:
    """No packs, no offers, no crash."""
    assert offers((), Credits(1)) == ()


def test_the_static_rate_carries_its_day() -> None:
    """A cost in cedis can always be traced to a rate and a date."""
    rate = static_rate(FxSettings(ghs_per_usd=Decimal("16.00"), as_of=date(2026, 1, 2)))
    assert (rate.scaled, rate.day, rate.source) == (1_600_000_000, date(2026, 1, 2), "static")


def test_the_burn_order_is_soonest_expiry_then_free_then_oldest() -> None:
    """Credits that would be lost first are used first; never-expiring ones last."""
    never, soon = replace(GRANT, id="never"), replace(GRANT, id="soon", expires_at=500)
    later, trial = replace(GRANT, id="later", expires_at=900), replace(GRANT, id="trial", priority=PRIORITY["trial"])
    old = replace(GRANT, id="a")
    assert [grant.id for grant in sorted([never, later, old, trial, soon], key=burn_key)] == [
        "soon",
        "later",
        "trial",
        "a",
        "never",
    ]


@pytest.mark.parametrize(("now", "pays"), [(99, False), (100, True), (499, True), (500, False), (501, False)])
def test_a_grant_pays_from_its_start_until_its_expiry(now: int, pays: bool) -> None:  # a table column
    """A grant is usable from its first microsecond up to, not including, its expiry."""
    grant = replace(GRANT, expires_at=500)
    assert grant.may_pay("own", now) is pays
    assert spread([grant], Credits(1), feature="own", now=now) == ([(grant, Credits(1))] if pays else [])


def test_a_grant_may_pay_for_some_features_only() -> None:
    """Credits promised for one feature are not spent on another, and the next grant pays."""
    promo = replace(GRANT, id="0", features=("report_summary", "own"))
    assert [promo.may_pay(feature, 200) for feature in ("own", "report_summary", "other")] == [True, True, False]
    assert spread([promo, GRANT], Credits(1), feature="other", now=200) == [(GRANT, Credits(1))]
    assert spread([GRANT, promo], Credits(1), feature="own", now=200) == [(promo, Credits(1))]


def test_a_policy_may_burn_in_its_own_order() -> None:
    """The burn order is an argument, by default the shared one."""
    first, second = replace(GRANT, id="1", priority=10), replace(GRANT, id="2", priority=20)
    backwards = spread(
        [first, second], Credits(12), feature="own", now=200, key=lambda grant: (False, 0, -grant.priority, grant.id)
    )
    assert backwards == [(second, Credits(10)), (first, Credits(2))]


def test_a_used_up_grant_has_earned_exactly_what_was_paid() -> None:
    """GHS 7 for 3 credits are worth 2.333333, 2.333333 and 2.333334, and a returned one what it took."""
    full = replace(GRANT, amount=Credits(3), remaining=Credits(3), paid=7_000_000)
    left = [replace(full, remaining=Credits(count)) for count in (3, 2, 1)]
    assert [grant.worth(Credits(1)) for grant in left] == [2_333_333, 2_333_333, 2_333_334]
    assert (left[2].worth(Credits(-1)), full.worth(Credits(3)), full.unit_price) == (-2_333_333, 7_000_000, 2_333_333)


@given(
    free=st.lists(st.integers(0, 50), max_size=5),
    wanted=st.integers(1, 250),
    used_part=st.integers(0, 100),
)
def test_a_hold_is_spread_and_spent_without_remainder(free: list[int], wanted: int, used_part: int) -> None:
    """Shares add up to the hold or to all there is, none exceeds its grant, and the used parts to the capture."""
    grants = [replace(GRANT, id=str(n), remaining=Credits.from_micro(units)) for n, units in enumerate(free)]
    shares = spread(grants, Credits.from_micro(wanted), feature="own", now=200)
    held = sum(part.micro for _, part in shares)
    assert held == min(wanted, sum(free))
    assert all(Credits(0) < part <= grant.free for grant, part in shares)
    used = Credits.from_micro(held * used_part // 100)
    burnt = spend([part for _, part in shares], used)
    assert sum(part.micro for part in burnt) == used.micro
    assert all(Credits(0) <= part <= most for part, (_, most) in zip(burnt, shares, strict=True))
