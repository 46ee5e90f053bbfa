"""What of `Payments` webhooks and jobs do: they learn what became of payments, and book it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ai_addons.billing.jobs import recorded
from ai_addons.billing.reconciling import Reconciler
from ai_addons.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ai_addons.billing.applying import Applied, Applying
    from ai_addons.billing.books import Books
    from ai_addons.billing.gateways.base import GatewayEvent
    from ai_addons.billing.inbox import Inbox, Worked
    from ai_addons.billing.opening import Shop
    from ai_addons.billing.ordering import Ordering
    from ai_addons.billing.progress import OnProgress
    from ai_addons.billing.reconciling import Reconciliation
    from ai_addons.billing.renewing import Renewed, Renewing
    from ai_addons.billing.sending_back import SendingBack
    from ai_addons.billing.topping_up import ToppingUp


class PaymentJobs:
    """For webhooks and jobs; safe from many machines."""

    _books: Books
    _shop: Shop
    _names: Callable[[], tuple[str, ...]]
    _ordering: Ordering
    _applying: Applying
    _back: SendingBack
    _inbox: Inbox
    _renewing: Renewing
    _topping_up: ToppingUp

    def apply(self, reference: str) -> Applied:
        """Ask the gateway what became of an attempt, whosever it is, and book it; as often as one likes.

        Raises:
            NotFound: If there is no such attempt.
            GatewayError: If the gateway cannot be asked.
        """
        return self._applying.apply(reference)

    def receive(self, gateway: str, headers: Mapping[str, str], body: bytes) -> GatewayEvent:
        """Keep a gateway's webhook for `work_inbox`. Answer 200 when this returns, else the error's ``http_status``.

        Args:
            gateway: Which one's address was called.
            headers: As they came.
            body: As it came, byte for byte.

        Raises:
            NotFound: If there is no such gateway.
            BadSignature: If it is forged; nothing was kept.
            StoreUnavailable: If it could not be kept; the gateway sends it again.
        """
        if gateway not in self._names():
            raise NotFound
        return self._inbox.receive(gateway, headers, body)

    def work_inbox(self, most: int = 100) -> Worked:
        """Work on the webhooks that are due: each makes us ask the gateway."""
        return self._inbox.work(most)

    def renew(self, *, on_progress: OnProgress | None = None) -> Renewed:
        """Open the renewals of add-ons that fall due, and charge saved cards for them; then buy automatic top-ups.

        From three days before a month begins its order waits for the owner, told by ``addon.payment_wanted`` with the
        page to pay on. A business with a card that may be charged again is charged when the month begins, once; if
        the card is declined it gets a page too. Top-ups are those of `set_top_up`. Safe to run at any time, from
        many machines.

        Args:
            on_progress: Is told of every add-on, then of every top-up.

        Raises:
            StoreUnavailable: If the database cannot be used; run it again.
        """
        return recorded(self._books, "renew", lambda: self._renew(on_progress))

    def expire(self) -> int:
        """Give up orders unpaid for ``payments.abandon_after``; not final. Returns how many."""
        return self._ordering.expire()

    def reconcile(self, *, days: int = 7, on_progress: OnProgress | None = None) -> Reconciliation:
        """Work on the inbox, ask about what is open, compare the gateways' lists with the books, then `expire`.

        Open are attempts that nobody paid yet, and refunds and disputes without an end. Those that were begun at the
        gateway, and whose webhook was lost, are found in its lists if they began within the days. Safe to run at any
        time, from many machines.

        Args:
            days: How far to look back, 1 or more.
            on_progress: Is told of every payment that was asked about, then of everything that a gateway lists.

        Raises:
            ValueError: For less than a day.
            StoreUnavailable: If the database cannot be used.
        """
        if days < 1:
            msg = "a reconciliation looks back a day or more; nothing was done"
            raise ValueError(msg)
        return recorded(self._books, "reconcile", lambda: self._reconcile(days, on_progress))

    def _renew(self, on_progress: OnProgress | None) -> Renewed:
        done, bought = self._renewing.run(on_progress), self._topping_up.run(on_progress)
        return replace(
            done,
            waiting=done.waiting + bought.waiting,
            failed=done.failed + bought.failed,
            topped_up=bought.bought,
            declined=bought.declined,
        )

    def _reconcile(self, days: int, on_progress: OnProgress | None) -> Reconciliation:
        self._inbox.work()
        gateways = [self._shop.gateway(name) for name in self._names()]
        reconciler = Reconciler(self._books, self._applying, self._back)
        found = reconciler.run(gateways, days=days, on_progress=on_progress)
        return replace(found, abandoned=self.expire())
