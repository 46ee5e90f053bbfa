"""The exchange rate of the books: what is believed, kept and booked, and that no call waits for it."""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from ai_addons import AddOns, plugins
from ai_addons.billing.charging import charge
from ai_addons.billing.fx.asking import Asked, ask, best
from ai_addons.billing.fx.base import RateUnavailable
from ai_addons.billing.fx.desk import LOOK, RateDesk
from ai_addons.billing.fx.rules import RateRules, age, rules_of
from ai_addons.billing.records import Booked, CallRecord, Rate
from ai_addons.errors import BillingError, ConfigError, StaleRate
from ai_addons.events import OperatorAlert, RateChecked
from ai_addons.money import Credits, PicoUsd
from ai_addons.settings import FxSettings
from ai_addons.testing import ManualClock
from ai_addons.testing.kit import kit_settings
from tests.books import Books, kept_in, new_database
from tests.rates import TODAY, Bulletin, Told, rate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ai_addons.billing.sql import Database
    from ai_addons.events import Event

RULES = RateRules()
HOUR = 3_600
DAY = 24 * HOUR


# Rules.


@pytest.mark.parametrize(
    ("number", "last", "fault"),
    [
        ("5", None, None),
        ("50", None, None),
        ("4.99999999", None, "4.99999999 is not within 5 and 50"),
        ("50.00000001", None, "50.00000001 is not within 5 and 50"),
        ("114000", "11.4", "114000 is not within 5 and 50"),
        ("11.5", "10", None),
        ("8.5", "10", None),
        ("11.50000001", "10", "11.50000001 is 15 % away from 10, the last good one"),
        ("8.49999999", "10", "8.49999999 is 15 % away from 10, the last good one"),
        ("16", "11.646", "16 is 37 % away from 11.646, the last good one"),
    ],
)
def test_a_rate_out_of_bounds_or_too_far_away_is_refused(number: str, last: str | None, fault: str | None) -> None:
    """Both bounds belong to what is good; without a last good rate only the fixed ones count."""
    before = None if last is None else rate(last)
    assert RULES.fault(rate(number), before, TODAY) == fault


@pytest.mark.parametrize(("ahead", "fault"), [(0, None), (1, None), (2, "its day 2026-09-23 is yet to come")])
def test_a_rate_of_days_to_come_is_refused(ahead: int, fault: str | None) -> None:
    """Tomorrow is today somewhere east of us; the day after is a mistake."""
    assert RULES.fault(rate(as_of=TODAY + timedelta(days=ahead)), None, TODAY) == fault


@pytest.mark.parametrize(
    ("days", "old", "stale"),
    [(-1, False, False), (4, False, False), (5, True, False), (7, True, False), (8, True, True)],
)
def test_a_rate_grows_old_and_then_stale(days: int, *, old: bool, stale: bool) -> None:
    """Warned of after four days, stale after seven; one of the settings is stale on its own day."""
    found = rate(as_of=TODAY - timedelta(days=days))
    assert (RULES.is_old(found, TODAY), RULES.is_stale(found, TODAY)) == (old, stale)
    assert age(found, TODAY) == max(days, 0)
    fixed = rate(kind="static")
    assert (RULES.is_old(fixed, TODAY), RULES.is_stale(fixed, TODAY)) == (True, True)


def test_the_rules_are_settings() -> None:
    """Every bound can be set, in the words of the reference."""
    fx = FxSettings.model_validate(
        {"low": "1", "high": "2", "most_move": "0.5", "warn_after": "1d", "stale_after": "48h"}
    )
    assert rules_of(fx) == RateRules(
        low=Decimal(1), high=Decimal(2), most_move=Decimal("0.5"), warn_days=1, stale_days=2
    )
    assert rules_of(FxSettings()) == RULES


# Asking.


def asked_of(*says: Any, last: str | None = None) -> tuple[Asked, ...]:
    """What comes of asking sources a, b, c … that say these things."""
    sources = [(name, Told([one])) for name, one in zip("abc", says, strict=False)]
    return ask(sources, RULES, None if last is None else rate(last), ManualClock().now(), lambda: False)


