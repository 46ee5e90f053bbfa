"""Spending limits and the kill switch, counted in the transaction of the hold."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import pytest

from ai_addons.billing.limiting import Limits, Switch
from ai_addons.billing.limits import Limit
from ai_addons.billing.profile import BusinessProfile
from ai_addons.billing.records import CallIdentity, Finished, Hold
from ai_addons.errors import LimitReached, Paused
from ai_addons.money import Credits
from ai_addons.testing.fakes import ManualClock
from tests.addon_books import us
from tests.books import FAILED, OK, Books
from tests.hands import at_once, examined

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ai_addons.billing.limits import Scope, Window

pytestmark = pytest.mark.usefixtures("each_database")

NOON: Final = us("2027-01-31 12:00")
SYDNEY: Final = "Australia/Sydney"


def _limit(scope: Scope, amount: str, window: Window = "day", **place: str) -> Limit:
    return Limit(scope=scope, window=window, amount=Credits(amount), **place)


def _at(now: int, *limits: Limit, tz: str = "Africa/Accra", **options: Any) -> dict[str, Any]:
    """Books at a time, of businesses in a zone, with limits in the settings."""
    return {"clock": ManualClock(now), "limits": limits, "profile": lambda _: BusinessProfile(tz=tz)} | options


def _counted(books: Books) -> list[tuple[str, str, str, str, str]]:
    """Scope, business, key, and what is used and held, of every window."""
    rows = books.sql(
        "SELECT scope, business_id, key, used, held FROM ai_limit_counters ORDER BY scope, business_id, key, starts_at"
    )
    return [(*row[:3], *(Credits.from_micro(micro).short for micro in row[3:])) for row in rows]


def _passes(books: Books, amount: str, **call: Any) -> bool:
    """Whether a call is admitted; it is charged at once."""
    try:
        held = books.store.hold(books.call(**call), Credits(amount))
    except LimitReached:
        return False
    assert isinstance(held, Hold)
    books.store.capture(held, OK)
    return True


# What a limit counts.


@pytest.mark.parametrize("window", ["day", "month"])
@pytest.mark.parametrize(
    ("scope", "same", "other"),
    [
        ("business", {"user": "esi", "feature": "menu_idea"}, {"business": "biz_8"}),
        ("user", {"feature": "menu_idea"}, {"user": "esi"}),
        ("feature", {"user": "esi"}, {"feature": "menu_idea"}),
    ],
)
def test_a_limit_bounds_what_it_is_for_and_nothing_else(
    tmp_path: Path, window: Window, scope: Scope, same: dict[str, str], other: dict[str, str]
) -> None:
    """Used up to its last micro-credit it refuses one more, of the same business, user or feature alone."""
    with examined(tmp_path, "30", **_at(NOON, _limit(scope, "5", window))) as books:
        books.buy("30", "order-1", business="biz_8")
        assert _passes(books, "4.999999")
        assert not _passes(books, "0.000002", **same)
        assert _passes(books, "0.000001", **same)
        assert not _passes(books, "0.000001")
        assert _passes(books, "5", **other)


def test_a_call_that_nobody_made_has_no_user_limit(tmp_path: Path) -> None:
    """A job of the host is bounded by the business's limit alone."""
    with examined(tmp_path, "30", **_at(NOON, _limit("user", "1"), _limit("business", "9"))) as books:
        assert _passes(books, "9", user=None)
        assert _counted(books) == [("business", "biz_7", "", "9", "0")]


def test_a_call_counts_in_all_its_windows_or_in_none(tmp_path: Path) -> None:
    """Refused by one limit it leaves no trace in the others, in the wallet, the log or the ledger."""
    limits = (_limit("business", "20", "month"), _limit("business", "9"), _limit("user", "6"), _limit("operator", "8"))
    with examined(tmp_path, "30", **_at(NOON, *limits)) as books:
        assert _passes(books, "5")
        before = (_counted(books), books.balance(), books.store.ledger("biz_7"), books.store.transactions("biz_7"))
        for amount, over in (("1.1", "this user"), ("3.1", "this user"), ("4.1", "this business")):
            user = "u_1" if over == "this user" else "esi"
            with pytest.raises(LimitReached, match=f"for {over}.* Nothing was charged and the model was not asked"):
                books.hold(amount, "sale-81", user=user)
        with pytest.raises(LimitReached, match="over the operator's daily limit for all businesses together"):
            books.hold("3.1", "sale-81", user="esi")
        after = [row for row in _counted(books) if row[3:] != ("0", "0")]
        assert (after, books.balance(), books.store.ledger("biz_7"), books.store.transactions("biz_7")) == before
        assert books.sql("SELECT count(*) FROM ai_credit_holds") == [(1,)]
        assert books.hold("1", "sale-81").attempt == 1


