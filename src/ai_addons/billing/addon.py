"""The monthly add-on as a machine of pure rules: taking, paying, cancelling it, and what time asks for.

::

    incomplete     paid: active
    active         next period unpaid when it starts: past_due · cancelled: cancel_at_end
    past_due       paid: active · cancelled, or the grace is over: ended
    cancel_at_end  resumed: active · what is paid is over: ended
    ended          paid: active, from a new anchor

Every rule expects that the work which `due` names up to now is done.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ai_addons.billing import months
from ai_addons.billing.policy import Carry, Due, Forfeit, Give, Release, Subscription, Tell
from ai_addons.errors import AddonConflict
from ai_addons.money import MICRO, Credits

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ai_addons.billing.grants import Grant
    from ai_addons.billing.policy import Account, AddonPlan

_DAY: Final = 86_400_000_000
_PESEWA: Final = MICRO // 100
_NOTHING: Final = Credits(0)

REMINDERS: Final = (-3 * _DAY, 0, 3 * _DAY)
"""When an unpaid renewal is called to mind, microseconds from the day it is due."""

RENEWAL_DUE: Final = "addon.renewal_due"
"""Topic of a reminder."""


def period_start(subscription: Subscription, n: int) -> int:
    """Start of period ``n`` (end of ``n - 1``), UTC microseconds, counted from the anchor."""
    return months.starts(subscription.anchor_at, subscription.tz, n - subscription.first)


def grace_end(subscription: Subscription) -> int:
    """Until when the renewal of a ``past_due`` one may be paid, UTC microseconds; never past its period."""
    opened = period_start(subscription, subscription.period)
    return min(opened + subscription.plan.grace_us, period_start(subscription, subscription.period + 1))


def begin(
    plan: AddonPlan,
    *,
    id: str,  # noqa: A002  # the field's own name
    business: str,
    tz: str,
    now: int,
) -> Subscription:
    """Take an add-on; it gives nothing before its first payment.

    Args:
        plan: The terms, kept for the subscription's life.
        id: A fresh time-ordered id.
        business: Who takes it.
        tz: IANA name of the zone its months are counted in.
        now: UTC microseconds.

    Raises:
        ConfigError: If there is no such zone.
    """
    months.day_of(now, tz)
    return Subscription(
        id=id,
        business=business,
        plan=plan,
        state="incomplete",
        tz=tz,
        anchor_at=now,
        first=0,
        period=0,
        paid_through=-1,
        carried=_NOTHING,
        waiting=_NOTHING,
        waiting_paid=0,
        reminded=0,
        created_at=now,
        ended_at=None,
    )


def pay(subscription: Subscription, *, period: int | None = None, now: int) -> Due:
    """A period was paid for: what that gives.

    Paid early it only counts as paid; the period's start gives its credits. Paid
    in the grace time it gives what waited and the period's credits. The first
    payment, and one that comes when all is over, starts a period at once.

    Args:
        subscription: As it is now.
        period: Number of the period that the payment is for; None for the next unpaid one.
        now: When the payment counts, UTC microseconds.

    Returns:
        Work to do at once. For a period that was paid before: none, and the same subscription.

    Raises:
        AddonConflict: If an earlier period is unpaid. Nothing was given.
    """
    n = subscription.paid_through + 1
    if period is not None and period < n:
        return Due(at=now, subscription=subscription)
    if period is not None and period > n:
        msg = f"Period {n} of this add-on is not paid yet. Nothing was given for period {period}. Pay period {n} first."
        raise AddonConflict(msg)
    paid = replace(subscription, paid_through=n, reminded=0)
    if subscription.state == "past_due":
        return _paid_in_grace(paid, now)
    if subscription.state in ("active", "cancel_at_end"):
        return Due(at=now, subscription=paid)
    return _start(paid, n, now)


def cancel(subscription: Subscription, *, immediate: bool, now: int) -> Due:
    """Renew no more. Cancelled twice is cancelled once.

    What is paid is kept: cancelled at once, the credits stay until their period's
    end; a later period that is paid already is still given, so it ends after that.
    While a renewal is unpaid it ends at once, and what waited for the payment is lost.

    Args:
        subscription: As it is now.
        immediate: End now, instead of at the end of what is paid.
        now: UTC microseconds.

    Returns:
        Work to do at once.
    """
    state = subscription.state
    if state == "past_due":
        return _lapse(subscription, now)
    if state == "incomplete" or (state != "ended" and immediate and subscription.paid_through == subscription.period):
        return Due(at=now, subscription=replace(subscription, state="ended", ended_at=now))
    if state == "active":
        return Due(at=now, subscription=replace(subscription, state="cancel_at_end"))
    return Due(at=now, subscription=subscription)


def resume(subscription: Subscription, *, now: int) -> Due:
    """Take back a cancellation that has not ended the add-on yet.

    Args:
        subscription: As it is now.
        now: UTC microseconds.

    Raises:
        AddonConflict: If it is not cancelled at its period's end. Nothing was changed.
    """
    if subscription.state != "cancel_at_end":
        msg = (
            f"Only an add-on that is cancelled at its period's end can be resumed; this one is {subscription.state}. "
            "Nothing was changed or charged. Take the add-on anew if it has ended."
        )
        raise AddonConflict(msg)
    return Due(at=now, subscription=replace(subscription, state="active"))


def due(account: Account) -> Due | None:
    """The add-on's next work for a wallet, maybe in the future; None for never.

    Ask again after each piece. At one instant holds expire first, then comes what
    is carried, then grants expire, then the rest.

    Args:
        account: The wallet with its subscription and the grants that still hold credits.
    """
    subscription = account.subscription
    if subscription is None or subscription.state == "incomplete":
        return None
    late = _late(subscription, account.grants)
    if late is not None or subscription.state == "ended":
        return late
    work = (
        _lapse(subscription, grace_end(subscription))
        if subscription.state == "past_due"
        else _boundary(subscription, account.grants)
    )
    reminder = _reminder(subscription)
    return reminder if reminder is not None and reminder.at < work.at else work


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unused:
    """Credits that are carried, and the micro-GHS paid for them."""

    grants: tuple[str, ...]
    amount: Credits
    paid: int

    @property
    def carry(self) -> tuple[Carry, ...]:
        return (Carry(grants=self.grants, amount=self.amount),) if self.amount else ()


def _unused(subscription: Subscription, grants: Iterable[Grant], at: int, room: Credits) -> _Unused:
    """What of the grants that expire at an instant lives on: add-on first, then the rollover before it."""
    ids, amount, paid = list[str](), _NOTHING, 0
    for grant in _own(subscription, grants, at):
        part = min(grant.free, room - amount)
        if part:
            ids.append(grant.id)
            amount += part
            paid += grant.worth(part)
    return _Unused(grants=tuple(ids), amount=amount, paid=paid)


def _own(subscription: Subscription, grants: Iterable[Grant], at: int) -> Sequence[Grant]:
    """The subscription's own grants that expire at an instant, in the order they are carried."""
    own = [
        grant
        for grant in grants
        if grant.source in ("addon", "rollover")
        and grant.ref.startswith(f"{subscription.id}:")
        and grant.expires_at == at
        and grant.voided_at is None
    ]
    return sorted(own, key=lambda grant: (grant.source, grant.id))


