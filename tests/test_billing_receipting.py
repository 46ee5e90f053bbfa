"""Receipts and credit notes of orders that were really paid and refunded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ai_addons.billing.gateways.base import RefundOutcome
from ai_addons.errors import ConfigError, NotFound, PaymentError
from ai_addons.money import Credits, Money
from ai_addons.settings import ReceiptSettings
from tests.money_back import spend
from tests.scripted_gateway import Till, webhook

pytestmark = pytest.mark.usefixtures("each_database")

SELLER = ReceiptSettings(seller="Sika POS Ltd", tax_id="C1", tax="ghana")


def shop(**receipts: Any) -> Till:
    """A till that gives receipts with the taxes of Ghana."""
    return Till(receipts=SELLER.model_copy(update=receipts))


def bought(till: Till, **options: Any) -> tuple[str, str]:
    """A pack that was paid: its order and its attempt."""
    payment, _ = till.paid(**options)
    return payment.order.id, payment.attempt.reference


def sent_back(till: Till, reference: str, minor: int, currency: str = "GHS") -> None:
    """The gateway tells of a refund that is done."""
    till.gateway.tell_refund(reference, minor, RefundOutcome.DONE, currency=currency)
    till.orders.receive("scripted", *webhook(reference, name=f"refund.{minor}", topic="refund"))
    till.orders.work_inbox()


def test_a_receipt_has_its_number_from_the_moment_of_the_grant() -> None:
    """Numbers follow the payments; looking, retrying and failed payments use none up."""
    till = shop()
    first, reference = bought(till)
    till.start("STARTER")
    till.orders.verify(till.business, reference)
    second, _ = bought(till)
    numbers = [till.orders.find(till.business, order)[0].receipt_number for order in (first, second)]
    assert numbers == ["R-000001", "R-000002"]
    assert till.orders.receipt(till.business, first).number == "R-000001"


def test_a_receipt_divides_what_was_paid() -> None:
    """GHS 80 with 20 % in it; text and page say the same."""
    till = shop()
    order, reference = bought(till)
    receipt = till.orders.receipt(till.business, order)
    assert (receipt.taxed.net, receipt.taxed.gross) == (Money("66.67"), Money(80))
    assert [line.amount for line in receipt.taxed.lines] == [Money("1.67"), Money("1.66"), Money(10)]
    assert (receipt.order.pack, receipt.order.credits, receipt.order.bonus) == ("VALUE", Credits(100), Credits(20))
    assert (receipt.order.method, receipt.order.gateway_reference) == ("Online payment", reference)
    assert "Receipt R-000001" in receipt.text
    assert "<h1>Receipt R-000001</h1>" in receipt.html
    assert till.orders.credit_notes(till.business, order) == ()


def test_an_order_that_was_paid_before_there_was_a_seller_gets_its_number_when_asked() -> None:
    """Without a seller nothing is numbered and nothing shown."""
    till = Till()
    order, _ = bought(till)
    with pytest.raises(ConfigError, match="who sells"):
        till.orders.receipt(till.business, order)
    later = Till(till.gateway, books=till.books, receipts=SELLER)
    for _ in range(2):
        assert later.orders.receipt(till.business, order).number == "R-000001"
    assert later.orders.find(till.business, order)[0].receipt_number == "R-000001"


def test_there_is_no_receipt_for_what_is_not_paid_or_anothers() -> None:
    """Nor a number."""
    till = shop()
    order = till.start().order.id
    with pytest.raises(PaymentError, match="pending"):
        till.orders.receipt(till.business, order)
    with pytest.raises(NotFound):
        till.orders.receipt("biz_8", order)
    paid, _ = bought(till)
    assert till.orders.find(till.business, paid)[0].receipt_number == "R-000001"


def test_prices_without_their_taxes_are_refused() -> None:
    """Nothing is charged on top of a price, so no receipt may say so."""
    till = shop(prices_include_tax=False)
    order, _ = bought(till)
    with pytest.raises(ConfigError, match="prices_include_tax"):
        till.orders.receipt(till.business, order)


def test_a_receipt_of_a_charge_in_dollars_says_so() -> None:
    """The price stays in cedis."""
    till = shop()
    till.gateway.converts = replace(till.gateway.checkout_page("x"), charged=Money("6.87", "USD"))
    payment = till.start()
    till.gateway.pay(payment.attempt.reference, amount_minor=687, currency="USD")
    till.orders.verify(till.business, payment.attempt.reference)
    receipt = till.orders.receipt(till.business, payment.order.id)
    assert (receipt.taxed.gross, receipt.order.charged) == (Money(80), Money("6.87", "USD"))
    sent_back(till, payment.attempt.reference, 300, "USD")
    sent_back(till, payment.attempt.reference, 387, "USD")
    notes = till.orders.credit_notes(till.business, payment.order.id)
    assert [note.taxed.gross for note in notes] == [Money("34.93"), Money("45.07")]


@pytest.mark.parametrize(
    ("change", "gross"),
    [({"amount_minor": 6_000}, "60"), ({"currency": "NGN"}, None), ({"live": True}, None), ({"live": None}, None)],
)
def test_a_payment_that_an_operator_accepted_is_receipted_for_what_it_is_worth(
    change: dict[str, Any], gross: str | None
) -> None:
    """Other money and other than real money have no worth in cedis that is known, and no number."""
    till = shop()
    payment = till.start()
    till.gateway.pay(payment.attempt.reference, **change)
    till.orders.verify(till.business, payment.attempt.reference)
    (put_aside,) = till.orders.quarantined()
    till.orders.release(till.business, put_aside.id, actor="kofi", reason="fine")
    if gross is None:
        with pytest.raises(PaymentError, match="worth in cedis"):
            till.orders.receipt(till.business, payment.order.id)
        assert till.order(payment).receipt_number is None
    else:
        assert till.orders.receipt(till.business, payment.order.id).taxed.gross == Money(gross)
        assert till.order(payment).receipt_number == "R-000001"


def test_credit_notes_add_up_to_the_receipt_and_keep_their_numbers() -> None:
    """Net, taxes and credits of all notes are the receipt's, whenever they are looked at."""
    till = shop()
    order, reference = bought(till)
    sent_back(till, reference, 3_333)
    (first,) = till.orders.credit_notes(till.business, order)
    till.clock.advance(60)
    sent_back(till, reference, 4_667)
    notes = till.orders.credit_notes(till.business, order)
    assert [note.number for note in notes] == ["CN-000001", "CN-000002"]
    assert notes[0].taxed == first.taxed
    receipt = till.orders.receipt(till.business, order)
    assert sum(note.taxed.net.minor for note in notes) == receipt.taxed.net.minor
    assert [note.credits for note in notes] == [Credits("41.6625"), Credits("58.3375")]
    assert "Credit note CN-000001" in first.text
    assert "Corrects receipt" in first.html
    till.agrees()


