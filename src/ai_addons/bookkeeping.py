"""`Bookkeeping`: what `AddOns` does to keep the books right, and what they say line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_addons.billing.doctor import examine, rebuild_usage
from ai_addons.billing.heads import compare, heads
from ai_addons.billing.jobs import recorded
from ai_addons.billing.progress import Stage
from ai_addons.figures import Figures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ai_addons.billing.doctor import Report
    from ai_addons.billing.fx.desk import RateDesk
    from ai_addons.billing.heads import Head
    from ai_addons.billing.ledger import LedgerEntry
    from ai_addons.billing.outbox import Delivered
    from ai_addons.billing.progress import OnProgress
    from ai_addons.billing.records import AuditEntry, Transaction


class Bookkeeping(Figures):
    """The books line by line, the jobs that keep them, and the checks of them."""

    def ledger(self, business: str, *, before: int | None = None, most: int | None = None) -> list[LedgerEntry]:
        """Bookings of a business, oldest first: all of them, or the last ones before a position.

        Args:
            business: Whose.
            before: Only rows at positions (``seq``) below this one; None for no bound.
            most: How many at most, 1 or more; None for all.

        Raises:
            ValueError: If ``most`` is below 1.
        """
        return self._wiring.store.ledger(business, before=before, most=most)

    def transactions(self, business: str) -> list[Transaction]:
        """Every call of a business, oldest first."""
        return self._wiring.store.transactions(business)

    def audit(self, business: str = "") -> list[AuditEntry]:
        """What operators did about a business, oldest first; without one, what concerns all."""
        return self._wiring.operations.audit(business)

    @property
    def rates(self) -> RateDesk:
        """The exchange rate: what is known, asking for a newer one, confirming one that was refused."""
        return self._wiring.rates

    def sweep(self, *, on_progress: OnProgress | None = None) -> int:
        """Do what is due in every wallet: orphan holds, expiry, renewals; how many wallets had any.

        Webhooks of gateways that wait are worked on and unpaid orders given up. Past days are counted for the
        operator. The sources of exchange rates are asked too, if any is configured and it is time.

        Args:
            on_progress: Is told of every wallet, then of each of the other jobs.
        """
        return recorded(self._wiring.books, "sweep", lambda: self._sweep(on_progress))

    def _sweep(self, on_progress: OnProgress | None) -> int:
        swept = self._wiring.store.sweep(on_progress)
        others: tuple[Callable[[], object], ...] = (
            self._wiring.payments.work_inbox,
            self._wiring.payments.expire,
            self._wiring.operating.sum_up,
            self._wiring.rates.refresh,
        )
        for work in Stage(on_progress, "other jobs done", lambda: len(others)).over(others):
            work()
        return swept

    def deliver(self, most: int = 100) -> Delivered:
        """Send the events that wait in the outbox to ``webhooks.url``, one round; many may work at once.

        Args:
            most: Events to try.

        Raises:
            StoreUnavailable: If the database cannot be used; what was on its way is sent again later.
        """
        return self._wiring.outbox.deliver(most)

    def doctor(self, business: str | None = None, *, on_progress: OnProgress | None = None) -> Report:
        """Check every invariant of the books.

        Args:
            business: One business; None for all.
            on_progress: Is told of every wallet.
        """
        return examine(self._wiring.database, business, on_progress)

    def heads(self) -> Iterator[Head]:
        """The last hash of every ledger, to be kept outside the database."""
        return heads(self._wiring.database)

    def compare_heads(self, kept: Iterable[Head]) -> Report:
        """Whether the ledgers of today go on from heads kept earlier; shows one that was rewritten as a whole."""
        return compare(self._wiring.database, kept)

    def rebuild_usage(self, business: str) -> None:
        """Make a business's daily sums anew from its call log."""
        rebuild_usage(self._wiring.database, business)
