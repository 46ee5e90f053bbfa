"""Providers' bills beside the call log: how files are read, and what is said of differences."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_addons.billing.bills.comparing import Ours, Side, add, beyond, compare, same_model
from ai_addons.billing.bills.formats import FORMATS, format_of
from ai_addons.billing.bills.parsing import MOST_BYTES, BillLine, parse_bill, plain_name
from ai_addons.billing.bills.reading import reconcile_bill
from ai_addons.money import PicoUsd
from tests.books import FAILED, OK, Books
from tests.sizes import FULL

DAY: Final = date(2026, 9, 21)
OPENAI, ANTHROPIC, GOOGLE = map(format_of, ("openai", "anthropic", "google"))
COST: Final = PicoUsd(75_000_000)


def line(model: str = "gpt-6-luna", into: int | None = 225, out: int | None = 85, cost: int | None = None) -> BillLine:
    """A line of a bill."""
    return BillLine(
        day=DAY, model=model, input_tokens=into, output_tokens=out, cost=None if cost is None else PicoUsd(cost)
    )


def logged(into: int = 225, out: int = 85, cost: int | None = 0, **counts: int) -> Ours:
    """What our log has."""
    side = Side(input_tokens=into, output_tokens=out, cost=None if cost is None else PicoUsd(cost))
    return Ours(side=side, calls=1, **counts)


# Reading.


def test_openais_usage_and_costs_are_read() -> None:
    """Pages of buckets of results, as the API gives them; cached tokens are inside the input."""
    usage = {
        "object": "page",
        "data": [
            {
                "object": "bucket",
                "start_time": 1_789_948_800,
                "end_time": 1_790_035_200,
                "results": [
                    {
                        "model": "gpt-6-luna-2026-08-01",
                        "input_tokens": 225,
                        "input_cached_tokens": 25,
                        "output_tokens": 85,
                        "num_model_requests": 1,
                        "input_audio_tokens": [],
                    }
                ],
            }
        ],
    }
    assert parse_bill(json.dumps(usage).encode(), OPENAI) == (line("gpt-6-luna-2026-08-01"),)
    result = {"amount": {"value": 0.000075, "currency": "usd"}, "line_item": None, "project_id": None}
    costs = {"data": [{"start_time": 1_789_948_800, "results": [result]}]}
    assert parse_bill(json.dumps(costs).encode(), OPENAI) == (line("", None, None, COST),)


def test_anthropics_usage_and_cost_are_read() -> None:
    """Exclusive pools are added up; the cost report counts in cents."""
    used = {
        "model": "claude-haiku-5-5",
        "uncached_input_tokens": 200,
        "cache_creation": {"ephemeral_1h_input_tokens": 3, "ephemeral_5m_input_tokens": 2},
        "cache_read_input_tokens": 20,
        "output_tokens": 85,
    }
    bucket = {"starting_at": "2026-09-21T00:00:00Z", "ending_at": "2026-09-22T00:00:00Z"}
    found = parse_bill(json.dumps({"data": [bucket | {"results": [used]}]}).encode(), ANTHROPIC)
    assert found == (line("claude-haiku-5-5"),)
    costs = [bucket | {"results": [{"currency": "USD", "amount": "0.0075", "model": None}]}]
    assert parse_bill(json.dumps(costs).encode(), ANTHROPIC) == (line("", None, None, COST),)


def test_csv_is_read_whatever_its_columns_are_spelled_like() -> None:
    """Upper case, spaces, byte order mark, amounts with signs; lines without a day are totals."""
    text = "\ufeffUsage Start Date,SKU Description,Cost ($),Currency\n"
    text += '2026-09-21,Gemini Flash Input,"$0.000075",USD\n'
    text += "2026-09-21T23:30:00-07:00,Gemini Flash Input,1e-6,usd\n,Total,9,USD\n"
    assert parse_bill(text.encode(), GOOGLE) == (
        line("Gemini Flash Input", None, None, COST),
        line("Gemini Flash Input", None, None, 1_000_000),
    )


@pytest.mark.parametrize(
    ("day", "found"),
    [
        ("2026-09-21", DAY),
        ("2026/09/21", DAY),
        ("09/21/2026", DAY),
        ("20260921", DAY),
        ("1789948800", DAY),
        ("1789948800000", DAY),
        ("2026-09-21 13:00:00 UTC", DAY),
        ("2026-09-21T01:00:00+02:00", date(2026, 9, 20)),
        ("2026-09-21T00:00:00+02:00", DAY),
        ("2026-09-21T13:00:00", DAY),
    ],
)
def test_days_are_read_as_providers_write_them(day: str, found: date) -> None:
    """An instant is brought to the provider's zone; a bucket's midnight is its day."""
    assert parse_bill(f"date,model,cost\n{day},m,1\n".encode(), OPENAI)[0].day == found


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", "no lines"),
        (b"[]", "no lines"),
        (b"[1]", "no lines"),
        (b'[{"cost": 1, "of": {"model": "m", "more": [1]}}]', "says a day; its fields are: cost, of_model"),
        (b"\xff\xfe", "not UTF-8"),
        (b"{nothing", "begins like JSON"),
        (b'{"a": "' + b"[" * 9, "begins like JSON"),
        (b"model,cost\nm,1\n", "says a day; its fields are: cost, model"),
        (b"date,model\n2026-09-21,m\n", "says tokens or a cost; its fields are: date, model"),
        (b"date,cost\nyesterday,1\n", "line 1 of the file: its day is no date"),
        (b"date,cost\n99999999999999999999,1\n", "line 1 of the file: "),
        (b"date,cost\n0001-01-01,1\n", "its day is in no year"),
        (b"date,cost\n2026-09-21,secret\n", "line 1 of the file: one of its numbers is none"),
        (b"date,cost\n2026-09-21,nan\n", "one of its numbers is none"),
        (b"date,cost\n2026-09-21,1e99\n", "beyond any bill"),
        (b"date,cost,currency\n2026-09-21,1,EUR\n", "not in US dollars"),
        (b"date,input_tokens\n2026-09-21,1.5\n", "no whole number"),
        (b"date,input_tokens\n2026-09-21,-1\n", "no whole number"),
        (b'date,cost\n"2026-09-21,1\n', "the file is no CSV"),
        (b"x" * (MOST_BYTES + 1), "more than"),
    ],
)
def test_what_cannot_be_read_is_refused_without_repeating_it(content: bytes, refusal: str) -> None:
    """The line's number, and names of fields at most."""
    with pytest.raises(ValueError, match=refusal) as refused:
        parse_bill(content, OPENAI)
    assert "secret" not in str(refused.value)
    assert "yesterday" not in str(refused.value)


