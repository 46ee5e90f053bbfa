"""Checks that the books agree with themselves: every invariant, per wallet, read only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ai_addons.billing.ledger import broken_links, genesis
from ai_addons.billing.rows import read_entry
from ai_addons.billing.sql import statements as sql

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_addons.billing.sql import Connection, Database, Row


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a wallet's books.

    Attributes:
        business: Whose wallet.
        rule: What should hold.
        detail: What is found instead.
    """

    business: str
    rule: str
    detail: str


@dataclass(frozen=True, slots=True)
class Report:
    """What the doctor found; ``ok`` when nothing.

    Attributes:
        findings: Everything that is wrong.
        wallets: How many wallets were looked at.
    """

    findings: tuple[Finding, ...]
    wallets: int

    @property
    def ok(self) -> bool:
        """Whether the books agree."""
        return not self.findings


def examine(database: Database) -> Report:
    """Check every wallet in one consistent view.

    Raises:
        StoreUnavailable: If the database cannot be read.
    """
    with database.read() as tx:
        rows = tx.execute(sql.WALLETS).all()
        findings = [finding for row in rows for finding in _examine(tx, row)]
        findings += [
            Finding(row.business_id, "all books belong to a wallet", "the wallet is missing")
            for row in tx.execute(sql.STRAYS)
        ]
    return Report(tuple(findings), len(rows))


def _examine(tx: Connection, wallet: Row) -> Iterator[Finding]:
    yield from _examine_sums(tx, wallet)
    yield from _examine_chain(tx, wallet)
    yield from _examine_grants(tx, wallet.business_id)
    yield from _examine_causes(tx, wallet.business_id)
    yield from _examine_holds(tx, wallet.business_id)
    yield from _examine_schedule(tx, wallet)


def _examine_sums(tx: Connection, wallet: Row) -> Iterator[Finding]:
    own = {"business": wallet.business_id}
    sums = {
        name: int(tx.execute(statement, own).scalar_one())
        for name, statement in (
            ("into", sql.CREDITED),
            ("out", sql.DEBITED),
            ("usage", sql.USAGE),
            ("open", sql.HELD_OPEN),
            ("granted", sql.GRANTED),
            ("pinned", sql.PINNED),
            ("remaining", sql.REMAINING),
            ("charged", sql.CHARGED),
        )
    }
    for rule, found, expected in (
        ("posted is the sum of the ledger", wallet.posted, sums["into"] - sums["out"]),
        ("posted is what grants have left", wallet.posted, sums["remaining"]),
        ("held is the sum of open holds", wallet.held, sums["open"]),
        ("held is what grants have pinned", wallet.held, sums["pinned"]),
        ("lifetime_in is the sum of grants", wallet.lifetime_in, sums["granted"]),
        ("lifetime_used is the sum of usage", wallet.lifetime_used, sums["usage"]),
        ("the call log charges what the ledger booked", sums["charged"], sums["usage"]),
    ):
        if found != expected:
            yield Finding(wallet.business_id, rule, f"{found} is not {expected} (micro-credits)")


def _examine_chain(tx: Connection, wallet: Row) -> Iterator[Finding]:
    business = wallet.business_id
    entries = [read_entry(row) for row in tx.execute(sql.LEDGER, {"business": business})]
    for seq in broken_links(business, entries):
        yield Finding(business, "the ledger's hash chain is whole", f"row {seq} was changed or is out of place")
    head, booked_at = (entries[-1].hash, entries[-1].booked_at) if entries else (genesis(business), 0)
    if (wallet.seq, wallet.chain_head, wallet.booked_at) != (len(entries), head, booked_at):
        yield Finding(
            business, "the wallet holds the head of its ledger", f"wallet seq {wallet.seq}, {len(entries)} rows"
        )


def _examine_grants(tx: Connection, business: str) -> Iterator[Finding]:
    """Per grant: what is gone from it is what its allocations used."""
    for row in tx.execute(sql.GRANT_USE, {"business": business}):
        if row.gone != row.used:
            detail = f"grant {row.id}: {row.gone} gone, {row.used} used"
            yield Finding(business, "a grant lost only what calls used", detail)


def _examine_causes(tx: Connection, business: str) -> Iterator[Finding]:
    """Grants and captured calls each have the ledger row that tells of them."""
    for grant in tx.execute(sql.GRANTS_UNBOOKED, {"business": business}).scalars():
        yield Finding(business, "each grant is booked", f"grant {grant} has no ledger row of its reference and amount")
    for seq in tx.execute(sql.USAGE_UNLOGGED, {"business": business}).scalars():
        yield Finding(business, "each charge is of a call", f"row {seq} charges what no call in the log was charged")


def _examine_holds(tx: Connection, business: str) -> Iterator[Finding]:
    """Per hold: an open one is spread over grants, a closed one used what the call log charges."""
    for row in tx.execute(sql.HOLD_SPREAD, {"business": business}):
        name = f"hold {row.id} attempt {row.attempt}"
        if row.state == "open":
            if (row.spread, row.used, row.charged) != (row.amount, 0, None):
                detail = f"{name}: {row.amount} held, {row.spread} spread, {row.used} used"
                yield Finding(business, "an open hold is spread over grants", detail)
        elif row.charged != row.used or (row.captured and row.captured != row.used):
            detail = f"{name}: {row.captured} captured, {row.used} used, {row.charged} charged"
            yield Finding(business, "a closed hold used what was charged", detail)


def _examine_schedule(tx: Connection, wallet: Row) -> Iterator[Finding]:
    first = tx.execute(sql.FIRST_EXPIRY, {"business": wallet.business_id}).scalar_one()
    if first is not None and (wallet.next_due_at is None or wallet.next_due_at > first):
        detail = "next_due_at is later than an open hold's expiry"
        yield Finding(wallet.business_id, "an orphan hold is found in time", detail)