def _boundary(subscription: Subscription, grants: Iterable[Grant]) -> Due:
    """The end of a period: renewed if the next is paid, over if cancelled, else waiting for the payment."""
    n = subscription.period + 1
    at = period_start(subscription, n)
    unused = _unused(subscription, grants, at, subscription.plan.rollover_cap)
    moved = replace(subscription, period=n, carried=unused.amount)
    released = _release(moved, f"{moved.id}:{n}", unused.amount, unused.paid)
    if subscription.paid_through >= n:
        return Due(at=at, tasks=(*unused.carry, *released, _give(moved)), subscription=moved)
    if subscription.state == "cancel_at_end":
        return Due(at=at, tasks=(*unused.carry, *released), subscription=replace(moved, state="ended", ended_at=at))
    waits = replace(moved, state="past_due", waiting=unused.amount, waiting_paid=unused.paid)
    return Due(at=at, tasks=unused.carry, subscription=waits)


def _late(subscription: Subscription, grants: Iterable[Grant]) -> Due | None:
    """A share that a hold pinned over the period's start came back: carried as far as the cap has room."""
    n = subscription.period
    # A period that began with a payment has none before it; an ended one lives on only as the last rollover.
    if n == subscription.first or (subscription.state == "ended" and n <= subscription.paid_through):
        return None
    at = period_start(subscription, n)
    unused = _unused(subscription, grants, at, subscription.plan.rollover_cap - subscription.carried)
    if not unused.amount:
        return None
    moved = replace(subscription, carried=subscription.carried + unused.amount)
    if subscription.state == "past_due":
        waiting, paid = subscription.waiting + unused.amount, subscription.waiting_paid + unused.paid
        return Due(at=at, tasks=unused.carry, subscription=replace(moved, waiting=waiting, waiting_paid=paid))
    # What was carried before grows with each share, so it tells them apart.
    released = _release(moved, f"{moved.id}:{n}:{subscription.carried.micro}", unused.amount, unused.paid)
    return Due(at=at, tasks=(*unused.carry, *released), subscription=moved)


