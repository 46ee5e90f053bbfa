"""Checks that the books agree with themselves, every invariant per wallet, and mends what can be derived."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ai_addons.billing.bought import bought
from ai_addons.billing.clawback import grants_of
from ai_addons.billing.ledger import broken_links, genesis
from ai_addons.billing.limits import Counter, load
from ai_addons.billing.progress import Stage
from ai_addons.billing.reclaim import read_claim
from ai_addons.billing.reversal_audit import Reversals
from ai_addons.billing.rows import read_entry
from ai_addons.billing.sql import audits as sql
from ai_addons.billing.sql import purchases
from ai_addons.billing.sql.exports import count_businesses

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ai_addons.billing.clawback import Claim
    from ai_addons.billing.progress import OnProgress
    from ai_addons.billing.sql import Database, Row, Tx

DAILY_SUMS: Final = "the daily sums are those of the call log"
"""The one rule whose breach can be mended: see `rebuild_usage`."""

# Wallets read at a time, so that books of any size fit into memory.
_PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a wallet's books.

    Attributes:
        business: Whose wallet; empty for what all share.
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


def examine(database: Database, business: str | None = None, on_progress: OnProgress | None = None) -> Report:
    """Check every wallet in one consistent view.

    Args:
        database: The books.
        business: One business; None for all, and for what they share.
        on_progress: Is told of every wallet.

    Raises:
        StoreUnavailable: If the database cannot be read.
    """
    return database.read(lambda tx: _examine(tx, business, on_progress), snapshot=True)


def rebuild_usage(database: Database, business: str) -> None:
    """Make a business's daily sums anew from its call log.

    Args:
        database: The books.
        business: Whose.
    """

    def work(tx: Tx) -> None:
        # The wallet's lock keeps calls from being added meanwhile.
        tx.rows(sql.WALLET, {"business": business})
        tx.write(sql.DROP_USAGE, {"business": business})
        tx.write(sql.REBUILD_USAGE, {"business": business})

    database.write(work)


def _examine(tx: Tx, business: str | None, on_progress: OnProgress | None) -> Report:
    findings, count = list[Finding](), 0
    several = None if business is not None else lambda: count_businesses(tx)
    for wallet in Stage(on_progress, "wallets checked", several).over(_wallets(tx, business)):
        count += 1
        findings += _examine_wallet(tx, wallet)
    if business is None:
        findings += [
            Finding(row.business_id, "all books belong to a wallet", "the wallet is missing")
            for row in tx.rows(sql.STRAYS, {})
        ]
        findings += _examine_counters(tx)
        findings += _examine_spending(tx)
    return Report(tuple(findings), count)


def _wallets(tx: Tx, business: str | None) -> Iterator[Row]:
    if business is not None:
        yield from tx.rows(sql.LOOK, {"business": business})
        return
    after = ""
    while page := tx.rows(sql.WALLETS, {"after": after, "most": _PAGE}):
        yield from page
        after = page[-1].business_id


def _examine_wallet(tx: Tx, wallet: Row) -> Iterator[Finding]:
    own = {"business": wallet.business_id}
    parts = tx.gather(
        (sql.LEDGER, own),
        (sql.GRANTS, own),
        (sql.SHARES_OF, own),
        (sql.HOLDS_OF, own),
        (sql.TRANSACTIONS, own),
        (sql.USAGE_DIFFERENCE, own),
        (sql.SUBSCRIPTIONS, own),
        (sql.ALL_PLANNED, own),
        (purchases.ORDERS_AND_GRANTS, own),
        (purchases.PAID_ATTEMPTS_OF, own),
        (sql.CLAWBACKS, own),
        (sql.REFUNDS_OF, own),
        (sql.DISPUTES_OF, own),
    )
    entries, grants, shares, holds, calls, rollups, subscriptions, planned = parts[:8]
    orders, paid, claims, refunds, disputes = parts[8:]
    owners = [read_claim(row) for row in claims]
    books = _Books(wallet, entries, grants, shares, holds, calls, subscriptions, planned, owners)
    for rule, detail in (*books.sums(), *books.chain(), *books.causes(), *books.holds_spread(), *books.schedule()):
        yield Finding(wallet.business_id, rule, detail)
    of_money = Reversals(wallet, owners, grants, [read_entry(row) for row in entries], refunds, disputes)
    for rule, detail in (*bought(orders, paid, subscriptions), *of_money.check()):
        yield Finding(wallet.business_id, rule, detail)
    for row in rollups:
        yield Finding(
            wallet.business_id,
            DAILY_SUMS,
            f"day {row.day}, feature {row.feature}; `ai-addons doctor --rebuild` makes them anew",
        )


class _Books:
    """The books of one wallet, in memory."""

    def __init__(  # noqa: PLR0913, PLR0917  # the books of a wallet are that many tables
        self,
        wallet: Row,
        entries: Sequence[Row],
        grants: Sequence[Row],
        shares: Sequence[Row],
        holds: Sequence[Row],
        calls: Sequence[Row],
        subscriptions: Sequence[Row],
        planned: Sequence[Row],
        claims: Sequence[Claim],
    ) -> None:
        self._wallet = wallet
        self._entries = [read_entry(row) for row in entries]
        self._grants = grants
        self._shares = shares
        self._holds = holds
        self._calls = calls
        self._subscriptions = subscriptions
        self._planned = planned
        self._claims = claims

    def sums(self) -> Iterator[tuple[str, str]]:
        """What must add up to what, in micro-credits."""
        wallet, net = self._wallet, self._net
        open_holds = sum(hold.amount for hold in self._holds if hold.state == "open")
        frozen = sum(claim.frozen.micro for claim in self._claims)
        charged = sum(call.charged for call in self._calls)
        used = net("wallet", "revenue:", kinds=("usage",)) - net("revenue:", "wallet", kinds=("reverse",))
        waiting = sum(one.waiting for one in self._subscriptions)
        kept = net("wallet", "rollover") - net("rollover", "wallet") - net("rollover", "breakage")
        new = sum(
            g.amount for g in self._grants if g.source not in ("rollover", "clawback_reversal") and not g.voided_at
        )
        for rule, found, expected in (
            ("posted is the sum of the ledger", wallet.posted, net("", "wallet") - net("wallet", "")),
            ("posted is what grants have left", wallet.posted, sum(grant.remaining for grant in self._grants)),
            ("held is the sum of open holds and frozen credits", wallet.held, open_holds + frozen),
            ("held is what grants have pinned", wallet.held, sum(grant.held for grant in self._grants)),
            ("lifetime_in is the sum of new grants", wallet.lifetime_in, new),
            ("lifetime_used is the sum of usage", wallet.lifetime_used, used),
            ("the call log charges what the ledger booked", charged, used),
            ("account rollover holds what waits for a payment", kept, waiting),
        ):
            if found != expected:
                yield rule, f"{found} is not {expected} (micro-credits)"

    def _net(self, debit: str, credit: str, *, kinds: tuple[str, ...] | None = None) -> int:
        """The sum of rows from one account to another, both named by how they begin."""
        return sum(
            entry.amount.micro
            for entry in self._entries
            if entry.debit.startswith(debit) and entry.credit.startswith(credit)
            if kinds is None or entry.kind in kinds
        )

    def chain(self) -> Iterator[tuple[str, str]]:
        """The ledger's rows follow from each other, and the wallet holds their head."""
        wallet, entries = self._wallet, self._entries
        for seq in broken_links(wallet.business_id, entries):
            yield "the ledger's hash chain is whole", f"row {seq} was changed or is out of place"
        head, booked_at = (entries[-1].hash, entries[-1].booked_at) if entries else (genesis(wallet.business_id), 0)
        if (wallet.seq, wallet.chain_head, wallet.booked_at) != (len(entries), head, booked_at):
            yield "the wallet holds the head of its ledger", f"wallet seq {wallet.seq}, {len(entries)} rows"

    def causes(self) -> Iterator[tuple[str, str]]:
        """Grants and charges each have the row that tells of them, and a grant lost only what the books say."""
        booked = {(entry.ref, entry.amount.micro) for entry in self._entries if entry.kind == "grant"}
        used, lost = self._used_by_grant(), self._lost_by_grant()
        # What pays a debt comes from whatever grants there are, as what an operator takes.
        taken_by_hand = self._net("wallet", "operator") + self._net("wallet", "debt")
        for grant in self._grants:
            if (f"{grant.source}:{grant.source_ref}", grant.amount) not in booked:
                yield "each grant is booked", f"grant {grant.id} has no ledger row of its reference and amount"
            voided = grant.amount if grant.voided_at is not None else 0
            rest = grant.amount - grant.remaining - used[grant.id] - lost[grant.id] - voided
            taken_by_hand -= max(rest, 0)
            if rest < 0:
                detail = f"grant {grant.id}: {grant.amount - grant.remaining} gone, {used[grant.id]} used"
                yield "a grant lost only what calls used, time took or operators took", detail
        if taken_by_hand:
            yield (
                "a grant lost only what calls used, time took or operators took",
                f"operators took {taken_by_hand} micro-credits more than grants lost",
            )
        yield from self._charges()

    def _used_by_grant(self) -> defaultdict[str, int]:
        used = defaultdict[str, int](int)
        for share in self._shares:
            used[share.grant_id] += share.used
        return used

    def _lost_by_grant(self) -> defaultdict[str, int]:
        lost = defaultdict[str, int](int)
        for entry in self._entries:
            if entry.kind in ("expire", "void") and entry.debit == "wallet":
                lost[entry.ref.partition(":")[0]] += entry.amount.micro
        taken = {
            name: part.taken.micro
            for claim in self._claims
            for name, part in zip(grants_of(claim), claim.parts, strict=True)
        }
        for grant in self._grants:
            lost[grant.id] += taken.get((grant.source, grant.source_ref), 0)
        return lost

    def _charges(self) -> Iterator[tuple[str, str]]:
        reversed_rows = {entry.ref for entry in self._entries if entry.kind == "reverse"}
        charged = {(call.id, call.charged) for call in self._calls}
        for entry in self._entries:
            stands = entry.kind == "usage" and str(entry.seq) not in reversed_rows
            if stands and (entry.ref, entry.amount.micro) not in charged:
                yield "each charge is of a call", f"row {entry.seq} charges what no call in the log was charged"

    def holds_spread(self) -> Iterator[tuple[str, str]]:
        """Per hold: an open one is spread over grants, a closed one used what the call log charges."""
        spread, used = defaultdict[Any, int](int), defaultdict[Any, int](int)
        for share in self._shares:
            spread[share.hold_id, share.attempt] += share.amount
            used[share.hold_id, share.attempt] += share.used
        charged = {(call.id, call.attempt): call.charged for call in self._calls}
        for hold in self._holds:
            key = (hold.id, hold.attempt)
            found = (spread[key], used[key], charged.get(key))
            if hold.state == "open":
                if found != (hold.amount, 0, None):
                    detail = (
                        f"hold {hold.id} attempt {hold.attempt}: {hold.amount} held, {found[0]} spread, {found[1]} used"
                    )
                    yield "an open hold is spread over grants", detail
                continue
            # A hold that ran over its amount, or was paid late, used more than it captured.
            captured = min(used[key], hold.amount) if hold.state == "captured" else 0
            if (charged.get(key), hold.captured) != (used[key], captured):
                detail = (
                    f"hold {hold.id} attempt {hold.attempt}: {hold.captured} captured, {used[key]} used, "
                    f"{charged.get(key)} charged"
                )
                yield "a closed hold used what was charged", detail

    def schedule(self) -> Iterator[tuple[str, str]]:
        """The wallet is looked at again in time for whatever comes next."""
        instants = [hold.expires_at for hold in self._holds if hold.state == "open"]
        instants += [g.expires_at for g in self._grants if g.expires_at is not None and g.remaining > g.held]
        instants += [row.effective_at for row in self._planned]
        first = min(instants, default=None)
        if first is not None and (self._wallet.next_due_at is None or self._wallet.next_due_at > first):
            yield (
                "what is due is found in time",
                "next_due_at is later than a hold, a grant or a planned grant asks for",
            )


