"""`AddOns` as a host's back office uses it: trials, terms of a business, prices, reports and the books."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import pytest

from ai_addons import (
    AddOns,
    ConfigError,
    Credits,
    IdempotencyConflict,
    InsufficientCreditsError,
    LimitReached,
    Money,
    Prompt,
    Settings,
    TrialClaimed,
    UnknownPlugin,
    billed_feature,
)
from ai_addons.billing.periods import in_micros
from ai_addons.billing.profile import BusinessProfile
from ai_addons.billing.storefronts import STOREFRONT_PLAN
from ai_addons.catalog import Pack, Registry, declared
from ai_addons.errors import AddonNotOffered, NotEnabled, Paused, PriceBelowFloor, WalletSuspended
from ai_addons.events import WalletEvent
from ai_addons.testing import FakeLlm, ManualClock, kit_settings
from ai_addons.wiring import Wiring

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ai_addons.events import Event
    from ai_addons.feature import Feature

ACTOR: Final = "ama@pos.example"
DAY: Final = 86_400_000_000
START: Final = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ManualClock().now())
NEW_YORK: Final = "America/New_York"
OLD_SECRET: Final = "a secret from last year, long enough"
NEW_SECRET: Final = "a secret from this year, long enough"


@pytest.fixture
def market_cry() -> Feature[[int], str]:
    """A feature of the host's own, at 5 credits."""

    @billed_feature("market_cry", credits="5", cache=None)
    def market_cry(number: int) -> Prompt:
        """Write a market_cry."""
        return Prompt(user=f"Slogan number {number}?")

    return market_cry


def shop(clock: ManualClock | None = None, *, settings: Settings | None = None, **options: Any) -> AddOns:
    """A host's object, on a model that answers anything."""
    chosen = kit_settings() if settings is None else settings
    defaults: dict[str, Any] = {"llm": FakeLlm(), "environ": {}}
    return AddOns(chosen, clock=clock or ManualClock(), **defaults | options)


def kept_in(folder: Path, **changes: Any) -> Settings:
    """Settings of a test whose books are a file."""
    return kit_settings(store={"url": f"sqlite:///{folder / 'books.db'}"}, **changes)


def call(addons: AddOns, feature: Feature[[int], str], number: int = 1, business: str = "b", user: str = "u") -> Any:
    """One call, with its receipt."""
    return feature.options(addons=addons, business=business, user=user).billed(number)


# What the host knows of a business.


class Host:
    """The host's own records, and what happens when it is asked."""

    def __init__(self, profile: BusinessProfile, while_asked: Callable[[], object] = lambda: None) -> None:
        self.profile, self.while_asked = profile, while_asked
        self.asked: list[str] = []

    def __call__(self, business: str) -> BusinessProfile:
        self.asked.append(business)
        self.while_asked()
        return self.profile


def test_a_business_is_asked_about_once(ai_clock: ManualClock, market_cry: Feature[[int], str]) -> None:
    """Its zone and date are kept with its wallet; no call, grant or report asks again."""
    host = Host(BusinessProfile(tz=NEW_YORK))
    with closing(shop(ai_clock, profile=host)) as addons:
        addons.wallet("b")
        assert host.asked == []
        addons.grant("b", 20, source="adjustment", ref="r")
        assert host.asked == ["b"]
        call(addons, market_cry)
        addons.adjust("b", 1, ref="a", actor=ACTOR, reason="r")
        addons.set_policy("b", "hybrid", actor=ACTOR)
        addons.subscriptions.subscribe("b", paid=True)
        addons.usage("b")
        addons.statement("b", date(2026, 1, 1), date(2027, 1, 1))
        addons.sweep()
        assert host.asked == ["b"]
        addons.grant("c", 20, source="adjustment", ref="r")
        assert host.asked == ["b", "c"]


def test_a_new_business_lives_in_the_zone_of_its_profile(
    ai_clock: ManualClock, market_cry: Feature[[int], str]
) -> None:
    """Two in the morning in Accra is the evening before in New York, in reports and statements."""
    ai_clock.set(in_micros(datetime(2027, 3, 10, 2, tzinfo=UTC)) or 0)
    with closing(shop(ai_clock, profile=Host(BusinessProfile(tz=NEW_YORK)))) as addons:
        assert addons.statement("unseen", date(2027, 3, 9), date(2027, 3, 9)).tz == NEW_YORK
        addons.grant("b", 20, source="adjustment", ref="r")
        call(addons, market_cry)
        (used,) = addons.usage_by_day("b", date(2027, 3, 1), date(2027, 3, 31))
        assert used.day == date(2027, 3, 9)
        assert addons.statement("b", date(2027, 3, 9), date(2027, 3, 9)).closing == Credits(15)
        assert addons.statement("b", date(2027, 3, 10), date(2027, 3, 10)).opening == Credits(15)


