"""Async hosts: everything that takes money or time is there for the event loop too, and does the same."""

from __future__ import annotations

import inspect
import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import pytest

from ai_addons import AddOns, Credits, Money, Prompt, billed_feature
from ai_addons.accounts import Accounts
from ai_addons.aio import (
    AsyncAddOns,
    AsyncBilling,
    AsyncFigures,
    AsyncLimits,
    AsyncOperating,
    AsyncOrders,
    AsyncPrices,
    AsyncSubscriptions,
)
from ai_addons.billing.limiting import Limits
from ai_addons.billing.limits import Limit
from ai_addons.billing.operating import Operating
from ai_addons.billing.payments import Payments
from ai_addons.billing.service import BillingService
from ai_addons.billing.subscriptions import Subscriptions
from ai_addons.catalog import Pack
from ai_addons.figures import Figures
from ai_addons.price_desk import Prices
from ai_addons.testing import FakeLlm, ManualClock, kit_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

ACTOR: Final = "ama@pos.example"

# Neither the database nor a model is asked, so the event loop need not wait.
AT_ONCE: Final = {"all_features", "expected_cost", "feature", "features", "from_env", "route", "tier", "till"}
# Part of a call: a feature has its own `aio`, and reads prices beside the event loop before it.
CALLS: Final = {"prepare"}
# A generator that reads the database cannot be handed to an event loop.
ALL_AT_ONCE: Final = {"heads": "list[Head]"}

TWINS: Final = [
    (AddOns, AsyncAddOns),
    (Accounts, AsyncAddOns),
    (Figures, AsyncFigures),
    (Subscriptions, AsyncSubscriptions),
    (Payments, AsyncOrders),
    (Limits, AsyncLimits),
    (Operating, AsyncOperating),
    (Prices, AsyncPrices),
    (BillingService, AsyncBilling),
]


def methods(kind: type[Any]) -> dict[str, Any]:
    """The public methods that a class or one of its own bases declares."""
    return {
        name: getattr(kind, name)
        for base in kind.__mro__[:-1]
        for name, value in vars(base).items()
        if not name.startswith("_") and not isinstance(value, property)
    }


@pytest.mark.parametrize(("sync", "twin"), TWINS, ids=lambda kind: kind.__name__)
def test_every_method_has_a_twin_with_the_same_signature(sync: type[Any], twin: type[Any]) -> None:
    """Whoever knows the sync call knows the async one: same names, same arguments, same result."""
    wanted = {name: method for name, method in methods(sync).items() if name not in AT_ONCE | CALLS}
    assert wanted
    assert sorted(wanted.keys() - methods(twin).keys()) == []
    for name, method in wanted.items():
        ours, theirs = inspect.signature(method), inspect.signature(getattr(twin, name))
        assert theirs.parameters == ours.parameters, name
        assert theirs.return_annotation == ALL_AT_ONCE.get(name, ours.return_annotation), name
        assert inspect.iscoroutinefunction(getattr(twin, name)), name


def test_the_twins_add_nothing_of_their_own() -> None:
    """There is no async method whose sync form is missing, and none left that the list above excuses in vain."""
    for sync, twin in TWINS[2:]:
        assert sorted(methods(twin)) == sorted(methods(sync))
    both = {**methods(AddOns), **methods(Accounts)}
    assert sorted(methods(AsyncAddOns)) == sorted(both.keys() - AT_ONCE - CALLS)
    assert (AT_ONCE | CALLS) - both.keys() == set()


@pytest.fixture
def addons(ai_clock: ManualClock) -> Iterator[AddOns]:
    """Books in memory under the hybrid policy, sound at the end."""
    wired = AddOns(kit_settings(billing={"policy": "hybrid"}), clock=ai_clock, llm=FakeLlm(), environ={})
    yield wired
    assert wired.doctor().findings == ()
    wired.close()