@settings(max_examples=100 if FULL else 30)
@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_no_file_makes_the_reader_fail_otherwise(content: bytes) -> None:
    """Whatever it is: lines, or a refusal."""
    for form in FORMATS:
        try:
            found = parse_bill(b"date,cost,model\n" + content, form)
        except ValueError:
            continue
        assert all(isinstance(one, BillLine) for one in found)


@settings(max_examples=100 if FULL else 30)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(["data", "results", "date", "cost", "model", "x"]), inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_no_json_makes_the_reader_fail_otherwise(read: Any) -> None:
    """Lists where a number is expected, and dictionaries in any place."""
    for form in FORMATS:
        try:
            parse_bill(json.dumps([read]).encode(), form)
        except ValueError:
            continue


def test_an_unknown_provider_is_refused() -> None:
    """With those that are known."""
    with pytest.raises(ValueError, match=r"no export of 'x' is known; known are openai, anthropic, google"):
        format_of("x")
    assert plain_name("  Cost (USD) ") == "cost_usd"


# Comparing.


def test_what_agrees_needs_no_reason() -> None:
    """The same tokens, and a dated name of the same model."""
    (found,) = compare([line("gpt-6-luna-2026-08-01")], {(DAY, "gpt-6-luna"): logged(cost=COST)})
    assert (found.model, found.above, found.off, found.reasons) == ("gpt-6-luna-2026-08-01", False, None, ())


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        ("gpt-6-luna", "gpt-6-luna", True),
        ("gpt-6-luna", "GPT-6-luna-2026-08-01", True),
        ("claude-haiku", "claude-haiku@20260801", True),
        ("gpt-6", "gpt-6-luna", False),
        ("gpt-6-luna", "gpt-6", False),
        ("gpt-6-luna", "", False),
    ],
)
def test_a_date_behind_a_name_is_the_same_model(ours: str, theirs: str, same: bool) -> None:  # of the table
    """Anything else behind it is another one."""
    assert same_model(ours, theirs) == same