def test_months_are_counted_from_the_date_of_the_profile(ai_clock: ManualClock) -> None:
    """Free credits of a month end where the host's own subscription turns, not a month after the first contact."""
    since = ai_clock.now() - 10 * DAY
    host = Host(BusinessProfile(subscribed_since=since))
    settings = kit_settings(billing={"policy": "hybrid"})
    with closing(shop(ai_clock, settings=settings, profile=host)) as addons:
        (free,) = addons.wallet("b").grants
        # 11 September to 11 October.
        assert free.expires_at == since + 30 * DAY
        ai_clock.set(since + 30 * DAY - 1)
        assert addons.wallet("b").grants == (free,)
        ai_clock.set(since + 30 * DAY)
        (following,) = addons.wallet("b").grants
        assert (following.amount, following.effective_at) == (Credits(5), since + 30 * DAY)


def test_the_host_is_asked_outside_of_any_transaction(tmp_path: Path, ai_clock: ManualClock) -> None:
    """While a host looks a business up, however slowly, everybody else can book."""
    settings = kept_in(tmp_path)
    with closing(shop(ai_clock, settings=settings)) as other:
        host = Host(BusinessProfile(), while_asked=lambda: other.grant("c", 7, source="adjustment", ref="r"))
        with closing(shop(ai_clock, settings=settings, profile=host)) as addons:
            assert addons.grant("b", 5, source="adjustment", ref="r").balance == Credits(5)
        assert host.asked == ["b"]
        assert other.wallet("c").available == Credits(7)


def test_a_business_that_another_process_met_meanwhile_keeps_what_it_was_given(
    tmp_path: Path, ai_clock: ManualClock
) -> None:
    """Two first contacts at once make one wallet, and both grants are in it."""
    settings = kept_in(tmp_path)
    with closing(shop(ai_clock, settings=settings)) as other:
        host = Host(BusinessProfile(tz=NEW_YORK), while_asked=lambda: other.grant("b", 7, source="promo", ref="r"))
        with closing(shop(ai_clock, settings=settings, profile=host)) as addons:
            assert addons.grant("b", 5, source="adjustment", ref="r").balance == Credits(12)
            assert addons.statement("b", date(2026, 9, 1), date(2026, 9, 30)).tz == "Africa/Accra"
            assert addons.doctor().ok


