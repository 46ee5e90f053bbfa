"""Spending limits and the kill switch, counted in the transaction of the hold."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ai_addons.billing.limits import Counter, Limit, counters, crossed, dump, load, refusal, resets_at
from ai_addons.billing.sql import statements as sql
from ai_addons.errors import Paused
from ai_addons.money import Credits

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ai_addons.billing.books import Terms
    from ai_addons.billing.records import CallIdentity
    from ai_addons.billing.sql import Row, Tx
    from ai_addons.billing.sql.tx import Query
    from ai_addons.billing.wallet import LockedWallet
    from ai_addons.errors import LimitReached

PAUSED: Final = "paused"
"""In place of a window: no amount, the kill switch."""


def limit_query(business: str) -> Query:
    """What to ask for the limits and switches set at run time."""
    return (sql.LIMITS, {"business": business})


def paused(rows: Iterable[Row], feature: str) -> Paused | None:
    """The refusal if the kill switch is on for everybody, for this business or for this feature."""
    switches = [row for row in rows if row.per == PAUSED]
    return Paused() if any(row.key in ("", feature) for row in switches) else None


def limits_of(terms: Terms, rows: Sequence[Row]) -> list[Limit]:
    """The limits in force for a business; one set at run time takes the place of the settings' own."""
    own = [
        Limit(
            scope=row.scope,
            window=row.per,
            amount=Credits.from_micro(row.amount),
            business=row.business_id or None,
            key=row.key or None,
        )
        for row in rows
        if row.per != PAUSED
    ]
    places = {(limit.scope, limit.window, limit.business, limit.key) for limit in own}
    kept = [limit for limit in terms.limits if (limit.scope, limit.window, limit.business, limit.key) not in places]
    return [*kept, *own]


@dataclass(frozen=True, slots=True)
class Within:
    """A call that goes over no limit.

    Attributes:
        counters: The windows it counts in, in lock order; their rows are locked.
        warned: Those of which it reaches the level that is told.
    """

    counters: tuple[Counter, ...] = ()
    warned: tuple[tuple[Counter, Limit], ...] = ()


def check(
    wallet: LockedWallet,
    terms: Terms,
    limits: Sequence[Limit],
    call: CallIdentity,
    amount: Credits,
    *,
    known: dict[Counter, Credits] | None = None,
) -> Within | LimitReached:
    """Look whether an amount fits into every window it falls into; nothing is counted yet.

    Args:
        wallet: The locked wallet.
        terms: What the store works by.
        limits: All limits in force.
        call: Which call.
        amount: What is to be held.
        known: What windows count with the calls that are checked together with this one; it is added to.

    Returns:
        The windows, or the refusal of the first limit it would go over.
    """
    if not limits:
        return Within()
    places = counters(
        limits,
        business=call.business,
        user=call.user,
        feature=call.feature,
        now=wallet.now,
        tz=wallet.tz,
        operator_tz=terms.operator_tz,
    )
    warned = list[tuple[Counter, Limit]]()
    for counter, limit in places:
        before = _counted(wallet.tx, counter) if known is None or counter not in known else known[counter]
        change = crossed(limit, before, amount, terms.warn_at)
        if change == "refuse":
            _tell(wallet, "limit.reached", counter, limit)
            zone = terms.operator_tz if counter.scope == "operator" else wallet.tz
            return refusal(counter, limit, resets_at(counter, zone))
        if change == "warn":
            warned.append((counter, limit))
        if known is not None:
            known[counter] = before + amount
    return Within(tuple(counter for counter, _ in places), tuple(warned))


def count(wallet: LockedWallet, within: Within, amount: Credits) -> str | None:
    """Count an amount as held in every window, and tell of those that are nearly full.

    Returns:
        The counters, as the hold keeps them; None for none.
    """
    # Only now: something else may have refused what would have reached the level of a limit.
    for counter, limit in within.warned:
        _tell(wallet, "limit.warning", counter, limit)
    for counter in within.counters:
        _move(wallet.tx, counter, amount.micro, 0)
    return dump(within.counters) if within.counters else None


def resolve(tx: Tx, text: str, amount: Credits, used: Credits) -> None:
    """Count a hold's amount as held no more, and what was used of it as used, in the windows it was taken in."""
    for counter in load(text):
        _move(tx, counter, -amount.micro, used.micro)


def _counted(tx: Tx, counter: Counter) -> Credits:
    """What a window counts so far; its row is locked until the transaction ends."""
    tx.write(
        sql.MAKE_COUNTER,
        {
            "business_id": counter.business,
            "scope": counter.scope,
            "key": counter.key,
            "per": counter.window,
            "starts_at": counter.starts_at,
            "used": 0,
            "held": 0,
        },
    )
    (row,) = tx.rows(sql.COUNTER, _key(counter))
    return Credits.from_micro(row.used + row.held)


def _move(tx: Tx, counter: Counter, pinned: int, spent: int) -> None:
    tx.write(sql.MOVE_COUNTER, _key(counter) | {"pinned": pinned, "spent": spent})


def _key(counter: Counter) -> dict[str, object]:
    return {
        "business": counter.business,
        "of_scope": counter.scope,
        "of_key": counter.key,
        "of_per": counter.window,
        "of_start": counter.starts_at,
    }


def _tell(wallet: LockedWallet, topic: str, counter: Counter, limit: Limit) -> None:
    # A user's id stays inside, in the key too: events leave the house.
    facts = {"scope": counter.scope, "window": counter.window, "limit": str(limit.amount)}
    if counter.scope == "feature":
        facts["feature"] = counter.key
    window = hashlib.sha256(dump([counter]).encode()).hexdigest()
    wallet.tell(topic, f"{topic}:{window}", facts)
