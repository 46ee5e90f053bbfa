"""One wallet inside one write transaction: the moves that everything else is made of.

The wallet is locked from the moment it is read until the transaction commits,
so the row and its grants can be changed in memory and written once, by `save`.
The tables' CHECKs stand behind every move.
"""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from ai_addons.billing.alerts import AlertState
from ai_addons.billing.grants import Grant, spend, spread
from ai_addons.billing.ledger import WALLET, EntryKind, LedgerEntry, effect, seal
from ai_addons.billing.records import Wallet, WalletStatus
from ai_addons.billing.rows import grant_values, read_grant
from ai_addons.billing.sql import statements as sql
from ai_addons.events import WalletEvent
from ai_addons.money import Credits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ai_addons.billing.grants import BurnKey
    from ai_addons.billing.policy import Give, Policy, Subscription
    from ai_addons.billing.records import Rate
    from ai_addons.billing.sql import Row, Tx
    from ai_addons.catalog import Offer
    from ai_addons.events import Event

NOTHING: Final = Credits(0)
_ACTIVE: Final = "active"
# The columns of a wallet's row that its work may change, in the order in which `_columns` writes them.
_READ: Final = attrgetter(
    "posted", "held", "lifetime_in", "lifetime_used", "next_due_at", "seq", "chain_head", "booked_at", "status",
    "policy", "tz", "anchor_at", "period", "alert_armed", "alert_fired_at", "claims",
)  # fmt: skip
# Neither is a new purchase: the first was bought before, the second was taken back wrongly.
_NOT_NEW: Final = frozenset({"rollover", "clawback_reversal"})


