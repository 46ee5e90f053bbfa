"""Packs, policies, rates and the pure rules of burning."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_addons.billing import policy
from ai_addons.billing.grants import PRIORITY, Grant, allocate, burn_key, spend
from ai_addons.billing.packs import PREPAID_PACKS, offers, saving, unit_price
from ai_addons.billing.prepaid import PrepaidPolicy
from ai_addons.billing.rates import static_rate
from ai_addons.catalog import Pack
from ai_addons.errors import BillingError
from ai_addons.money import Credits, Money
from ai_addons.settings import FxSettings

STARTER, VALUE, PRO = PREPAID_PACKS
GRANT = Grant(
    id="1",
    source="purchase",
    ref="order-1",
    amount=Credits(10),
    remaining=Credits(10),
    held=Credits(0),
    priority=PRIORITY["purchase"],
    unit_price=0,
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
    if pays:
        assert allocate([grant], Credits(1), now) == [(grant, Credits(1))]
    else:
        with pytest.raises(
            BillingError, match=r"^This wallet's grants .* Nothing was charged\. Run `ai-addons doctor`\.$"
        ):
            allocate([grant], Credits(1), now)


@given(
    free=st.lists(st.integers(0, 50), max_size=5),
    wanted=st.integers(1, 250),
    used_part=st.integers(0, 100),
)
def test_a_hold_is_spread_and_spent_without_remainder(free: list[int], wanted: int, used_part: int) -> None:
    """Shares add up to the hold, none exceeds its grant, and what is used adds up to the capture."""
    grants = [replace(GRANT, id=str(n), remaining=Credits.from_micro(units)) for n, units in enumerate(free)]
    amount = Credits.from_micro(wanted)
    if wanted > sum(free):
        with pytest.raises(BillingError):
            allocate(grants, amount, 200)
        return
    shares = allocate(grants, amount, 200)
    used = Credits.from_micro(wanted * used_part // 100)
    burnt = spend([share for _, share in shares], used)
    assert sum(share.micro for _, share in shares) == wanted
    assert all(Credits(0) < share <= grant.free for grant, share in shares)
    assert sum(part.micro for part in burnt) == used.micro
    assert all(Credits(0) <= part <= share for part, (_, share) in zip(burnt, shares, strict=True))
