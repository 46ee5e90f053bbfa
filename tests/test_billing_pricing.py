"""Published prices and packs: from when they hold, who sees them, what is refused."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from ai_addons.billing import published
from ai_addons.billing.hybrid import HybridAddonPolicy
from ai_addons.billing.margin import CHEAPEST_CREDIT
from ai_addons.billing.packs import CUSTOM, HYBRID_PACKS, PREPAID_PACKS
from ai_addons.billing.prepaid import PrepaidPolicy
from ai_addons.billing.prices import PackVersion, PriceVersion
from ai_addons.billing.pricing import QUANTUM, Pricing
from ai_addons.billing.published import (
    BUILT_IN_TARGET,
    Costing,
    Floors,
    Published,
    already,
    cheapest_from,
    refuse_losses,
    refuse_past,
    version_name,
)
from ai_addons.billing.records import Hold
from ai_addons.billing.sql import Database
from ai_addons.billing.sql import statements as sql
from ai_addons.catalog import Pack
from ai_addons.errors import (
    BillingError,
    IdempotencyConflict,
    InsufficientCreditsError,
    LedgerConflict,
    StoreUnavailable,
)
from ai_addons.money import Credits, MicroGhs, Money
from ai_addons.testing.fakes import ManualClock
from tests.books import OK, SECOND, Books, new_url, on_postgres, open_books, run_sql

if TYPE_CHECKING:
    from pathlib import Path

    from ai_addons.billing.policy import Policy
    from ai_addons.billing.sql import Tx

pytestmark = pytest.mark.usefixtures("each_database")

PREPAID = PrepaidPolicy()
FEATURE = "collection_analysis"
REFRESH = 5 * SECOND
MEGA = Pack(type="MEGA", price=Money(350), credits=Credits(500), bonus=Credits(100))
"""A credit of it costs GHS 0.70, less than any other of the prepaid policy."""

# At the cheapest prepaid credit, GHS 0.72, a call of one credit earns 720,000 micro-cedis. Its loaded cost may be
# (1 - margin - 0.0195) of that; loaded is 1.25 times expected.
FLOOR, TARGET, BUILT_IN = 564_768, 219_168, 46_368


def _pricing(books: Books, *policies: Policy, **options: Any) -> Pricing:
    defaults: dict[str, Any] = {
        "clock": books.clock,
        "policies": lambda: policies or (PREPAID,),
        "floor_margin": Decimal(0),
        "target_margin": Decimal("0.60"),
        "refresh_us": REFRESH,
    }
    return Pricing(books.opened, **defaults | options)


def _publish(pricing: Pricing, price: str = "1", **options: Any) -> Published:
    defaults: dict[str, Any] = {"expected_cost": MicroGhs(1_000), "built_in": False, "actor": "ama"}
    return pricing.publish(FEATURE, price, **defaults | options)


def _price(pricing: Pricing, at: int | None = None) -> str | None:
    version = pricing.price(FEATURE, at)
    return None if version is None else str(version.credits)


def _types(packs: tuple[Pack, ...]) -> list[str]:
    return [pack.type for pack in packs]


def _whole(text: str) -> str:
    return f"^{re.escape(text)}$"


# From when a price holds.


def test_a_price_holds_from_its_very_microsecond() -> None:
    """One microsecond before, the old price holds; at the instant itself, the new one."""
    books = Books()
    pricing, now = _pricing(books), books.clock.now()
    assert _price(pricing) is None
    _publish(pricing, "1")
    begins = now + 3_600 * SECOND
    _publish(pricing, "2", effective_from=begins)

    assert [_price(pricing, at) for at in (now - 1, now, begins - 1, begins)] == [None, "1.00", "1.00", "2.00"]
    assert [_price(pricing), pricing.prices()[FEATURE].credits] == ["1.00", Credits(1)]
    books.clock.set(begins - 1)
    assert _price(pricing) == "1.00"
    books.clock.set(begins)
    assert [_price(pricing), pricing.prices()[FEATURE].credits] == ["2.00", Credits(2)]
    assert pricing.prices(begins - 1)[FEATURE].credits == Credits(1)
    assert pricing.price("another") is None


def test_an_open_hold_keeps_its_price() -> None:
    """A price that changes during a call does not touch the call, and the books name the price that was paid."""
    books = Books()
    pricing = _pricing(books)
    old = _publish(pricing, "3").version
    call = books.call("sale-81")
    hold = books.store.hold(call, old.credits, price_version=version_name(old))
    assert isinstance(hold, Hold)
    books.clock.advance(1)
    _publish(pricing, "4")

    assert books.store.capture(hold, OK).charged == Credits(3)
    assert books.sql("SELECT price_version FROM ai_credit_holds") == [(str(old.effective_from),)]
    (row,) = books.store.transactions(books.business)
    assert row.price_version == str(old.effective_from)
    assert books.report().ok


def test_what_is_published_is_kept_whole() -> None:
    """The history shows each version with its cost, its quantum, its flag and who published it."""
    books = Books()
    pricing, now = _pricing(books), books.clock.now()
    first = _publish(pricing, "0", loss_leader=True, expected_cost=None, quantum=Credits("0.5")).version
    second = _publish(pricing, "1", effective_from=now + 1, actor="kofi").version
    pricing.publish("another", 1, expected_cost=None, built_in=False, actor="ama")

    assert pricing.history(FEATURE) == [first, second]
    assert (first.effective_from, first.published_at, first.actor) == (now, now, "ama")
    assert (first.credits, first.quantum, first.expected_cost, first.loss_leader) == (
        Credits(0),
        Credits("0.5"),
        None,
        True,
    )
    assert (second.effective_from, second.published_at, second.actor) == (now + 1, now, "kofi")
    assert (second.quantum, second.expected_cost, second.loss_leader) == (QUANTUM, 1_000, False)


def test_who_published_what_is_kept() -> None:
    """The audit log tells of prices and packs, whom they come from, and how a price stood to its floor."""
    books = Books()
    pricing, now = _pricing(books), books.clock.now()
    _publish(pricing, "1")
    books.clock.advance(1)
    pricing.publish_pack(MEGA, features=(), actor="kofi")
    books.clock.advance(1)
    pricing.withdraw_pack("STARTER", actor="esi")

    noted = books.operations.audit("")
    assert [(one.action, one.actor, one.at) for one in noted] == [
        ("publish_price", "ama", now),
        ("publish_pack", "kofi", now + SECOND),
        ("withdraw_pack", "esi", now + 2 * SECOND),
    ]
    assert [dict(one.detail) for one in noted] == [
        {
            "feature": FEATURE,
            "effective_from": now,
            "credits": 1_000_000,
            "quantum": 10_000,
            "expected_cost": 1_000,
            "loss_leader": 0,
            "floor": "within_target",
        },
        {
            "type": "MEGA",
            "effective_from": now + SECOND,
            "price_minor": 35_000,
            "currency": "GHS",
            "credits": 500_000_000,
            "bonus": 100_000_000,
            "recommended": 0,
            "withdrawn": 0,
        },
        {
            "type": "STARTER",
            "effective_from": now + 2 * SECOND,
            "price_minor": 3_000,
            "currency": "GHS",
            "credits": 30_000_000,
            "bonus": 0,
            "recommended": 0,
            "withdrawn": 1,
        },
    ]


# The same again, and what contradicts.


def test_the_same_price_for_the_same_instant_is_published_once() -> None:
    """A repeat changes nothing, by whomever and however late; another price for that instant is a conflict."""
    books = Books()
    pricing, begins = _pricing(books), books.clock.now() + SECOND
    first = _publish(pricing, effective_from=begins)
    books.clock.advance(60)
    again = _publish(pricing, effective_from=begins, actor="kofi")

    assert [first.replayed, again.replayed, again.version] == [False, True, first.version]
    told = (
        "Another version begins at that very instant already. Nothing was changed, nothing was charged. "
        "Look at it in the history, and choose another time."
    )
    for changes in ({"price": "2"}, {"expected_cost": None}, {"quantum": Credits(1)}, {"loss_leader": True}):
        with pytest.raises(IdempotencyConflict, match=_whole(told)):
            _publish(pricing, **{"effective_from": begins} | changes)
    assert pricing.history(FEATURE) == [first.version]
    assert len(books.operations.audit("")) == 1


def test_a_price_that_holds_already_is_not_published_again() -> None:
    """A script may publish its prices at every start; only what differs becomes a version."""
    books = Books()
    pricing = _pricing(books)
    first = _publish(pricing)
    books.clock.advance(60)
    assert _publish(pricing) == replace(first, replayed=True)
    second = _publish(pricing, "2")
    books.clock.advance(60)
    back = _publish(pricing)

    assert [back.replayed, back.version.effective_from] == [False, books.clock.now()]
    assert pricing.history(FEATURE) == [first.version, second.version, back.version]


def test_the_price_of_today_may_be_named_for_a_day_to_come() -> None:
    """With a time of its own the same price is a version of its own."""
    books = Books()
    pricing = _pricing(books)
    _publish(pricing)
    later = _publish(pricing, effective_from=books.clock.now() + 1)
    assert [later.replayed, len(pricing.history(FEATURE))] == [False, 2]


def test_history_is_never_rewritten() -> None:
    """A price may begin now or later, never earlier."""
    books = Books()
    pricing, now = _pricing(books), books.clock.now()
    told = (
        f"The price of '{FEATURE}' was not changed: it would begin in the past, where calls were made. "
        "Name a time to come, or none."
    )
    with pytest.raises(ValueError, match=_whole(told)):
        _publish(pricing, effective_from=now - 1)
    assert pricing.history(FEATURE) == []
    assert _publish(pricing, effective_from=now).version.effective_from == now
    told = told.replace(f"The price of '{FEATURE}'", "Pack 'MEGA'")
    with pytest.raises(ValueError, match=_whole(told)):
        pricing.publish_pack(MEGA, effective_from=now - 1, features=(), actor="ama")
    with pytest.raises(ValueError, match=_whole(told.replace("MEGA", "VALUE"))):
        pricing.withdraw_pack("VALUE", effective_from=now - 1, actor="ama")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"actor": ""}, "the actor must be 1 to 255 characters of text. Nothing was charged."),
        ({"price": "-1"}, "was not published and nothing was charged"),
        ({"quantum": Credits(0)}, "was not published and nothing was charged"),
    ],
)
def test_a_price_that_cannot_be_is_refused_whole(changes: dict[str, Any], told: str) -> None:
    """Nothing of it is written."""
    books = Books()
    pricing = _pricing(books)
    with pytest.raises(ValueError, match=re.escape(told)):
        _publish(pricing, **changes)
    with pytest.raises(ValueError, match="a feature key must be"):
        pricing.publish("", 1, expected_cost=None, built_in=False, actor="ama")
    with pytest.raises(ValueError, match="a pack's type must be"):
        pricing.publish_pack(replace(MEGA, type=""), features=(), actor="ama")
    with pytest.raises(TypeError):
        pricing.publish(FEATURE, 0.1, expected_cost=None, built_in=False, actor="ama")  # type: ignore[arg-type]  # the point of this test
    assert [pricing.prices(), books.operations.audit("")] == [{}, []]


def test_two_prices_for_one_instant_at_the_same_moment_are_one(tmp_path: Path) -> None:
    """The slower operator is told; nothing is overwritten."""
    clock = ManualClock()
    database = Database(new_url(tmp_path))
    books, begins = Books("0", database=database, clock=clock), clock.now() + SECOND
    pricing, other = _pricing(books), threading.Thread(target=lambda: errors.append(_error(pricing, begins)))
    errors = list[BillingError]()
    theirs = PriceVersion(
        feature=FEATURE,
        credits=Credits(7),
        effective_from=begins,
        quantum=QUANTUM,
        expected_cost=None,
        loss_leader=False,
        published_at=clock.now(),
        actor="kofi",
    )

    def quicker(tx: Tx) -> None:
        assert tx.changed(sql.ADD_PRICE_VERSION, published.price_values(theirs)) == 1
        other.start()
        other.join(0.3)

    database.write(quicker)
    other.join(30)
    # PostgreSQL lets both begin; SQLite lets the second begin when the first is over.
    assert [type(error) for error in errors] == [LedgerConflict if on_postgres() else IdempotencyConflict]
    if on_postgres():
        assert str(errors[0]) == (
            "Another version was published for that instant just now. Nothing was changed. Try again to see it."
        )
    assert _price(pricing, begins) == "7.00"
    books.close()


def _error(pricing: Pricing, begins: int) -> BillingError:
    with pytest.raises(BillingError) as refused:
        _publish(pricing, effective_from=begins)
    return refused.value


# Floors.


@pytest.mark.parametrize(
    ("cost", "built_in", "outcome", "reason"),
    [
        (TARGET, False, "ok", "within_target"),
        (TARGET + 1, False, "warn", "below_target"),
        (BUILT_IN, True, "ok", "within_target"),
        (BUILT_IN + 1, True, "warn", "below_target"),
        (FLOOR, False, "warn", "below_target"),
        (None, True, "warn", "unknown_cost"),
    ],
)
def test_a_thin_margin_is_published_with_a_warning(cost: int | None, built_in: bool, outcome: str, reason: str) -> None:
    """Built-in features should keep 90 %, others what the settings ask."""
    pricing = _pricing(Books())
    verdict = _publish(pricing, expected_cost=cost, built_in=built_in).verdict
    assert (verdict.outcome, verdict.reason) == (outcome, reason)
    assert _price(pricing) == "1.00"


def test_a_price_that_loses_money_is_refused() -> None:
    """Nothing is written, and the operator reads what it may cost; as a loss leader it passes."""
    books = Books()
    pricing = _pricing(books)
    told = (
        f"{FEATURE}: At 1 credits a call may cost at most GHS 0.705960 and is expected to cost GHS 0.705962. The "
        "price cannot be published; nothing was charged. Raise it, choose a cheaper model, or publish it as a loss "
        "leader."
    )
    with pytest.raises(BillingError) as refused:
        _publish(pricing, expected_cost=MicroGhs(FLOOR + 1))
    assert str(refused.value) == told
    assert [pricing.history(FEATURE), books.operations.audit("")] == [[], []]
    meant = _publish(pricing, expected_cost=MicroGhs(FLOOR + 1), loss_leader=True)
    assert (meant.verdict.reason, _price(pricing)) == ("loss_leader", "1.00")


def test_the_floor_of_the_settings_counts() -> None:
    """A floor above zero refuses prices that would still earn a little."""
    pricing = _pricing(Books(), floor_margin=Decimal("0.60"))
    assert _publish(pricing, expected_cost=MicroGhs(TARGET)).verdict.outcome == "ok"
    with pytest.raises(BillingError):
        _publish(pricing, expected_cost=MicroGhs(TARGET + 1))


def test_a_target_above_90_percent_counts_for_built_in_features_too() -> None:
    """The settings may ask for more than the built-in target, never for less of a built-in feature."""
    asked = {target: Floors(floor=Decimal(0), target=Decimal(target)) for target in ("0.60", "0.95")}
    aims = [
        floors.verdict(Credits(1), None, MicroGhs(1_000_000), built_in=True, loss_leader=False).target
        for floors in asked.values()
    ]
    assert [BUILT_IN_TARGET, *aims] == [Decimal("0.90"), 80_500, 30_500]


def test_the_floor_is_measured_at_the_cheapest_credit_on_sale() -> None:
    """Add-on, packs published for later and every policy count; what is withdrawn for good does not."""
    books = Books()
    now = books.clock.now()
    pricing = _pricing(books)
    assert [cheapest_from(policies, (), now) for policies in ((PREPAID,), (PREPAID, HybridAddonPolicy()), ())] == [
        720_000,
        500_000,
        CHEAPEST_CREDIT,
    ]
    begins, ends = now + SECOND, now + 2 * SECOND
    pricing.publish_pack(MEGA, effective_from=begins, features=(), actor="ama")
    pricing.withdraw_pack("MEGA", effective_from=ends, actor="ama")
    versions = pricing.pack_history("MEGA")
    assert [cheapest_from((PREPAID,), versions, at) for at in (now, begins, ends - 1, ends)] == [
        700_000,
        700_000,
        700_000,
        720_000,
    ]
    with pytest.raises(BillingError):
        _publish(pricing, expected_cost=MicroGhs(FLOOR))
    assert _publish(pricing, expected_cost=MicroGhs(FLOOR), effective_from=ends).verdict.outcome == "warn"


class _NothingSold(PrepaidPolicy):
    custom = None

    def packs(self) -> tuple[Pack, ...]:
        return ()


class _CheapByTheThousand(PrepaidPolicy):
    custom = replace(CUSTOM, tiers=((Money(10), 1_000_000), (Money(1_000), 600_000)))


def test_where_nothing_is_sold_the_floor_is_that_of_the_add_on() -> None:
    """A policy without packs has no price per credit of its own."""
    assert cheapest_from((_NothingSold(),), (), 0) == 500_000


def test_the_cheapest_tier_of_a_custom_pack_counts() -> None:
    """Credits that are bought in any number are on sale too."""
    assert cheapest_from((_CheapByTheThousand(),), (), 0) == 600_000


@pytest.mark.parametrize(("withdrawn", "cheapest"), [(False, 700_000), (True, 720_000)])
def test_a_pack_to_come_counts_and_its_end_does_not(withdrawn: bool, cheapest: int) -> None:
    """A price that is published today must hold when cheaper credits come."""
    assert cheapest_from((PREPAID,), [replace(_mega(), withdrawn=withdrawn)], 0) == cheapest


def test_a_pack_in_another_currency_is_not_taken_for_cedis() -> None:
    """A row that somebody wrote by hand is refused rather than sold."""
    row: Any = SimpleNamespace(**published.pack_values(_mega()))
    assert published.read_pack(row) == _mega()
    row.currency = "USD"
    with pytest.raises(ValueError, match="it needs a price in cedis"):
        published.read_pack(row)


def _mega() -> PackVersion:
    return PackVersion(pack=MEGA, effective_from=1, withdrawn=False, published_at=0, actor="ama")


# Packs.


def test_a_pack_is_sold_from_its_very_microsecond_until_it_is_withdrawn() -> None:
    """It joins the packs of every policy, cheapest first; list packs can be withdrawn as well."""
    books = Books()
    pricing, begins = _pricing(books), books.clock.now() + SECOND
    ends = begins + SECOND
    begun = pricing.publish_pack(MEGA, effective_from=begins, features=(), actor="ama")
    withdrawn = pricing.withdraw_pack("MEGA", effective_from=ends, actor="ama")
    pricing.withdraw_pack("STARTER", effective_from=ends, actor="ama")

    assert [_types(pricing.packs(PREPAID, at)) for at in (begins - 1, begins, ends - 1, ends)] == [
        ["STARTER", "VALUE", "PRO"],
        ["STARTER", "VALUE", "PRO", "MEGA"],
        ["STARTER", "VALUE", "PRO", "MEGA"],
        ["VALUE", "PRO"],
    ]
    assert pricing.packs(PREPAID) == PREPAID_PACKS
    assert pricing.packs(HybridAddonPolicy(), begins) == (*HYBRID_PACKS, MEGA)
    assert pricing.pack_history("MEGA") == [begun.version, withdrawn.version]
    assert [begun.version.withdrawn, withdrawn.version.withdrawn] == [False, True]
    assert withdrawn.version.pack == MEGA


def test_a_published_pack_takes_the_place_of_its_type() -> None:
    """VALUE costs what was published last, with its bonus and its recommendation."""
    pricing = _pricing(Books())
    dearer = Pack(type="VALUE", price=Money(90), credits=Credits(100), bonus=Credits(10), recommended=True)
    pricing.publish_pack(dearer, features=(), actor="ama")
    assert pricing.packs(PREPAID) == (PREPAID_PACKS[0], dearer, PREPAID_PACKS[2])


def test_the_same_pack_again_changes_nothing() -> None:
    """Publishing and withdrawing repeat safely; another pack for the same instant is a conflict."""
    books = Books()
    pricing, begins = _pricing(books), books.clock.now() + SECOND
    first = pricing.publish_pack(MEGA, effective_from=begins, features=(), actor="ama")
    assert pricing.publish_pack(MEGA, effective_from=begins, features=(), actor="kofi") == replace(first, replayed=True)
    with pytest.raises(IdempotencyConflict):
        pricing.withdraw_pack("MEGA", effective_from=begins, actor="ama")
    books.clock.advance(2)
    gone = pricing.withdraw_pack("MEGA", actor="ama")
    books.clock.advance(2)
    assert pricing.withdraw_pack("MEGA", actor="ama") == replace(gone, replayed=True)
    assert pricing.pack_history("MEGA") == [first.version, gone.version]
    back = pricing.publish_pack(MEGA, features=(), actor="ama")
    assert [back.replayed, _types(pricing.packs(PREPAID))[-1]] == [False, "MEGA"]


def test_only_a_pack_on_sale_can_be_withdrawn() -> None:
    """A mistyped type is told, and nothing is written."""
    pricing = _pricing(Books())
    told = "Pack 'STRATER' is not on sale then, so nothing was withdrawn. Look at the price list for its type."
    with pytest.raises(ValueError, match=_whole(told)):
        pricing.withdraw_pack("STRATER", actor="ama")
    assert pricing.pack_history("STRATER") == []


def test_a_pack_that_makes_a_feature_lose_money_is_refused() -> None:
    """Cheaper credits earn less per call; the features that would lose money are named, each once."""
    books = Books()
    pricing = _pricing(books)
    cheap = MicroGhs(1)
    features = [
        Costing(feature="thin", credits=Credits(1), expected_cost=MicroGhs(FLOOR)),
        Costing(feature="thinner", credits=Credits("0.9"), expected_cost=MicroGhs(FLOOR)),
        Costing(feature="meant", credits=Credits(1), expected_cost=MicroGhs(FLOOR), loss_leader=True),
        Costing(feature="rich", credits=Credits(1), expected_cost=cheap),
    ]
    told = (
        "Pack 'MEGA' sells a credit for GHS 0.700000, and these features would fall below their floor: thin, thinner. "
        "It was not published; nothing was charged. Raise their prices first, or make the pack dearer."
    )
    with pytest.raises(BillingError) as refused:
        pricing.publish_pack(MEGA, features=features, actor="ama")
    assert str(refused.value) == told
    assert [pricing.pack_history("MEGA"), books.operations.audit("")] == [[], []]

    pricing.publish("thin", 3, expected_cost=MicroGhs(FLOOR), built_in=False, actor="ama")
    pricing.publish("thinner", 3, expected_cost=MicroGhs(FLOOR), built_in=False, actor="ama")
    done = pricing.publish_pack(MEGA, features=features, actor="ama")
    assert [(name, verdict.price, verdict.reason) for name, verdict in done.verdicts] == [
        ("thin", Credits(3), "within_target"),
        ("thinner", Credits(3), "within_target"),
        ("meant", Credits(1), "loss_leader"),
        ("rich", Credits(1), "within_target"),
    ]


def test_a_price_that_is_to_come_is_measured_too() -> None:
    """A pack must not undercut a price that was published for later."""
    books = Books()
    pricing, later = _pricing(books), books.clock.now() + SECOND
    pricing.publish("thin", 2, expected_cost=MicroGhs(FLOOR), built_in=False, actor="ama")
    pricing.publish("thin", 1, expected_cost=MicroGhs(FLOOR), built_in=False, effective_from=later, actor="ama")
    thin = Costing(feature="thin", credits=Credits(9), expected_cost=MicroGhs(FLOOR), built_in=True)
    floors = Floors(floor=Decimal(0), target=Decimal("0.60"))
    measured = [
        [(one.price, one.outcome) for _, one in floors.measured_at(MicroGhs(700_000), [thin], versions, at)]
        for versions, at in ((pricing.history("thin"), later - 1), (pricing.history("thin"), later), ((), 0))
    ]
    assert measured == [
        [(Credits(2), "warn"), (Credits(1), "refuse")],
        [(Credits(1), "refuse")],
        [(Credits(9), "warn")],
    ]
    with pytest.raises(BillingError, match="below their floor: thin"):
        pricing.publish_pack(MEGA, features=[thin], actor="ama")


def test_a_pack_no_cheaper_than_the_others_moves_no_floor() -> None:
    """A dear pack is published even while some price is thin; it makes nothing worse."""
    thin = Costing(feature="thin", credits=Credits(1), expected_cost=MicroGhs(FLOOR * 2))
    for price, measured in ((360, 0), (359, 1)):
        pack = replace(MEGA, price=Money(price))
        pricing = _pricing(Books(), floor_margin=Decimal(-9))
        assert len(pricing.publish_pack(pack, features=[thin], actor="ama").verdicts) == measured


# Who sees what when.


def _watched(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    reads, real = list[int](), database.read

    def counting(work: Any, **options: Any) -> Any:
        reads.append(1)
        return real(work, **options)

    monkeypatch.setattr(database, "read", counting)
    return reads


def test_a_price_costs_no_query_until_the_snapshot_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables are read once per refresh, however many calls ask."""
    books = Books()
    pricing, reads = _pricing(books), _watched(books.database, monkeypatch)
    assert not pricing.is_fresh
    for _ in range(3):
        _price(pricing), pricing.prices(), pricing.packs(PREPAID)
    assert [len(reads), pricing.is_fresh] == [1, True]
    books.clock.advance(4.999999)
    _price(pricing)
    assert [len(reads), pricing.is_fresh] == [1, True]
    books.clock.advance(0.000001)
    assert not pricing.is_fresh
    _price(pricing)
    assert len(reads) == 2
    pricing.refresh()
    assert [len(reads), pricing.is_fresh] == [3, True]


