"""The columns of the exported tables: their names, what their values are, and how a row gives them.

Amounts are decimal text with their unit in the column's name, times are ISO 8601 in UTC.
Hashes of requests, idempotency keys of orders and addresses of payers are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from ai_addons.money import Credits, MicroGhs, Money, PicoUsd, ghs, usd

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ai_addons.billing.sql import Row

TableName: TypeAlias = Literal["transactions", "ledger", "orders", "usage"]
Cell: TypeAlias = "str | int | bool | None"
Kind: TypeAlias = Literal["text", "whole", "credits", "ghs", "usd", "rate", "money", "time", "day"]
"""What the values of a column are: a text, a whole number, a decimal number of credits, cedis, dollars, cedis a dollar
or of the order's currency, a moment, a day."""

_MICRO: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an export.

    Attributes:
        name: What it is called, its unit last.
        read: Its value in a row, as text files have it.
        kind: What its value is.
    """

    name: str
    read: Callable[[Row], Cell]
    kind: Kind = "text"

    @property
    def number(self) -> bool:
        """Whether its text is a number or a time that we wrote, which no spreadsheet takes for a formula."""
        return self.kind != "text"


def _plain(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, _reader(name)) for name in names)


def _whole(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, _reader(name), "whole") for name in names)


def _day(name: str) -> Column:
    return Column(name, _reader(name), "day")


def _reader(name: str) -> Callable[[Row], Cell]:
    def read(row: Row) -> Cell:
        value: Cell = getattr(row, name)
        return value

    return read


def _made(name: str, source: str, kind: Kind) -> Column:
    """A column whose whole number is written in people's units."""
    make = _MAKES[kind]

    def read(row: Row) -> Cell:
        value: int | None = getattr(row, source)
        return None if value is None else make(value)

    return Column(name, read, kind)


def _credits(micro: int) -> str:
    return str(Credits.from_micro(micro))


def _ghs(micro: int) -> str:
    return str(ghs(MicroGhs(micro)))


def _usd(pico: int) -> str:
    return f"{usd(PicoUsd(pico)):f}"


def _rate(scaled: int) -> str:
    return f"{scaled // 10**8}.{scaled % 10**8:08d}"


def _time(micros: int) -> str:
    at = datetime.fromtimestamp(micros // _MICRO, UTC).replace(microsecond=micros % _MICRO)
    return at.isoformat(timespec="microseconds")


def _price(row: Row) -> Cell:
    return str(Money.from_minor(row.price_minor, row.currency).decimal)


_MAKES: Final[Mapping[Kind, Callable[[int], str]]] = {
    "credits": _credits,
    "ghs": _ghs,
    "usd": _usd,
    "rate": _rate,
    "time": _time,
}

COLUMNS: Final[Mapping[TableName, tuple[Column, ...]]] = {
    "transactions": (
        *_plain("business_id", "id"),
        *_whole("attempt"),
        _made("at", "at", "time"),
        _day("day"),
        *_plain("feature", "user_id", "outcome", "error_code"),
        _made("charged_credits", "charged", "credits"),
        *_plain("source", "model", "prompt_version"),
        *_whole("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens"),
        _made("cost_usd", "cost_pico_usd", "usd"),
        _made("cost_ghs", "cost_micro_ghs", "ghs"),
        _made("fx_rate", "fx_rate", "rate"),
        *_plain("fx_date", "fx_source"),
        *_whole("fx_stale", "latency_ms"),
        _made("revenue_ghs", "revenue_micro_ghs", "ghs"),
        *_plain("price_version"),
        *_whole("cacheable"),
        _made("saved_usd", "saved_pico_usd", "usd"),
        *_plain("request_meta", "response_meta"),
    ),
    "ledger": (
        *_plain("business_id"),
        *_whole("seq"),
        *_plain("kind", "debit", "credit"),
        _made("amount_credits", "amount", "credits"),
        *_plain("ref"),
        _made("balance_after_credits", "balance_after", "credits"),
        _made("effective_at", "effective_at", "time"),
        _made("booked_at", "booked_at", "time"),
        *_plain("hash"),
    ),
    "orders": (
        *_plain("business_id", "id", "user_id", "kind", "pack", "pack_version"),
        Column("price", _price, "money"),
        *_plain("currency"),
        _made("credits", "credits", "credits"),
        _made("bonus_credits", "bonus", "credits"),
        *_plain("state", "subscription_id"),
        *_whole("period"),
        _made("created_at", "created_at", "time"),
        _made("paid_at", "paid_at", "time"),
        *_plain("paid_reference"),
        _made("ended_at", "ended_at", "time"),
        *_plain("receipt_number"),
    ),
    "usage": (
        *_plain("business_id"),
        _day("day"),
        *_plain("feature"),
        *_whole("calls", "ok", "failed", "unknown", "cached"),
        _made("charged_credits", "charged", "credits"),
        _made("revenue_ghs", "revenue_micro_ghs", "ghs"),
        _made("cost_usd", "cost_pico_usd", "usd"),
        _made("cost_ghs", "cost_micro_ghs", "ghs"),
        *_whole("unpriced", "input_tokens", "cached_tokens", "output_tokens", "latency_ms", "timed", "cacheable"),
        _made("saved_usd", "saved_pico_usd", "usd"),
    ),
}