def _lapse(subscription: Subscription, at: int) -> Due:
    """A renewal that is not paid ends the add-on; it never entered that period."""
    ended = replace(
        subscription,
        state="ended",
        period=subscription.period - 1,
        waiting=_NOTHING,
        waiting_paid=0,
        ended_at=at,
    )
    lost = Forfeit(ref=f"{subscription.id}:{subscription.period}", amount=subscription.waiting)
    return Due(at=at, tasks=(lost,) if subscription.waiting else (), subscription=ended)


def _reminder(subscription: Subscription) -> Due | None:
    """The next reminder of an unpaid renewal."""
    sent = subscription.reminded
    if subscription.state == "cancel_at_end" or sent == len(REMINDERS):
        return None
    n = subscription.paid_through + 1
    opens = period_start(subscription, n)
    facts = (
        ("subscription", subscription.id),
        ("period", str(n)),
        ("due_at", str(opens)),
        ("price", str(subscription.plan.price)),
    )
    tell = Tell(topic=RENEWAL_DUE, key=f"{subscription.id}:{n}:{sent}", facts=facts)
    return Due(at=opens + REMINDERS[sent], tasks=(tell,), subscription=replace(subscription, reminded=sent + 1))


def _start(paid: Subscription, n: int, now: int) -> Due:
    """A period that begins with its payment."""
    begun = replace(paid, state="active", anchor_at=now, first=n, period=n, carried=_NOTHING, ended_at=None)
    return Due(at=now, tasks=(_give(begun),), subscription=begun)


def _paid_in_grace(paid: Subscription, now: int) -> Due:
    """The renewal came late but in time: what waited, and the period's credits."""
    released = _release(paid, f"{paid.id}:{paid.period}", paid.waiting, paid.waiting_paid)
    renewed = replace(paid, state="active", waiting=_NOTHING, waiting_paid=0)
    return Due(at=now, tasks=(*released, _give(renewed)), subscription=renewed)


def _release(subscription: Subscription, ref: str, amount: Credits, paid: int) -> tuple[Release, ...]:
    """Carried credits for the period that the subscription is in, if there are any."""
    ends = period_start(subscription, subscription.period + 1)
    return (Release(ref=ref, amount=amount, paid=paid, expires_at=ends),) if amount else ()


def _give(subscription: Subscription) -> Give:
    """The add-on's credits for the period that the subscription is in."""
    return Give(
        source="addon",
        ref=f"{subscription.id}:{subscription.period}",
        amount=subscription.plan.credits,
        expires_at=period_start(subscription, subscription.period + 1),
        paid=subscription.plan.price.minor * _PESEWA,
    )