def _capture_part(books: Books, hold: Hold) -> None:
    books.store.capture(hold, OK, used=Credits(2))


def _expire(books: Books, hold: Hold) -> None:
    books.clock.set(hold.expires_at)
    books.store.sweep()


@pytest.mark.parametrize(
    ("end", "used"),
    [
        (lambda books, hold: books.store.capture(hold, OK), "5"),
        (_capture_part, "2"),
        (lambda books, hold: books.store.void(hold, FAILED), "0"),
        (_expire, "0"),
    ],
)
def test_what_a_call_did_not_use_is_there_for_the_next(
    tmp_path: Path, end: Callable[[Books, Hold], object], used: str
) -> None:
    """While it runs all that it holds counts; afterwards what it used."""
    with examined(tmp_path, "30", **_at(NOON, _limit("business", "5"))) as books:
        hold = books.hold("5")
        assert _counted(books) == [("business", "biz_7", "", "0", "5")]
        assert not _passes(books, "0.000001")
        end(books, hold)
        assert _counted(books) == [("business", "biz_7", "", used, "0")]
        rest = Credits(5) - Credits(used)
        assert not _passes(books, str(rest + Credits("0.000001")))
        assert not rest or _passes(books, str(rest))


def test_a_limit_of_nothing_stops_everything(tmp_path: Path) -> None:
    """The smallest price is over it."""
    with examined(tmp_path, **_at(NOON, _limit("feature", "0", key="menu_idea"))) as books:
        assert not _passes(books, "0.000001", feature="menu_idea")
        assert _passes(books, "1")


def test_many_at_once_use_a_limit_up_and_never_pass_it(tmp_path: Path) -> None:
    """Of sixteen calls of one credit at the same moment five go through a limit of five."""
    with examined(tmp_path, "30", **_at(NOON, _limit("business", "5"))) as books:
        assert sum(at_once(16, lambda _: _passes(books, "1"))) == 5
        assert _counted(books) == [("business", "biz_7", "", "5", "0")]


# All businesses together.


def test_the_operators_limit_counts_all_businesses(tmp_path: Path) -> None:
    """What one shop used is not there for another; the refusal does not tell how much the operator allows."""
    with examined(tmp_path, "30", **_at(NOON, _limit("operator", "5", "month"))) as books:
        books.buy("30", "order-1", business="biz_8")
        assert _passes(books, "3")
        with pytest.raises(LimitReached) as refused:
            books.store.hold(books.call(business="biz_8"), Credits("2.000001"))
        assert "operator's monthly limit" in str(refused.value)
        assert "5" not in str(refused.value).replace("T00:00:00Z", "")
        assert _passes(books, "2", business="biz_8")
        assert _counted(books) == [("operator", "", "", "5", "0")]


def test_two_businesses_at_once_share_the_operators_limit(tmp_path: Path) -> None:
    """Eight hands in each shop: together they use it up, to the credit, and nobody waits for ever."""
    with examined(tmp_path, "30", **_at(NOON, _limit("operator", "5"), _limit("business", "4"))) as books:
        books.buy("30", "order-1", business="biz_8")
        passed = at_once(16, lambda number: _passes(books, "1", business=f"biz_{7 + number % 2}"))
        assert sum(passed) == 5
        assert _counted(books)[-1] == ("operator", "", "", "5", "0")


