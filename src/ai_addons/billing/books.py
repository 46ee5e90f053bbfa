"""The open books: one transaction on one wallet, with what is due done first and what happened told afterwards."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar, cast

from ai_addons.billing import alerts
from ai_addons.billing.due import catch_up
from ai_addons.billing.ledger import genesis
from ai_addons.billing.months import index
from ai_addons.billing.policy import Account
from ai_addons.billing.profile import ACCRA, BusinessProfile, unknown
from ai_addons.billing.running_low import tell_low
from ai_addons.billing.spending import Purse
from ai_addons.billing.sql import statements as sql
from ai_addons.billing.wallet import NOTHING, LockedWallet
from ai_addons.clock import SystemClock
from ai_addons.events import emit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ai_addons.billing.limits import Limit
    from ai_addons.billing.policy import Policy
    from ai_addons.billing.records import CallRecord, Rate
    from ai_addons.billing.sql import Database, Row, Tx
    from ai_addons.billing.sql.tx import Query
    from ai_addons.catalog import Pack
    from ai_addons.clock import Clock, Ids
    from ai_addons.events import Event, EventHook, WalletEvent
    from ai_addons.money import Credits

T = TypeVar("T")

_MILLI: Final = 1_000

if TYPE_CHECKING:
    Without: TypeAlias = Callable[[Tx, int, Sequence[list[Row]]], T]
    """Work where there is no wallet: the transaction, the time, and what the queries found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a store works by; all of it comes from the settings.

    Attributes:
        rate: The best known exchange rate at a time (UTC microseconds), which is written beside every cost; it
            must not wait for anything.
        hold_ttl: Microseconds after which an unresolved hold expires.
        low: Threshold below which a wallet counts as low.
        policy: Finds a billing policy by its name; None names the default one.
        packs: What a policy sells at a time (UTC microseconds).
        limits: Spending limits of the settings; those set at run time come on top.
        warn_at: Share of a limit that is worth a warning.
        purse: The provider budget.
        operator_tz: Zone of the operator's own days and months.
        profile: What the host knows of a business.
        cooldown: Microseconds between two low-balance alerts.
        outbox: Whether somebody outside this process is told what happens.
        hooks: Receive every event, once it is durable.
    """

    rate: Callable[[int], Rate]
    hold_ttl: int
    low: Credits
    policy: Callable[[str | None], Policy]
    packs: Callable[[Policy, int], tuple[Pack, ...]]
    limits: tuple[Limit, ...] = ()
    warn_at: Decimal = Decimal("0.8")
    purse: Purse = field(default_factory=Purse)
    operator_tz: str = ACCRA
    profile: Callable[[str], BusinessProfile] = unknown
    cooldown: int = alerts.COOLDOWN
    outbox: bool = False
    hooks: Sequence[EventHook] = ()


class Books:
    """Opens wallets for work.

    Args:
        database: Where they are kept.
        clock: Read inside the lock, so that no wait makes it stale. The machine's own clock gives way to
            that of a PostgreSQL server, which all hosts share.
        ids: Source of ids.
        terms: What to work by.
    """

    def __init__(self, database: Database, *, clock: Clock, ids: Ids, terms: Terms) -> None:
        self.database = database
        self.terms = terms
        self._clock = clock
        self._ids = ids
        self._server_time = database.postgres and isinstance(clock, SystemClock)
        self._grants = sql.GRANTS_LEFT_NOW if self._server_time else sql.GRANTS_LEFT

    def about_now(self) -> int:
        """The time of this machine, UTC microseconds; the database's own may differ, and decides."""
        return self._clock.now()

    def now(self, tx: Tx) -> int:
        """The time inside a transaction, UTC microseconds."""
        return int(tx.value(sql.NOW, {})) if self._server_time else self._clock.now()

    def _now_with(self, tx: Tx, grants: Sequence[Row]) -> int:
        """The time as it was read together with a wallet's grants; asked for where there are none."""
        return int(grants[0].now) if self._server_time and grants else self.now(tx)

    def latency_ms(self, record: CallRecord) -> int | None:
        """The time that a call took until now, under the wallet's lock; what its record says where nobody measures."""
        if record.began is None:
            return record.latency_ms
        return round((self._clock.monotonic() - record.began) * _MILLI)

    def new_id(self, now: int) -> str:
        """A fresh id that sorts by time."""
        return self._ids.new(now)

    def on(
        self,
        business: str,
        work: Callable[[LockedWallet, Sequence[list[Row]]], T],
        *queries: Query,
        without: Without[T] | None = None,
        settle: bool = True,
    ) -> T:
        """Do some work on a wallet in one durable transaction.

        Args:
            business: Whose wallet.
            work: Gets the locked wallet, and what the queries found under that lock.
            *queries: Asked for together with the wallet.
            without: Does the work where there is no wallet and the policy has nothing for a newcomer; None
                makes a wallet.
            settle: Whether to do first what is due.

        Raises:
            StoreUnavailable: If the database cannot be used; nothing was booked then.
        """
        told: list[Event] = []

        def once(tx: Tx, profile: BusinessProfile | None) -> T:
            told.clear()
            wallet, found = self._open(tx, business, queries, profile, make=without is None)
            if wallet is None:
                # Only missing where that is allowed.
                return cast("Without[T]", without)(tx, self.now(tx), found)
            if settle and wallet.due:
                catch_up(self, wallet)
                # What was found may have changed just now; what is looked for from here on must show it.
                wallet.save()
                found = tx.gather(*queries)
            result = work(wallet, found)
            self._close(wallet, told)
            return result

        try:
            result = self.database.write(lambda tx: once(tx, None))
        except _NeverSeen:
            # The host is asked outside the transaction, which must wait for nobody.
            profile = self.terms.profile(business)
            result = self.database.write(lambda tx: once(tx, profile))
        for event in told:
            emit(self.terms.hooks, event)
        return result

    def _open(
        self, tx: Tx, business: str, queries: Sequence[Query], profile: BusinessProfile | None, *, make: bool
    ) -> tuple[LockedWallet | None, Sequence[list[Row]]]:
        """Lock a wallet and read what is asked for; a missing one is made where there is something for it."""
        own = {"business": business}
        asked = ((sql.WALLET, own), (self._grants, own), *queries)
        wallets, grants, *found = tx.gather(*asked)
        if not wallets:
            now = self.now(tx)
            if not make and not self._welcomes(business, profile, now):
                return None, found
            if profile is None:
                raise _NeverSeen
            self._make(tx, business, profile, now)
            # Another transaction may have been quicker; the lock shows its work.
            wallets, grants, *found = tx.gather(*asked)
        (row,) = wallets
        now, terms = self._now_with(tx, grants), self.terms
        return LockedWallet(tx, row, grants, now, terms.policy(row.policy), terms.rate), found

    def _welcomes(self, business: str, profile: BusinessProfile | None, now: int) -> bool:
        """Whether the policy gives credits to a business nobody has seen yet."""
        known = profile or BusinessProfile()
        due = self.terms.policy(None).due(self._newcomer(business, known, now))
        return due is not None and due.at <= now

    @staticmethod
    def _newcomer(business: str, profile: BusinessProfile, now: int) -> Account:
        anchor = now if profile.subscribed_since is None else profile.subscribed_since
        return Account(
            business=business,
            posted=NOTHING,
            held=NOTHING,
            grants=(),
            tz=profile.tz,
            anchor_at=anchor,
            # Months before the first contact are past and give nothing.
            period=index(anchor, profile.tz, now) - 1,
        )

    def _make(self, tx: Tx, business: str, profile: BusinessProfile, now: int) -> None:
        account = self._newcomer(business, profile, now)
        tx.write(
            sql.ADD_WALLET,
            {
                "business_id": business,
                "posted": 0,
                "held": 0,
                "lifetime_in": 0,
                "lifetime_used": 0,
                "next_due_at": now,
                "seq": 0,
                "chain_head": genesis(business),
                "booked_at": 0,
                "status": "active",
                "policy": None,
                "tz": account.tz,
                "anchor_at": account.anchor_at,
                "period": account.period,
                "alert_armed": 0,
                "alert_fired_at": None,
                "claims": 0,
            },
        )

    def _close(self, wallet: LockedWallet, told: list[Event]) -> None:
        """Watch the level, write everything back, and note what is to be told."""
        if wallet.posted != wallet.was_posted:
            wallet.alert, fires = alerts.after(
                wallet.alert,
                posted=wallet.posted,
                threshold=self.terms.low,
                now=wallet.now,
                paid_grant=wallet.paid_grant,
                cooldown=self.terms.cooldown,
            )
            if fires:
                tell_low(wallet, self.terms)
        if wallet.changed:
            wallet.save()
        told += wallet.notes
        for key, event in wallet.news:
            if self._post(wallet, key, event):
                told.append(event)

    def _post(self, wallet: LockedWallet, key: str, event: WalletEvent) -> bool:
        """Put an event into the outbox; False if it was there already."""
        values = {
            "id": self.new_id(wallet.now),
            "business_id": wallet.business,
            "topic": event.topic,
            "dedupe_key": key,
            "facts": json.dumps(_data(event), sort_keys=True),
            "at": wallet.now,
            # With nobody outside to tell, the row stands as a record only.
            "sent_at": None if self.terms.outbox else wallet.now,
        }
        return wallet.tx.changed(sql.ADD_EVENT, values) == 1


def _data(event: WalletEvent) -> dict[str, object]:
    """What an event says, for a message: facts, and offers as a refused call gives them over HTTP."""
    if not event.offers:
        return dict(event.facts)
    offers = [
        {"type": one.type, "price": str(one.price.decimal), "currency": one.price.currency, "credits": str(one.credits)}
        for one in event.offers
    ]
    return {**event.facts, "offers": offers}


class _NeverSeen(Exception):
    """The host must say what it knows of a business first."""