@pytest.mark.parametrize(
    ("says", "outcomes", "used"),
    [
        ([rate("11.4"), rate("11.5")], ["good"], "11.4"),
        ([RateUnavailable("no answer in time"), rate("11.5")], ["failed", "good"], "11.5"),
        ([RuntimeError("a plug-in's own"), rate("11.5")], ["failed", "good"], "11.5"),
        ([rate("16"), rate("11.5")], ["refused", "good"], "11.5"),
        ([rate("11.4", as_of=TODAY - timedelta(days=5)), rate("11.5")], ["good", "good"], "11.5"),
        ([rate("11.4", as_of=TODAY - timedelta(days=5)), RateUnavailable("x")], ["good", "failed"], "11.4"),
        ([rate("16"), rate("16.1")], ["refused", "refused"], None),
        ([RateUnavailable("x"), RateUnavailable("y")], ["failed", "failed"], None),
    ],
)
def test_sources_are_asked_until_one_is_good_and_fresh(says: list[Any], outcomes: list[str], used: str | None) -> None:
    """One that fails, lies or stands still does not keep the next from being asked."""
    asked = asked_of(*says, last="11.3")
    assert [one.outcome for one in asked] == outcomes
    found = best(asked)
    assert (None if found is None else f"{found.rate:f}") == used


def test_a_plug_ins_mistake_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Its traceback is for the log, a plain sentence for the operator."""
    (one,) = asked_of(RuntimeError("own"))
    assert one.fault == "it failed in its own code; the log says how"
    assert "the rate source a failed" in caplog.text


# The desk.


class Bank(Books):
    """Books whose rate comes from sources that say what they are told."""

    def __init__(self, database: Database, bulletin: Bulletin, *names: str, **fx: Any) -> None:
        self.told: list[Event] = []
        self.bulletin = bulletin
        self.fx = FxSettings(sources=names or tuple(bulletin.sources), **fx)
        super().__init__("0", database=database, hooks=(self.told.append,), rate=self.rate)
        self.desk = self.another()

    def rate(self, now: int) -> Rate:
        """What the books ask for."""
        return self.desk.booked(now)

    def another(self) -> RateDesk:
        """The desk of another process on the same books."""
        return RateDesk(self.opened, clock=self.clock, fx=self.fx)

    def call_once(self, key: str) -> None:
        """One call that cost us 0.0001 USD."""
        self.buy("5", key)
        self.told.clear()
        self.store.capture(self.hold("5", key), CallRecord(outcome="ok", source="ai", cost=PicoUsd(100_000_000)))

    def now(self) -> Rate:
        """What a call would book now, after every thread has ended."""
        self.desk.wake()
        self.join()
        return self.desk.booked(self.clock.now())

    @staticmethod
    def join() -> None:
        """Wait for the desks' threads."""
        for thread in threading.enumerate():
            if thread.name == "ai_addons_rates":
                thread.join(10)


@pytest.fixture
def open_bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Bank]]:
    """Makes a bank; all of them share one database."""
    made: list[Bank] = []
    database = new_database(tmp_path)

    def make(*names: str, says: dict[str, Any] | None = None, **fx: Any) -> Bank:
        bulletin = Bulletin(**(says or {"bog": "11.4", "er-api": "11.5"}))
        monkeypatch.setattr(plugins, "load", bulletin.load)
        made.append(Bank(database, bulletin, *names, **fx))
        return made[-1]

    yield make
    for bank in made:
        bank.desk.close()
    database.close()


STATIC = Rate(scaled=1_164_600_000, day=date(2026, 9, 29), source="static", stale=True)
GOOD = Rate(scaled=1_140_000_000, day=TODAY, source="bog", stale=False)