def test_the_operator_counts_in_its_own_zone(tmp_path: Path) -> None:
    """A shop in Sydney is in its next day while the operator in Accra is not."""
    limits = (_limit("operator", "5"), _limit("business", "3"))
    options = _at(us("2027-02-10 12:59"), *limits, tz=SYDNEY)
    with examined(tmp_path, "30", **options) as books:
        assert _passes(books, "3")
        assert not _passes(books, "1")
        books.clock.set(us("2027-02-10 13:00"))
        assert _passes(books, "2")
        with pytest.raises(LimitReached, match=r"operator.* starts afresh at 2027-02-11T00:00:00Z"):
            books.hold("1")
        books.clock.set(us("2027-02-11 00:00"))
        with pytest.raises(LimitReached, match=r"for this business.* starts afresh at 2027-02-11T13:00:00Z"):
            books.hold("2")
        assert _passes(books, "1")


# Windows.


@pytest.mark.parametrize(
    ("window", "ends"), [("day", "2027-02-28 13:00"), ("month", "2027-02-28 13:00"), ("day", "2027-03-01 13:00")]
)
def test_a_window_ends_at_midnight_where_the_shop_is(tmp_path: Path, window: Window, ends: str) -> None:
    """In Sydney the first of March begins while it is February in Accra; the refusal says when to come back."""
    end = us(ends)
    with examined(tmp_path, "30", **_at(end - 3_600_000_000, _limit("business", "5", window), tz=SYDNEY)) as books:
        assert _passes(books, "5")
        books.clock.set(end - 1)
        with pytest.raises(LimitReached, match=ends.replace(" ", "T")):
            books.hold("0.000001")
        books.clock.set(end)
        assert _passes(books, "5")


@pytest.mark.parametrize(
    ("end", "counted"),
    [
        (lambda books, hold: books.store.capture(hold, OK, used=Credits(4)), ("4", "0")),
        (lambda books, hold: books.store.void(hold, FAILED), ("0", "0")),
    ],
)
def test_a_call_over_midnight_counts_in_the_day_it_began(
    tmp_path: Path, end: Callable[[Books, Hold], object], counted: tuple[str, str]
) -> None:
    """The new day starts with nothing, however the call of the day before ends."""
    with examined(tmp_path, "30", **_at(us("2027-01-31 23:59:30"), _limit("business", "5"))) as books:
        hold = books.hold("5")
        books.clock.set(us("2027-02-01 00:00:10"))
        assert _passes(books, "5")
        end(books, hold)
        assert [row[3:] for row in _counted(books)] == [counted, ("5", "0")]


@pytest.mark.parametrize(("bought", "used"), [("30", "5"), ("5", "0")])
def test_a_late_answer_counts_in_the_day_it_began(tmp_path: Path, bought: str, used: str) -> None:
    """Where it is paid after all; as bad debt it is nobody's spending."""
    with examined(tmp_path, bought, **_at(us("2027-01-31 23:59:30"), _limit("business", "5"))) as books:
        hold = books.hold("5")
        books.clock.set(us("2027-02-01 00:02"))
        assert _passes(books, "1")
        assert books.store.capture(hold, OK).charged == Credits(used)
        assert [row[3:] for row in _counted(books)] == [(used, "0"), ("1", "0")]


# Warnings.


def test_a_warning_comes_once_a_window_and_so_does_the_refusal(tmp_path: Path) -> None:
    """At four fifths of the limit, by whichever call reaches it; again in the next window."""
    told = list[Any]()
    options = _at(NOON, _limit("business", "5"), hooks=[told.append], low=Credits(0))
    with examined(tmp_path, "30", **options) as books:
        topics = list[list[str]]()
        for amount in ("3.999999", "0.000001", "0.5", "1", "1"):
            told.clear()
            _passes(books, amount)
            topics.append([event.topic for event in told])
        assert topics == [[], ["limit.warning"], [], ["limit.reached"], []]
        books.clock.set(us("2027-02-01 00:00"))
        told.clear()
        assert _passes(books, "5")
        assert [(event.topic, event.business) for event in told] == [("limit.warning", "biz_7")]
        assert told[0].facts == {"scope": "business", "window": "day", "limit": "5.00"}