def test_with_no_refresh_every_question_is_asked_anew() -> None:
    """Zero means that nothing is kept."""
    pricing = _pricing(Books(), refresh_us=0)
    pricing.refresh()
    assert not pricing.is_fresh


def test_another_process_sees_a_price_within_the_refresh(tmp_path: Path) -> None:
    """Here it is seen at once, elsewhere no later than the refresh."""
    clock, url = ManualClock(), new_url(tmp_path)
    here, there = (Books("0", database=Database(url), clock=clock) for _ in range(2))
    publishing, selling = _pricing(here), _pricing(there)
    assert [_price(publishing), _price(selling)] == [None, None]
    _publish(publishing, "2")
    publishing.publish_pack(MEGA, features=(), actor="ama")
    assert [_price(publishing), _price(selling)] == ["2.00", None]
    assert [len(one.packs(PREPAID)) for one in (publishing, selling)] == [4, 3]
    clock.advance(4.999999)
    assert _price(selling) is None
    clock.advance(0.000001)
    assert [_price(selling), len(selling.packs(PREPAID))] == ["2.00", 4]
    here.close()
    there.close()


def test_a_price_published_while_the_tables_are_read_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that began before the publish does not hide it from those who come after."""
    books = Books()
    pricing, real = _pricing(books), books.database.read

    def slow(work: Any) -> Any:
        found = real(work)
        monkeypatch.setattr(books.database, "read", real)
        _publish(pricing, "2")
        return found

    monkeypatch.setattr(books.database, "read", slow)
    assert [_price(pricing), _price(pricing)] == [None, "2.00"]


def test_a_commit_in_doubt_makes_the_snapshot_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it was written or not, the next question looks."""
    books = Books()
    pricing, real = _pricing(books), books.database.write
    pricing.refresh()

    def lost(work: Any) -> Any:
        real(work)
        raise StoreUnavailable

    monkeypatch.setattr(books.database, "write", lost)
    with pytest.raises(StoreUnavailable):
        _publish(pricing, "2")
    monkeypatch.setattr(books.database, "write", real)
    assert _price(pricing) == "2.00"