@pytest.mark.parametrize(
    ("cost", "above"),
    [(10**12, False), (10**12 + 2 * 10**10, False), (1_020_408_163_266, True), (10**12 - 10**11, True), (0, True)],
)
def test_a_cost_may_differ_by_the_tolerance(cost: int, above: bool) -> None:  # of the table
    """Two per cent of the larger side."""
    (found,) = compare([line(cost=cost)], {(DAY, "gpt-6-luna"): logged(cost=10**12)})
    assert (found.above, found.off) == (above, cost - 10**12)


def test_less_than_a_cent_is_rounding() -> None:
    """However large a share it is."""
    (found,) = compare([line(cost=10**10 - 1)], {(DAY, "gpt-6-luna"): logged(cost=0)})
    assert not found.above
    (found,) = compare([line(cost=10**10)], {(DAY, "gpt-6-luna"): logged(cost=0)})
    assert found.above


def test_a_day_without_models_is_compared_as_a_whole() -> None:
    """Costs of a day by project say nothing of models: all of ours stand against them."""
    ours = {(DAY, "a"): logged(cost=10**12), (DAY, "b"): logged(cost=10**12)}
    (found,) = compare([line("", None, None, 10**12), line("a", None, None, 10**12)], ours)
    assert (found.model, found.off, found.above, found.calls) == ("", 0, False, 2)


def test_each_difference_names_what_may_explain_it() -> None:
    """Attempts that may have been billed, midnight, several models, unknown prices; then other keys."""
    ours = logged(cost=10**12, maybe_billed=1, uncounted=2, unpriced=3, over_midnight=4, mixed=5)
    (found,) = compare([line(cost=2 * 10**12)], {(DAY, "gpt-6-luna"): ours})
    assert found.reasons == (
        "1 attempts failed and may have been billed",
        "2 calls without known tokens",
        "3 calls of unknown price",
        "4 calls in flight at the end of the provider's day",
        "5 calls asked several models; their tokens stand under the one that answered",
        "other keys or programs of the same account",
    )


def test_what_only_one_side_knows_is_a_difference() -> None:
    """Another key's calls on the bill; calls of ours on none."""
    stranger, ours = compare([line("other", cost=10**12)], {(DAY, "mine"): logged(cost=10**12)})[::-1]
    assert (stranger.model, stranger.off, stranger.above) == ("other", 10**12, True)
    assert stranger.reasons == ("no call of ours: another key or another program of the same account",)
    assert (ours.model, ours.off, ours.above) == ("mine", -(10**12), True)
    assert ours.reasons == ("not on the bill: another account, days the file does not cover, or not billed yet",)


def test_where_a_bill_names_no_cost_tokens_decide() -> None:
    """Either pool."""
    key = (DAY, "gpt-6-luna")
    assert not compare([line(into=225)], {key: logged(into=224)})[0].above
    assert compare([line(into=300)], {key: logged()})[0].above
    assert compare([line(into=None, out=300)], {key: logged()})[0].above
    assert not compare([line(into=None, out=None)], {key: logged()})[0].above


_SIDES = st.tuples(st.sampled_from("ab"), st.integers(0, 10**15))


