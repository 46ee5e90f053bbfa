"""Automatic top-ups: what an owner agreed that a saved card buys by itself, and the job that buys it.

`topups` decides, from the rule and from the automatic orders so far. An order's key is
its day and number, so however many machines decide at once, one order is made and its
card is charged once. It decides once more while the order is made, with the wallet
locked: since the first look the owner may have changed the rule, the price may have
risen, or another machine may have bought on another day. A charge that was declined ends its order; one whose outcome
nobody knows blocks every other, and is asked about first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ai_addons.billing.months import day_of
from ai_addons.billing.opening import Payment, Way
from ai_addons.billing.operations import note
from ai_addons.billing.order_rows import read_order, the
from ai_addons.billing.ordering import end
from ai_addons.billing.orders import AUTOMATIC, facts
from ai_addons.billing.progress import Stage
from ai_addons.billing.records import check_id
from ai_addons.billing.selling import Wanted
from ai_addons.billing.sql import purchases, topups
from ai_addons.billing.topups import TopUp, TopUpAttempt, TopUpRule, TopUpState, decide, stopped_by
from ai_addons.errors import AddOnsError, GatewayError, NotFound, PaymentError, PaymentPending, StoreUnavailable
from ai_addons.money import Credits, Money

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ai_addons.billing.applying import Applied
    from ai_addons.billing.books import Books
    from ai_addons.billing.ordering import Ordering
    from ai_addons.billing.orders import Attempt, Card, Order
    from ai_addons.billing.payers import Payers
    from ai_addons.billing.progress import OnProgress
    from ai_addons.billing.sql import Row
    from ai_addons.billing.topups import AttemptOutcome, Stop
    from ai_addons.billing.wallet import LockedWallet

DECLINED: Final = "top_up.declined"
"""Topic of an automatic purchase whose card was declined."""

STOPPED: Final = "top_up.stopped"
"""Topic of a guard that keeps more from being bought, or of what is missing to buy."""

_KEYS: Final = {"first": AUTOMATIC, "end": AUTOMATIC[:-1] + ";"}
# More than any guard looks back over: a month of purchases, and the failures between them.
_MOST_ORDERS: Final = 1_000
# What the gateway itself has, not the card: a wrong key, no answer in time, too many requests.
_NOT_THE_CARD: Final = frozenset({401, 403, 408, 429})
_SERVERS: Final = 500
_TOLD: Final[frozenset[Stop]] = frozenset({"no_card", "not_on_sale", "price", "failures", "daily", "monthly"})
_LONGEST_REASON: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingTopUp:
    """What an owner agreed to, and whether it would buy now.

    Attributes:
        business: Whose.
        rule: What was agreed to.
        card: Id of the card to charge; None for the newest that may be charged.
        actor: Who set it last.
        set_at: When, UTC microseconds; failures before it do not count.
        stopped: Why nothing would be bought now; None if something would.
    """

    business: str
    rule: TopUpRule
    card: str | None
    actor: str
    set_at: int
    stopped: Stop | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToppedUp:
    """What a round over the top-ups did; `Renewed` tells what each is.

    Attributes:
        bought: Packs that a card paid for now.
        waiting: Charges that have no end yet.
        declined: Cards that were declined now.
        failed: Business and code of the error.
    """

    bought: int = 0
    waiting: int = 0
    declined: int = 0
    failed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What is to be done for a business: go on with an order, or make one."""

    standing: StandingTopUp
    pending: Order | None
    buy: TopUp | None


class _Overtaken(Exception):
    """What was decided does not hold any more, and nothing is to be bought."""


