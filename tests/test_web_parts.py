"""How amounts, times and usage are written on pages."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from ai_addons.billing.usage import DayUsage
from ai_addons.money import Credits
from ai_addons.web.pages.charts import usage_chart
from ai_addons.web.pages.filters import (
    booked_text,
    credits_text,
    day_in,
    moment,
    month_text,
    percent,
    source_text,
    state_text,
    uses_left,
)
from ai_addons.web.pages.series import OTHERS, Series, Timeline, timeline

NOON = 1_790_000_000_000_000
"""21 September 2026, 14:13:20 UTC."""


def used(day: date, name: str, credits: str) -> DayUsage:  # noqa: A002  # the word of the records
    """What one feature used on one day."""
    nothing = Decimal(0)
    return DayUsage(
        day=day,
        feature=name.lower(),
        feature_display_name=name,
        count=1,
        successful=1,
        credits=Credits(credits),
        cost_ghs=nothing,
        revenue_ghs=nothing,
        unpriced=0,
    )


@pytest.mark.parametrize(
    ("amount", "short", "booked"),
    [
        ("0", "0", "0.00"),
        ("0.1", "0.1", "0.10"),
        ("1234.5", "1,234.5", "1,234.50"),
        ("-0.5", "-0.5", "-0.50"),
        ("-1234567", "-1,234,567", "-1,234,567.00"),
        ("9999999.000001", "9,999,999.000001", "9,999,999.000001"),
    ],
)
def test_credits_have_their_thousands_apart(amount: str, short: str, booked: str) -> None:
    """For people, and as the books have them."""
    assert (credits_text(Credits(amount)), booked_text(Credits(amount))) == (short, booked)


@pytest.mark.parametrize(("share", "text"), [("0.985", "98.5 %"), ("1", "100 %"), ("0", "0 %"), ("0.2", "20 %")])
def test_a_share_is_written_in_hundredths(share: str, text: str) -> None:
    """To a tenth, without needless zeros."""
    assert percent(Decimal(share)) == text


@pytest.mark.parametrize(("left", "price", "uses"), [("5", "0.2", 25), ("0.19", "0.2", 0), ("5", "0", None)])
def test_uses_left_are_whole(left: str, price: str, uses: int | None) -> None:
    """Rounded down; a free feature has no number."""
    assert uses_left(Credits(left), Credits(price)) == uses


def test_times_are_those_of_the_shop() -> None:
    """Ghana's zone goes without saying."""
    assert moment(NOON, "Africa/Accra") == "21 Sep 2026, 14:13"
    assert moment(NOON, "Pacific/Auckland") == "22 Sep 2026, 02:13 (Pacific/Auckland)"
    assert day_in(NOON, "Pacific/Auckland") == "22 Sep 2026"
    assert month_text(date(2026, 12, 31)) == "Dec 2026"


def test_an_unknown_word_is_shown_as_it_is() -> None:
    """A policy of a plug-in may have its own."""
    assert (source_text("bonus"), source_text("gift")) == ("Bonus", "gift")
    assert (state_text("disputed"), state_text("odd")) == ("Disputed", "odd")


def test_few_features_have_a_colour_and_the_others_are_one() -> None:
    """The most used first; what they add up to is what was used."""
    day = date(2026, 9, 21)
    shown = timeline([used(day, f"F{number}", str(number)) for number in range(1, 8)], day, day)
    assert [one.name for one in shown.series] == ["F7", "F6", "F5", "F4", "F3", OTHERS]
    assert shown.series[-1].total == Credits(3)
    assert shown.totals == (Credits(28),)


def test_days_are_put_into_weeks_that_end_today_and_into_months() -> None:
    """Each day counts once, in the column that it lies in."""
    last = date(2026, 11, 30)
    days = [used(date(2026, 9, 1), "A", "1"), used(date(2026, 11, 23), "A", "2"), used(date(2026, 11, 24), "A", "4")]
    weeks = timeline(days, date(2026, 9, 1), last)
    assert (weeks.unit, weeks.columns[0], weeks.columns[-1], len(weeks.columns)) == ("week", "1 Sep", "24 Nov", 13)
    assert (weeks.totals[0], weeks.totals[-2], weeks.totals[-1]) == (Credits(1), Credits(2), Credits(4))
    months = timeline(days, date(2026, 8, 15), last)
    assert months.columns == ("Aug 2026", "Sep 2026", "Oct 2026", "Nov 2026")
    assert months.totals == (Credits(0), Credits(1), Credits(0), Credits(6))


def test_a_time_without_use_has_columns_and_nothing_in_them() -> None:
    """No series, and zeros."""
    shown = timeline([], date(2026, 9, 20), date(2026, 9, 21))
    assert (shown.columns, shown.series, shown.totals) == (("20 Sep", "21 Sep"), (), (Credits(0), Credits(0)))


def test_a_chart_is_the_same_every_time_and_holds_no_script() -> None:
    """Bars with the colours of the page, names of days as text, nothing that loads."""
    shown = Timeline(unit="day", columns=("<1>",), series=(Series(name="<b>A", values=(Credits("2.5"),)),))
    drawn = usage_chart(shown)
    assert drawn == usage_chart(shown)
    assert drawn.startswith("<svg ")
    assert "var(--ai-chart-1)" in drawn
    assert "&lt;1&gt;" in drawn
    for forbidden in ("<script", "<b>", "<!--", "xlink:", "href", "pygal.config"):
        assert forbidden not in drawn
    assert drawn.count("http") == 1  # the name of SVG itself
