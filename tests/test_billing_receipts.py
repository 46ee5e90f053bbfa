"""Receipts and credit notes: what stands on them, how they look, and numbers without gaps."""

from __future__ import annotations

import base64
import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_addons.billing.profile import BusinessProfile
from ai_addons.billing.receipt_numbers import give_number
from ai_addons.billing.receipt_pages import WIDTH, as_html, as_text, plain
from ai_addons.billing.receipts import (
    CreditNote,
    PaidOrder,
    PaymentReceipt,
    Seller,
    note_paper,
    number_text,
    receipt_paper,
    seller_of,
)
from ai_addons.billing.tax import GHANA, inclusive, part_of, rules_on
from ai_addons.errors import ConfigError
from ai_addons.money import Credits, Money
from ai_addons.settings import ReceiptSettings
from tests.books import kept_in, new_database, run_sql

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ai_addons.billing.sql import Database, Tx

PAID_AT = int(datetime(2026, 11, 26, 14, 5, 59, tzinfo=UTC).timestamp()) * 1_000_000
SELLER = Seller(
    name="Sika POS Ltd",
    address=("1 Ring Road", "Accra"),
    tax_id="C0000000001",
    phone="030 000 0000",
    email="a@sika.example",
)
ORDER = PaidOrder(
    id="0199",
    business="biz_7",
    buyer=BusinessProfile(name="Ama's Shop", tax_id="P0000000002"),
    pack="VALUE",
    credits=Credits(100),
    bonus=Credits(20),
    price=Money(80),
    charged=Money(80),
    paid_at=PAID_AT,
    method="Mobile Money",
    gateway="paystack",
    gateway_reference="aia-0199",
)
RULES = rules_on(GHANA, date(2026, 11, 26))
RECEIPT = PaymentReceipt(number="R-000042", seller=SELLER, order=ORDER, taxed=inclusive(Money(80), RULES))
NOTE = CreditNote(
    number="CN-000001",
    receipt=RECEIPT,
    taxed=part_of(RECEIPT.taxed, Money(40)),
    credits=Credits(50),
    refunded_at=PAID_AT + 86_400_000_000,
    reason="Bought twice",
)

RECEIPT_TEXT = """\
Sika POS Ltd
1 Ring Road
Accra
Tax number C0000000001
030 000 0000
a@sika.example
------------------------------------------------
Receipt R-000042
------------------------------------------------
Sold to                               Ama's Shop
Buyer's tax number                   P0000000002
Order                                       0199
Paid on                         2026-11-26 14:05
Paid by                   Mobile Money, paystack
Payment reference                       aia-0199
Bought    VALUE, 100 credits, of which 20 bonus
------------------------------------------------
Net                                    GHS 66.67
National Health Insurance Levy 2.5 %    GHS 1.67
GETFund Levy 2.5 %                      GHS 1.66
Value Added Tax 15 %                   GHS 10.00
Total paid                             GHS 80.00
------------------------------------------------
"""

NOTE_TEXT = """\
Credit note CN-000001
------------------------------------------------
Sold to                               Ama's Shop
Buyer's tax number                   P0000000002
Corrects receipt                        R-000042
Order                                       0199
Refunded on                     2026-11-27 14:05
Payment reference                       aia-0199
Credits taken back                            50
Reason                              Bought twice
------------------------------------------------
Net                                    GHS 33.34
National Health Insurance Levy 2.5 %    GHS 0.83
GETFund Levy 2.5 %                      GHS 0.83
Value Added Tax 15 %                    GHS 5.00
Total refunded                         GHS 40.00
------------------------------------------------
"""


def bare(text: str) -> str:
    """A text with each run of blanks as one."""
    return re.sub(" +", " ", text)


def test_a_receipt_says_who_sold_what_to_whom_when_and_how() -> None:
    """Line by line, as a till prints it."""
    text = as_text(receipt_paper(RECEIPT))
    assert bare(text) == bare(RECEIPT_TEXT)
    assert max(map(len, text.splitlines())) == WIDTH


