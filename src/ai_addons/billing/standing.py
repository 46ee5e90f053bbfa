"""What of `Payments` a saved card does by itself: automatic top-ups, agreed to by the owner."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ai_addons.billing.topups import HOUR, TopUpRule
from ai_addons.money import Credits, Money

if TYPE_CHECKING:
    from decimal import Decimal

    from ai_addons.billing.opening import Payment
    from ai_addons.billing.top_up_rules import StandingTopUp
    from ai_addons.billing.topping_up import ToppingUp


class StandingOrders:
    """Automatic top-ups of a business.

    Args:
        topping_up: Keeps the rules, and buys by them.
    """

    def __init__(self, topping_up: ToppingUp) -> None:
        self._topping_up = topping_up

    def set_top_up(  # noqa: PLR0913  # a standing order has that many sides
        self,
        business: str,
        pack: str,
        *,
        below: str | int | Decimal | Credits,
        actor: str,
        card: str | None = None,
        most_price: Money | str | int | Decimal | None = None,
        most_per_day: int = 1,
        most_per_month: int = 4,
        cool_down: timedelta | None = None,
        most_failures: int = 3,
        enabled: bool = True,
    ) -> StandingTopUp:
        """Let a saved card buy a pack by itself when credits run low; `renew` and `top_up` buy.

        It takes the place of what was agreed before, and lets a rule that stopped after failures go on. Nothing
        more is bought within a day or month than is agreed, while a charge has no end yet, after ``most_failures``
        declines in a row, and at a price above ``most_price``; ``top_up.stopped`` tells why. Mobile Money cannot
        be collected this way.

        Args:
            business: Who buys.
            pack: Type of the pack; not ``CUSTOM``.
            below: Credits; bought while fewer are available.
            actor: Who agreed; kept in the audit log.
            card: Id of the card, of `cards`; None for the newest.
            most_price: What the pack may cost, in cedis; None for what it costs now.
            most_per_day: Purchases in a day of the business's zone.
            most_per_month: Purchases in a month of it.
            cool_down: From one attempt to the next; None for an hour.
            most_failures: Declines in a row after which it stops until this is called again.
            enabled: False keeps the rule and buys nothing.

        Raises:
            ValueError: For a number or a price that makes no rule.
            PaymentError: If the pack is not on sale, or there is no such card.
        """
        rule = TopUpRule(
            pack=pack,
            threshold=Credits(below),
            most_price=in_cedis(most_price),
            most_per_day=most_per_day,
            most_per_month=most_per_month,
            cool_down=(HOUR if cool_down is None else cool_down) // timedelta(microseconds=1),
            most_failures=most_failures,
            enabled=enabled,
        )
        return self._topping_up.set(business, rule, card=card, actor=actor)

    def top_up_of(self, business: str) -> StandingTopUp | None:
        """What a business agreed that its card buys, and why it would buy nothing now; None for nothing agreed."""
        return self._topping_up.of(business)

    def remove_top_up(self, business: str, *, actor: str) -> bool:
        """Buy no more by itself; whether there was a rule. A charge that was begun is carried to its end."""
        return self._topping_up.remove(business, actor=actor)

    def top_up(self, business: str) -> Payment | None:
        """Buy now what `set_top_up` agreed to, if it says so; for whoever hears ``wallet.low_balance``.

        As often as one likes, from many machines: `renew` does the same for every business.

        Returns:
            The automatic order, which may be paid, waiting or declined; None if nothing is to be bought.

        Raises:
            PaymentPending: If it is being bought right now.
            GatewayError: If the gateway cannot be used; the next run goes on.
        """
        return self._topping_up.one(business)


def in_cedis(amount: Money | str | int | Decimal | None) -> Money | None:
    """An amount as money; None stays None."""
    return amount if amount is None or isinstance(amount, Money) else Money(amount)
