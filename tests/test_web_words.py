"""The shop owner's pages in another language: every sentence is asked for, and a translation is text."""

from __future__ import annotations

import html
import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import pytest

from ai_addons.billing.profile import BusinessProfile
from ai_addons.errors import InsufficientCreditsError
from ai_addons.money import Credits, Money
from ai_addons.web import Principal, Web, WebRequest
from ai_addons.web.static import asset
from ai_addons.web.words import ENGLISH, Words
from tests.test_web_pages import PAGES
from tests.ui_shop import ROOT, SHOP, Page, Shop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAME: Final = "Sika"
_UNSEEN: Final = re.compile(r"<(script|style|noscript)\b.*?</\1>|<link[^>]*>", re.DOTALL)
_SAID: Final = re.compile(r'(?:aria-label|data-label|title|alt|placeholder)="([^"]*)"')
_KNOWN: Final = re.compile(
    rf"{NAME}|GHS|Africa/Lagos|Value|Quick|Starter|Pro\b|Visa"  # names
    r"|[0-9a-f]+(?:-[0-9a-f]+)+|(?:R|CN)-\d+"  # an order, a receipt, a credit note
)
"""Names and amounts: what no translation is asked for, and no sentence holds."""


def masked(sentence: str, request: WebRequest) -> str:
    """A language without letters."""
    assert request.root == ROOT
    return re.sub(r"\{\w+\}|[^\W\d_]", lambda found: found[0] if found[0][0] == "{" else "·", sentence)


def untold(page: str) -> str:
    """Letters that somebody sees or hears of a page in the language without any; names and amounts left out."""
    seen = _UNSEEN.sub("", page)
    text = " ".join([re.sub(r"<[^>]*>", " ", seen), *_SAID.findall(seen)])
    return " ".join(re.findall(r"[^\W\d_]+", _KNOWN.sub("", html.unescape(text))))


def speaking(shop: Shop, translate: Callable[[str, WebRequest], str]) -> Shop:
    """The shop with its pages in another language."""
    shop.web = Web(shop.addons, authorize=lambda _principal, _action: True, translate=translate)
    return shop


@pytest.fixture
def new() -> Iterator[Shop]:
    """A new shop on the prepaid policy, in the language without letters."""
    made = speaking(Shop(profile=BusinessProfile(name=NAME, email="a@sika.example", phone="0244000001")), masked)
    yield made
    made.close()


@pytest.fixture
def busy() -> Iterator[Shop]:
    """A shop on the hybrid policy that has bought, used and kept credits of every kind, in that language."""
    made = speaking(
        Shop(policy="hybrid", profile=BusinessProfile(name=NAME, email="a@sika.example", tz="Africa/Lagos")), masked
    )
    made.addons.subscriptions.subscribe(SHOP, paid=True)
    made.addons.grant(SHOP, "12345.5", source="purchase", ref="p", paid=Money("9876.54"))
    made.addons.grant(SHOP, 3, source="promo", ref="x", features=["report_summary", "credit_assessment"])
    made.addons.billing.charge_credits(SHOP, "u_1", "report_summary", "0.0123")
    made.addons.orders.start(SHOP, "VALUE", phone="0244000001", network="mtn")
    yield made
    made.close()


@pytest.mark.parametrize(
    "path", [*PAGES, "usage/?days=90", "usage/?days=365", "buy/pay/?item=CUSTOM&amount=50", "buy/pay/?item=ADDON"]
)
def test_every_sentence_of_a_page_is_asked_for(new: Shop, busy: Shop, path: str) -> None:
    """In a language without letters nothing is left but names and amounts."""
    assert untold(busy.see(path).html) == ""
    if "ADDON" not in path:
        assert untold(new.see(path).html) == ""


def test_a_language_is_needed_for_the_test_to_see_nothing() -> None:
    """The same page in English has letters."""
    shop = Shop()
    assert "Buy credits" in untold(shop.see().html)
    shop.close()


def ordered(shop: Shop, **way: str) -> str:
    """A new order of a pack; its id."""
    shop.clock.advance(1)
    return shop.addons.orders.start(SHOP, "VALUE", **way).order.id  # type: ignore[arg-type]  # phone and network


def left(shop: Shop, order: str) -> str:
    """Letters of an order's page, four seconds later."""
    shop.clock.advance(4)
    return untold(shop.see(f"orders/{order}/").html)


@pytest.mark.parametrize(
    "way", [{"phone": "0244000001", "network": "mtn"}, {"phone": "0204000001", "network": "telecel"}, {}]
)
def test_an_order_that_waits_is_asked_for(new: Shop, way: dict[str, str]) -> None:
    """With its clock, its code or its link; declined; and given up."""
    order = ordered(new, **way)
    assert left(new, order) == ""
    assert untold(new.see().html) == ""
    new.clock.advance(181)
    assert left(new, order) == ""
    new.gateway.decline(new.reference(order))
    assert left(new, order) == ""
    new.addons.orders.cancel(SHOP, order)
    assert left(new, order) == ""
    assert new.addons.orders.find(SHOP, order)[0].state == "failed"


def test_an_order_that_is_paid_is_asked_for(new: Shop) -> None:
    """With its receipt, and with the credit note of a refund; a card that was kept is offered with the next order."""
    order = ordered(new)
    new.gateway.pay(new.reference(order), method="card", save_card=True)
    assert left(new, order) == ""
    new.addons.orders.refund(SHOP, order, 40, key="r", actor="kofi", reason="wrong pack")
    new.gateway.move_refund(new.gateway.refunds(new.reference(order))[0].id, "processed")
    new.addons.orders.reconcile()
    assert left(new, order) == ""
    assert new.addons.orders.find(SHOP, order)[0].state == "partially_refunded"
    assert untold(new.see("orders/").html) == ""
    assert untold(new.see("buy/pay/?item=VALUE").html) == ""