class ToppingUp:
    """Keeps the owners' rules, and buys by them.

    Args:
        books: The open books.
        ordering: Makes orders.
        payers: Finds saved cards.
        settled: Asks what became of a charge that may be paid at once.
        apply: Asks what became of an attempt.
    """

    def __init__(
        self,
        books: Books,
        ordering: Ordering,
        payers: Payers,
        settled: Callable[[Payment], Payment],
        apply: Callable[[str], Applied],
    ) -> None:
        self._books = books
        self._ordering = ordering
        self._payers = payers
        self._settled = settled
        self._apply = apply

    # The rule.

    def set(self, business: str, rule: TopUpRule, *, card: str | None, actor: str) -> StandingTopUp:
        """Keep what the owner agreed to, in place of what was agreed before; failures so far are forgotten.

        Raises:
            ValueError: For a rule that cannot hold.
            PaymentError: If the pack is not on sale, or there is no such card to charge.
        """
        check_id(business, "a business id")
        _check(rule)
        if self._payers.card(business, card) is None:
            msg = (
                "There is no saved card that may be charged. Nothing was agreed. Let the owner pay once by card, with "
                "the card saved; Mobile Money cannot be collected without its payer."
            )
            raise PaymentError(msg)

        def work(wallet: LockedWallet, found: Sequence[list[Row]]) -> None:
            del found
            most = self._most_price(wallet, rule)
            values = _values(business, rule, most, card=card, actor=actor, now=wallet.now)
            wallet.tx.write(topups.PUT_TOP_UP, values)
            detail = {name: value for name, value in values.items() if name not in {"business_id", "actor", "set_at"}}
            note(self._books, wallet.tx, wallet.now, actor, "set_top_up", business, detail)

        self._books.on(business, work)
        look = self._look(business)
        if look is None:
            # Somebody removed it in this very moment.
            raise NotFound
        return look.standing

    def _most_price(self, wallet: LockedWallet, rule: TopUpRule) -> Money:
        sold = self._books.terms.packs(wallet.policy, wallet.now)
        pack = next((one for one in sold if one.type == rule.pack), None)
        if pack is None:
            msg = f"The pack {rule.pack!r} is not on sale here. Nothing was agreed. Look at the price list."
            raise PaymentError(msg)
        most = pack.price if rule.most_price is None else rule.most_price
        if most.currency != pack.price.currency or most.minor < pack.price.minor:
            msg = f"the pack costs {pack.price}, which is more than {most}; nothing was agreed"
            raise ValueError(msg)
        return most

    def of(self, business: str) -> StandingTopUp | None:
        """What an owner agreed to; None for nothing."""
        look = self._look(business)
        return None if look is None else look.standing

    def remove(self, business: str, *, actor: str) -> bool:
        """Forget what an owner agreed to; whether there was anything. A charge that was begun is carried to its end."""
        check_id(business, "a business id")

        def work(wallet: LockedWallet, found: Sequence[list[Row]]) -> bool:
            gone = bool(wallet.tx.changed(topups.DROP_TOP_UP, {"business": business}))
            if gone:
                note(self._books, wallet.tx, wallet.now, actor, "remove_top_up", business, {"pack": found[0][0].pack})
            return gone

        return self._books.on(business, work, (topups.TOP_UP, {"business": business}), without=_nothing)

    # The job.

    def run(self, on_progress: OnProgress | None = None) -> ToppedUp:
        """Buy for every business whose rule says so now; safe from many machines.

        Args:
            on_progress: Is told of every business; nobody knows how many there will be.

        Raises:
            StoreUnavailable: If the database cannot be used; run it again.
        """
        ends = {"bought": 0, "waiting": 0, "declined": 0}
        failed = list[tuple[str, str]]()
        for business in Stage(on_progress, "automatic top-ups looked at").over(self._due()):
            try:
                payment = self.one(business)
            except StoreUnavailable:
                raise
            except PaymentPending:
                # Another machine is at it.
                ends["waiting"] += 1
            except AddOnsError as error:
                # One business's trouble keeps no other waiting.
                failed.append((business, error.code))
            else:
                if payment is not None:
                    ends[_end_of(payment)] += 1
        return ToppedUp(**ends, failed=tuple(failed))

    def _due(self) -> Iterator[str]:
        after = ""
        while rows := self._page(after):
            yield from (row.business_id for row in rows)
            after = rows[-1].business_id

    def _page(self, after: str) -> list[Row]:
        return self._books.database.read(lambda tx: tx.rows(topups.TOP_UPS_DUE, {"after": after, **_KEYS}))

    def one(self, business: str) -> Payment | None:
        """Buy for one business if its rule says so now, or go on with what was begun; None if nothing is to be done.

        Raises:
            PaymentPending: If another machine is at it.
            GatewayError: If the gateway cannot be used, or nobody can say; the next run goes on.
        """
        look = self._look(business)
        if look is None:
            return None
        card = self._payers.card(business, look.standing.card)
        if look.pending is not None:
            return self._go_on(look.pending, card)
        if look.buy is None or card is None:
            return None
        try:
            return self._charge(business, look.buy.pack, look.buy.key, card)
        except _Overtaken:
            return None

    def _look(self, business: str) -> _Look | None:
        check_id(business, "a business id")
        own = {"business": business}
        rows = self._books.database.read(lambda tx: tx.rows(topups.TOP_UP, own))
        if not rows:
            return None
        has_card = self._payers.card(business, rows[0].card_id) is not None

        def work(wallet: LockedWallet, found: Sequence[list[Row]]) -> _Look | None:
            return self._read(wallet, found[0], found[1], has_card=has_card)

        return self._books.on(business, work, (topups.TOP_UP, own), (topups.AUTOMATIC, _automatic(business)))

    def _read(
        self, wallet: LockedWallet, rules: Sequence[Row], orders: Sequence[Row], *, has_card: bool
    ) -> _Look | None:
        if not rules:
            return None
        return self._judge(wallet, rules[0], [read_order(row) for row in orders], has_card=has_card)

    def _check(self, wallet: LockedWallet, order: Order) -> None:
        """Decide once more, now that nobody else can change anything; the card is charged outside and was found.

        Raises:
            _Overtaken: Unless it comes to the same order.
        """
        rules = wallet.tx.rows(topups.TOP_UP, {"business": wallet.business})
        orders = wallet.tx.rows(topups.AUTOMATIC, _automatic(wallet.business))
        look = self._read(wallet, rules, orders, has_card=True)
        wanted = None if look is None else look.buy
        if wanted is None or (wanted.pack, wanted.price, wanted.key) != (order.pack, order.price, order.key):
            raise _Overtaken

    def _judge(self, wallet: LockedWallet, row: Row, orders: Sequence[Order], *, has_card: bool) -> _Look:
        rule = read_rule(row)
        state = TopUpState(
            rule=rule,
            available=wallet.available,
            has_card=has_card,
            packs=self._books.terms.packs(wallet.policy, wallet.now),
            attempts=tuple(TopUpAttempt(at=order.created_at, outcome=_outcome(order)) for order in orders),
            resumed_at=row.set_at,
            tz=wallet.tz,
        )
        stopped = stopped_by(state, wallet.now)
        if stopped in _TOLD and wallet.available < rule.threshold:
            about = {"reason": stopped, "pack": rule.pack, "threshold": str(rule.threshold)}
            wallet.tell(STOPPED, _once(stopped, wallet, row.set_at, orders), about)
        standing = StandingTopUp(
            business=wallet.business,
            rule=rule,
            card=row.card_id,
            actor=row.actor,
            set_at=row.set_at,
            stopped=stopped,
        )
        pending = next((order for order in orders if order.state == "pending"), None)
        return _Look(standing=standing, pending=pending, buy=decide(state, wallet.now) if wallet.active else None)

    def _go_on(self, order: Order, card: Card | None) -> Payment:
        """An order that a machine left behind: it died, or the gateway had no answer yet."""
        last = self._ordering.find(order.business, order.id)[1][-1]
        if last.state == "failed" and (last.outcome is not None or card is None):
            return self._declined(order.business, order.id, last)
        if last.state == "open" or card is None:
            applied = self._apply(last.reference)
            return self._ended(Payment(order=applied.order, attempt=applied.attempt))
        return self._charge(order.business, str(order.pack), str(order.key), card)

    def _charge(self, business: str, pack: str, key: str, card: Card) -> Payment:
        way = Way(gateway=card.gateway, card=card.id)
        try:
            started = self._ordering.start(
                business,
                Wanted(pack=pack),
                way,
                key=key,
                email=self._payers.email(business),
                check=self._check,
            )
            payment = self._settled(started)
        except GatewayError as error:
            if not _said_no(error):
                raise
            named = {"business": business, "key": key}
            order = the(self._books.database.read(lambda tx: tx.rows(purchases.ORDER_UNDER_KEY, named)), read_order)
            return self._declined(business, order.id, self._ordering.find(business, order.id)[1][-1])
        return self._ended(payment)

    def _ended(self, payment: Payment) -> Payment:
        if payment.order.state == "pending" and payment.attempt.state == "failed":
            return self._declined(payment.order.business, payment.order.id, payment.attempt)
        return payment

    def _declined(self, business: str, order: str, attempt: Attempt) -> Payment:
        """End an order whose card was declined, and tell its owner; should it be paid all the same, it is honoured."""

        def work(wallet: LockedWallet, found: Sequence[list[Row]]) -> Payment:
            known = the(found[0], read_order)
            if known.state == "pending":
                known = end(wallet, known, "failed")
                about = {"reference": attempt.reference, "reason": (attempt.reason or "")[:_LONGEST_REASON]}
                wallet.tell(DECLINED, f"{DECLINED}:{order}", facts(known) | about)
            return Payment(order=known, attempt=attempt)

        return self._books.on(business, work, (purchases.ORDER, {"business": business, "order": order}))


