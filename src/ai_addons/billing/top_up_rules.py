"""The rules of automatic top-ups: what owners agreed to, and what it comes to now.

`topups` decides, from the rule and from the automatic orders so far; `topping_up` buys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ai_addons.billing.months import day_of
from ai_addons.billing.operations import note
from ai_addons.billing.order_rows import read_order
from ai_addons.billing.orders import AUTOMATIC
from ai_addons.billing.records import check_id
from ai_addons.billing.sql import topups
from ai_addons.billing.topups import TopUp, TopUpAttempt, TopUpRule, TopUpState, decide, stopped_by
from ai_addons.errors import NotFound, PaymentError
from ai_addons.money import Credits, Money

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ai_addons.billing.books import Books
    from ai_addons.billing.orders import Order
    from ai_addons.billing.payers import Payers
    from ai_addons.billing.sql import Row
    from ai_addons.billing.topups import AttemptOutcome, Stop
    from ai_addons.billing.wallet import LockedWallet

STOPPED: Final = "top_up.stopped"
"""Topic of a guard that keeps more from being bought, or of what is missing to buy."""

KEYS: Final = {"first": AUTOMATIC, "end": AUTOMATIC[:-1] + ";"}
"""Bounds of the keys of automatic orders."""

# More than any guard looks back over: a month of purchases, and the failures between them.
_MOST_ORDERS: Final = 1_000
_TOLD: Final[frozenset[Stop]] = frozenset({"no_card", "not_on_sale", "price", "failures", "daily", "monthly"})


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
class Look:
    """What is to be done for a business: go on with an order, or make one."""

    standing: StandingTopUp
    pending: Order | None
    buy: TopUp | None


class TopUpRules:
    """Keeps what owners agreed to, and says what their rules want now.

    Args:
        books: The open books.
        payers: Finds saved cards.
    """

    def __init__(self, books: Books, payers: Payers) -> None:
        self._books = books
        self._payers = payers

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
        look = self.look(business)
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
        look = self.look(business)
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

    def look(self, business: str) -> Look | None:
        """What is to be done for a business now; None if it agreed to nothing. Guards that stop it are told."""
        check_id(business, "a business id")
        own = {"business": business}
        rows = self._books.database.read(lambda tx: tx.rows(topups.TOP_UP, own))
        if not rows:
            return None
        has_card = self._payers.card(business, rows[0].card_id) is not None

        def work(wallet: LockedWallet, found: Sequence[list[Row]]) -> Look | None:
            return self.read(wallet, found[0], found[1], has_card=has_card)

        return self._books.on(business, work, (topups.TOP_UP, own), (topups.AUTOMATIC, automatic(business)))

    def read(self, wallet: LockedWallet, rules: Sequence[Row], orders: Sequence[Row], *, has_card: bool) -> Look | None:
        """The same from rows, with the wallet locked."""
        if not rules:
            return None
        return self._judge(wallet, rules[0], [read_order(row) for row in orders], has_card=has_card)

    def _judge(self, wallet: LockedWallet, row: Row, orders: Sequence[Order], *, has_card: bool) -> Look:
        rule = read_rule(row)
        state = TopUpState(
            rule=rule,
            available=wallet.available,
            has_card=has_card,
            packs=self._books.terms.packs(wallet.policy, wallet.now),
            attempts=tuple(TopUpAttempt(at=order.created_at, outcome=outcome_of(order)) for order in orders),
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
        return Look(standing=standing, pending=pending, buy=decide(state, wallet.now) if wallet.active else None)


def automatic(business: str) -> dict[str, object]:
    """What finds all automatic orders of a business."""
    return {"business": business, **KEYS, "most": _MOST_ORDERS}


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


def outcome_of(order: Order) -> AttemptOutcome:
    """What an automatic order came to."""
    if order.paid_at is not None:
        return "paid"
    # One in quarantine is a payment that came: an operator decides before more is charged.
    return "failed" if order.state in {"failed", "abandoned"} else "pending"


def _once(stopped: Stop, wallet: LockedWallet, set_at: int, orders: Sequence[Order]) -> str:
    """What makes a guard's event unique: the day, the month, the failure, or the rule that it holds for."""
    day = day_of(wallet.now, wallet.tz)
    since: dict[Stop, str] = {"daily": day.isoformat(), "monthly": f"{day:%Y-%m}"}
    if stopped == "failures":
        since["failures"] = orders[0].id
    return f"{STOPPED}:{stopped}:{since.get(stopped, str(set_at))}"
