"""What operators decide about a business: its policy, whether it may spend, its forgotten people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ai_addons.billing.due import catch_up, find_subscription
from ai_addons.billing.forgetting import forget_in_audit
from ai_addons.billing.months import index
from ai_addons.billing.progress import Stage
from ai_addons.billing.records import AuditEntry, Wallet, WalletStatus, check_id
from ai_addons.billing.sql import statements as sql
from ai_addons.billing.sql.figures import AUDIT_LOG

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ai_addons.billing.books import Books
    from ai_addons.billing.progress import OnProgress
    from ai_addons.billing.sql import Row, Tx
    from ai_addons.billing.wallet import LockedWallet


def note(books: Books, tx: Tx, now: int, actor: str, action: str, business: str, detail: Mapping[str, object]) -> None:
    """Keep who did what and why.

    Raises:
        ValueError: Without a name of who did it.
    """
    check_id(actor, "the actor")
    tx.write(
        sql.ADD_AUDIT,
        {
            "id": books.new_id(now),
            "at": now,
            "actor": actor,
            "action": action,
            "business_id": business,
            "detail": json.dumps(dict(detail), sort_keys=True),
        },
    )


class Operations:
    """Decisions of operators; every one is kept with its actor.

    Args:
        books: The open books.
    """

    def __init__(self, books: Books) -> None:
        self._books = books

    def set_policy(self, business: str, policy: str | None, *, actor: str) -> Wallet:
        """Sell credits to a business by another policy from now on.

        No credit is lost: grants keep their expiry, an open add-on goes on by the
        terms it was sold on. What the new policy gives monthly begins with the
        month the business is in, and gives no month twice.

        Args:
            business: Whose wallet; made if need be.
            policy: Its name; None for the default one.
            actor: Who decided.

        Raises:
            UnknownPlugin: If there is no such policy.
        """
        check_id(business, "a business id")
        chosen = self._books.terms.policy(policy)

        def work(wallet: LockedWallet, found: Sequence[list[Row]]) -> Wallet:
            del found
            if wallet.own_policy != policy:
                detail = {"from": wallet.own_policy, "to": policy}
                note(self._books, wallet.tx, wallet.now, actor, "set_policy", business, detail)
                if chosen.name != wallet.policy.name:
                    wallet.period = index(wallet.anchor_at, wallet.tz, wallet.now) - 1
                wallet.own_policy, wallet.policy = policy, chosen
                catch_up(self._books, wallet)
            return wallet.snapshot(self._books.terms.low, find_subscription(wallet))

        return self._books.on(business, work)

    def set_status(self, business: str, status: WalletStatus, *, actor: str, reason: str) -> Wallet:
        """Stop a business's calls or let it go on; free repeats and calls in progress are never stopped.

        Args:
            business: Whose wallet; made if need be.
            status: ``active``, ``suspended`` or ``closed``.
            actor: Who decided.
            reason: Why.

        Raises:
            ValueError: For another status.
        """
        check_id(business, "a business id")
        if status not in ("active", "suspended", "closed"):
            msg = f"a wallet is active, suspended or closed, not {status!r}; nothing was changed"
            raise ValueError(msg)

        def work(wallet: LockedWallet, found: Sequence[list[Row]]) -> Wallet:
            del found
            if wallet.status != status:
                detail = {"from": wallet.status, "to": status, "reason": reason}
                note(self._books, wallet.tx, wallet.now, actor, "set_status", business, detail)
                wallet.status = status
            return wallet.snapshot(self._books.terms.low, find_subscription(wallet))

        return self._books.on(business, work)

    def erase(
        self, business: str, *, user: str | None = None, actor: str, on_progress: OnProgress | None = None
    ) -> None:
        """Forget who made a business's calls; its books stay whole to the last micro-credit.

        Taken away are user ids, hashes of requests, kept answers, ratings, limits and counters of users, and in the
        audit log who agreed to a top-up and whose limit was set; what operators did keeps their names. Without a user
        also the addresses on its orders, what gateways said of its payments in their own words, its saved cards, its
        automatic top-up, and the salt of its pseudonyms, so that nobody can make them again. A gateway's webhooks go a
        month after they came. Keys and references are part of the books: never put personal data into them. A call in
        progress keeps its user: erase again when it has ended.
        A key used before the erasure can no longer be replayed.

        Args:
            business: Whose calls.
            user: One user; None for all.
            actor: Who decided.
            on_progress: Is told of every sort of rows that was gone through.
        """
        check_id(business, "a business id")
        if user is not None:
            check_id(user, "a user id")

        def work(tx: Tx) -> None:
            stage = Stage(on_progress, "sorts of rows gone through", lambda: len(sql.ERASE))
            for statement in stage.over(sql.ERASE):
                tx.write(statement, {"business": business, "user": user})
            forget_in_audit(tx, business, user=user)
            # Not whom: the audit would remember what was to be forgotten.
            detail = {"scope": "all" if user is None else "user"}
            note(self._books, tx, self._books.now(tx), actor, "erase", business, detail)

        self._books.database.write(work)

    def audit(self, business: str) -> list[AuditEntry]:
        """What operators did about a business, oldest first; an empty id for what concerns all."""
        rows = self._books.database.read(lambda tx: tx.rows(sql.AUDIT, {"business": business}))
        return list(map(_entry, rows))

    def audit_log(self, since: int) -> list[AuditEntry]:
        """What operators did about anybody since a time (UTC microseconds), oldest first."""
        return list(map(_entry, self._books.database.read(lambda tx: tx.rows(AUDIT_LOG, {"since": since}))))

    def note(self, actor: str, action: str, business: str = "", **detail: object) -> None:
        """Keep an operator's action that changes nothing in the books themselves."""
        self._books.database.write(
            lambda tx: note(self._books, tx, self._books.now(tx), actor, action, business, detail)
        )


def _entry(row: Row) -> AuditEntry:
    return AuditEntry(
        at=row.at, actor=row.actor, action=row.action, business=row.business_id, detail=json.loads(row.detail)
    )
