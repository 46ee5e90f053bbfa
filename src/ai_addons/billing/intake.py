"""Credits in: each grant booked once per source and reference, each trial once per person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_addons.billing.grants import PRIORITY, Grant, GrantSource
from ai_addons.billing.rows import read_grant
from ai_addons.billing.sql import statements as sql
from ai_addons.errors import IdempotencyConflict, TrialClaimed
from ai_addons.money import Credits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ai_addons.billing.sql import Connection
    from ai_addons.billing.wallet import LockedWallet


def find_grant(tx: Connection, business: str, source: GrantSource, ref: str) -> Grant | None:
    """The grant booked before under this source and reference."""
    row = tx.execute(sql.GRANT, {"business": business, "source": source, "ref": ref}).one_or_none()
    return None if row is None else read_grant(row)


def same_amount(known: Grant, amount: Credits) -> None:
    """Refuse to give something else under a reference used before.

    Raises:
        IdempotencyConflict: If that reference gave another amount.
    """
    if known.amount != amount:
        msg = (
            f"This {known.source} reference gave {known.amount.short} credits before, not {amount.short}. "
            f"Nothing was booked. Use a fresh reference."
        )
        raise IdempotencyConflict(msg)


def book_grant(
    wallet: LockedWallet, amount: Credits, *, source: GrantSource, ref: str, unit_price: int, new_id: str
) -> Grant:
    """Add a grant that pays from now on and never expires."""
    grant = Grant(
        id=new_id,
        source=source,
        ref=ref,
        amount=amount,
        remaining=amount,
        held=Credits(0),
        priority=PRIORITY[source],
        unit_price=unit_price,
        effective_at=wallet.now,
        expires_at=None,
    )
    wallet.receive(grant)
    wallet.save()
    return grant


def claim(tx: Connection, claims: Mapping[str, str], now: int) -> None:
    """Note that the owner of these keys had a trial; one known key refuses all.

    Raises:
        ValueError: Without any key.
        TrialClaimed: If a key was noted before.
    """
    if not claims:
        msg = "a trial needs at least one claim key, so that it is given once; nothing was booked"
        raise ValueError(msg)
    if tx.execute(sql.CLAIMED, {"keys": list(claims)}).scalar_one():
        raise TrialClaimed
    tx.execute(sql.ADD_CLAIM, [{"key_hmac": key, "kind": kind, "claimed_at": now} for key, kind in claims.items()])
