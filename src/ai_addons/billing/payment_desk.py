"""What of `Payments` operators decide: payments that do not fit, and money that goes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_addons.billing.standing import in_cedis

if TYPE_CHECKING:
    from decimal import Decimal

    from ai_addons.billing.applying import Applying
    from ai_addons.billing.orders import Quarantined
    from ai_addons.billing.refunds import MoneyBack
    from ai_addons.billing.sending_back import SendingBack
    from ai_addons.money import Money


class PaymentDesk:
    """For operators."""

    _applying: Applying
    _back: SendingBack

    def quarantined(self, most: int = 100) -> list[Quarantined]:
        """Payments that do not fit their order and that nobody has decided about, the oldest first."""
        return self._applying.quarantined(most)

    def release(self, business: str, quarantine: str, *, actor: str, reason: str) -> Quarantined:
        """Accept a payment that does not fit, and grant its order; who and why is kept.

        Raises:
            NotFound: If there is no such payment.
            PaymentError: If it was sent back, or its order is paid already.
        """
        return self._applying.release(business, quarantine, actor=actor, reason=reason)

    def mark_refunded(self, business: str, quarantine: str, *, actor: str, reason: str) -> Quarantined:
        """Note that a payment which does not fit was sent back, which is done at the gateway; who and why is kept.

        Raises:
            NotFound: If there is no such payment.
            PaymentError: If it was released.
        """
        return self._applying.mark_refunded(business, quarantine, actor=actor, reason=reason)

    def refund(
        self,
        business: str,
        order: str,
        amount: Money | str | int | Decimal | None = None,
        *,
        key: str,
        actor: str,
        reason: str,
    ) -> MoneyBack:
        """Send money of a paid order back: its credits are frozen first, and taken back once the money is gone.

        Of a part, the same share of the credits, bonus included. Spent credits are for
        ``payments.refund_shortfall``. A month of the add-on whose money is all back ends the add-on, unless it was
        over; what was carried from it is taken too. Who and why is kept.

        Args:
            business: Whose order.
            order: Its id.
            amount: How much, in cedis or in the currency that was charged; None for all that is left.
            key: What makes it one refund. A repeat sends nothing twice; after a gateway that was not heard, it asks.
            actor: Who decided.
            reason: Why.

        Raises:
            NotFound: If the business has no such order.
            PaymentError: If it is not paid, or nobody can say whether it was sent.
            PaymentMismatch: If that is more than is left of its money.
            PaymentPending: If the same refund is being sent right now.
            IdempotencyConflict: If the key sent back another amount.
            GatewayError: If the gateway refused, and the credits are free again; or, with ``may_exist``, if nobody
                can say, and they stay frozen until it is repeated.
        """
        return self._back.refund(business, order, in_cedis(amount), key=key, actor=actor, reason=reason)

    def money_back(self, business: str, order: str) -> MoneyBack:
        """How much of a paid order's money went back, and what that did to its credits.

        Raises:
            NotFound: If the business has no such order.
            PaymentError: If it is not paid.
        """
        return self._back.look(business, order)

    def forgive(self, business: str, order: str, *, actor: str, reason: str) -> MoneyBack:
        """Write off what is owed for a refunded order's spent credits; a wallet suspended for it goes on.

        Raises:
            NotFound: If the business has no such order.
            PaymentError: If it is not paid.
        """
        return self._back.forgive(business, order, actor=actor, reason=reason)