def test_a_host_that_fails_is_told_and_nothing_is_booked(ai_clock: ManualClock) -> None:
    """The host's own error comes through, and a later try starts from nothing."""
    host = Host(BusinessProfile(), while_asked=lambda: 1 // 0)
    with closing(shop(ai_clock, profile=host)) as addons:
        with pytest.raises(ZeroDivisionError):
            addons.grant("b", 5, source="adjustment", ref="r")
        assert addons.ledger("b") == []
        host.while_asked = lambda: None
        assert not addons.grant("b", 5, source="adjustment", ref="r").replayed


# Trials.


@pytest.mark.parametrize(
    ("given", "again"),
    [
        ({}, {"phone": "+233 24 400 0001"}),
        ({}, {"tax_id": "p0012345678"}),
        ({"phone": "0244000002"}, {"phone": "0244000002"}),
        ({"payment": "card-1"}, {"phone": "0244000009", "payment": "card-1"}),
    ],
)
def test_a_trial_is_claimed_with_all_that_is_known(given: dict[str, str], again: dict[str, str]) -> None:
    """What the host's profile says, what is given, and both: any one of them is recognised in another business."""
    known = {"b": BusinessProfile(phone="0244000001", tax_id="P0012345678")}
    with closing(shop(profile=lambda business: known.get(business, BusinessProfile()))) as addons:
        assert addons.claim_trial("b", **given).balance == Credits(5)
        with pytest.raises(TrialClaimed):
            addons.claim_trial("c", **again)
        assert addons.wallet("c").posted == Credits(0)


def test_a_given_phone_stands_in_place_of_the_profiles() -> None:
    """The number in the profile is not used up when the owner gives another."""
    with closing(shop(profile=lambda _: BusinessProfile(phone="0244000001"))) as addons:
        addons.claim_trial("b", phone="0244000002")
        assert addons.claim_trial("c").grant.amount == Credits(5)


def test_a_trial_of_nobody_is_refused() -> None:
    """With nothing known of the owner a trial could be claimed for ever."""
    with closing(shop()) as addons, pytest.raises(ConfigError, match=r"needs a phone number.*Nothing was granted"):
        addons.claim_trial("b", phone="", tax_id=None)


def test_a_policy_of_the_business_decides_about_its_trial() -> None:
    """The default policy gives a trial and the business's own has none; then none is given, but to the others."""
    with closing(shop()) as addons:
        addons.set_policy("b", "hybrid", actor=ACTOR)
        with pytest.raises(ConfigError, match=r"policy 'hybrid' has no trial. Nothing was granted"):
            addons.claim_trial("b", phone="0244000001")
        assert addons.claim_trial("c", phone="0244000001").balance == Credits(5)


def test_a_rotated_secret_still_knows_old_trials(tmp_path: Path) -> None:
    """Claims under `former_secrets` are recognised; without them a new secret has forgotten them."""
    with closing(shop(settings=kept_in(tmp_path, secret=OLD_SECRET))) as addons:
        addons.claim_trial("b", phone="0244000001", tax_id="P0012345678")
    rotated = kept_in(tmp_path, secret=NEW_SECRET, former_secrets=[OLD_SECRET])
    with closing(shop(settings=rotated)) as addons:
        for known in ({"phone": "024 400 0001"}, {"phone": "0244000002", "tax_id": "P0012345678"}):
            with pytest.raises(TrialClaimed):
                addons.claim_trial("c", **known)
        assert addons.claim_trial("b", phone="0244000001").replayed
        assert not addons.claim_trial("d", phone="0244000003").replayed
    with closing(shop(settings=kept_in(tmp_path, secret=NEW_SECRET))) as addons:
        assert not addons.claim_trial("e", phone="0244000001").replayed


def test_trials_of_a_day_have_their_budget(ai_clock: ManualClock) -> None:
    """Twelve credits are two trials; the third waits for the operator's next day, its phone not used up."""
    settings = kit_settings(billing={"trial_budget": "12"}, limits={"operator_tz": "Asia/Tokyo"})
    ai_clock.set(in_micros(datetime(2027, 3, 10, 14, 59, 59, tzinfo=UTC)) or 0)
    with closing(shop(ai_clock, settings=settings)) as addons:
        for number in (1, 2):
            addons.claim_trial(f"b{number}", phone=f"024400000{number}")
        with pytest.raises(LimitReached, match=r"trials of today are all given out. Nothing was granted"):
            addons.claim_trial("b3", phone="0244000003")
        assert addons.wallet("b3").posted == Credits(0)
        ai_clock.advance(1)  # midnight in Tokyo
        assert addons.claim_trial("b3", phone="0244000003").balance == Credits(5)


# Credits by hand.


def test_a_grant_says_all_that_it_is(ai_clock: ManualClock) -> None:
    """Source, price, dates with any zone, features and priority are kept as given."""
    begins, ends = START + timedelta(hours=1), START.astimezone(timezone(timedelta(hours=5))) + timedelta(days=1)
    with closing(shop(ai_clock)) as addons:
        grant = addons.grant(
            "b",
            Decimal("12.5"),
            source="promo",
            ref="easter",
            paid=Money(10),
            effective_at=begins,
            expires_at=ends,
            features=("market_cry", "opinion"),
            priority=1,
        ).grant
        assert (grant.amount, grant.source, grant.ref) == (Credits("12.5"), "promo", "easter")
        assert (grant.effective_at, grant.expires_at) == (ai_clock.now() + DAY // 24, ai_clock.now() + DAY)
        assert (grant.paid, grant.features, grant.priority) == (10_000_000, ("market_cry", "opinion"), 1)
        assert addons.wallet("b").available == Credits(0)
        ai_clock.advance(3_600)
        assert addons.wallet("b").available == Credits("12.5")
        ai_clock.advance(82_800)
        assert addons.wallet("b").available == Credits(0)


def test_credits_cost_cedis() -> None:
    """Another currency is refused, for no rate is used to sell credits."""
    with closing(shop()) as addons, pytest.raises(ValueError, match="in cedis"):
        addons.grant("b", 5, source="purchase", ref="r", paid=Money(10, "USD"))


NAIVE: Final = datetime(2027, 1, 31)  # noqa: DTZ001  # the mistake under test


@pytest.mark.parametrize(
    "book",
    [
        lambda addons: addons.grant("b", 5, source="promo", ref="r", effective_at=NAIVE),
        lambda addons: addons.grant("b", 5, source="promo", ref="r", expires_at=NAIVE),
        lambda addons: addons.adjust("b", 5, ref="r", actor=ACTOR, reason="r", effective_at=NAIVE),
        lambda addons: addons.prices.publish("credit_assessment", 5, effective_from=NAIVE, actor=ACTOR),
        lambda addons: addons.prices.withdraw_pack("PRO", effective_from=NAIVE, actor=ACTOR),
        lambda addons: addons.prices.publish_pack(
            Pack(type="MINI", price=Money(10), credits=Credits(10)), effective_from=NAIVE, actor=ACTOR
        ),
    ],
)
def test_a_time_needs_its_zone(book: Callable[[AddOns], object]) -> None:
    """A time without one might mean any of many moments, so nothing is booked."""
    with closing(shop()) as addons:
        with pytest.raises(ValueError, match=r"a time needs its zone.*nothing was booked"):
            book(addons)
        assert addons.ledger("b") == []
        assert addons.audit() == []


@pytest.mark.parametrize(
    ("at", "micros"),
    [
        (None, None),
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(1970, 1, 2, 0, 0, 1, 7, tzinfo=UTC), 86_401_000_007),
        (datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), -1),
        (datetime(2027, 1, 31, 2, tzinfo=timezone(timedelta(hours=2))), 1_801_353_600_000_000),
    ],
)
def test_times_are_exact_to_the_microsecond(at: datetime | None, micros: int | None) -> None:
    """No float stands between a time and the books."""
    assert in_micros(at) == micros