class LockedWallet:
    """A wallet that nobody else can change until the transaction ends.

    Attributes:
        now: The time of the transaction, UTC microseconds, read inside the lock.
        policy: The billing policy in force for this business.
    """

    def __init__(
        self, tx: Tx, row: Row, grants: Sequence[Row], now: int, policy: Policy, rate: Callable[[int], Rate]
    ) -> None:
        self.tx = tx
        self.now = now
        self.policy = policy
        self.business: str = row.business_id
        self.status: WalletStatus = row.status
        self.posted: Credits = Credits.from_micro(row.posted)
        self.held: Credits = Credits.from_micro(row.held)
        self.next_due_at: int | None = row.next_due_at
        self.own_policy: str | None = row.policy
        self.tz: str = row.tz
        self.anchor_at: int = row.anchor_at
        self.period: int = row.period
        self.claims: int = row.claims
        self.alert: AlertState = AlertState(armed=bool(row.alert_armed), last_fired_at=row.alert_fired_at)
        self.lifetime_in: int = row.lifetime_in
        self.lifetime_used: int = row.lifetime_used
        self.was_posted: Credits = self.posted
        self.paid_grant: bool = False
        self._grants: dict[str, Grant] = {grant.id: read_grant(grant) for grant in grants}
        self._changed: set[str] = set()
        self.news: list[tuple[str, WalletEvent]] = []
        self.notes: list[Event] = []
        self.seq: int = row.seq
        self._head: str = row.chain_head
        # A clock that is set back must not reorder a ledger, nor make a grant not yet effective.
        self._booked_at: int = row.booked_at
        self._as_read = _READ(row)
        self._rate_at = rate
        self._rate: Rate | None = None

    @property
    def rate(self) -> Rate:
        """The exchange rate of this transaction. A newer one may come meanwhile: what is told is what is written."""
        if self._rate is None:
            self._rate = self._rate_at(self.now)
        return self._rate

    @property
    def available(self) -> Credits:
        """What a new hold may take, as far as its feature is one that the grants pay for."""
        return self.posted - self.held

    @property
    def active(self) -> bool:
        """Whether new holds are allowed."""
        return self.status == _ACTIVE

    @property
    def due(self) -> bool:
        """Whether something must be done before anything else; a lower bound, so maybe nothing."""
        return self.next_due_at is not None and self.next_due_at <= self.now

    @property
    def grants(self) -> list[Grant]:
        """The grants that still hold credits."""
        return [grant for grant in self._grants.values() if grant.remaining]

    @property
    def pays_at(self) -> int:
        """The time by which grants are judged: now, or the last booking if the clock was set back."""
        return max(self.now, self._booked_at)

    @property
    def changed(self) -> bool:
        """Whether there is anything to write back."""
        return bool(self._changed) or tuple(self._columns().values()) != self._as_read

    def tell(self, topic: str, key: str, facts: Mapping[str, str], *, offers: tuple[Offer, ...] = ()) -> None:
        """Note an event for the host, once per key; it is told when the transaction is durable.

        Args:
            topic: E.g. ``wallet.low_balance``.
            key: What makes it unique within the business.
            facts: Plain facts about it, without personal data.
            offers: Packs that would help.
        """
        event = WalletEvent(topic=topic, business=self.business, facts=facts, offers=offers)
        self.news.append((key, event))

    def note(self, event: Event) -> None:
        """Note an event for the hooks of this process alone; it is told when the transaction is durable."""
        self.notes.append(event)

    def look_again_by(self, at: int | None) -> None:
        """Make sure that what is due at some time is done then."""
        if at is not None and (self.next_due_at is None or at < self.next_due_at):
            self.next_due_at = at

    # Bookings.

    def enter(
        self, kind: EntryKind, *, debit: str, credit: str, amount: Credits, ref: str, at: int | None = None
    ) -> None:
        """Book one ledger row and move the posted balance by it.

        Args:
            kind: What it is.
            debit: Account the credits leave.
            credit: Account they enter.
            amount: How many.
            ref: What caused it; unique per wallet and kind.
            at: When it counts from, UTC microseconds; None for now.
        """
        self._booked_at = max(self.now, self._booked_at)
        self.posted += effect(debit, credit, amount)
        self.seq += 1
        entry = LedgerEntry(
            business=self.business,
            seq=self.seq,
            kind=kind,
            debit=debit,
            credit=credit,
            amount=amount,
            ref=ref,
            balance_after=self.posted,
            effective_at=self.now if at is None else at,
            booked_at=self._booked_at,
        )
        self._head = seal(self._head, entry)
        self.tx.write(
            sql.ADD_ENTRY,
            {
                "business_id": entry.business,
                "seq": entry.seq,
                "kind": kind,
                "debit": debit,
                "credit": credit,
                "amount": amount.micro,
                "ref": ref,
                "balance_after": self.posted.micro,
                "effective_at": entry.effective_at,
                "booked_at": entry.booked_at,
                "hash": self._head,
            },
        )

    def receive(self, given: Give, *, new_id: str, at: int | None = None, debit: str | None = None) -> Grant:
        """Add a grant that pays from now on, and book it.

        Args:
            given: What is given.
            new_id: Id of the grant; sorts by time.
            at: When it counts from, UTC microseconds; None for now.
            debit: Account the credits come from; None for the source's own.
        """
        grant = given.grant(new_id, self.now if at is None else at)
        self._grants[grant.id] = grant
        self.tx.write(sql.ADD_GRANT, {"business_id": self.business, "id": grant.id, **grant_values(grant)})
        if given.source not in _NOT_NEW:
            self.lifetime_in += given.amount.micro
        self.paid_grant = self.paid_grant or given.paid > 0
        self.look_again_by(given.expires_at)
        self._heed_claims()
        account = f"issuance:{given.source}" if debit is None else debit
        ref = f"{given.source}:{given.ref}"
        self.enter("grant", debit=account, credit=WALLET, amount=given.amount, ref=ref, at=at)
        return grant

    # Holds.

    def spread(self, feature: str, amount: Credits) -> list[tuple[Grant, Credits]]:
        """Which grants would give how much for a feature, in the policy's burn order; maybe less than asked for."""
        return spread(self.grants, amount, feature=feature, now=self.pays_at, key=self.policy.burn_key)

    def pin(self, hold: str, attempt: int, shares: Sequence[tuple[Grant, Credits]], expires_at: int) -> None:
        """Set credits aside for a hold."""
        for grant, share in shares:
            self._put(replace(grant, held=grant.held + share))
            self.held += share
            self.tx.write(sql.ADD_SHARE, self._share(hold, attempt, grant.id, share.micro, 0))
        self.look_again_by(expires_at)

    def unpin(self, hold: str, attempt: int, shares: Sequence[Row], used: Credits) -> int:
        """Resolve a hold: burn what was used, give the rest back to its grants.

        Returns:
            Micro-GHS that were paid for what was used.
        """
        earned = 0
        rows = sorted(shares, key=lambda share: self._burn_key(share.grant_id))
        burnt = spend([Credits.from_micro(row.share) for row in rows], used)
        for row, part in zip(rows, burnt, strict=True):
            share, grant = Credits.from_micro(row.share), self._grants[row.grant_id]
            earned += grant.worth(part)
            self._put(replace(grant, held=grant.held - share, remaining=grant.remaining - part))
            self.held -= share
            if part:
                self.tx.write(sql.SAVE_SHARE, self._share_key(hold, attempt, grant.id) | {"used": part.micro})
            if part < share:
                # What comes back to a grant that has expired meanwhile may not be spent again.
                self.look_again_by(grant.expires_at)
        self._heed_claims()
        return earned

    def burn(
        self,
        hold: str,
        attempt: int,
        shares: Sequence[tuple[Grant, Credits]],
        before: Mapping[str, tuple[int, int]],
    ) -> int:
        """Burn credits straight from the grants: for a hold that had expired, or that was too small.

        Args:
            hold: Its id.
            attempt: Its number.
            shares: What each grant gives.
            before: By grant, what the hold had taken from it and what it used of that, in micro-credits.

        Returns:
            Micro-GHS that were paid for what is burnt.
        """
        earned = 0
        for given, share in shares:
            grant, (taken, used) = self._grants[given.id], before.get(given.id, (0, 0))
            earned += grant.worth(share)
            self._put(replace(grant, remaining=grant.remaining - share))
            used += share.micro
            row = self._share(hold, attempt, grant.id, max(taken, used), used)
            self.tx.write(sql.PUT_SHARE, row)
        return earned

    def unburn(self, grant: Grant, part: Credits) -> None:
        """Give spent credits back to the grant that paid."""
        self._grants.setdefault(grant.id, grant)
        known = self._grants[grant.id]
        self._put(replace(known, remaining=known.remaining + part))
        self.look_again_by(known.expires_at)
        self._heed_claims()

    def freeze(self, grant: Grant, part: Credits) -> None:
        """Set free credits of a grant apart because money may go back; a part below zero frees them again."""
        self._put(replace(grant, held=grant.held + part))
        self.held += part
        self.look_again_by(grant.expires_at)

    def find_grant(self, source: str, ref: str) -> Grant | None:
        """A grant of this wallet by its reference, used up or not; None if there is none."""
        for grant in self._grants.values():
            if (grant.source, grant.ref) == (source, ref):
                return grant
        row = self.tx.one(sql.GRANT, {"business": self.business, "source": source, "ref": ref})
        return None if row is None else self._grants.setdefault(row.id, read_grant(row))

    def take(self, grant: Grant, part: Credits) -> int:
        """Take free credits out of a grant without a call.

        Returns:
            Micro-GHS that were paid for them.
        """
        worth = grant.worth(part)
        self._put(replace(grant, remaining=grant.remaining - part))
        return worth

    def current(self, grant_id: str) -> Grant:
        """A grant as it is now in this transaction."""
        return self._grants[grant_id]

    def void_grant(self, grant: Grant) -> None:
        """Take a whole grant back that nobody spent anything of."""
        self._put(replace(grant, remaining=NOTHING, voided_at=self.now))
        if grant.source not in _NOT_NEW:
            self.lifetime_in -= grant.amount.micro
        self._heed_claims()

    def book_usage(self, feature: str, amount: Credits, ref: str) -> None:
        """Book captured credits as revenue of a feature; a ref is charged once, whatever happened before."""
        self.lifetime_used += amount.micro
        self.enter("usage", debit=WALLET, credit=f"revenue:{feature}", amount=amount, ref=ref)

    def book_bad_debt(self, feature: str, amount: Credits, ref: str) -> None:
        """Book an answer that was delivered but can no longer be paid for."""
        self.enter("bad_debt", debit="bad_debt", credit=f"revenue:{feature}", amount=amount, ref=ref)

    def _heed_claims(self) -> None:
        """Credits moved while a refund or dispute wants some: that is due at once, before any can be spent."""
        if self.claims:
            self.look_again_by(self.now)

    def _put(self, grant: Grant) -> None:
        self._grants[grant.id] = grant
        self._changed.add(grant.id)

    def _burn_key(self, grant_id: str) -> BurnKey:
        return self.policy.burn_key(self._grants[grant_id])

    def _share_key(self, hold: str, attempt: int, grant: str) -> dict[str, object]:
        return {"business": self.business, "key": hold, "number": attempt, "grant": grant}

    def _share(self, hold: str, attempt: int, grant: str, amount: int, used: int) -> dict[str, object]:
        return {
            "business_id": self.business,
            "hold_id": hold,
            "attempt": attempt,
            "grant_id": grant,
            "amount": amount,
            "used": used,
        }

    # The rows.

    def save(self) -> None:
        """Write the wallet and the changed grants back, so that queries show them."""
        for name in sorted(self._changed):
            grant = self._grants[name]
            self.tx.write(
                sql.SAVE_GRANT,
                {
                    "business": self.business,
                    "grant": name,
                    "remaining": grant.remaining.micro,
                    "held": grant.held.micro,
                    "voided_at": grant.voided_at,
                },
            )
        self._changed.clear()
        columns = self._columns()
        self._as_read = tuple(columns.values())
        self.tx.write(sql.SAVE_WALLET, {"business": self.business, **columns})

    def _columns(self) -> dict[str, object]:
        return {
            "posted": self.posted.micro,
            "held": self.held.micro,
            "lifetime_in": self.lifetime_in,
            "lifetime_used": self.lifetime_used,
            "next_due_at": self.next_due_at,
            "seq": self.seq,
            "chain_head": self._head,
            "booked_at": self._booked_at,
            "status": self.status,
            "policy": self.own_policy,
            "tz": self.tz,
            "anchor_at": self.anchor_at,
            "period": self.period,
            "alert_armed": int(self.alert.armed),
            "alert_fired_at": self.alert.last_fired_at,
            "claims": self.claims,
        }

    def snapshot(self, low: Credits, subscription: Subscription | None = None) -> Wallet:
        """The wallet as it is now, for people."""
        return Wallet(
            business=self.business,
            posted=self.posted,
            held=self.held,
            status=self.status,
            grants=tuple(sorted(self.grants, key=self.policy.burn_key)),
            low=self.available < low,
            policy=self.policy.name,
            lifetime_in=Credits.from_micro(self.lifetime_in),
            lifetime_used=Credits.from_micro(self.lifetime_used),
            subscription=subscription,
        )