def test_by_default_nobody_is_asked(open_bank: Callable[..., Bank]) -> None:
    """A static rate needs no thread, no query and no network, and is always stale."""
    bank = open_bank("static")
    assert bank.now() == STATIC
    assert bank.desk.refresh(force=True) == ()
    assert bank.desk.view().waiting == ()
    assert "ai_addons_rates" not in [thread.name for thread in threading.enumerate()]
    assert bank.bulletin.asked == {"bog": 0, "er-api": 0}


def test_the_first_call_starts_the_first_look(open_bank: Callable[..., Bank]) -> None:
    """It takes the rate of the settings at once; the next one has what was found meanwhile."""
    bank = open_bank()
    assert bank.desk.booked(bank.clock.now()) == STATIC
    bank.join()
    assert bank.desk.booked(bank.clock.now()) == GOOD
    assert bank.bulletin.asked == {"bog": 1, "er-api": 0}
    assert bank.told == [RateChecked(source="bog", outcome="good", age_days=0)]


def test_no_call_waits_for_a_source(open_bank: Callable[..., Bank]) -> None:
    """While a source hangs, calls are booked with what is known."""
    bank, hung = open_bank(), threading.Event()
    bank.bulletin.sources["bog"].meanwhile = lambda: hung.wait(30)
    try:
        bank.call_once("k1")
        (line,) = bank.store.transactions("biz_7")
        assert line.rate == STATIC
        assert bank.bulletin.asked["bog"] <= 1
    finally:
        hung.set()
        bank.join()


def test_every_row_keeps_its_rate_day_source_and_staleness(open_bank: Callable[..., Bank]) -> None:
    """A newer rate changes no row of the past; a rate that has grown stale says so in the rows of then."""
    bank = open_bank(says={"bog": "11.4"})
    assert bank.now() == GOOD
    bank.call_once("k1")
    bank.bulletin.say("bog", RateUnavailable("down"))
    bank.clock.advance(8 * DAY)
    assert bank.now() == replace(GOOD, stale=True)
    bank.call_once("k2")
    bank.bulletin.say("bog", rate("12", as_of=TODAY + timedelta(days=8)))
    bank.clock.advance(HOUR)
    bank.now()
    bank.call_once("k3")
    lines = bank.store.transactions("biz_7")
    assert [(line.cost_ghs, line.rate.source, line.rate.day, line.rate.stale) for line in lines] == [
        (1_140, "bog", TODAY, False),
        (1_140, "bog", TODAY, True),
        (1_200, "bog", TODAY + timedelta(days=8), False),
    ]


def test_a_rate_that_comes_in_the_middle_of_a_call_is_for_the_next_one() -> None:
    """A caller is told the cedis that are in the books, and so is whoever repeats a capture or a void later."""
    rates = (replace(GOOD, scaled=GOOD.scaled + more) for more in range(0, 10**12, 10**8))
    books = Books(rate=lambda _: next(rates))
    record = CallRecord(outcome="ok", source="ai", cost=PicoUsd(100_000_000))
    holds = [books.hold("1", key) for key in ("k1", "k2", "k3")]
    books.store.renew(holds[0])
    told = [books.store.capture(holds[0], record), books.store.void(holds[1], replace(record, outcome="failed"))]
    told.append(books.store.record(books.call("k4"), record))
    work_done = charge(books.opened, books.call("k5"), Credits(1), record)
    assert isinstance(work_done, Booked)
    told.append(work_done)
    books.clock.advance(121)
    books.store.sweep()
    told.append(books.store.capture(holds[2], record))
    written = {row.id: row.cost_ghs for row in books.store.transactions("biz_7")}
    assert [one.cost_ghs for one in told] == [written[key] for key in ("k1", "k2", "k4", "k5", "k3")]
    assert len(set(written.values())) == 5
    assert books.store.capture(holds[0], record).cost_ghs == written["k1"]
    assert books.store.void(holds[1], record).cost_ghs == written["k2"]