def test_an_adjustment_counts_from_its_date(ai_clock: ManualClock) -> None:
    """Credits move at once; the books say from when it counts, who did it and why."""
    with closing(shop(ai_clock)) as addons:
        addons.grant("b", 9, source="purchase", ref="o-1")
        done = addons.adjust("b", "-4", ref="a", actor=ACTOR, reason="late", effective_at=START - timedelta(days=1))
        assert (done.amount, done.balance) == (Credits(-4), Credits(5))
        entry = addons.ledger("b")[-1]
        assert (entry.kind, entry.effective_at, entry.booked_at) == ("adjust", ai_clock.now() - DAY, ai_clock.now())
        (audited,) = addons.audit("b")
        assert (audited.actor, audited.detail) == (ACTOR, {"amount": "-4.00", "ref": "a", "reason": "late"})
        with pytest.raises(InsufficientCreditsError, match="Nothing was booked"):
            addons.adjust("b", "-5.000001", ref="c", actor=ACTOR, reason="r")
        with pytest.raises(IdempotencyConflict):
            addons.adjust("b", 4, ref="a", actor=ACTOR, reason="r")


def test_a_charge_is_reversed_once(market_cry: Feature[[int], str]) -> None:
    """The credits come back, the log charges nothing, and a second time changes nothing."""
    with closing(shop()) as addons:
        addons.grant("b", 9, source="purchase", ref="o-1")
        call(addons, market_cry)
        undone = addons.reverse("b", 2, actor=ACTOR, reason="wrong answer")
        assert (undone.amount, undone.balance, undone.replayed) == (Credits(5), Credits(9), False)
        assert addons.reverse("b", 2, actor=ACTOR, reason="again").replayed
        assert [line.charged for line in addons.transactions("b")] == [Credits(0)]
        assert addons.doctor("b").ok


# Terms of a business.


def test_a_business_buys_by_its_own_policy() -> None:
    """The price list shows what it is sold: packs, add-on and the pack of any size."""
    with closing(shop()) as addons:
        addons.set_policy("b", "hybrid", actor=ACTOR)
        assert [pack.type for pack in addons.price_list("b").packs] == ["QUICK", "VALUE"]
        plan = addons.price_list("b").addon
        assert plan is not None
        assert (plan.price, plan.credits) == (Money(50), Credits(100))
        for other in (addons.price_list(), addons.price_list("unseen")):
            assert [pack.type for pack in other.packs] == ["STARTER", "VALUE", "PRO"]
            assert other.addon is None
            assert other.storefronts is STOREFRONT_PLAN
        assert addons.set_policy("b", None, actor=ACTOR).policy == "prepaid"
        assert [pack.type for pack in addons.price_list("b").packs] == ["STARTER", "VALUE", "PRO"]


def test_a_refusal_offers_what_the_business_can_buy(market_cry: Feature[[int], str]) -> None:
    """The packs of its own policy, in the refusal and in the quote before it."""
    with closing(shop()) as addons:
        addons.set_policy("b", "hybrid", actor=ACTOR)
        addons.adjust("b", -5, ref="a", actor=ACTOR, reason="empty")
        with pytest.raises(InsufficientCreditsError) as refused:
            call(addons, market_cry)
        assert [offer.type for offer in refused.value.offers] == ["QUICK", "VALUE"]
        quote = market_cry.options(addons=addons, business="b").quote(1)
        assert [offer.type for offer in quote.offers] == ["QUICK", "VALUE"]
        other = market_cry.options(addons=addons, business="c").quote(1)
        assert [offer.type for offer in other.offers] == ["STARTER", "VALUE", "PRO"]


