"""Spending limits: which hold, where a call counts, when it is refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_addons.billing.limits import Counter, Limit, applying, counters, crossed, dump, load, refusal, resets_at
from ai_addons.errors import ConfigError, LimitReached
from ai_addons.money import Credits

ACCRA, LONDON = "Africa/Accra", "Europe/London"
DAY, MONTH = 1_795_564_800_000_000, 1_793_491_200_000_000


def _at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def _limit(scope: Any, amount: str, business: str | None = None, key: str | None = None, window: Any = "day") -> Limit:
    return Limit(scope=scope, window=window, amount=Credits(amount), business=business, key=key)


def _counter(scope: Any, business: str = "", key: str = "", window: Any = "day", starts_at: int = DAY) -> Counter:
    return Counter(scope=scope, business=business, key=key, window=window, starts_at=starts_at)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"scope": "shop"}, "the scope of a limit is one of operator, business, user, feature, not 'shop'"),
        ({"window": "week"}, "the window of a limit is one of day, month, not 'week'"),
        ({"amount": Credits("-0.000001")}, "a limit is at least 0 credits, not -0.000001"),
        (
            {"scope": "operator", "business": "b"},
            "a limit of scope operator counts all businesses together; leave out the business",
        ),
        (
            {"scope": "operator", "key": "k"},
            "a limit of scope operator has no key; only users and features have one",
        ),
        ({"scope": "business", "key": "k"}, "a limit of scope business has no key; only users and features have one"),
        ({"business": ""}, "business and key of a limit are names or None, never empty"),
        ({"key": ""}, "business and key of a limit are names or None, never empty"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(wrong: dict[str, Any], told: str) -> None:
    """A mistyped limit is told in plain words when it is made, not found out when it does not hold."""
    sound: dict[str, Any] = {"scope": "user", "window": "day", "amount": Credits(1)}
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        Limit(**(sound | wrong))


@pytest.mark.parametrize("scope", ["user", "feature"])
def test_users_and_features_take_every_combination_of_business_and_key(scope: str) -> None:
    """A limit may be for one, for each, or for one name in every business; and it may be zero."""
    made = [_limit(scope, "0", business, key) for business in (None, "b") for key in (None, "k")]
    assert [(limit.business, limit.key) for limit in made] == [(None, None), (None, "k"), ("b", None), ("b", "k")]


BY_RANK = [
    _limit("user", "40"),
    _limit("user", "30", key="u"),
    _limit("user", "20", "b"),
    _limit("user", "50", "b", "u"),
]


@pytest.mark.parametrize("most", range(1, 5))
def test_the_most_specific_limit_wins_whatever_its_amount_and_place(most: int) -> None:
    """Business and key beat the business, that beats the key alone, and that beats the default for all."""
    for limits in permutations(BY_RANK[:most]):
        assert applying(limits, business="b", user="u", feature="f") == [BY_RANK[most - 1]]


def test_the_most_specific_feature_limit_wins_too() -> None:
    """What holds for users holds for features."""
    limits = [_limit("feature", "1", "b"), _limit("feature", "9", "b", "f"), _limit("feature", "5", key="f")]
    assert applying(limits, business="b", user=None, feature="f") == [limits[1]]
    assert applying(limits, business="x", user=None, feature="f") == [limits[2]]
    assert applying(limits, business="b", user=None, feature="g") == [limits[0]]
    assert applying(limits, business="x", user=None, feature="g") == []


def test_a_business_s_own_limit_replaces_the_one_for_each() -> None:
    """A bigger shop may be given more than the others."""
    each, own = _limit("business", "10"), _limit("business", "99", "b")
    assert applying([own, each], business="b", user=None, feature="f") == [own]
    assert applying([own, each], business="c", user=None, feature="f") == [each]


def test_of_two_alike_the_stricter_holds() -> None:
    """A limit given twice never lets more through than either says."""
    strict, lax = _limit("business", "1"), _limit("business", "2")
    assert applying([strict, lax], business="b", user=None, feature="f") == [strict]
    assert applying([lax, strict], business="b", user=None, feature="f") == [strict]


@pytest.mark.parametrize("user", [None, ""])
def test_a_call_without_a_user_has_no_user_limit(user: str | None) -> None:
    """Nobody in particular is not a user, so such calls do not share one user's limit."""
    assert applying([_limit("user", "1"), _limit("user", "1", "b")], business="b", user=user, feature="f") == []


