"""The paid monthly add-on of a business: taken, paid, cancelled, resumed.

The rules are those of `addon`; here they meet a wallet. Collecting the money is
somebody else's work: a payment comes in as the word that a period was paid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ai_addons.billing import addon
from ai_addons.billing.due import carry_out, catch_up, find_subscription, keep_subscription
from ai_addons.billing.records import SubscriptionBooking, check_id
from ai_addons.errors import AddonNotOffered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ai_addons.billing.books import Books
    from ai_addons.billing.policy import Due, Subscription
    from ai_addons.billing.sql import Row
    from ai_addons.billing.wallet import LockedWallet

REFUNDED: Final = "addon.refunded"
"""Topic of an add-on that ends because the money of its month went back."""

_OPEN: Final = frozenset({"active", "cancel_at_end"})
_NONE: Final = "This business has no monthly add-on. Nothing was booked. Take one first."


class Subscriptions:
    """Monthly add-ons.

    Args:
        books: The open books.
    """

    def __init__(self, books: Books) -> None:
        self._books = books

    def subscribe(self, business: str, *, paid: bool = False) -> SubscriptionBooking:
        """Take the add-on that the business's policy sells; an open one is given back as it is.

        Args:
            business: Who takes it.
            paid: Whether the host has collected the first month, also of one that was taken before; else nothing is
                given before `pay`.

        Raises:
            AddonNotOffered: If the policy sells none.
        """
        return self._on(business, lambda wallet, _: subscribe_in(self._books, wallet, paid=paid))

    def pay(self, business: str, *, period: int | None = None) -> SubscriptionBooking:
        """Book that a month was paid for; the same month again changes nothing and says so.

        Args:
            business: Whose add-on.
            period: Number of the month, from 0; None for the next unpaid one. Name it, so that no repeated
                message pays a second month.

        Raises:
            AddonNotOffered: If there is no add-on.
            AddonConflict: If an earlier month is unpaid.
        """
        return self._change(business, lambda known, now: addon.pay(known, period=period, now=now))

    def cancel(self, business: str, *, immediate: bool = False) -> SubscriptionBooking:
        """Renew no more, from now or from the end of what is paid on; credits stay until their month's end.

        Raises:
            AddonNotOffered: If there is no add-on.
        """
        return self._change(business, lambda known, now: addon.cancel(known, immediate=immediate, now=now))

    def resume(self, business: str) -> SubscriptionBooking:
        """Take a cancellation back.

        Raises:
            AddonNotOffered: If there is no add-on.
            AddonConflict: If it is not cancelled, or has ended.
        """
        return self._change(business, lambda known, now: addon.resume(known, now=now))

    def _change(self, business: str, rule: Callable[[Subscription, int], Due]) -> SubscriptionBooking:
        def work(wallet: LockedWallet, found: Sequence[list[Row]]) -> SubscriptionBooking:
            del found
            known = find_subscription(wallet)
            if known is None:
                raise AddonNotOffered(_NONE)
            return _carry_out(self._books, wallet, known, rule(known, wallet.now))

        return self._on(business, work)

    def _on(
        self, business: str, work: Callable[[LockedWallet, Sequence[list[Row]]], SubscriptionBooking]
    ) -> SubscriptionBooking:
        check_id(business, "a business id")
        return self._books.on(business, work)


def subscribe_in(books: Books, wallet: LockedWallet, *, paid: bool = False) -> SubscriptionBooking:
    """`Subscriptions.subscribe` as a part of a transaction on its wallet."""
    known = find_subscription(wallet)
    if known is not None and known.state == "incomplete" and paid:
        return _carry_out(books, wallet, known, addon.pay(known, now=wallet.now))
    if known is not None and known.state != "ended":
        return _booking(wallet, known, replayed=True)
    if wallet.policy.addon is None:
        raise AddonNotOffered
    begun = addon.begin(
        wallet.policy.addon,
        id=books.new_id(wallet.now),
        business=wallet.business,
        tz=wallet.tz,
        now=wallet.now,
    )
    keep_subscription(wallet, begun)
    if not paid:
        return _booking(wallet, begun, replayed=False)
    return _carry_out(books, wallet, begun, addon.pay(begun, now=wallet.now))


def pay_in(books: Books, wallet: LockedWallet, subscription: str, period: int) -> bool:
    """Book that a month of this very add-on was paid for, as a part of a transaction on its wallet.

    Args:
        books: The open books.
        wallet: Whose.
        subscription: Id of the add-on.
        period: Number of the month.

    Returns:
        False if nothing was given for it: the month was paid before, an earlier one is unpaid, or the add-on
        has given way to another one.
    """
    known = find_subscription(wallet)
    if known is None or known.id != subscription or period != known.paid_through + 1:
        return False
    _carry_out(books, wallet, known, addon.pay(known, period=period, now=wallet.now))
    return True


def end_in(books: Books, wallet: LockedWallet, subscription: str, period: int) -> None:
    """End an add-on whose month was refunded, as a part of a transaction on its wallet.

    A month that is over changes nothing. One that has not begun still begins, and its credits are taken as they come.

    Args:
        books: The open books.
        wallet: Whose.
        subscription: Id of the add-on.
        period: Number of the month.
    """
    known = find_subscription(wallet)
    if known is None or known.id != subscription or period < known.period or known.state not in _OPEN:
        return
    ended = _carry_out(books, wallet, known, addon.cancel(known, immediate=True, now=wallet.now)).subscription
    about = {"subscription": subscription, "period": str(period), "state": ended.state}
    wallet.tell(REFUNDED, f"{REFUNDED}:{subscription}:{period}", about)


def _carry_out(books: Books, wallet: LockedWallet, known: Subscription, due: Due) -> SubscriptionBooking:
    changed = due.subscription if due.subscription is not None else known
    carry_out(books, wallet, due.tasks, due.at)
    if changed != known:
        keep_subscription(wallet, changed)
        # What time asks for has changed with it.
        changed = catch_up(books, wallet) or changed
    return _booking(wallet, changed, replayed=changed == known)


def _booking(wallet: LockedWallet, subscription: Subscription, *, replayed: bool) -> SubscriptionBooking:
    return SubscriptionBooking(subscription=subscription, balance=wallet.available, replayed=replayed)