def test_an_unknown_policy_changes_nothing() -> None:
    """A misspelt name is found before anything is written."""
    with closing(shop()) as addons:
        with pytest.raises(UnknownPlugin):
            addons.set_policy("b", "hibrid", actor=ACTOR)
        assert addons.audit("b") == []
        with pytest.raises(UnknownPlugin):
            shop(settings=kit_settings(billing={"policy": "hibrid"}))


def test_add_ons_are_sold_where_the_policy_has_one() -> None:
    """Prepaid sells none; under hybrid a month is paid for and its credits are there."""
    with closing(shop()) as addons:
        with pytest.raises(AddonNotOffered):
            addons.subscriptions.subscribe("b")
        addons.set_policy("b", "hybrid", actor=ACTOR)
        assert addons.subscriptions.subscribe("b", paid=True).balance == Credits(105)


def test_a_suspended_business_makes_no_calls(market_cry: Feature[[int], str]) -> None:
    """Nor does a closed one, until it is active again; who did it and why is kept."""
    with closing(shop()) as addons:
        addons.grant("b", 9, source="purchase", ref="o-1")
        addons.set_status("b", "suspended", actor=ACTOR, reason="charge-back")
        with pytest.raises(WalletSuspended):
            call(addons, market_cry)
        assert addons.set_status("b", "active", actor=ACTOR, reason="paid").status == "active"
        assert call(addons, market_cry).receipt.charged == Credits(5)
        reasons = sorted(str(entry.detail["reason"]) for entry in addons.audit("b"))
        assert reasons == ["charge-back", "paid"]


@pytest.mark.parametrize(
    ("switch", "stopped"),
    [
        ({}, {"b", "c"}),
        ({"business": "b"}, {"b"}),
        ({"feature": "market_cry"}, {"b", "c"}),
        ({"business": "b", "feature": "market_cry"}, {"b"}),
        ({"feature": "opinion"}, set()),
        ({"business": "d"}, set()),
    ],
)
def test_the_kill_switch_stops_whom_it_names(
    market_cry: Feature[[int], str], switch: dict[str, str], stopped: set[str]
) -> None:
    """All, one business, one feature, or one feature of one business, until it is released the same way."""

    def refused(addons: AddOns, business: str) -> bool:
        try:
            call(addons, market_cry, business=business)
        except Paused:
            return True
        return False

    with closing(shop()) as addons:
        for business in ("b", "c"):
            addons.grant(business, 99, source="purchase", ref="o-1")
        addons.pause(**switch, actor=ACTOR)
        assert {business for business in ("b", "c") if refused(addons, business)} == stopped
        assert not addons.resume(business="e", actor=ACTOR)
        assert addons.resume(**switch, actor=ACTOR)
        assert not addons.resume(**switch, actor=ACTOR)
        assert not any(refused(addons, business) for business in ("b", "c"))


@pytest.mark.parametrize("names", [{"business": ""}, {"feature": ""}, {"business": "b", "feature": ""}])
def test_an_empty_name_pauses_nobody(market_cry: Feature[[int], str], names: dict[str, str]) -> None:
    """A host whose variable is empty does not stop everybody; it is told."""
    with closing(shop()) as addons:
        addons.grant("b", 9, source="purchase", ref="o-1")
        with pytest.raises(ValueError, match="1 to 255 characters"):
            addons.pause(**names, actor=ACTOR)
        with pytest.raises(ValueError, match="1 to 255 characters"):
            addons.resume(**names, actor=ACTOR)
        assert call(addons, market_cry).receipt.charged == Credits(5)


def test_an_operators_act_needs_a_name() -> None:
    """Without an actor nothing is changed."""
    with closing(shop()) as addons:
        for act in (
            lambda: addons.pause(actor=""),
            lambda: addons.set_policy("b", "hybrid", actor=""),
            lambda: addons.adjust("b", 5, ref="r", actor="", reason="r"),
            lambda: addons.limits.set("business", "day", 5, actor=""),
            lambda: addons.erase("b", actor=""),
        ):
            with pytest.raises(ValueError, match="the actor must be"):
                act()
        assert addons.wallet("b").policy is None
        assert addons.limits.of("b") == []


# Limits of the settings.