def _automatic(business: str) -> dict[str, object]:
    """What finds all automatic orders of a business."""
    return {"business": business, **_KEYS, "most": _MOST_ORDERS}


def _nothing(*_: object) -> bool:
    """A business without a wallet agreed to nothing."""
    return False


def read_rule(row: Row) -> TopUpRule:
    """A rule from its row."""
    return TopUpRule(
        pack=row.pack,
        threshold=Credits.from_micro(row.threshold),
        most_price=Money.from_minor(row.most_price_minor, row.currency),
        most_per_day=row.most_per_day,
        most_per_month=row.most_per_month,
        cool_down=row.cool_down,
        most_failures=row.most_failures,
        enabled=bool(row.enabled),
    )


def _values(
    business: str, rule: TopUpRule, most: Money, *, card: str | None, actor: str, now: int
) -> dict[str, object]:
    return {
        "business_id": business,
        "pack": rule.pack,
        "threshold": rule.threshold.micro,
        "most_price_minor": most.minor,
        "currency": most.currency,
        "most_per_day": rule.most_per_day,
        "most_per_month": rule.most_per_month,
        "cool_down": rule.cool_down,
        "most_failures": rule.most_failures,
        "enabled": int(rule.enabled),
        "card_id": card,
        "actor": actor,
        "set_at": now,
    }