def test_a_call_that_is_refused_warns_of_nothing(tmp_path: Path) -> None:
    """It is told of the limit that refused it alone; the other's warning comes when its level is really reached."""
    told = list[Any]()
    limits = (_limit("business", "10"), _limit("operator", "8.5", "month"))
    with examined(tmp_path, "30", **_at(NOON, *limits, hooks=[told.append], low=Credits(0))) as books:
        topics = list[list[tuple[str, str]]]()
        for amount in ("9", "8"):
            told.clear()
            _passes(books, amount)
            topics.append([(event.topic, event.facts["scope"]) for event in told])
        warnings = [("limit.warning", "business"), ("limit.warning", "operator")]
        assert topics == [[("limit.reached", "operator")], warnings]


def test_a_warning_tells_the_feature_and_never_the_user(tmp_path: Path) -> None:
    """Events leave the house: no user's id, not even in the key by which receivers know repeats."""
    told = list[Any]()
    limits = (_limit("user", "5"), _limit("feature", "5"))
    with examined(tmp_path, "30", **_at(NOON, *limits, hooks=[told.append], low=Credits(0))) as books:
        assert _passes(books, "4", user="kofi")
        assert _passes(books, "0.1", user="esi")
        by_scope = {event.facts["scope"]: event.facts for event in told}
        assert by_scope == {
            "user": {"scope": "user", "window": "day", "limit": "5.00"},
            "feature": {"scope": "feature", "window": "day", "limit": "5.00", "feature": "collection_analysis"},
        }
        rows = books.sql("SELECT dedupe_key, facts FROM ai_outbox")
        assert len(rows) == 2
        assert "kofi" not in str(rows)


def test_the_level_of_the_warning_is_a_setting(tmp_path: Path) -> None:
    """At one half here."""
    told = list[Any]()
    options = _at(NOON, _limit("business", "5"), hooks=[told.append], warn_at=Decimal("0.5"), low=Credits(0))
    with examined(tmp_path, "30", **options) as books:
        assert _passes(books, "2.499999")
        assert told == []
        assert _passes(books, "0.000001")
        assert [event.topic for event in told] == ["limit.warning"]


# Limits set at run time.


def test_a_limit_set_at_run_time_takes_the_place_of_the_settings(tmp_path: Path) -> None:
    """Lower or higher, from the next call on, with what was used counted; removed, the settings hold again."""
    with examined(tmp_path, "60", **_at(NOON, _limit("business", "5"))) as books:
        limits = Limits(books.opened)
        assert _passes(books, "5")
        limits.set("business", "day", "7.5", actor="ama")
        assert _passes(books, "2.5")
        assert not _passes(books, "0.000001")
        limits.set("business", "day", 3, actor="ama")
        assert limits.of("biz_7") == [_limit("business", "3")]
        assert not _passes(books, "0.000001")
        assert limits.remove("business", "day", actor="ama")
        assert not limits.remove("business", "day", actor="ama")
        assert limits.of("biz_7") == [_limit("business", "5")]
        books.clock.set(us("2027-02-01 00:00"))
        assert _passes(books, "5")
        assert not _passes(books, "0.000001")


def test_a_limit_for_one_business_leaves_the_others_to_the_general_one(tmp_path: Path) -> None:
    """The most specific limit holds; what is set for one shop is not seen by another."""
    with examined(tmp_path, "60", **_at(NOON, _limit("business", "5"))) as books:
        books.buy("60", "order-1", business="biz_8")
        limits = Limits(books.opened)
        limits.set("business", "day", 8, business="biz_7", actor="ama")
        limits.set("user", "day", 6, business="biz_7", key="kofi", actor="ama")
        assert not _passes(books, "7", user="kofi")
        assert _passes(books, "8", user="esi")
        assert not _passes(books, "6", business="biz_8", user="kofi")
        assert limits.of("biz_8") == [_limit("business", "5")]
        assert len(limits.of("biz_7")) == 3
        assert limits.remove("user", "day", business="biz_7", key="kofi", actor="ama")


def test_a_limit_taken_away_while_a_call_runs_still_counts_it(tmp_path: Path) -> None:
    """The call ends in the windows it was taken in, also where nobody asks any more."""
    with examined(tmp_path, "60", **_at(NOON)) as books:
        limits = Limits(books.opened)
        limits.set("business", "day", 5, actor="ama")
        hold = books.hold("5")
        limits.remove("business", "day", actor="ama")
        assert _passes(books, "9")
        books.store.capture(hold, OK)
        assert _counted(books) == [("business", "biz_7", "", "5", "0")]