def _examine_spending(tx: Tx) -> Iterator[Finding]:
    """The provider budget: each window holds what open holds may cost."""
    (row,) = tx.rows(sql.PINNED_COSTS, {})
    if not row.bounds == row.days == row.months:
        detail = f"open holds {row.bounds}, days {row.days}, months {row.months} pico-USD"
        yield Finding("", "the provider budget holds what open holds may cost", detail)


def _examine_counters(tx: Tx) -> Iterator[Finding]:
    """Limits: each window holds what open holds hold in it, and used what their captures used."""
    held, used = defaultdict[Counter, int](int), defaultdict[Counter, int](int)
    for row in tx.rows(sql.COUNTED_HOLDS, {}):
        for counter in load(row.counters):
            held[counter] += row.amount if row.state == "open" else 0
            used[counter] += row.used
    for row in tx.rows(sql.COUNTERS, {}):
        if row.scope == "trial":
            continue
        counter = Counter(
            scope=row.scope, business=row.business_id, key=row.key, window=row.per, starts_at=row.starts_at
        )
        if row.held != held[counter] or row.used < used[counter]:
            detail = (
                f"{row.scope} {row.per}: held {row.held}, open holds {held[counter]}; "
                f"used {row.used}, captured {used[counter]}"
            )
            yield Finding(row.business_id, "a limit counts what holds hold and used", detail)