def test_a_user_is_not_limited_by_a_feature_of_the_same_name() -> None:
    """Names are compared within their scope only."""
    limits = [_limit("user", "1", key="f"), _limit("feature", "1", key="u")]
    assert applying(limits, business="b", user="u", feature="f") == []


def test_every_scope_and_window_has_a_limit_of_its_own() -> None:
    """Day and month, and the four scopes, hold side by side, and come in a fixed order."""
    limits = [
        _limit(scope, "1", window=window)
        for scope in ("operator", "business", "user", "feature")
        for window in ("day", "month")
    ]
    assert applying(reversed(limits), business="b", user="u", feature="f") == limits


def test_a_call_counts_in_a_row_per_limit_in_lock_order() -> None:
    """The rows all businesses share are locked last and briefly; the others in one order for every call."""
    limits = [
        _limit(scope, "1", window=window)
        for scope in ("operator", "user", "feature", "business")
        for window in ("month", "day")
    ]
    found = counters(limits, business="b", user="u", feature="f", now=DAY + 1, tz="Asia/Tokyo", operator_tz=ACCRA)
    day, month = _at("2026-11-24T15:00:00"), _at("2026-10-31T15:00:00")
    assert [counter for counter, _ in found] == [
        _counter("business", "b", "", "day", day),
        _counter("business", "b", "", "month", month),
        _counter("feature", "b", "f", "day", day),
        _counter("feature", "b", "f", "month", month),
        _counter("user", "b", "u", "day", day),
        _counter("user", "b", "u", "month", month),
        _counter("operator", "", "", "day", DAY),
        _counter("operator", "", "", "month", MONTH),
    ]
    assert all((counter.scope, counter.window) == (limit.scope, limit.window) for counter, limit in found)


def test_a_limit_for_each_user_counts_each_user_apart() -> None:
    """One row per user and business, never one for all that a limit covers."""
    limits = [_limit("user", "1")]
    rows = {
        counters(limits, business=b, user=u, feature="f", now=DAY, tz=ACCRA, operator_tz=ACCRA)[0][0]
        for b in ("b", "c")
        for u in ("u", "v")
    }
    assert rows == {_counter("user", b, u) for b in ("b", "c") for u in ("u", "v")}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (_counter("user", "b", "u"), _counter("operator")),
        (_counter("feature", "b", "z"), _counter("user", "b", "a")),
        (_counter("user", "a", "z"), _counter("business", "b")),
        (_counter("user", "b", "a", "month"), _counter("user", "b", "b", "day")),
        (_counter("user", "b", "a", "day", DAY + 1), _counter("user", "b", "a", "month", DAY)),
        (_counter("user", "b", "a", "day", DAY), _counter("user", "b", "a", "day", DAY + 1)),
    ],
)
def test_lock_order_is_shared_rows_last_then_by_name_window_and_time(first: Counter, second: Counter) -> None:
    """Two transactions that meet in several rows take them in the same order, so neither waits for the other."""
    assert first.lock_order < second.lock_order