def test_a_refusal_offers_the_published_packs_from_inside_its_transaction() -> None:
    """What a business without credits is offered is what is on sale, and nobody waits for the database twice."""
    chosen = dict[str, Pricing]()
    books = Books("0", packs=lambda policy, at: chosen["pricing"].packs_at_hand(policy, at))  # noqa: PLW0108  # it is made from these books
    pricing = chosen["pricing"] = _pricing(books)

    def offered() -> list[str]:
        with pytest.raises(InsufficientCreditsError) as refused:
            books.hold("400")
        return [offer.type for offer in refused.value.offers]

    assert offered() == ["PRO"]
    pricing.publish_pack(MEGA, features=(), actor="ama")
    assert _price(pricing) is None
    assert offered() == ["MEGA"]


def test_threads_may_ask_and_publish_at_once() -> None:
    """Whoever publishes sees its own price at once, whatever others read in the meantime."""
    books = Books()
    pricing = _pricing(books, refresh_us=3_600 * SECOND)

    def work(number: int) -> bool:
        key = f"feature_{number}"
        pricing.publish(key, number + 1, expected_cost=None, built_in=False, actor="ama")
        found = pricing.price(key)
        return found is not None and found.credits == Credits(number + 1)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(24)))
    assert len(pricing.prices()) == 24