@pytest.mark.parametrize("window", ["day", "month"])
@pytest.mark.parametrize(
    ("scope", "others_may"), [("operator", ""), ("business", "c"), ("user", "c b/v"), ("feature", "c")]
)
def test_limits_of_the_settings_hold(market_cry: Feature[[int], str], scope: str, window: str, others_may: str) -> None:
    """Five credits are one call: of all, of a business, of a user, of a feature in a business."""
    with closing(shop(settings=kit_settings(limits={f"{scope}_{window}": "9.999999"}))) as addons:
        for business in ("b", "c"):
            addons.grant(business, 99, source="purchase", ref="o-1")
        call(addons, market_cry)
        with pytest.raises(LimitReached, match=r"(daily|monthly) limit.*Nothing was charged"):
            call(addons, market_cry)
        for business, user in (("c", "u"), ("b", "v")):
            allowed = business in others_may.split() or f"{business}/{user}" in others_may.split()
            if allowed:
                call(addons, market_cry, business=business, user=user)
            else:
                with pytest.raises(LimitReached):
                    call(addons, market_cry, business=business, user=user)


def test_a_limit_of_the_settings_allows_its_whole_amount(market_cry: Feature[[int], str]) -> None:
    """Ten credits are two calls and no third; a limit set at run time takes its place, and goes again."""
    with closing(shop(settings=kit_settings(limits={"business_day": "10"}))) as addons:
        addons.grant("b", 99, source="purchase", ref="o-1")
        call(addons, market_cry)
        call(addons, market_cry)
        with pytest.raises(LimitReached):
            call(addons, market_cry)
        addons.limits.set("business", "day", "15", actor=ACTOR)
        call(addons, market_cry)
        assert [limit.amount for limit in addons.limits.of("b")] == [Credits(15)]
        addons.limits.remove("business", "day", actor=ACTOR)
        assert [limit.amount for limit in addons.limits.of("b")] == [Credits(10)]


@pytest.mark.parametrize(("warn_at", "warned_after"), [("0.5", 1), ("0.500001", 2), ("1", 2)])
def test_a_warning_comes_at_the_configured_share(
    market_cry: Feature[[int], str], warn_at: str, warned_after: int
) -> None:
    """Half of ten is reached by one call of five."""
    told: list[Event] = []
    settings = kit_settings(limits={"business_day": "10", "warn_at": warn_at})
    with closing(shop(settings=settings, hooks=[told.append])) as addons:
        addons.grant("b", 99, source="purchase", ref="o-1")

        def warnings() -> int:
            return sum(isinstance(event, WalletEvent) and event.topic == "limit.warning" for event in told)

        for done in (1, 2):
            call(addons, market_cry)
            assert warnings() == (1 if done >= warned_after else 0)


def test_the_operators_day_turns_in_its_own_zone(ai_clock: ManualClock, market_cry: Feature[[int], str]) -> None:
    """A limit over all businesses starts afresh at the operator's midnight, not at theirs."""
    ai_clock.set(in_micros(datetime(2027, 3, 10, 14, 59, 59, tzinfo=UTC)) or 0)
    settings = kit_settings(limits={"operator_day": "5", "operator_tz": "Asia/Tokyo"})
    with closing(shop(ai_clock, settings=settings)) as addons:
        addons.grant("b", 99, source="purchase", ref="o-1")
        call(addons, market_cry)
        with pytest.raises(LimitReached):
            call(addons, market_cry)
        ai_clock.advance(1)
        call(addons, market_cry)


# Reports.


def test_a_shop_sees_no_cost(market_cry: Feature[[int], str]) -> None:
    """Usage tells the operator what calls cost; what a shop is given has none of it."""
    with closing(shop()) as addons:
        addons.grant("b", 9, source="purchase", ref="o-1", paid=Money(9))
        call(addons, market_cry)
        used = addons.usage("b", 1)
        assert (used.total_credits_used, used.current_balance, used.most_used_feature) == (
            Credits(5),
            Credits(4),
            "market_cry",
        )
        assert [one.feature_display_name for one in used.feature_breakdown] == [market_cry.spec.name]
        assert not {"total_cost_ghs", "total_cost_usd", "unpriced"} & used.for_shop().keys()
        (day,) = addons.usage_by_day("b", START.date(), START.date())
        assert (day.credits, day.revenue_ghs) == (Credits(5), Decimal("5.000000"))
        assert not {"cost_ghs", "revenue_ghs", "unpriced"} & day.for_shop().keys()
        table = addons.margins("b", 1)
        assert (table.total.calls, table.total.revenue) == (1, 5_000_000)
        assert addons.margins().total == table.total
        assert addons.margins("c").total.calls == 0