@pytest.mark.parametrize(
    ("tz", "window", "now", "starts", "resets"),
    [
        (ACCRA, "day", "2026-11-25T00:00:00", "2026-11-25T00:00:00", "2026-11-26T00:00:00"),
        (ACCRA, "day", "2026-11-25T23:59:59", "2026-11-25T00:00:00", "2026-11-26T00:00:00"),
        (LONDON, "day", "2026-03-29T12:00:00", "2026-03-29T00:00:00", "2026-03-29T23:00:00"),
        (LONDON, "day", "2026-07-01T22:59:59", "2026-06-30T23:00:00", "2026-07-01T23:00:00"),
        (LONDON, "day", "2026-10-25T12:00:00", "2026-10-24T23:00:00", "2026-10-26T00:00:00"),
        # Samoa left out 30 December 2011; Cairo's clocks skip midnight itself.
        ("Pacific/Apia", "day", "2011-12-30T09:59:59", "2011-12-29T10:00:00", "2011-12-30T10:00:00"),
        ("Africa/Cairo", "day", "2026-04-24T12:00:00", "2026-04-23T22:00:00", "2026-04-24T21:00:00"),
        (ACCRA, "month", "2026-11-25T00:00:00", "2026-11-01T00:00:00", "2026-12-01T00:00:00"),
        (ACCRA, "month", "2026-12-31T23:59:59", "2026-12-01T00:00:00", "2027-01-01T00:00:00"),
        (ACCRA, "month", "2027-02-28T23:59:59", "2027-02-01T00:00:00", "2027-03-01T00:00:00"),
        (LONDON, "month", "2026-03-31T22:59:59", "2026-03-01T00:00:00", "2026-03-31T23:00:00"),
        (LONDON, "month", "2026-10-31T23:59:59", "2026-09-30T23:00:00", "2026-11-01T00:00:00"),
    ],
)
def test_windows_follow_the_calendar_of_the_shop(tz: str, window: Any, now: str, starts: str, resets: str) -> None:
    """A daily limit starts afresh at the shop's own midnight, also when the clocks change."""
    limits = [_limit("business", "1", window=window)]
    ((counter, _),) = counters(limits, business="b", user=None, feature="f", now=_at(now), tz=tz, operator_tz=ACCRA)
    assert (counter.starts_at, resets_at(counter, tz)) == (_at(starts), _at(resets))


@given(now=st.integers(_at("2015-01-01"), _at("2035-01-01")), window=st.sampled_from(["day", "month"]))
@pytest.mark.parametrize("tz", [ACCRA, LONDON, "Australia/Lord_Howe", "America/New_York"])
def test_one_window_ends_where_the_next_begins(tz: str, now: int, window: Any) -> None:
    """No moment lies between two windows or in both."""
    limits = [_limit("business", "1", window=window)]

    def counter(at: int) -> Counter:
        return counters(limits, business="b", user=None, feature="f", now=at, tz=tz, operator_tz=tz)[0][0]

    resets = resets_at(counter(now), tz)
    assert counter(now).starts_at <= now < resets
    assert counter(resets - 1) == counter(now)
    assert counter(resets).starts_at == resets


def test_a_row_is_bounded_by_the_limit_of_its_own_business() -> None:
    """What is counted for one business is never compared with another's limit."""
    each, own = _limit("business", "1"), _limit("business", "9", "b")
    for business, limit in (("b", own), ("c", each)):
        found = counters([each, own], business=business, user=None, feature="f", now=DAY, tz=ACCRA, operator_tz=ACCRA)
        assert found == [(_counter("business", business), limit)]


def test_an_unknown_zone_is_told() -> None:
    """A misspelt zone stops the call before anything is counted."""
    with pytest.raises(ConfigError):
        counters(
            [_limit("business", "1")], business="b", user=None, feature="f", now=0, tz="Ghana/Accra", operator_tz=ACCRA
        )


