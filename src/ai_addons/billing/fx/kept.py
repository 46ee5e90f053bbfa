"""What the books keep of exchange rates: the last good one, what was refused, and who asks next."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from ai_addons.billing.fx.base import BASE, QUOTE, FxRate, from_scaled
from ai_addons.billing.sql import rates as sql
from ai_addons.money import MICRO, scaled_rate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ai_addons.billing.sql import Row, Tx

LEASE: Final = 60 * MICRO
"""Microseconds after which another host may ask, if the one that meant to has died."""

RETRY: Final = 15 * 60 * MICRO
"""Microseconds until the sources are asked again after none gave a good rate."""

_PAIR: Final[Mapping[str, object]] = {"base": BASE, "quote": QUOTE}


def last_good(tx: Tx) -> FxRate | None:
    """The rate that was found good last; None if none ever was."""
    row = tx.one(sql.LAST_GOOD, _PAIR)
    return None if row is None else _read(row)


def waiting(tx: Tx, since: int) -> list[tuple[FxRate, str]]:
    """Rates refused since a time (UTC microseconds) that nobody confirmed, each with the reason, the newest first."""
    return [(_read(row), row.fault) for row in tx.rows(sql.WAITING, {**_PAIR, "since": since})]


def keep(tx: Tx, rate: FxRate, fault: str | None, now: int) -> None:
    """Keep what a source said.

    Args:
        tx: The transaction.
        rate: What it said.
        fault: Why it is not taken; None for a good one.
        now: UTC microseconds.
    """
    values = {
        **_row_key(rate),
        "kind": rate.kind,
        "fetched_at": rate.fetched_at,
        "good_at": now if fault is None else None,
        "fault": fault,
    }
    tx.write(sql.KEEP_RATE, values)


def next_place(tx: Tx, now: int) -> int:
    """When a rate becomes the last good one: now, but after every other one, whatever a clock says.

    Args:
        tx: The transaction.
        now: UTC microseconds.
    """
    return max(now, int(tx.value(sql.LATEST, _PAIR)) + 1)


def confirm(tx: Tx, rate: FxRate, actor: str, now: int) -> None:
    """Take a refused rate for good from now on (UTC microseconds)."""
    tx.write(sql.CONFIRM_RATE, {**_row_key(rate), "good_at": next_place(tx, now), "actor": actor})


def claim(tx: Tx, now: int, *, force: bool = False) -> bool:
    """Whether this host asks the sources now; of several that want to, one does.

    Args:
        tx: The transaction.
        now: UTC microseconds.
        force: Whether to ask although it is not time yet.
    """
    tx.write(sql.FIRST_REFRESH, _PAIR)
    due = now + 10**15 if force else now
    return tx.changed(sql.CLAIM_REFRESH, {"next_at": now + LEASE, **_PAIR, "due": due}) == 1


def end(tx: Tx, next_at: int) -> None:
    """Say when the sources are asked next, UTC microseconds."""
    tx.write(sql.END_REFRESH, {"next_at": next_at, **_PAIR})


def _row_key(rate: FxRate) -> dict[str, object]:
    return {
        "base": rate.base,
        "quote": rate.quote,
        "source": rate.source,
        "as_of": rate.as_of.isoformat(),
        "rate": scaled_rate(rate.rate),
    }


def _read(row: Row) -> FxRate:
    return FxRate(
        base=row.base,
        quote=row.quote,
        rate=from_scaled(row.rate),
        as_of=date.fromisoformat(row.as_of),
        fetched_at=row.fetched_at,
        source=row.source,
        kind=row.kind,
    )
