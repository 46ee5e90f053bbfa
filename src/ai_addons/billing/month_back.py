"""What a refunded month of the add-on can take back: what is left of it, wherever a month's end has carried it.

A month's credits are one grant. When the month ends, unused ones are carried into
the rollover of the next month, together with what was carried before. So a claim on a
month has two parts: what stayed in its own grant, and what of it was carried. Carried
once more, or expired, they are gone, and nobody owes them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ai_addons.billing.clawback import Room, month_of
from ai_addons.billing.sql import reversals as sql
from ai_addons.billing.sql import statements
from ai_addons.billing.wallet import NOTHING
from ai_addons.money import Credits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ai_addons.billing.clawback import Claim, Part
    from ai_addons.billing.grants import Grant
    from ai_addons.billing.wallet import LockedWallet

_AFTER_COLON = ";"


def lost(wallet: LockedWallet, grant: Grant, kind: str) -> Credits:
    """What ledger rows of a kind took from a grant without its being spent: ``expire``, or ``void`` for carried."""
    bounds = {"business": wallet.business, "first": f"{grant.id}:", "end": f"{grant.id}{_AFTER_COLON}"}
    return Credits.from_micro(wallet.tx.value(sql.LAPSED, bounds | {"kind": kind}))


def all_lost(wallet: LockedWallet, grant: Grant) -> Credits:
    """What of a grant is gone without being spent; all of one that an operator took back."""
    return grant.amount if grant.voided_at is not None else lost(wallet, grant, "expire") + lost(wallet, grant, "void")


def shared_out(wallet: LockedWallet, claim: Claim, grants: Sequence[Grant | None]) -> Claim:
    """A claim on a month with its credits shared out over its two parts, as they lie now."""
    own, carried = claim.parts
    there = max(_carried(wallet, grants), carried.taken + carried.frozen)
    return replace(claim, parts=(replace(own, amount=claim.amount - there), replace(carried, amount=there)))


def _carried(wallet: LockedWallet, grants: Sequence[Grant | None]) -> Credits:
    """What of the month was carried, as far as the rollover of the next month can hold it."""
    own, rollover = grants
    moved = NOTHING if own is None else lost(wallet, own, "void")
    return moved if rollover is None else min(moved, rollover.amount)


def rooms(wallet: LockedWallet, claim: Claim, grants: Sequence[Grant | None]) -> list[Room]:
    """What each part has.

    Args:
        wallet: Whose.
        claim: Shared out.
        grants: The month's own, and the rollover of the next one; None for what is not given.
    """
    own, rollover = grants
    first, second = claim.parts
    return [_own(wallet, first, second, own), _rollover(wallet, claim, second, rollover)]


def _own(wallet: LockedWallet, first: Part, second: Part, grant: Grant | None) -> Room:
    if grant is None:
        # Paid early: it comes when the month begins.
        return Room(free=NOTHING, pinned=first.amount, lapsed=NOTHING)
    lapsed = all_lost(wallet, grant) - second.amount
    return Room(free=grant.free + first.frozen, pinned=grant.held - first.frozen, lapsed=lapsed)


def _rollover(wallet: LockedWallet, claim: Claim, part: Part, grant: Grant | None) -> Room:
    """Of a rollover only what the month brought into it: the rest was paid for otherwise."""
    left = part.amount - part.taken
    if grant is None:
        waits = _waits(wallet, claim)
        return Room(free=NOTHING, pinned=left if waits else NOTHING, lapsed=NOTHING if waits else left)
    free = min(grant.free + part.frozen, left)
    pinned = min(grant.held - part.frozen, left - free)
    return Room(free=free, pinned=pinned, lapsed=min(all_lost(wallet, grant), left - free - pinned))


def _waits(wallet: LockedWallet, claim: Claim) -> bool:
    """Whether carried credits wait for the payment of the next month."""
    row = wallet.tx.one(statements.SUBSCRIPTION, {"business": wallet.business})
    subscription, period = month_of(claim)
    return row is not None and (row.id, row.period, row.state) == (subscription, period + 1, "past_due")
