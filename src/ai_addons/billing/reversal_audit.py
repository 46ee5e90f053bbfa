"""Checks that refunds and disputes took back exactly what they should; a part of the doctor's round."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ai_addons.billing.clawback import grants_of, standing
from ai_addons.billing.refund_rows import read_dispute, read_refund

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ai_addons.billing.clawback import Claim
    from ai_addons.billing.ledger import LedgerEntry
    from ai_addons.billing.sql import Row

_STANDING: Final = "a claw-back knows how much money is gone"
_SUMS: Final = "what was taken back and what is missing make what the money asks for"
_BOOKED: Final = "the ledger tells what was taken back, written off and owed"
_NOTHING_LEFT: Final = "a refund or dispute leaves nothing free that it wants"
_CLAIMS: Final = "the wallet knows how many orders want credits"
_OWNED: Final = "each refund and dispute has a claw-back"


class Reversals:
    """One wallet's refunds, disputes and claw-backs, in memory.

    Args:
        wallet: Its row.
        claims: Its claw-backs.
        grants: Its grants.
        entries: Its ledger.
        refunds: Rows of its refunds.
        disputes: Rows of its disputes.
    """

    def __init__(
        self,
        wallet: Row,
        claims: Sequence[Claim],
        grants: Sequence[Row],
        entries: Sequence[LedgerEntry],
        refunds: Sequence[Row],
        disputes: Sequence[Row],
    ) -> None:
        self._wallet = wallet
        self._claims = claims
        self._grants = {(grant.source, grant.source_ref): grant for grant in grants}
        self._entries = entries
        self._refunds = refunds
        self._disputes = disputes

    def check(self) -> Iterator[tuple[str, str]]:
        """Every rule that is broken, with what is found instead."""
        wanting = sum(claim.wanting for claim in self._claims)
        if self._wallet.claims != wanting:
            yield _CLAIMS, f"{self._wallet.claims} is not {wanting}"
        orders = {claim.order for claim in self._claims}
        for row in (*self._refunds, *self._disputes):
            if row.order_id not in orders:
                yield _OWNED, f"order {row.order_id} has none"
        for claim in self._claims:
            yield from self._check_claim(claim)

    def _check_claim(self, claim: Claim) -> Iterator[tuple[str, str]]:
        refunds = [read_refund(row) for row in self._refunds if row.order_id == claim.order]
        disputes = [read_dispute(row) for row in self._disputes if row.order_id == claim.order]
        if claim.standing != standing(claim.paid_minor, refunds, disputes):
            yield _STANDING, f"order {claim.order}: {claim.standing.reversed_minor} minor units"
        free, pinned = self._left(claim)
        if not 0 <= claim.waiting.micro <= pinned:
            yield _SUMS, f"order {claim.order}: {claim.waiting.micro} micro-credits waited for, {pinned} held by calls"
        missing = claim.at_risk - claim.target - claim.frozen
        if free and (claim.waiting or missing):
            yield _NOTHING_LEFT, f"order {claim.order}: {free} micro-credits are free"
        found, told = self._booked(claim.order), _expected(claim)
        if found != told:
            yield _BOOKED, f"order {claim.order}: {found} is not {told} (micro-credits)"

    def _left(self, claim: Claim) -> tuple[int, int]:
        """What the order's grants have free, and what calls hold of them or is not given yet."""
        free, pinned = 0, 0
        for name, part in zip(grants_of(claim), claim.parts, strict=True):
            grant = self._grants.get(name)
            # A rollover holds more than what the order brought into it.
            most = (part.amount - part.taken - part.frozen).micro
            free += 0 if grant is None else min(grant.remaining - grant.held, most)
            pinned += part.amount.micro if grant is None else grant.held - part.frozen.micro
        return free, pinned

    def _booked(self, order: str) -> tuple[int, ...]:
        """By account, what went to the order's account of refunded credits."""
        refunded = f"refunded:{order}"
        return tuple(
            sum(
                entry.amount.micro if entry.debit == account else -entry.amount.micro
                for entry in self._entries
                if {entry.debit, entry.credit} == {account, refunded}
            )
            for account in ("wallet", "breakage", "bad_debt", "debt")
        )


def _expected(claim: Claim) -> tuple[int, ...]:
    parts = (claim.taken, claim.lapsed, claim.written_off, claim.owed + claim.repaid)
    return tuple(part.micro for part in parts)