def test_prices_change_by_the_clock_of_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where hosts share a server its clock decides, not that of each host; on one machine there is one clock."""
    clock = ManualClock()
    database = Database(new_url(tmp_path))
    opened = open_books(database, clock)
    hour = 3_600 * SECOND
    monkeypatch.setattr(opened.books, "now", lambda _tx: clock.now() + hour)
    pricing = Pricing(
        opened.books,
        clock=clock,
        policies=lambda: (PREPAID,),
        floor_margin=Decimal(0),
        target_margin=Decimal("0.60"),
        refresh_us=REFRESH,
    )
    version = _publish(pricing, "2").version
    assert version.effective_from == clock.now() + hour
    assert _price(pricing) == ("2.00" if on_postgres() else None)
    assert _price(pricing, clock.now() + hour) == "2.00"
    database.close()


def test_the_rules_of_publishing_are_pure() -> None:
    """They can be asked without any books."""
    books = Books()
    version = _publish(_pricing(books)).version
    at = version.effective_from
    assert version_name(version) == str(at)
    assert already([], version, now=True) is None
    assert already([version], replace(version, actor="kofi", published_at=0), now=False) == version
    refuse_past(version, "It", at)
    with pytest.raises(ValueError, match="It was not changed"):
        refuse_past(version, "It", at + 1)
    refuse_losses(MEGA, ())
    assert run_sql(books.database, "SELECT count(*) FROM ai_price_versions")[0][0] == 1