@pytest.mark.parametrize(
    ("limit", "before", "amount", "crossing"),
    [
        ("10", "0", "7.999999", "ok"),
        ("10", "0", "8", "warn"),
        ("10", "7.999999", "0.000001", "warn"),
        ("10", "8", "0.000001", "ok"),
        ("10", "8", "2", "ok"),
        ("10", "5", "5", "warn"),
        ("10", "5", "5.000001", "refuse"),
        ("10", "10", "0.000001", "refuse"),
        ("10", "10", "0", "ok"),
        ("10", "12", "0", "ok"),
        ("0", "0", "0", "ok"),
        ("0", "0", "0.000001", "refuse"),
    ],
)
def test_a_limit_may_be_used_up_but_not_passed(limit: str, before: str, amount: str, crossing: str) -> None:
    """Up to the last micro-credit a call goes through; a warning comes once, at four fifths."""
    assert crossed(_limit("user", limit), Credits(before), Credits(amount), Decimal("0.8")) == crossing


@pytest.mark.parametrize(
    ("warn_at", "before", "amount", "crossing"),
    [
        ("1", "9", "0.999999", "ok"),
        ("1", "9", "1", "warn"),
        ("0.123456789", "1.234567", "0.000001", "warn"),
        ("0.123456789", "1.234566", "0.000001", "ok"),
    ],
)
def test_the_level_of_a_warning_is_exact(warn_at: str, before: str, amount: str, crossing: str) -> None:
    """No rounding moves the level, whatever decimal context the host has set."""
    with localcontext(prec=2):
        assert crossed(_limit("user", "10"), Credits(before), Credits(amount), Decimal(warn_at)) == crossing


@given(limit=st.integers(0, 60), amounts=st.lists(st.integers(0, 20), max_size=30), tenths=st.integers(1, 10))
def test_however_calls_come_the_limit_holds_and_one_warning_is_given(
    limit: int, amounts: list[int], tenths: int
) -> None:
    """What was let through never exceeds the limit, and at most one call of a window warns."""
    bound, counted, warnings = _limit("user", str(limit)), Credits(0), 0
    for amount in map(Credits, amounts):
        crossing = crossed(bound, counted, amount, Decimal(tenths) / 10)
        warnings += crossing == "warn"
        counted = counted if crossing == "refuse" else counted + amount
    assert counted <= bound.amount
    assert warnings == (limit > 0 and counted.micro * 10 >= bound.amount.micro * tenths)


@pytest.mark.parametrize(
    ("counter", "over"),
    [
        (_counter("operator"), "the operator's daily limit for all businesses together"),
        (_counter("business", "b", window="month"), "the monthly limit of 7.5 credits for this business"),
        (_counter("user", "b", "akua@shop.gh"), "the daily limit of 7.5 credits for this user"),
        (
            _counter("feature", "b", "report_summary", "month"),
            "the monthly limit of 7.5 credits for the feature report_summary",
        ),
    ],
)
def test_a_refusal_says_which_limit_and_until_when(counter: Counter, over: str) -> None:
    """The reader learns what was reached, that nothing was charged and when it ends; not the operator's amount."""
    error = refusal(counter, _limit("user", "7.5"), _at("2026-12-01T00:00:00") + 999_999)
    assert isinstance(error, LimitReached)
    assert (error.http_status, error.charged) == (429, Credits(0))
    assert str(error) == (
        f"This call would go over {over}. Nothing was charged and the model was not asked. "
        "The limit starts afresh at 2026-12-01T00:00:00Z: wait until then, or ask for a higher limit."
    )


def test_the_counters_of_a_hold_are_kept_as_one_canonical_text() -> None:
    """What was held is given back to the same rows, in lock order, however they were listed."""
    rows = [_counter("operator"), _counter("user", "b", 'u"é|', "month", MONTH), _counter("business", "b")]
    text = dump(rows)
    assert text == (
        f'[["business","b","","day",{DAY}],["user","b","u\\"\\u00e9|","month",{MONTH}],["operator","","","day",{DAY}]]'
    )
    assert dump(reversed(rows)) == text
    assert load(text) == [rows[2], rows[1], rows[0]]


def test_a_hold_without_limits_keeps_an_empty_list() -> None:
    """No limits, no rows, both ways."""
    assert (dump([]), load("[]")) == ("[]", [])
