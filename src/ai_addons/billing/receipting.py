"""Receipts of paid orders and credit notes of their refunds, out of the books.

A receipt's number is given by the transaction that grants its order. What stands on
it is made anew each time from the order, which never changes once it is paid.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ai_addons.billing.clawback import share
from ai_addons.billing.fx.base import from_scaled
from ai_addons.billing.months import day_of
from ai_addons.billing.opening import no_wallet
from ai_addons.billing.order_rows import collected, read_attempt, read_order, the
from ai_addons.billing.orders import worth
from ai_addons.billing.receipt_numbers import give_number
from ai_addons.billing.receipts import CreditNote, PaidOrder, PaymentReceipt, number_text, seller_of
from ai_addons.billing.reclaim import read_claim
from ai_addons.billing.refund_rows import read_refund
from ai_addons.billing.sql import purchases as sql
from ai_addons.billing.sql import reversals
from ai_addons.billing.tax import inclusive, less, part_of, rules_on, table_of
from ai_addons.errors import ConfigError, PaymentError
from ai_addons.money import MICRO, Credits, Money

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ai_addons.billing.books import Books
    from ai_addons.billing.clawback import Claim, RefundRecord
    from ai_addons.billing.orders import Attempt, Order
    from ai_addons.billing.receipt_numbers import Series
    from ai_addons.billing.sql import Row, Tx
    from ai_addons.billing.wallet import LockedWallet
    from ai_addons.settings import ReceiptSettings

_METHODS: Final[Mapping[str | None, str]] = {"mobile_money": "Mobile Money", "card": "Card"}
_PESEWA: Final = MICRO // 100


class Receipting:
    """Numbers and makes receipts.

    Args:
        books: The open books.
        settings: Who sells, and which taxes are in the price.
    """

    def __init__(self, books: Books, settings: ReceiptSettings) -> None:
        self._books = books
        self._settings = settings

    def number(self, wallet: LockedWallet, order: Order) -> Order:
        """Give an order that is granted its receipt's number, as the last part of that transaction.

        Without a seller in the settings there is none, and no payment waits for one.
        """
        if self._settings.seller is None or order.receipt_number is not None:
            return order
        text = self._next(wallet.tx, wallet.now, "receipt", order.id)
        key = {"business": order.business, "order": order.id}
        wallet.tx.write(sql.NUMBER_RECEIPT, {**key, "receipt_number": text})
        return replace(order, receipt_number=text)

    def _next(self, tx: Tx, now: int, series: Series, ref: str) -> str:
        # Whoever has no tax number is known by its name.
        seller = self._settings.tax_id or self._settings.seller or ""
        prefix = self._settings.prefix if series == "receipt" else self._settings.note_prefix
        return number_text(prefix, give_number(tx, seller=seller, series=series, ref=ref, now=now))

    def receipt(self, business: str, order: str) -> PaymentReceipt:
        """The receipt of a paid order; one that was paid before there was a seller gets its number now.

        Raises:
            NotFound: If the business has no such order.
            PaymentError: If it is not paid, or with money whose worth in cedis is not known.
            ConfigError: If the settings name no seller, or prices without their taxes.
        """
        seller_of(self._settings)

        def work(wallet: LockedWallet, found: Sequence[list[Row]]) -> tuple[Order, Attempt, list[Row]]:
            known = the(found[0], read_order)
            if known.paid_at is None:
                msg = f"This order is {known.state}. There is a receipt once it is paid."
                raise PaymentError(msg)
            named = {"reference": known.paid_reference}
            attempts, released = wallet.tx.gather((sql.ATTEMPT, named), (sql.RELEASED, named))
            attempt = the(attempts, read_attempt)
            if not _paid(known, attempt, released):
                msg = "An operator accepted a payment whose worth in cedis is not known. There is no receipt for it."
                raise PaymentError(msg)
            return self.number(wallet, known), attempt, released

        key = {"business": business, "order": order}
        return self._made(*self._books.on(business, work, (sql.ORDER, key), without=no_wallet))

    def _made(self, order: Order, attempt: Attempt, released: Sequence[Row]) -> PaymentReceipt:
        if not self._settings.prices_include_tax:
            msg = "Orders are charged at their price, with nothing on top. Set receipts.prices_include_tax to true."
            raise ConfigError(msg)
        paid_at = order.paid_at or 0
        rules = rules_on(table_of(self._settings), day_of(paid_at, self._books.terms.operator_tz))
        price = Money.from_minor(_paid(order, attempt, released) // _PESEWA, order.price.currency)
        minor, currency = collected(attempt, released)
        sold = PaidOrder(
            id=order.id,
            business=order.business,
            buyer=self._books.terms.profile(order.business),
            pack=order.pack or "AI add-on, one month",
            credits=order.credits,
            bonus=order.bonus,
            price=price,
            charged=Money.from_minor(minor or 0, currency or price.currency),
            rate=None if attempt.rate is None else from_scaled(attempt.rate.scaled),
            paid_at=paid_at,
            method=_METHODS.get(attempt.method, "Online payment"),
            gateway=attempt.gateway,
            gateway_reference=attempt.reference,
        )
        return PaymentReceipt(
            number=order.receipt_number or "",
            seller=seller_of(self._settings),
            order=sold,
            taxed=inclusive(price, rules),
        )

    def notes(self, business: str, order: str) -> tuple[CreditNote, ...]:
        """A credit note for each refund of an order that is done, in the order of their numbers.

        A note that is asked for the first time gets its number now. A dispute that is lost is the bank's decision
        and has none. The credits on a note are those that are taken back by now.

        Raises:
            NotFound: If the business has no such order.
            PaymentError: As `receipt`.
            ConfigError: As `receipt`.
        """
        receipt = self.receipt(business, order)

        def work(
            wallet: LockedWallet, found: Sequence[list[Row]]
        ) -> tuple[Claim | None, list[tuple[str, RefundRecord]]]:
            claims, refunds = found
            done = [one for one in map(read_refund, refunds) if one.state == "done"]
            done.sort(key=lambda one: (one.changed_at, one.id))
            numbered = [(self._next(wallet.tx, wallet.now, "credit_note", f"{order}:{one.id}"), one) for one in done]
            return (read_claim(claims[0]) if claims else None), sorted(
                numbered, key=lambda pair: (len(pair[0]), pair[0])
            )

        key = {"business": business, "order": order}
        claim, done = self._books.on(
            business, work, (reversals.CLAWBACK, key), (reversals.REFUNDS, key), without=no_wallet
        )
        return () if claim is None else tuple(_notes(receipt, claim, done))


def _paid(order: Order, attempt: Attempt, released: Sequence[Row]) -> int:
    """Micro-GHS that paid for an order; zero where an operator accepted what is no cedi, or no money."""
    if not released:
        return order.price.minor * _PESEWA
    row = released[0]
    live = row.paid_live is not None and bool(row.paid_live) is attempt.live
    return worth(order, minor=row.paid_minor, currency=row.paid_currency, live=live)


def _notes(receipt: PaymentReceipt, claim: Claim, done: Sequence[tuple[str, RefundRecord]]) -> list[CreditNote]:
    """Each refund's share of price and credits; shares of all money make all of both."""
    made = list[CreditNote]()
    left, money, got = receipt.taxed, 0, claim.taken + claim.repaid
    for number, refund in done:
        before, money = money, money + refund.amount_minor
        price = receipt.taxed.gross
        back = price.minor * money // claim.paid_minor - price.minor * before // claim.paid_minor
        if not back:
            # Less than a pesewa of the price; the next one has it.
            continue
        taxed = part_of(left, Money.from_minor(back, price.currency))
        left = less(left, taxed)
        credits_ = _within(claim, got, money) - _within(claim, got, before)
        made.append(
            CreditNote(number=number, receipt=receipt, taxed=taxed, credits=credits_, refunded_at=refund.changed_at)
        )
    return made


def _within(claim: Claim, got: Credits, money: int) -> Credits:
    """What was taken back, as far as so much money asks for it."""
    return min(share(claim.amount, money, claim.paid_minor), got)