@pytest.mark.parametrize(
    ("scope", "window", "amount", "place"),
    [
        ("shop", "day", 5, {}),
        ("business", "week", 5, {}),
        ("business", "day", -1, {}),
        ("operator", "day", 5, {"business": "biz_7"}),
        ("business", "day", 5, {"key": "kofi"}),
    ],
)
def test_what_makes_no_limit_is_refused(
    tmp_path: Path, scope: Any, window: Any, amount: int, place: dict[str, str]
) -> None:
    """Before anything is written."""
    with examined(tmp_path) as books:
        with pytest.raises(ValueError, match="limit"):
            Limits(books.opened).set(scope, window, amount, **place, actor="ama")
        assert books.sql("SELECT count(*) FROM ai_limits") == [(0,)]
        assert books.operations.audit("") == []


@pytest.mark.parametrize("place", [{"business": ""}, {"key": ""}, {"key": "x" * 256}])
@pytest.mark.parametrize("turn", ["set", "remove", "pause", "resume"])
def test_an_empty_name_is_not_taken_for_all(tmp_path: Path, turn: str, place: dict[str, str]) -> None:
    """A host whose variable is empty by mistake stops nobody, and lifts nobody's limit."""
    with examined(tmp_path) as books:
        limits = Limits(books.opened)
        limits.set("user", "day", 9, actor="ama")
        limits.pause(actor="ama")
        named = {"feature" if name == "key" and turn in ("pause", "resume") else name: it for name, it in place.items()}
        terms: tuple[Any, ...] = {"set": ("user", "day", 5), "remove": ("user", "day")}.get(turn, ())
        with pytest.raises(ValueError, match="must be 1 to 255 characters of text"):
            getattr(limits, turn)(*terms, **named, actor="ama")
        rows = books.sql("SELECT scope, business_id, key, per, amount FROM ai_limits ORDER BY scope")
        assert [tuple(row) for row in rows] == [("operator", "", "", "paused", 0), ("user", "", "", "day", 9_000_000)]


def test_every_turn_of_a_limit_is_kept_with_its_actor(tmp_path: Path) -> None:
    """Set, removed, paused, resumed; what changed nothing is not kept."""
    with examined(tmp_path) as books:
        limits = Limits(books.opened)
        turns: list[Callable[[], object]] = [
            lambda: limits.set("user", "day", "2.5", business="biz_7", key="kofi", actor="ama"),
            lambda: limits.remove("user", "day", business="biz_7", key="kofi", actor="esi"),
            lambda: limits.remove("user", "day", business="biz_7", key="kofi", actor="esi"),
            lambda: limits.pause(business="biz_7", feature="menu_idea", actor="ama"),
            lambda: limits.resume(business="biz_7", feature="menu_idea", actor="esi"),
            lambda: limits.resume(business="biz_7", feature="menu_idea", actor="esi"),
        ]
        for turn in turns:
            books.clock.advance(1)
            turn()
        kept = [(entry.actor, entry.action, dict(entry.detail)) for entry in books.operations.audit("biz_7")]
        user, feature = {"scope": "user", "per": "day", "key": "kofi"}, {"scope": "feature", "per": "paused"}
        assert kept == [
            ("ama", "set_limit", user | {"amount": "2.50"}),
            ("esi", "remove_limit", user),
            ("ama", "pause", feature | {"key": "menu_idea", "amount": "0.00"}),
            ("esi", "resume", feature | {"key": "menu_idea"}),
        ]


@pytest.mark.parametrize("edit", ["held = held + 1", "held = held - 1", "used = used - 1"])
def test_the_doctor_finds_a_window_that_counts_wrong(tmp_path: Path, edit: str) -> None:
    """More or less than open holds hold, or less than calls used; what a trial's budget counts is none of them."""
    with examined(tmp_path, "30", **_at(NOON, _limit("business", "9")), trial_budget=Credits(5)) as books:
        books.funding.claim_trial("biz_7", Credits(5), {"hmac": "phone"})
        assert _passes(books, "4")
        books.hold("2")
        books.sql(f"UPDATE ai_limit_counters SET {edit} WHERE scope = 'business'")  # noqa: S608  # the edits stand above
        (finding,) = books.report().findings
        assert (finding.business, finding.rule) == ("biz_7", "a limit counts what holds hold and used")
        assert "open holds 2000000" in finding.detail
        assert "captured 4000000" in finding.detail
        back = edit.replace("+", "?").replace("-", "+").replace("?", "-")
        books.sql(f"UPDATE ai_limit_counters SET {back} WHERE scope = 'business'")  # noqa: S608  # as above