def test_a_credit_note_names_only_credits_that_were_taken_back() -> None:
    """Forty were spent and are borne by the operator."""
    till = shop()
    order, reference = bought(till)
    spend(till.books, "40")
    sent_back(till, reference, 8_000)
    (note,) = till.orders.credit_notes(till.business, order)
    assert (note.taxed.gross, note.credits) == (Money(80), Credits(60))


def test_less_than_a_pesewa_of_the_price_waits_for_the_next_note() -> None:
    """Where more than the price was charged, a pesewa back is less than one of the price."""
    till = shop()
    payment = till.start()
    till.gateway.pay(payment.attempt.reference, amount_minor=8_156)
    till.orders.verify(till.business, payment.attempt.reference)
    sent_back(till, payment.attempt.reference, 1)
    assert till.orders.credit_notes(till.business, payment.order.id) == ()
    till.clock.advance(60)
    sent_back(till, payment.attempt.reference, 8_155)
    (note,) = till.orders.credit_notes(till.business, payment.order.id)
    assert note.taxed.gross == Money(80)


def test_a_month_of_the_addon_has_a_receipt() -> None:
    """It says what was bought."""
    till = Till(policy="hybrid", receipts=SELLER)
    payment, _ = till.paid(None, addon=True)
    assert till.orders.receipt(till.business, payment.order.id).order.pack == "AI add-on, one month"