def test_a_credit_note_names_what_it_corrects() -> None:
    """The refund divided as the price was, and the credits that went with it."""
    assert bare(as_text(note_paper(NOTE))).endswith(bare(NOTE_TEXT))
    assert "Reason" not in as_text(note_paper(replace(NOTE, reason="")))


def test_without_taxes_there_is_one_sum() -> None:
    """No net and no tax lines; a business without a name is called by its id; nothing unknown is printed."""
    order = replace(ORDER, buyer=BusinessProfile(), bonus=Credits(0))
    bare_receipt = PaymentReceipt(number="R-1", seller=Seller(name="Sika"), order=order, taxed=inclusive(Money(80), ()))
    paper = receipt_paper(bare_receipt)
    assert (paper.seller, paper.sums, paper.total) == (("Sika",), (), ("Total paid", "GHS 80.00"))
    assert dict(paper.facts)["Sold to"] == "biz_7"
    assert dict(paper.facts)["Bought"] == "VALUE, 100 credits"
    assert "None" not in as_text(paper) + as_html(paper)


@pytest.mark.parametrize(
    ("charged", "rate", "notes"),
    [
        (Money("6.87", "USD"), Decimal("11.646"), ("Charged as USD 6.87 at GHS 11.646 for one USD.",)),
        (Money("6.87", "USD"), None, ("Charged as USD 6.87.",)),
        (Money(80), None, ()),
    ],
)
def test_another_currency_is_told_with_its_rate(charged: Money, rate: Decimal | None, notes: tuple[str, ...]) -> None:
    """The price stays in cedis; what the card was charged stands below."""
    order = replace(ORDER, charged=charged, rate=rate)
    assert receipt_paper(replace(RECEIPT, order=order)).notes == notes


def test_times_are_the_buyers() -> None:
    """In its zone, which is named where it is not Ghana's."""
    order = replace(ORDER, buyer=replace(ORDER.buyer, tz="Europe/Berlin"))
    assert dict(receipt_paper(replace(RECEIPT, order=order)).facts)["Paid on"] == "2026-11-26 15:05 (Europe/Berlin)"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: replace(RECEIPT, taxed=inclusive(Money(79), RULES)), "a receipt over GHS 79.00 is not one for"),
        (lambda: replace(NOTE, taxed=inclusive(Money("80.01"), ())), "a credit note over GHS 80.01 corrects no"),
        (lambda: replace(NOTE, taxed=inclusive(Money(0), ())), "a credit note over GHS 0.00 corrects no"),
        (lambda: replace(NOTE, taxed=inclusive(Money(1, "USD"), ())), "a credit note over USD 1.00 corrects no"),
    ],
)
def test_a_paper_over_another_sum_is_refused(make: Callable[[], Any], said: str) -> None:
    """A receipt is over what was paid, a note over no more."""
    with pytest.raises(ValueError, match=said):
        make()