@given(st.lists(_SIDES, max_size=8), st.lists(_SIDES, max_size=8))
def test_a_comparison_loses_and_invents_nothing(bill: list[tuple[str, int]], log: list[tuple[str, int]]) -> None:
    """The differences add up to the bill less the log, and equal sides have none."""
    ours: dict[tuple[date, str], Ours] = {}
    for model, cost in log:
        add(ours.setdefault((DAY, model), Ours()).side, None, None, cost)
    found = compare([line(model, None, None, cost) for model, cost in bill], ours)
    assert sum(one.off or 0 for one in found) == sum(cost for _, cost in bill) - sum(cost for _, cost in log)
    same = compare([line(model, None, None, one.side.cost) for (_, model), one in ours.items()], ours)
    assert [one for one in same if one.above or one.off] == []


@given(st.integers(0, 10**18), st.integers(0, 10**18))
def test_the_tolerance_looks_both_ways(one: int, other: int) -> None:
    """Who billed and who logged makes no difference; equal is never beyond."""
    share = Decimal("0.02")
    assert beyond(one, other, share) == beyond(other, one, share)
    assert not beyond(one, one, Decimal(0))


# Our log.


def call(books: Books, **changes: Any) -> None:
    """A call that succeeds."""
    books.store.capture(books.hold("1"), replace(OK, **changes))


def test_our_log_is_read_by_the_providers_day_and_model() -> None:
    """The day a call began; attempts by their own models; cached answers and other providers are not on the bill."""
    with closing(Books("100")) as books:
        attempts = [
            {"model": "openai/gpt-6-luna", "cost_pico_usd": None, "error": "provider_timeout"},
            {"model": "openai/gpt-6-luna", "cost_pico_usd": COST, "error": None},
            {"model": "anthropic/claude-haiku-5-5", "cost_pico_usd": 5, "error": None},
            {"note": "a host's own"},
        ]
        call(books, response_meta={"attempts": attempts})
        call(books, source="cache", cost=PicoUsd(0))
        call(books, model="anthropic/claude-haiku-5-5")
        call(books, tokens=None, cost=None)
        call(books, cost=None)
        books.store.void(books.hold("1"), FAILED)
        csv = "date,model,input_tokens,output_tokens,cost\n2026-09-21,gpt-6-luna,440,170,0.00015\n"
        found = reconcile_bill(books.opened, "openai", csv.encode())
        (one,) = found.differences
        assert (one.logged, one.calls, one.above) == (Side(input_tokens=440, output_tokens=170, cost=COST), 3, False)
        assert one.reasons[:4] == (
            "1 attempts failed and may have been billed",
            "1 calls without known tokens",
            "1 calls of unknown price",
            "1 calls asked several models; their tokens stand under the one that answered",
        )
        assert (found.billed, found.logged, found.ok, found.tz) == (150_000_000, COST, True, "UTC")
        plain = json.loads(json.dumps(found.for_operator()))
        assert plain["differences"][0]["logged"]["cost_usd"] == "0.000075000000"
        assert [rate["source"] for rate in plain["fx"]] == ["static"]


def test_a_call_in_flight_at_midnight_counts_on_the_day_it_began() -> None:
    """Booked half a second after midnight, begun a second before it."""
    with closing(Books("100")) as books:
        midnight = 1_790_035_200_000_000
        books.clock.set(midnight + 500_000)
        call(books, latency_ms=1_500)
        call(books, latency_ms=100)
        csv = "date,model,cost\n2026-09-21,gpt-6-luna,1\n"
        (one,) = reconcile_bill(books.opened, "openai", csv.encode()).differences
        assert (one.calls, one.above) == (1, True)
        assert one.reasons[0] == "1 calls in flight at the end of the provider's day"


def test_a_bill_without_days_is_refused() -> None:
    """Totals alone cover no days."""
    with closing(Books("0")) as books, pytest.raises(ValueError, match="no line with a day"):
        reconcile_bill(books.opened, "openai", b"date,cost\n,9\n")