def test_a_feature_no_longer_sold_is_called_by_its_key(tmp_path: Path) -> None:
    """Old calls stay in the reports of a process that does not know their feature."""
    settings = kept_in(tmp_path)

    def declare() -> Feature[[int], str]:
        @billed_feature("gone", credits="5", name="Gone Tomorrow")
        def gone(number: int) -> Prompt:
            """Go."""
            return Prompt(user=f"{number}?")

        return gone

    with declared.isolated(), closing(shop(settings=settings)) as addons:
        addons.grant("b", 9, source="purchase", ref="o-1")
        call(addons, declare())
        assert addons.usage("b").feature_breakdown[0].feature_display_name == "Gone Tomorrow"
    with closing(shop(settings=settings, registry=Registry())) as addons:
        assert addons.usage("b").feature_breakdown[0].feature_display_name == "gone"
        assert addons.statement("b", START.date(), START.date()).names == {"gone": "gone"}


def test_only_the_operators_billing_tells_margins(market_cry: Feature[[int], str]) -> None:
    """The same charge, seen by a shop and by the operator; the key belongs to what was asked."""
    with closing(shop()) as addons:
        addons.grant("b", 20, source="purchase", ref="o-1", paid=Money(20))
        charge = ("b", "u", market_cry.spec.key, "0.01", 10, 5, 400, {"n": 1}, "done", "k")
        assert addons.billing.charge_credits(*charge)["profit_margin"] is None
        margin = addons.operator_billing.charge_credits(*charge)["profit_margin"]
        # 5 cedis less 1.95 % fee less 0.11646 of cost.
        assert margin == Decimal("0.957")
        assert addons.billing.get_usage_stats("b")["total_cost_ghs"] is None
        assert addons.operator_billing.get_usage_stats("b")["total_cost_ghs"] == Decimal("0.116460")
        with pytest.raises(IdempotencyConflict):
            addons.billing.charge_credits(*charge[:7], {"n": 2}, "done", "k")
        assert addons.wallet("b").available == Credits(15)


def test_a_feature_that_is_off_is_off_for_billing_too(market_cry: Feature[[int], str]) -> None:
    """One rule for calls and for work of the host's own: only the shops of the setting are charged."""
    key = market_cry.spec.key
    with closing(shop(settings=kit_settings(features={key: {"enabled": ["b"]}}))) as addons:
        for business in ("b", "c"):
            addons.grant(business, 20, source="purchase", ref="o-1")
        assert addons.billing.charge_credits("b", "u", key, None)["credits_charged"] == Credits(5).decimal
        with pytest.raises(NotEnabled):
            addons.billing.charge_credits("c", "u", key, None)
        with pytest.raises(NotEnabled):
            addons.billing.check_credits("c", key)
        assert addons.wallet("c").available == Credits(20)


# Prices.


def test_a_price_that_loses_money_is_not_published() -> None:
    """Not by its price and not by a pack; as a loss leader it may be, and says so."""
    with closing(shop()) as addons:
        with pytest.raises(PriceBelowFloor):
            addons.prices.publish("credit_assessment", "0.000001", actor=ACTOR)
        assert addons.prices.history("credit_assessment") == []
        done = addons.prices.publish("credit_assessment", "0.000001", loss_leader=True, actor=ACTOR)
        assert addons.prices.history("credit_assessment") == [done.version]
        listed = {one.key: one.credits for one in addons.price_list().features}
        assert listed["credit_assessment"] == Credits("0.000001")
        giveaway = Pack(type="GIFT", price=Money("0.01"), credits=Credits(1_000))
        with pytest.raises(PriceBelowFloor):
            addons.prices.publish_pack(giveaway, actor=ACTOR)


def test_what_a_call_costs_is_known_where_its_model_is() -> None:
    """With a priced model a built-in feature has an expected cost; the offline model's answers have none."""
    with closing(shop()) as addons:
        spec = addons.feature("credit_assessment")
        assert spec.tokens is not None
        cost = addons.expected_cost(spec)
        assert cost is not None
        assert 0 < cost < 100_000
        assert addons.expected_cost(replace(spec, tokens=None)) is None
    offline = kit_settings(models={}, providers={})
    with closing(shop(settings=offline)) as addons:
        assert addons.expected_cost(addons.feature("credit_assessment")) is None


# The books.


def test_nobody_outside_is_told_where_no_address_is_set(market_cry: Feature[[int], str]) -> None:
    """Hooks of this process hear of a low balance; there is nothing to deliver."""
    told: list[Event] = []
    with closing(shop(hooks=[told.append])) as addons:
        addons.grant("b", 12, source="purchase", ref="o-1", paid=Money(12))
        call(addons, market_cry)
        assert [event.topic for event in told if isinstance(event, WalletEvent)] == ["wallet.low_balance"]
        assert addons.deliver() == addons.deliver(1)
        assert (addons.deliver().sent, addons.deliver().left) == (0, 0)


