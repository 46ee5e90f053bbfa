"""What a statement lets through to the database: text and whole numbers of 64 bits, each where it belongs."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, MetaData, String, Table, insert
from sqlalchemy.dialects import sqlite

from ai_addons.billing.sql.tx import Prepared

NUMBERS = tuple(f"n{place}" for place in range(7))
TABLE = Table("t", MetaData(), Column("name", String), *(Column(name, BigInteger) for name in NUMBERS))
ROW: dict[str, Any] = {"name": "Ama", **dict.fromkeys(NUMBERS, 1)}


class Word(StrEnum):
    """Text of a host's own kind."""

    YES = "yes"


def prepared(*names: str) -> Prepared:
    """An INSERT of these columns."""
    return Prepared(insert(TABLE), names, sqlite.dialect())


def test_values_go_through_in_their_order_time_and_again() -> None:
    """The second row of a shape is let through like the first."""
    statement = prepared(*ROW)
    for number in (1, 2**63 - 1, -(2**63)):
        row = ROW | {"n3": number}
        assert list(statement.arguments(dict(reversed(row.items())))) == list(row.values())


def test_more_mixtures_of_values_and_none_than_are_kept_are_still_right() -> None:
    """All 128 mixtures go through, and a number that is too large is refused in each of them."""
    statement = prepared(*ROW)
    for mixture in range(2**7):
        row = ROW | {name: None for bit, name in enumerate(NUMBERS) if mixture >> bit & 1}
        assert list(statement.arguments(row)) == list(row.values())
        for large in [name for name in NUMBERS if row[name] is not None][:1]:
            with pytest.raises(OverflowError, match="64 bits"):
                statement.arguments(row | {large: 2**63})


@pytest.mark.parametrize("wrong", [1.0, True, Decimal(1), "5", b"1"])
def test_nothing_but_a_whole_number_goes_where_a_number_belongs(wrong: object) -> None:
    """Before and after the statement has met a right row."""
    statement = prepared(*ROW)
    for _ in range(2):
        with pytest.raises(TypeError, match=type(wrong).__name__):
            statement.arguments(ROW | {"n0": wrong})
        statement.arguments(ROW)


@pytest.mark.parametrize("wrong", [1, b"Ama", ["Ama"]])
def test_nothing_but_text_goes_where_text_belongs(wrong: object) -> None:
    """A number is no name."""
    with pytest.raises(TypeError, match=type(wrong).__name__):
        prepared(*ROW).arguments(ROW | {"name": wrong})


def test_text_of_a_hosts_own_kind_is_written_as_plain_text() -> None:
    """An enum of text is what it says, for a driver that takes plain text only."""
    (written,) = prepared("name").arguments({"name": Word.YES})
    assert (written, type(written)) == ("yes", str)


@pytest.mark.parametrize(("number", "right"), [(7, True), (2**63, False), (-(2**63) - 1, False)])
def test_a_statement_of_one_number_is_checked_too(number: int, *, right: bool) -> None:
    """The bounds hold where there is but one value."""
    statement = prepared("n0")
    if right:
        assert list(statement.arguments({"n0": number})) == [number]
        return
    with pytest.raises(OverflowError):
        statement.arguments({"n0": number})


def test_a_row_of_none_alone_goes_through() -> None:
    """There is no number to look at."""
    assert list(prepared("name", "n0").arguments({"name": None, "n0": None})) == [None, None]