def now(clock: ManualClock) -> datetime:
    """What the test's clock says."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=clock.now())


@pytest.mark.anyio
async def test_credits_are_given_and_corrected_from_the_event_loop(addons: AddOns, ai_clock: ManualClock) -> None:
    """Every argument arrives: source, price, dates, features, priority, actor and reason."""
    later, end = now(ai_clock) + timedelta(days=1), now(ai_clock) + timedelta(days=9)
    given = await addons.aio.grant(
        "b",
        "20",
        source="promo",
        ref="spring",
        paid=Money(16),
        effective_at=later,
        expires_at=end,
        features=["opinion"],
        priority=3,
    )
    grant = given.grant
    assert (grant.amount, grant.source, grant.ref, grant.paid) == (Credits(20), "promo", "spring", 16_000_000)
    assert (grant.effective_at, grant.expires_at) == (ai_clock.now() + 86_400_000_000, ai_clock.now() + 777_600_000_000)
    assert (grant.features, grant.priority) == (("opinion",), 3)
    taken = await addons.aio.adjust("b", "-2", ref="a-1", actor=ACTOR, reason="mistake", effective_at=now(ai_clock))
    assert (taken.amount, taken.balance) == (Credits(-2), Credits(3))
    more = await addons.aio.adjust("b", "4", ref="a-2", actor=ACTOR, reason="sorry")
    assert (await addons.aio.reverse("b", 3, actor=ACTOR, reason="twice")).balance == more.balance - Credits(4)
    assert sorted((one.action, one.detail["reason"]) for one in await addons.aio.audit("b")) == [
        ("adjust", "mistake"),
        ("adjust", "sorry"),
        ("reverse", "twice"),
    ]
    await addons.aio.set_policy("b", "prepaid", actor=ACTOR)
    trial = await addons.aio.claim_trial("b", phone="0244000001", tax_id="P0012345678", payment="card-1")
    assert trial.balance == Credits(8)
    assert [entry.seq for entry in await addons.aio.ledger("b")] == [1, 2, 3, 4, 5]


@pytest.mark.anyio
async def test_a_business_is_stopped_limited_and_forgotten_from_the_event_loop(addons: AddOns) -> None:
    """Policy, status, switch, limits and erasure reach the same books."""
    assert (await addons.aio.set_policy("b", "prepaid", actor=ACTOR)).policy == "prepaid"
    assert (await addons.aio.set_status("b", "suspended", actor=ACTOR, reason="r")).status == "suspended"
    await addons.aio.pause(business="b", feature="opinion", actor=ACTOR)
    assert await addons.aio.resume(business="b", feature="opinion", actor=ACTOR)
    await addons.aio.limits.pause(feature="opinion", actor=ACTOR)
    assert not await addons.aio.limits.resume(business="b", feature="opinion", actor=ACTOR)
    assert await addons.aio.limits.resume(feature="opinion", actor=ACTOR)
    await addons.aio.limits.set("user", "day", "3", business="b", key="u_1", actor=ACTOR)
    made = Limit(scope="user", window="day", amount=Credits(3), business="b", key="u_1")
    assert await addons.aio.limits.of("b") == [made]
    assert not await addons.aio.limits.remove("user", "day", business="b", actor=ACTOR)
    assert await addons.aio.limits.remove("user", "day", business="b", key="u_1", actor=ACTOR)
    await addons.aio.erase("b", user="u_1", actor=ACTOR)
    # All at one instant of the test's clock, so in no order.
    assert sorted(one.action for one in await addons.aio.audit("b")) == [
        "erase",
        "pause",
        "remove_limit",
        "resume",
        "set_limit",
        "set_policy",
        "set_status",
    ]
    assert sorted(one.action for one in await addons.aio.audit()) == ["pause", "resume"]


@pytest.mark.anyio
async def test_an_add_on_is_taken_and_paid_from_the_event_loop(addons: AddOns) -> None:
    """Subscribe, pay a month by its number, cancel either way, resume."""
    taken = await addons.aio.subscriptions.subscribe("b")
    assert (taken.subscription.state, taken.balance) == ("incomplete", Credits(5))
    assert (await addons.aio.subscriptions.pay("b", period=0)).balance == Credits(105)
    assert (await addons.aio.subscriptions.pay("b", period=0)).replayed
    assert (await addons.aio.subscriptions.cancel("b")).subscription.state == "cancel_at_end"
    assert (await addons.aio.subscriptions.resume("b")).subscription.state == "active"
    assert (await addons.aio.subscriptions.cancel("b", immediate=True)).subscription.state == "ended"
    assert (await addons.aio.subscriptions.subscribe("c", paid=True)).balance == Credits(105)


@pytest.mark.anyio
async def test_prices_are_published_from_the_event_loop(addons: AddOns, ai_clock: ManualClock) -> None:
    """Prices with their date and packs; the price list shows them."""
    tomorrow = now(ai_clock) + timedelta(days=1)
    own = addons.feature("credit_assessment")
    done = await addons.aio.prices.publish(own.key, "4", effective_from=tomorrow, actor=ACTOR)
    cheap = await addons.aio.prices.publish(own.key, "0.000001", loss_leader=True, actor=ACTOR)
    assert await addons.aio.prices.history(own.key) == [cheap.version, done.version]
    assert (await addons.aio.prices.listing(own)).credits == Credits("0.000001")
    mini = Pack(type="MINI", price=Money(10), credits=Credits(10))
    await addons.aio.prices.publish_pack(mini, effective_from=tomorrow, actor=ACTOR)
    await addons.aio.prices.withdraw_pack("QUICK", effective_from=tomorrow, actor=ACTOR)
    assert [pack.type for pack in (await addons.aio.price_list()).packs] == ["QUICK", "VALUE"]
    ai_clock.advance(86_400)
    assert [pack.type for pack in (await addons.aio.price_list()).packs] == ["MINI", "VALUE"]
    await addons.aio.set_policy("b", "prepaid", actor=ACTOR)
    assert [pack.type for pack in (await addons.aio.price_list("b")).packs] == ["MINI", "STARTER", "VALUE", "PRO"]


@pytest.mark.anyio
async def test_work_of_the_hosts_own_is_charged_from_the_event_loop(addons: AddOns, ai_clock: ManualClock) -> None:
    """The four methods of the first plan and the reports, with every argument in its place."""

    @billed_feature("label", credits="7")
    def label() -> Prompt:
        """Write a label."""
        return Prompt(user="?")

    today = now(ai_clock).date()
    assert (await addons.aio.billing.check_credits("b", "label"))["shortfall"] == 2
    await addons.aio.grant("b", "8", source="purchase", ref="o-1", paid=Money(8))
    paid = await addons.aio.billing.charge_credits("b", "u_1", "label", "0.01", 10, 5, 400, {"n": 1}, "done", "k-1")
    again = await addons.aio.operator_billing.charge_credits(
        "b", "u_1", "label", "0.01", 10, 5, 400, {"n": 1}, "done", idempotency_key="k-1"
    )
    assert (paid["transaction_id"], again["transaction_id"]) == ("k-1", "k-1")
    assert [paid["new_balance"], again["new_balance"]] == [Decimal(6)] * 2
    assert paid["profit_margin"] is None
    ai_clock.advance(1)
    await addons.aio.billing.log_failed_transaction("b", "u_1", "label", "provider_timeout", {"n": 22})
    first, second = await addons.aio.transactions("b")
    assert first.tokens is not None
    assert (first.user, first.tokens.input, first.tokens.output, first.latency_ms) == ("u_1", 10, 5, 400)
    assert first.response_meta == {"summary": {"size": 4}}
    assert (second.error_code, second.request_meta) == ("provider_timeout", {"n": 22})
    stats = await addons.aio.billing.get_usage_stats("b", 7)
    assert (stats["period_days"], stats["total_requests"], stats["total_cost_ghs"]) == (7, 2, None)
    assert (await addons.aio.usage("b", 7)).period_days == 7
    assert [one.count for one in await addons.aio.usage_by_day("b", today, today)] == [2]
    assert (await addons.aio.margins("b", 7)).total.calls == 2
    assert (await addons.aio.answers.stats("b", 7)).cacheable == 0
    assert await addons.aio.answers.clear(business="b") == 0
    assert (await addons.aio.statement("b", date(2026, 1, 1), today)).closing == (await addons.aio.wallet("b")).posted


@pytest.mark.anyio
async def test_upkeep_runs_from_the_event_loop(addons: AddOns) -> None:
    """Sweep, delivery, doctor, daily sums, heads: each as its sync form."""
    await addons.aio.grant("b", "8", source="purchase", ref="o-1")
    kept = await addons.aio.heads()
    assert [(head.business, head.seq) for head in kept] == [("b", 2)]
    assert (await addons.aio.compare_heads(kept)).ok
    await addons.aio.rebuild_usage("b")
    assert (await addons.aio.doctor("b")).wallets == 1
    assert await addons.aio.sweep() == 0
    assert (await addons.aio.deliver(1)).sent == 0
    await addons.aio.warm_up()
    await addons.aio.close()


@pytest.mark.anyio
async def test_the_event_loop_is_never_kept_waiting(addons: AddOns, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is used in another thread."""
    threads: list[int] = []
    write = addons._wiring.database.write

    def watched(*args: Any, **kwargs: Any) -> Any:
        threads.append(threading.get_ident())
        return write(*args, **kwargs)

    monkeypatch.setattr(addons._wiring.database, "write", watched)
    await addons.aio.grant("b", "7", source="adjustment", ref="r")
    await addons.aio.limits.set("business", "day", "7", actor=ACTOR)
    await addons.aio.subscriptions.subscribe("b")
    assert len(threads) >= 3
    assert threading.get_ident() not in threads


@pytest.mark.anyio
async def test_operators_look_from_the_event_loop(addons: AddOns) -> None:
    """Every figure of all businesses, as the sync ones give them."""
    looks, ours = addons.aio.operating, addons.operating
    addons.pause(feature="opinion", actor=ACTOR)
    assert await looks.calls(7) == ours.calls(7)
    assert await looks.days(7) == ours.days(7)
    assert await looks.earners(7, 3) == ours.earners(7, 3)
    assert await looks.funnel(7) == ours.funnel(7)
    assert await looks.backlog() == ours.backlog()
    assert [one.feature for one in await looks.switches()] == ["opinion"]
    assert (await looks.now(), await looks.sum_up()) == (ours.now(), 0)