def test_one_host_of_all_asks_every_six_hours(open_bank: Callable[..., Bank]) -> None:
    """The others find its rate in the books; who looked within five minutes does not look again."""
    bank = open_bank()
    other = bank.another()
    bank.now()
    assert other.refresh() == ()
    assert other.booked(bank.clock.now()) == GOOD
    bank.clock.advance(6 * HOUR - 1)
    bank.now()
    assert bank.bulletin.asked["bog"] == 1
    bank.bulletin.say("bog", "11.45")
    bank.clock.advance(LOOK)
    bank.now()
    assert bank.bulletin.asked["bog"] == 2
    other.close()


def test_a_thread_at_work_is_not_doubled(open_bank: Callable[..., Bank]) -> None:
    """However many calls wake the desk, one thread looks."""
    bank, hung = open_bank(), threading.Event()
    bank.bulletin.sources["bog"].meanwhile = lambda: hung.wait(30)
    for _ in range(5):
        bank.desk.wake()
        bank.clock.advance(LOOK)
    assert [thread.name for thread in threading.enumerate()].count("ai_addons_rates") == 1
    hung.set()
    bank.join()


def test_a_child_that_was_forked_starts_its_own_thread(
    open_bank: Callable[..., Bank], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock that its parent held at the fork keeps nobody from looking."""
    bank = open_bank()
    bank.desk._starting[1].acquire()
    bank.desk.wake()
    assert bank.bulletin.asked["bog"] == 0
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert bank.now() == GOOD


def test_a_failure_is_tried_again_after_a_quarter_of_an_hour(open_bank: Callable[..., Bank]) -> None:
    """The last good rate stays; nothing is lost with the process."""
    bank = open_bank(says={"bog": "11.4", "er-api": RateUnavailable("down")})
    bank.now()
    bank.bulletin.say("bog", RateUnavailable("down"))
    bank.clock.advance(6 * HOUR)
    assert bank.now() == GOOD
    assert bank.another()._read() == replace(rate(), fetched_at=ManualClock().now())
    bank.clock.advance(15 * 60 - 1)
    assert bank.desk.refresh() == ()
    bank.clock.advance(1)
    assert [one.outcome for one in bank.desk.refresh()] == ["failed", "failed"]


def test_a_host_that_died_while_it_asked_keeps_the_others_for_a_minute(open_bank: Callable[..., Bank]) -> None:
    """Its claim runs out, and another one asks."""
    bank = open_bank()
    bank.bulletin.say("bog", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        bank.desk.refresh()
    bank.bulletin.say("bog", "11.4")
    bank.clock.advance(59)
    assert bank.another().refresh() == ()
    bank.clock.advance(1)
    assert [one.outcome for one in bank.another().refresh()] == ["good"]


def test_a_source_that_stands_still_gives_way_to_a_fresh_one(open_bank: Callable[..., Bank]) -> None:
    """Both are kept; the one of the later day is booked."""
    bank = open_bank(says={"bog": rate("11.3", as_of=TODAY - timedelta(days=6)), "er-api": "11.5"})
    assert (bank.now().scaled, bank.now().source) == (1_150_000_000, "er-api")
    assert bank.sql("SELECT source, good_at IS NOT NULL FROM ai_fx_rates ORDER BY source") == [
        ("bog", 1),
        ("er-api", 1),
    ]


def test_a_wild_rate_waits_until_an_operator_confirms_it(open_bank: Callable[..., Bank]) -> None:
    """It is told, kept beside the good one, and taken by its number with a name and a reason."""
    bank = open_bank(says={"bog": "11.4", "er-api": "11.5"})
    bank.now()
    for source in ("bog", "er-api"):
        bank.bulletin.say(source, "16")
    bank.clock.advance(6 * HOUR)
    bank.told.clear()
    assert bank.now() == GOOD
    assert bank.told == [
        RateChecked(source="bog", outcome="refused", age_days=0),
        OperatorAlert(code="rate_refused", detail="bog: 16 is 40 % away from 11.4, the last good one"),
        RateChecked(source="er-api", outcome="refused", age_days=0),
        OperatorAlert(code="rate_refused", detail="er-api: 16 is 40 % away from 11.4, the last good one"),
    ]
    waiting = bank.desk.view().waiting
    assert [(one.source, one.rate, why) for one, why in waiting] == [
        ("bog", Decimal(16), "16 is 40 % away from 11.4, the last good one"),
        ("er-api", Decimal(16), "16 is 40 % away from 11.4, the last good one"),
    ]
    with pytest.raises(BillingError, match=r"No rate of 16\.1 waits to be confirmed, so nothing was changed"):
        bank.desk.confirm("16.1", actor="esi", reason="devaluation")
    with pytest.raises(ValueError, match="'much' is no number; nothing was changed"):
        bank.desk.confirm("much", actor="esi", reason="devaluation")
    with pytest.raises(ValueError, match="the actor must be"):
        bank.desk.confirm("16", actor="", reason="devaluation")
    assert bank.now() == GOOD
    assert bank.desk.confirm("16.00", actor="esi", reason="devaluation").source == "bog"
    assert (bank.now().scaled, bank.another()._read()) == (1_600_000_000, bank.desk._known)
    (entry,) = bank.operations.audit("")
    assert (entry.actor, entry.action, dict(entry.detail)) == (
        "esi",
        "confirm_rate",
        {"rate": "16", "source": "bog", "as_of": "2026-09-21", "before": "11.4", "reason": "devaluation"},
    )
    bank.clock.advance(6 * HOUR)
    assert bank.now().scaled == 1_600_000_000
    assert [one.source for one, _ in bank.desk.view().waiting] == ["er-api"]


def test_the_first_rate_of_all_may_need_a_word_too(open_bank: Callable[..., Bank]) -> None:
    """Out of the fixed bounds, with no good rate before; after a week nobody can confirm it any more."""
    bank = open_bank(says={"bog": "55", "er-api": "55"})
    assert bank.now() == STATIC
    bank.clock.advance(7 * DAY + 1)
    with pytest.raises(BillingError, match="No rate of 55 waits"):
        bank.desk.confirm("55", actor="esi", reason="true")
    bank.desk.refresh()
    assert bank.desk.confirm(Decimal(55), actor="esi", reason="true").rate == 55
    assert dict(bank.operations.audit("")[0].detail)["before"] is None


def test_postgresql_keeps_rates_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One host asks, a wild rate waits, a word makes it the last good one."""
    with kept_in("postgresql"):
        database = new_database(tmp_path)
    bulletin = Bulletin(bog="11.4")
    monkeypatch.setattr(plugins, "load", bulletin.load)
    bank = Bank(database, bulletin)
    try:
        assert [one.outcome for one in bank.desk.refresh()] == ["good"]
        assert bank.another().refresh() == ()
        bulletin.say("bog", "16")
        assert [one.outcome for one in bank.desk.refresh(force=True)] == ["refused"]
        assert bank.desk.fresh_rate().rate == Decimal("11.4")
        bank.desk.confirm("16", actor="esi", reason="devaluation")
        assert bank.another().fresh_rate().rate == 16
    finally:
        bank.desk.close()
        database.close()


def test_a_clock_set_back_hides_no_newer_rate(open_bank: Callable[..., Bank]) -> None:
    """What was found good last counts, not what is dated last."""
    bank = open_bank(says={"bog": "11.4"})
    bank.desk.refresh()
    bank.clock.set(bank.clock.now() - HOUR * 1_000_000)
    bank.bulletin.say("bog", "11.5")
    bank.desk.refresh(force=True)
    assert bank.another().fresh_rate().rate == Decimal("11.5")


# Charging by it.


def test_a_fresh_rate_is_given_and_an_old_one_never(open_bank: Callable[..., Bank]) -> None:
    """A gateway gets it from the books; a stale one is asked for anew, and without an answer nobody is charged."""
    bank = open_bank()
    assert bank.desk.fresh_rate().rate == Decimal("11.4")
    assert bank.desk.fresh_rate().source == "bog"
    assert bank.bulletin.asked["bog"] == 1
    for source in ("bog", "er-api"):
        bank.bulletin.say(source, RateUnavailable("down"))
    bank.clock.advance(7 * DAY)
    assert bank.desk.fresh_rate().rate == Decimal("11.4")
    bank.clock.advance(DAY)
    with pytest.raises(StaleRate):
        bank.desk.fresh_rate()
    bank.bulletin.say("er-api", rate("11.9", as_of=TODAY + timedelta(days=8), source="er-api"))
    assert bank.desk.fresh_rate().rate == Decimal("11.9")


def test_nobody_is_charged_by_the_rate_of_the_settings(open_bank: Callable[..., Bank]) -> None:
    """Not even on its own day; nor by a rate that was kept while sources were configured."""
    open_bank().now()
    with pytest.raises(StaleRate):
        open_bank("static").desk.fresh_rate()


def test_an_old_rate_raises_an_alert(open_bank: Callable[..., Bank]) -> None:
    """Once each time the sources were asked: five days after its day, and where there never was one."""
    bank = open_bank("bog", says={"bog": rate(as_of=TODAY - timedelta(days=5))})
    bank.now()
    assert bank.told == [
        RateChecked(source="bog", outcome="good", age_days=5),
        OperatorAlert(code="rate_old", detail="bog, 5 days"),
    ]
    view = bank.desk.view()
    assert (view.age_days, view.old, view.stale, view.sources) == (5, True, False, ("bog",))


# Wiring.


def test_a_source_that_is_not_there_is_logged_and_breaks_no_call(
    open_bank: Callable[..., Bank], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread says so; `check` and a refresh by hand raise it."""
    bank = open_bank()

    def missing(group: str, name: str) -> Any:
        msg = f"no {name} in {group}"
        raise ConfigError(msg)

    monkeypatch.setattr(plugins, "load", missing)
    with caplog.at_level(logging.WARNING):
        assert bank.now() == STATIC
    assert "exchange rates could not be looked up: no bog in rates" in caplog.text
    for used in (bank.desk.check, partial(bank.desk.refresh, force=True)):
        with pytest.raises(ConfigError, match="no bog"):
            used()


def test_closing_waits_for_the_thread_and_asks_no_further_source(open_bank: Callable[..., Bank]) -> None:
    """Nothing is left running that could open the books again."""
    bank, reached, hung = open_bank(), threading.Event(), threading.Event()

    def hang() -> None:
        reached.set()
        hung.wait(30)

    bank.bulletin.sources["bog"].meanwhile = hang
    bank.bulletin.say("bog", RateUnavailable("down"))
    bank.desk.wake()
    assert reached.wait(10)
    bank.desk._stop.set()
    hung.set()
    bank.desk.close()
    assert bank.bulletin.asked == {"bog": 1, "er-api": 0}
    assert "ai_addons_rates" not in [thread.name for thread in threading.enumerate()]


def test_a_desk_that_was_closed_at_once_asks_nobody(open_bank: Callable[..., Bank]) -> None:
    """The thread looks into the books and sees that it is to end."""
    bank = open_bank()
    bank.desk._stop.set()
    bank.desk._look()
    assert bank.bulletin.asked["bog"] == 0


def test_a_whole_sdk_books_with_the_rate_of_its_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sweep asks, the desk knows, the row of the next call says so."""
    bulletin = Bulletin(bog="11.4")
    monkeypatch.setattr(RateDesk, "_sources", lambda _: [("bog", bulletin.sources["bog"])])
    addons = AddOns(kit_settings(fx={"sources": ["bog"]}), clock=ManualClock())
    try:
        assert addons.sweep() == 0
        assert addons.rates.view().rate.rate == Decimal("11.4")
        assert addons.rates.booked(ManualClock().now()) == GOOD
    finally:
        addons.close()