class Page(HTMLParser):
    """What a browser finds on a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.heard: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.heard.append(data)


def test_a_page_has_a_language_headings_and_row_headers_and_nothing_that_runs() -> None:
    """What a screen reader needs is there; a script, a form, a link or a picture is not."""
    html = as_html(receipt_paper(RECEIPT))
    page = Page(html)
    assert html.startswith("<!doctype html>")
    assert ("lang", "en-GH") in page.attributes
    assert page.tags.count("h1") == page.tags.count("title") == page.tags.count("main") == 1
    assert page.tags.count("caption") == page.tags.count("table") == 2
    assert page.tags.count("th") == page.attributes.count(("scope", "row")) == page.tags.count("tr")
    assert not {"script", "form", "a", "img", "link", "iframe", "object"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in {"src", "href", "style"}]
    assert "@media print" in html


def test_a_page_allows_its_one_style_and_nothing_else() -> None:
    """Its own policy names the style by its hash, as browsers compute it."""
    html = as_html(receipt_paper(RECEIPT))
    found = re.search(r"<style>(.*)</style>", html)
    assert found is not None
    digest = base64.b64encode(hashlib.sha256(found[1].encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert ("content", policy) in Page(html).attributes


@given(st.text(max_size=40))
def test_no_name_can_break_out_of_its_place(name: str) -> None:
    """Whatever a shop is called: the page has the same elements, and the text the same lines."""
    order = replace(ORDER, buyer=BusinessProfile(name=f"x{name}"), gateway_reference=f"<script>{name}")
    paper = receipt_paper(replace(RECEIPT, order=order))
    usual = receipt_paper(replace(RECEIPT, order=replace(ORDER, buyer=BusinessProfile(name="x"))))
    assert Page(as_html(paper)).tags == Page(as_html(usual)).tags
    assert plain(f"<script>{name}") in "".join(Page(as_html(paper)).heard)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x09\x0b-\x1f]", as_text(paper))


def test_a_value_too_long_for_its_line_gets_one_of_its_own() -> None:
    """To the right, and nothing is cut off."""
    order = replace(ORDER, gateway_reference="aia-" + "0" * 40)
    assert f"Payment reference\n{'aia-' + '0' * 40:>48}\n" in as_text(receipt_paper(replace(RECEIPT, order=order)))


def test_the_seller_comes_from_the_settings() -> None:
    """Without a name there is no receipt."""
    settings = ReceiptSettings.model_validate(
        {"seller": "Sika POS Ltd", "address": ["1 Ring Road", "Accra"], "tax_id": "C0000000001"}
    )
    assert seller_of(settings) == replace(SELLER, phone=None, email=None)
    with pytest.raises(ConfigError, match=r"Set receipts\.seller"):
        seller_of(ReceiptSettings())
    assert number_text(settings.prefix, 42) == "R-000042"


# Numbers.


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """An empty database of either kind."""
    with kept_in(request.param):
        opened = new_database(tmp_path)
        yield opened
        opened.close()


def give(database: Database, ref: str, series: Any = "receipt", seller: str = "C1") -> int:
    """A number in a transaction of its own."""
    return database.write(lambda tx: give_number(tx, seller=seller, series=series, ref=ref, now=1))


def test_numbers_run_from_one_in_each_series(database: Database) -> None:
    """Sellers and kinds of paper are counted apart; the same order keeps its number."""
    assert [give(database, ref) for ref in ("a", "b", "a", "c")] == [1, 2, 1, 3]
    assert [give(database, "a", "credit_note"), give(database, "a", seller="C2")] == [1, 1]


def test_a_number_that_was_not_booked_is_given_again(database: Database) -> None:
    """Whatever breaks after it was given: the next receipt has it, so there is no gap."""

    def breaks(tx: Tx) -> None:
        assert give_number(tx, seller="C1", series="receipt", ref="b", now=1) == 2
        raise ZeroDivisionError

    assert give(database, "a") == 1
    with pytest.raises(ZeroDivisionError):
        database.write(breaks)
    assert give(database, "c") == 2


def test_many_at_once_get_different_numbers_without_a_gap(database: Database) -> None:
    """Eight threads, twenty-four orders, each asked for twice."""
    refs = [f"order-{number}" for number in range(24)] * 2
    with ThreadPoolExecutor(8) as threads:
        given = dict(zip(refs, threads.map(lambda ref: give(database, ref), refs), strict=True))
    assert sorted(given.values()) == list(range(1, 25))
    kept = run_sql(database, "SELECT ref, number FROM ai_receipt_numbers")
    assert {row[0]: row[1] for row in kept} == given


@pytest.mark.parametrize(("seller", "ref", "what"), [("", "a", "the seller"), ("C1", "", "the receipt's reference")])
def test_a_number_is_for_somebody_and_something(database: Database, seller: str, ref: str, what: str) -> None:
    """An empty name is refused, and no number is spent."""
    with pytest.raises(ValueError, match=what):
        give(database, ref, seller=seller)
    assert give(database, "a") == 1
