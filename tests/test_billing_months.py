"""Months from an anchor, and the days and months of limits."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_addons.billing.months import day_of, day_start, index, month_start, starts
from ai_addons.errors import ConfigError

ACCRA, LONDON = "Africa/Accra", "Europe/London"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = [ACCRA, LONDON, "America/New_York", "Asia/Kathmandu", "Africa/Cairo", "Australia/Lord_Howe"]


def us(text: str) -> int:
    """UTC microseconds of an ISO time given in UTC."""
    return (datetime.fromisoformat(text).replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)


def text(at: int) -> str:
    """The other way, to the microsecond."""
    return (EPOCH + timedelta(microseconds=at)).replace(tzinfo=None).isoformat(" ")


@pytest.mark.parametrize(
    ("anchor", "wanted"),
    [
        ("2027-01-31", ["02-28", "03-31", "04-30", "05-31", "06-30"]),
        ("2027-01-29", ["02-28", "03-29", "04-29"]),
        ("2027-01-30", ["02-28", "03-30", "04-30"]),
        ("2028-01-31", ["02-29", "03-31", "04-30"]),
        ("2027-08-31", ["09-30", "10-31", "11-30", "12-31", "01-31"]),
        ("2027-12-01", ["01-01", "02-01"]),
    ],
)
def test_a_month_is_counted_from_its_anchor(anchor: str, wanted: list[str]) -> None:
    """The day of the month comes back after a shorter month; nothing drifts."""
    got = [text(starts(us(anchor), ACCRA, n)) for n in range(1, len(wanted) + 1)]
    assert [day[5:10] for day in got] == wanted


def test_the_year_turns_in_both_directions() -> None:
    """December is followed by January of the next year, and January preceded by December of the last."""
    anchor = us("2027-12-15 08:00:00.000001")
    assert text(starts(anchor, ACCRA, 1)) == "2028-01-15 08:00:00.000001"
    assert text(starts(anchor, ACCRA, -12)) == "2026-12-15 08:00:00.000001"
    assert text(starts(anchor, ACCRA, -11)) == "2027-01-15 08:00:00.000001"
    assert text(starts(anchor, ACCRA, 12)) == "2028-12-15 08:00:00.000001"


def test_a_wall_time_that_the_clock_skips_moves_forward() -> None:
    """From 28 January 01:30 in London: 28 March has no 01:30, so its month starts at 02:30 summer time."""
    anchor = us("2027-01-28 01:30")
    assert [text(starts(anchor, LONDON, n)) for n in (1, 2, 3)] == [
        "2027-02-28 01:30:00",
        "2027-03-28 01:30:00",
        "2027-04-28 00:30:00",
    ]


def test_a_wall_time_that_comes_twice_is_taken_the_first_time() -> None:
    """31 October 2027 has two 01:30 in London; the month starts at the one in summer time."""
    assert text(starts(us("2027-08-31 00:30"), LONDON, 2)) == "2027-10-31 00:30:00"
    assert text(starts(us("2027-08-31 00:30"), LONDON, 3)) == "2027-11-30 01:30:00"


def test_the_anchor_is_kept_to_the_microsecond_even_in_the_second_of_two_equal_hours() -> None:
    """A subscription bought at the second 01:30 starts then; the other months start at 01:30."""
    anchor = us("2027-10-31 01:30")  # in London the second 01:30
    assert starts(anchor, LONDON, 0) == anchor
    assert index(anchor, LONDON, anchor) == 0
    assert index(anchor, LONDON, anchor - 1) == -1
    assert text(starts(anchor, LONDON, 12)) == "2028-10-31 01:30:00"
    assert text(starts(us("2022-10-30 01:30"), LONDON, 60)) == "2027-10-30 00:30:00"
    # A year that repeats that very hour: the first of the two.
    assert text(starts(us("2021-10-31 01:30"), LONDON, 72)) == "2027-10-31 00:30:00"


@pytest.mark.parametrize("day", [28, 29, 30, 31])
@pytest.mark.parametrize("zone", [ACCRA, LONDON])
def test_forty_eight_months_follow_one_another_without_gap_or_overlap(day: int, zone: str) -> None:
    """Each boundary belongs to the month it starts, the microsecond before to the month before, leap years included."""
    anchor = us(f"2027-01-{day} 09:15")
    bounds = [starts(anchor, zone, n) for n in range(49)]
    lengths = {(after - before) // 3_600_000_000 for before, after in pairwise(bounds)}
    assert min(lengths) >= 28 * 24 - 1
    assert max(lengths) <= 31 * 24 + 1
    for n, at in enumerate(bounds):
        assert [index(anchor, zone, at + shift) for shift in (-1, 0, 1)] == [n - 1, n, n]


@pytest.mark.parametrize(
    ("zone", "anchor", "at", "n"),
    [
        # 1 November 2009, 00:01 -> 31 October, 23:01: October comes back after November began.
        ("America/St_Johns", "2009-10-01 02:30:30", "2009-11-01 02:45", 1),
        # 31 December 1994 was left out on the Line Islands: 30 December is followed by 1 January.
        ("Pacific/Kiritimati", "1994-12-31 22:00", "1995-01-01 00:00", 0),
        ("Pacific/Kiritimati", "1994-10-31 22:00", "1994-12-31 12:00", 1),
    ],
)
def test_clocks_set_over_the_end_of_a_month_confuse_nobody(zone: str, anchor: str, at: str, n: int) -> None:
    """The month of an instant is decided by the instants, not by the name that the clock shows."""
    start = us(anchor)
    assert index(start, zone, us(at)) == n
    assert starts(start, zone, n) <= us(at) < starts(start, zone, n + 1)


@given(
    anchor=st.integers(us("2000-01-01"), us("2060-01-01")),
    at=st.integers(us("2000-01-01"), us("2060-01-01")),
    zone=st.sampled_from(ZONES),
)
def test_each_instant_lies_in_exactly_one_month(anchor: int, at: int, zone: str) -> None:
    """Whatever the anchor, the zone and the instant, before the anchor too."""
    n = index(anchor, zone, at)
    assert starts(anchor, zone, n) <= at < starts(anchor, zone, n + 1)


@pytest.mark.parametrize(
    ("zone", "at", "day", "month"),
    [
        (ACCRA, "2027-03-31 23:59:59.999999", "2027-03-31 00:00:00", "2027-03-01 00:00:00"),
        (ACCRA, "2027-04-01 00:00:00", "2027-04-01 00:00:00", "2027-04-01 00:00:00"),
        # Summer time: the London day begins an hour before the UTC day.
        (LONDON, "2027-07-31 22:59:59.999999", "2027-07-30 23:00:00", "2027-06-30 23:00:00"),
        (LONDON, "2027-07-31 23:00:00", "2027-07-31 23:00:00", "2027-07-31 23:00:00"),
        # The day the clocks change begins by the old clock; the month began by the winter one.
        (LONDON, "2027-03-28 12:00:00", "2027-03-28 00:00:00", "2027-03-01 00:00:00"),
        (LONDON, "2027-03-29 12:00:00", "2027-03-28 23:00:00", "2027-03-01 00:00:00"),
        # In Cairo the clock goes forward at midnight: that day begins at 01:00.
        ("Africa/Cairo", "2027-04-30 12:00:00", "2027-04-29 22:00:00", "2027-03-31 22:00:00"),
        ("America/New_York", "2027-01-01 04:59:59", "2026-12-31 05:00:00", "2026-12-01 05:00:00"),
    ],
)
def test_days_and_months_of_a_limit_begin_at_the_zones_midnight(zone: str, at: str, day: str, month: str) -> None:
    """A daily limit starts afresh at the shop's own midnight, whatever the season."""
    assert text(day_start(us(at), zone)) == day
    assert text(month_start(us(at), zone)) == month


def test_the_day_of_an_instant_is_the_zones_own() -> None:
    """Half past midnight in London's summer is still yesterday in Accra."""
    assert day_of(us("2027-06-30 23:30"), ACCRA) == date(2027, 6, 30)
    assert day_of(us("2027-06-30 23:30"), LONDON) == date(2027, 7, 1)


@pytest.mark.parametrize("zone", ["Africa/Acra", "", "../etc/passwd", "/etc/localtime", "Europe", "a\0b"])
def test_a_zone_that_is_none_is_named_in_the_error(zone: str) -> None:
    """A typing mistake in a zone is a configuration error, never a wrong month."""
    with pytest.raises(ConfigError, match=r"^No time zone is called '.*'\. Nothing was booked\. Give an IANA name"):
        day_of(0, zone)