def _check(rule: TopUpRule) -> None:
    """Refuse a rule that cannot hold.

    Raises:
        ValueError: If so.
    """
    if rule.threshold <= Credits(0) or min(rule.most_per_day, rule.most_per_month, rule.most_failures) < 1:
        msg = "a top-up needs a threshold above zero, and at least one purchase a day and a month; nothing was agreed"
        raise ValueError(msg)
    if rule.most_per_month * rule.most_failures > _MOST_ORDERS:
        msg = f"a top-up of more than {_MOST_ORDERS} attempts a month has no guard; nothing was agreed"
        raise ValueError(msg)
    if rule.cool_down < 0:
        msg = "a top-up cannot wait for less than no time; nothing was agreed"
        raise ValueError(msg)


def _outcome(order: Order) -> AttemptOutcome:
    if order.paid_at is not None:
        return "paid"
    # One in quarantine is a payment that came: an operator decides before more is charged.
    return "failed" if order.state in {"failed", "abandoned"} else "pending"


def _end_of(payment: Payment) -> str:
    return {"paid": "bought", "pending": "waiting", "failed": "declined"}[_outcome(payment.order)]


def _once(stopped: Stop, wallet: LockedWallet, set_at: int, orders: Sequence[Order]) -> str:
    """What makes a guard's event unique: the day, the month, the failure, or the rule that it holds for."""
    day = day_of(wallet.now, wallet.tz)
    since: dict[Stop, str] = {"daily": day.isoformat(), "monthly": f"{day:%Y-%m}"}
    if stopped == "failures":
        since["failures"] = orders[0].id
    return f"{STOPPED}:{stopped}:{since.get(stopped, str(set_at))}"


def _said_no(error: GatewayError) -> bool:
    """Whether a gateway refused to charge the card, and was not merely out of reach."""
    status = error.status
    return not error.may_exist and status is not None and status < _SERVERS and status not in _NOT_THE_CARD