# The kill switch.


@pytest.mark.parametrize(
    ("place", "stopped"),
    [
        ({}, [True, True, True]),
        ({"business": "biz_7"}, [True, True, False]),
        ({"feature": "menu_idea"}, [False, True, False]),
        ({"business": "biz_7", "feature": "menu_idea"}, [False, True, False]),
        ({"business": "biz_8"}, [False, False, True]),
    ],
)
def test_the_kill_switch_stops_new_holds_of_all_of_one_shop_or_of_one_feature(
    tmp_path: Path, place: dict[str, str], stopped: list[bool]
) -> None:
    """At once and in every process; released by the same arguments alone."""
    with examined(tmp_path) as books:
        books.buy("9", "order-1", business="biz_8")
        calls: list[dict[str, str]] = [{}, {"feature": "menu_idea"}, {"business": "biz_8"}]

        def paused(call: CallIdentity) -> bool:
            try:
                held = books.store.hold(call, Credits(1))
            except Paused:
                return True
            books.store.void(held, FAILED)  # type: ignore[arg-type]  # a fresh key gives a hold
            return False

        limits = Limits(books.opened)
        limits.pause(**place, actor="ama")
        assert [paused(books.call(**call)) for call in calls] == stopped
        assert not limits.resume(business="biz_9", actor="ama")
        assert [paused(books.call(**call)) for call in calls] == stopped
        assert limits.resume(**place, actor="ama")
        assert [paused(books.call(**call)) for call in calls] == [False] * 3
        assert limits.of("biz_7") == []


def test_pulled_switches_are_shown(tmp_path: Path) -> None:
    """With who pulled them and when; for a business those that stop it, else those that stop all."""
    with examined(tmp_path) as books:
        limits, now = Limits(books.opened), books.clock.now()
        limits.set("business", "day", 9, business="biz_7", actor="ama")
        limits.pause(feature="menu_idea", actor="ama")
        books.clock.set(now + 5)
        limits.pause(business="biz_7", actor="esi")
        limits.pause(business="biz_8", feature="menu_idea", actor="esi")
        of_all = Switch(business=None, feature="menu_idea", actor="ama", at=now)
        assert limits.paused() == [of_all]
        own = [Switch(business="biz_7", feature=None, actor="esi", at=now + 5), of_all]
        assert sorted(limits.paused("biz_7"), key=lambda switch: switch.feature or "") == own
        limits.resume(business="biz_7", actor="ama")
        assert limits.paused("biz_7") == [of_all]
        with pytest.raises(ValueError, match="a business id must be"):
            limits.paused("")


def test_the_kill_switch_lets_what_runs_end_and_what_is_free_go_on(tmp_path: Path) -> None:
    """Open holds are renewed and captured, paid calls replayed, free results logged, credits bought."""
    with examined(tmp_path) as books:
        books.store.capture(books.hold("1", "sale-80"), OK)
        hold = books.hold("5")
        Limits(books.opened).pause(actor="ama")
        assert isinstance(books.store.hold(books.call("sale-80"), Credits(1)), Finished)
        assert books.store.renew(hold).amount == Credits(5)
        assert books.store.capture(hold, OK).charged == Credits(5)
        assert books.store.record(books.call(), OK).charged == Credits(0)
        books.buy("4", "order-2")
        assert books.balance() == ("10", "0")


def test_a_newcomer_is_told_of_the_kill_switch_before_being_sold_anything(tmp_path: Path) -> None:
    """Nobody is asked to buy what cannot be used now; no wallet is made."""
    with examined(tmp_path, "0") as books:
        Limits(books.opened).pause(actor="ama")
        with pytest.raises(Paused):
            books.hold("1")
        assert books.report().wallets == 0
