"""The two built-in policies: what they sell and what they give."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from ai_addons.billing import grants
from ai_addons.billing.hybrid import HybridAddonPolicy
from ai_addons.billing.packs import ADDON, CUSTOM, HYBRID_PACKS, PREPAID_PACKS
from ai_addons.billing.policy import Account, Due, Give, Policy
from ai_addons.billing.prepaid import PrepaidPolicy
from ai_addons.errors import ConfigError
from ai_addons.money import Credits
from tests.addon_books import grant, us

ACCOUNT: Final = Account(
    business="biz",
    posted=Credits(0),
    held=Credits(0),
    grants=(),
    tz="Africa/Accra",
    anchor_at=us("2027-01-31 10:00"),
    period=-1,
)
POLICIES: Final[list[Policy]] = [PrepaidPolicy(), HybridAddonPolicy()]


def test_the_hybrid_policy_sells_an_add_on_and_top_ups() -> None:
    """QUICK, VALUE, a pack of any size and the add-on; no trial."""
    hybrid: Policy = HybridAddonPolicy()
    assert (hybrid.name, hybrid.trial, hybrid.addon, hybrid.custom) == ("hybrid", Credits(0), ADDON, CUSTOM)
    assert hybrid.packs() == HYBRID_PACKS
    assert [pack.type for pack in hybrid.packs()] == ["QUICK", "VALUE"]


def test_the_prepaid_policy_sells_packs_alone_and_nothing_recurs() -> None:
    """A trial of five, packs and a pack of any size; no add-on, and no work is ever due."""
    prepaid: Policy = PrepaidPolicy()
    assert (prepaid.name, prepaid.trial, prepaid.addon, prepaid.custom) == ("prepaid", Credits(5), None, CUSTOM)
    assert prepaid.packs() == PREPAID_PACKS
    assert prepaid.due(ACCOUNT) is None


@pytest.mark.parametrize(
    ("period", "starts", "ends"),
    [
        (-1, "2027-01-31 10:00", "2027-02-28 10:00"),
        (0, "2027-02-28 10:00", "2027-03-31 10:00"),
        (12, "2028-02-29 10:00", "2028-03-31 10:00"),
    ],
)
def test_each_month_gives_five_free_credits_that_live_for_that_month(period: int, starts: str, ends: str) -> None:
    """Counted from the anchor; what is not used is gone when the next five come, so they never add up."""
    free = Give(source="free_monthly", ref=f"free:{period + 1}", amount=Credits(5), expires_at=us(ends))
    work = HybridAddonPolicy().due(replace(ACCOUNT, period=period))
    assert work == Due(at=us(starts), tasks=(free,), period=period + 1)


def test_free_months_follow_the_business_own_clock() -> None:
    """In London the month keeps its wall time over the change to summer time."""
    work = HybridAddonPolicy().due(replace(ACCOUNT, tz="Europe/London", anchor_at=us("2027-03-15 09:00"), period=0))
    assert work is not None
    assert work.at == us("2027-04-15 08:00")


def test_a_zone_that_is_none_is_a_configuration_error() -> None:
    """No month is guessed."""
    with pytest.raises(ConfigError, match=r"^No time zone is called 'Accra'"):
        HybridAddonPolicy().due(replace(ACCOUNT, tz="Accra"))


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_free_credits_burn_before_the_rollover_then_the_add_on_then_packs(policy: Policy) -> None:
    """With one expiry for all that expires, free goes before paid; packs, which never expire, go last."""
    ends = us("2027-02-28 10:00")
    expected = [
        grant("free_monthly", "free:0", "5", expires_at=ends),
        grant("rollover", "s:0", "50", expires_at=ends),
        grant("addon", "s:0", "100", expires_at=ends),
        grant("purchase", "order:1", "100"),
    ]
    mixed = [expected[n] for n in (3, 1, 0, 2)]
    assert sorted(mixed, key=policy.burn_key) == expected
    assert [policy.burn_key(each) for each in expected] == [grants.burn_key(each) for each in expected]