def test_an_order_that_does_not_fit_is_asked_for(new: Shop) -> None:
    """The payment that is being checked."""
    order = ordered(new)
    new.gateway.amount(new.reference(order), Money(1))
    new.gateway.pay(new.reference(order))
    assert left(new, order) == ""
    assert new.addons.orders.find(SHOP, order)[0].state == "quarantined"


@pytest.mark.parametrize(
    ("path", "status", "rest"),
    [("ledger/?page=9", 404, ""), ("usage/?days=x", 422, "days"), ("buy/pay/?item=CUSTOM&amount=0.01", 422, "")],
)
def test_errors_are_asked_for(busy: Shop, path: str, status: int, rest: str) -> None:
    """Their names, their words and the ways on; the name of a field is left."""
    assert untold(busy.see(path, status=status).html) == rest


def test_the_add_on_is_asked_for_whatever_its_state(busy: Shop) -> None:
    """Running, cancelled, not paid in time, over."""
    busy.addons.subscriptions.cancel(SHOP)
    assert untold(busy.see("addon/").html) == ""
    busy.addons.subscriptions.resume(SHOP)
    busy.clock.advance(31 * 86_400)
    assert untold(busy.see("addon/").html) == ""
    busy.addons.subscriptions.cancel(SHOP, immediate=True)
    assert untold(busy.see("addon/").html) == ""


def test_a_suspended_business_is_told_in_its_language(new: Shop) -> None:
    """And what expires within a week is."""
    now = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=new.clock.now())
    new.addons.grant(SHOP, 4, source="promo", ref="soon", expires_at=now + timedelta(days=6))
    new.addons.set_status(SHOP, "suspended", actor="kofi", reason="test")
    page = new.see()
    assert untold(page.html) == ""
    assert "4" in page.words


def test_a_page_says_which_language_it_is_in(new: Shop) -> None:
    """By the name of its English."""
    speaking(new, lambda sentence, _: {"en-GH": "fr", "Prices": "Prix"}.get(sentence, sentence))
    page = new.see("prices/")
    assert page.tags[0] == ("html", {"lang": "fr"})
    assert page.title == "Prix · AI credits"
    assert "Back to the shop" not in page.links
    assert "Buy credits" in page.links


def test_the_components_of_a_page_speak_its_language(new: Shop) -> None:
    """The badge and the clock find their words on the page, as text that ends no script."""
    speaking(new, lambda sentence, _: f"</script>{sentence}")
    found = re.search(r'<script type="application/json" data-ai-addons-strings>(.*?)</script>', new.see().html)
    assert found is not None
    said = json.loads(found[1])
    assert said["credits"] == "</script>{n} AI credits"
    assert set(said) == {"credits", "credits_unknown", "low", "seconds", "time_over"}


def test_the_words_of_the_components_are_those_of_their_script(new: Shop) -> None:
    """Not one of them is worded otherwise here."""
    speaking(new, lambda sentence, _: sentence)
    found = re.search(r"data-ai-addons-strings>(.*?)</script>", new.see().html)
    assert found is not None
    script = asset("ai-addons.js").body.decode()
    assert [name for name, text in json.loads(found[1]).items() if f'  {name}: "{text}",' not in script] == []


@pytest.mark.parametrize("path", PAGES)
def test_a_translation_is_text(busy: Shop, path: str) -> None:
    """Markup and quotes in it are escaped, in texts and in attributes."""
    speaking(busy, lambda sentence, _: f"\"><img src=x onerror='a()'>{sentence}")
    page = busy.see(path)
    assert "<img" not in page.html
    assert all("onerror" not in attrs for _, attrs in page.tags)


def test_a_translation_that_fails_leaves_english(new: Shop, caplog: pytest.LogCaptureFixture) -> None:
    """The page is there, the log says why."""

    def broken(sentence: str, request: WebRequest) -> str:
        raise LookupError(sentence, request.path)

    assert "Buy credits" in speaking(new, broken).see().links
    assert "the translation of a page's sentence failed; it is shown in English" in caplog.text


def test_operators_pages_and_their_errors_stay_english(new: Shop) -> None:
    """The hook is for the shop's owner."""
    asked = WebRequest(method="GET", path="ai/admin/", root=ROOT, principal=Principal(business_id="", user_id="u_1"))
    answer = new.web.dispatch(asked)
    assert answer.status == 200
    assert Page(answer).tags[0] == ("html", {"lang": "en-GH"})
    short = InsufficientCreditsError(required=Credits(3), available=Credits(1), offers=())
    assert "Insufficient credits" in Page(new.web.problem(short, asked)).words


@pytest.mark.parametrize(
    ("translated", "said"),
    [
        ("{b} puis {a}", "{a} puis 1"),
        ("{a.__class__} {a!r} {0} {c}", "{a.__class__} {a!r} {0} {c}"),
        ("rien", "rien"),
    ],
)
def test_values_are_put_in_after_the_translation(translated: str, said: str) -> None:
    """In any order, once, by their name alone; a place that nobody knows stays."""
    assert Words(lambda _: translated)("{a} then {b}", a=1, b="{a}") == said


def test_english_is_what_is_written() -> None:
    """And an empty text is asked of nobody, for gettext would answer with a catalogue's header."""
    assert ENGLISH("{n} credits", n=3) == "3 credits"
    assert Words(lambda _: "Project-Id-Version: 1")("") == ""