def test_forgetting_people_leaves_the_books_whole(market_cry: Feature[[int], str]) -> None:
    """One user or all: no name is left in the log, no credit moves, the audit names nobody."""
    with closing(shop()) as addons:
        addons.grant("b", 20, source="purchase", ref="o-1")
        for number, user in enumerate(("u", "v")):
            call(addons, market_cry, number, user=user)
        before = addons.ledger("b")
        addons.erase("b", user="u", actor=ACTOR)
        assert {line.user for line in addons.transactions("b")} == {None, "v"}
        addons.erase("b", actor=ACTOR)
        assert {line.user for line in addons.transactions("b")} == {None}
        assert addons.ledger("b") == before
        assert addons.doctor("b").ok
        assert {(entry.action, str(entry.detail["scope"])) for entry in addons.audit("b")} == {
            ("erase", "user"),
            ("erase", "all"),
        }


def test_daily_sums_are_made_anew_from_the_log(tmp_path: Path, market_cry: Feature[[int], str]) -> None:
    """The doctor sees sums that differ, and they can be rebuilt for that business."""
    with closing(shop(settings=kept_in(tmp_path))) as addons:
        addons.grant("b", 9, source="purchase", ref="o-1")
        call(addons, market_cry)
        with closing(sqlite3.connect(tmp_path / "books.db")) as raw, raw:
            raw.execute("UPDATE ai_usage_daily SET charged = charged + 1")
        assert {found.business for found in addons.doctor().findings} == {"b"}
        assert addons.doctor("c").ok
        addons.rebuild_usage("b")
        assert addons.doctor().ok
        assert addons.usage("b").total_credits_used == Credits(5)


def test_heads_kept_elsewhere_show_a_rewritten_ledger(ai_clock: ManualClock) -> None:
    """A ledger goes on from a head that was kept; one that does not was written anew."""
    with closing(shop(ai_clock)) as addons:
        addons.grant("b", 9, source="purchase", ref="o-1")
        kept = list(addons.heads())
        addons.grant("b", 9, source="purchase", ref="o-2")
        assert addons.compare_heads(kept).ok
        forged = [replace(head, hash="0" * 64) for head in kept]
        (found,) = addons.compare_heads(forged).findings
        assert (found.business, found.detail) == ("b", "row 1 has another hash")


def test_a_sweep_says_how_many_wallets_had_something_due(ai_clock: ManualClock) -> None:
    """An expired grant is one; after it there is nothing."""
    with closing(shop(ai_clock)) as addons:
        addons.grant("b", 9, source="promo", ref="p", expires_at=START + timedelta(seconds=1))
        assert addons.sweep() == 0
        ai_clock.advance(1)
        assert addons.sweep() == 1
        assert addons.sweep() == 0
        assert addons.wallet("b").posted == Credits(0)


# Secrets.


def test_books_on_a_server_need_a_secret_that_all_hosts_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one each host would hash by itself; it is told at the first need, before anything is asked or booked."""
    asked: list[Any] = []
    monkeypatch.setattr(Wiring, "close", lambda _: None)
    addons = shop(settings=kit_settings(store={"url": "postgresql://nobody@127.0.0.1:1/none"}, secret=None))
    monkeypatch.setattr(addons._wiring.database, "write", asked.append)
    with pytest.raises(
        ConfigError, match=r"need a secret that all hosts share. Nothing was charged. Set AI_ADDONS_SEC"
    ):
        addons._wiring.desk()
    assert asked == []
    assert addons.mask("Call Ama").text == "Call Ama"
    given = shop(settings=kit_settings(store={"url": "postgresql://nobody@127.0.0.1:1/none"}))
    assert given._wiring.desk().kit.keys is given._wiring.keys()


def test_webhooks_need_an_address_and_a_secret_that_are_well_formed() -> None:
    """A mistake is told when the object is made, not at the first event."""
    with pytest.raises(ConfigError, match=r"webhooks\.url needs a secret to sign with"):
        kit_settings(webhooks={"url": "https://pos.example/hooks"})
    for wrong in ({"url": "https://pos.example/hooks", "secrets": ["whsec_short"]}, {"url": "pos", "secrets": ["x"]}):
        with pytest.raises(ConfigError, match=r"Nothing was (sent|charged)"):
            shop(settings=kit_settings(webhooks=wrong))
