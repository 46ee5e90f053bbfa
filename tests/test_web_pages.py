"""The pages that only show something: what stands on them, for whom, and what never does."""

from __future__ import annotations

import itertools
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from ai_addons import Prompt, billed_feature
from ai_addons.billing.profile import BusinessProfile
from ai_addons.catalog import BUILT_IN, declared
from ai_addons.errors import (
    AddOnsError,
    ConfigError,
    GatewayError,
    InsufficientCreditsError,
    ProviderTimeout,
    StoreUnavailable,
)
from ai_addons.money import Credits, Money
from ai_addons.web import WebRequest, pages
from ai_addons.web.pages import CSP
from ai_addons.web.problems import PROBLEM
from tests.ui_shop import HOSTILE, ROOT, SHOP, Page, Shop

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGES = ["", "prices/", "usage/", "grants/", "orders/", "ledger/", "addon/", "buy/", "buy/pay/?item=VALUE"]


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A new shop on the prepaid policy."""
    made = Shop()
    yield made
    made.close()


@pytest.fixture(scope="module")
def busy() -> Iterator[Shop]:
    """A shop on the hybrid policy, with a hostile name, that has bought, used and kept credits of every kind."""
    made = Shop(policy="hybrid", profile=BusinessProfile(name=HOSTILE, email="ama@shop.example", tz="Africa/Lagos"))
    made.addons.subscriptions.subscribe(SHOP, paid=True)
    made.addons.grant(SHOP, "12345.5", source="purchase", ref="p", paid=Money("9876.54"))
    made.addons.grant(SHOP, 3, source="promo", ref="x", features=["report_summary"])
    made.addons.billing.charge_credits(SHOP, "u_1", "report_summary", "0.0123")
    made.clock.advance(86_400)
    made.addons.billing.charge_credits(SHOP, "u_1", "credit_assessment", "0.4567")
    yield made
    made.close()


def test_a_business_never_seen_is_shown_what_ai_can_do_and_offered_the_trial(shop: Shop) -> None:
    """Zeros, all eight features with their prices, and a button for five free credits; one press gives them."""
    page = shop.see()
    assert page.title == "Your AI credits · AI credits"
    assert "AI can write product descriptions" in page.words
    assert [listing.name for listing in BUILT_IN.values() if listing.name not in page.words] == []
    assert "Generate compelling product descriptions 0.1 about 0" in page.words
    shop.press("Start with 5 free credits")
    page = shop.see()
    assert "5 credits" in page.words
    assert "free credits" not in [form["button"] for form in page.forms]
    assert "about 50" in page.words
    assert "AI can write" not in page.words


def test_a_trial_that_was_had_elsewhere_is_refused_on_a_page(shop: Shop) -> None:
    """The owner of another business with the same phone gets none, and a way on."""
    shop.addons.claim_trial("biz_8", phone="0244000001")
    shop.see()
    page = shop.press("Start with 5 free credits", status=409)
    assert page.headings[0] == ("h1", "Trial claimed")
    assert page.links["Your AI credits"] == f"{ROOT}ai/ui/"


def test_the_balance_page_counts_everything(busy: Shop) -> None:
    """Available, on hold, received, used; thousands apart."""
    page = busy.see()
    wallet = busy.addons.wallet(SHOP)
    assert wallet.available.short == "12450.3"
    assert [text for tag, text in page.headings if tag == "h2"][:4] == ["Available", "On hold", "Received", "Used"]
    assert "12,450.3" in page.words
    assert "3.2" in page.words


def test_credits_that_expire_soon_are_named(shop: Shop) -> None:
    """Those within a week, with the day; not those of later."""
    now = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=shop.clock.now())
    shop.addons.grant(SHOP, 4, source="promo", ref="soon", expires_at=now + timedelta(days=6))
    shop.addons.grant(SHOP, 9, source="promo", ref="late", expires_at=now + timedelta(days=8))
    words = shop.see().words
    assert "Expiring within a week 4 credits (Promotion), on 27 Sep 2026" in words
    assert "9 credits (Promotion)" not in words


def test_a_suspended_business_is_told_and_keeps_its_credits(shop: Shop) -> None:
    """In plain words, without the operator's reason."""
    shop.addons.grant(SHOP, 4, source="promo", ref="x")
    shop.addons.set_status(SHOP, "suspended", actor="kofi", reason="secret reason")
    words = shop.see().words
    assert "AI is switched off for this business at the moment." in words
    assert "secret reason" not in words


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_whole_named_and_safe(busy: Shop, path: str) -> None:
    """Headers, language, landmarks, headings in order, a label for each field, the token in each form."""
    response = busy.ask(f"ai/ui/{path}")
    assert response.status == 200
    assert response.content_type == "text/html; charset=utf-8"
    assert response.headers["content-security-policy"] == CSP
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    page = Page(response)
    tags = [tag for tag, _ in page.tags]
    assert page.tags[0] == ("html", {"lang": "en-GH"})
    assert (tags.count("main"), tags.count("header"), tags.count("h1")) == (1, 1, 1)
    assert "script>alert" not in page.html
    assert HOSTILE in page.text
    levels = [int(tag[1]) for tag, _ in page.headings]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    fields = [a for t, a in page.tags if t in {"input", "select"} and a.get("type") != "hidden"]
    assert {str(field["id"]) for field in fields} <= page.labelled
    assert all("csrfmiddlewaretoken" in form["fields"] for form in page.forms if form["method"] == "post")
    assert not any(name.startswith("on") or name == "style" for tag, attrs in page.tags if tag != "g" for name in attrs)


@pytest.mark.parametrize("path", PAGES)
def test_no_page_shows_what_calls_cost_the_operator(busy: Shop, path: str) -> None:
    """Neither the provider's cost, its rate nor a margin, nor what a grant earned."""
    text = busy.see(path).html
    for hidden in ("0.0123", "0.4567", "0.143", "11.646", "5.318", "9876.54", "9,876.54", "margin", "USD", "gpt"):
        assert hidden not in text


@pytest.mark.parametrize("path", PAGES)
def test_nothing_of_another_business_is_on_a_page(busy: Shop, path: str) -> None:
    """Another business sees its own, which is nothing."""
    html = busy.see(path, business="biz_8").html
    assert "12,3" not in html
    assert "Sons" not in html
    assert "Promotion" not in html


def test_usage_is_told_by_feature_and_day(busy: Shop) -> None:
    """Numbers in tables, and the same as bars, with a text for those who see none."""
    page = busy.see("usage/?days=7")
    assert "21 Sep" in page.words
    assert "Credits used 3.2" in page.words
    assert "Uses 2" in page.words
    assert "100 %" in page.words
    rows = page.words[page.words.index("Credits used a day Day") :]
    assert rows.startswith(
        "Credits used a day Day Credit Risk Assessment AI Report Summary All 21 Sep 0 0.2 0.2 22 Sep 3 0 3"
    )
    assert page.html.count("<svg") == 1
    chart = next(attrs for tag, attrs in page.tags if attrs.get("role") == "img")
    assert chart["aria-label"] == "Bars of the credits used a day. The table below has the same numbers."


@pytest.mark.parametrize(("days", "unit"), [(31, "day"), (90, "week"), (365, "month")])
def test_a_longer_time_has_wider_columns(busy: Shop, days: int, unit: str) -> None:
    """Days, weeks or months, so that a small screen shows them all."""
    assert f"Credits used a {unit}, by feature" in busy.see(f"usage/?days={days}").words


@pytest.mark.parametrize("query", ["days=0", "days=367", "days=x", "weeks=2"])
def test_a_wrong_period_is_a_page_with_a_way_on(shop: Shop, query: str) -> None:
    """422, what is wrong, never what was sent."""
    page = shop.see(f"usage/?{query}&days2={'7' * 5}", status=422)
    assert page.headings == [("h1", "Validation error")]
    assert "77777" not in page.html
    assert page.links["Your AI credits"] == f"{ROOT}ai/ui/"


def test_an_empty_period_says_so(shop: Shop) -> None:
    """No chart, and a sentence."""
    page = shop.see("usage/")
    assert "Nothing was used in this time." in page.words
    assert "<svg" not in page.html


def test_grants_are_shown_in_their_order_with_their_end(busy: Shop) -> None:
    """Kind, left, when they expire in the shop's zone, which features they are for, and how much is carried over."""
    words = busy.see("grants/").words
    for told in (
        "Monthly add-on 100",
        "Paid 12,345.5 12,345.5 0 never",
        "PromotionOnly for AI Report Summary 3 3 0 never",
        "at most 50 unused ones are carried over",
        "(Africa/Lagos)",
    ):
        assert told in words


def test_a_statement_adds_up_and_turns_its_pages(shop: Shop) -> None:
    """A month at a time, fifty lines a page, the newest first, with a link to all of it as CSV."""
    shop.addons.grant(SHOP, 100, source="purchase", ref="p")
    for _ in range(51):
        shop.clock.advance(1)
        shop.addons.billing.charge_credits(SHOP, "u_1", "product_description", "0.001")
    page = shop.see("ledger/")
    assert "Sep 2026" in page.words
    assert "Balance at the start 0.00 Received 1 +100.00 Used 51 -5.10 Balance at the end 94.90" in page.words
    assert "page 1 of 2" in page.words
    assert page.words.count("Used: Product Description Generator") == 50
    assert page.links["All bookings as CSV"] == f"{ROOT}ai/ledger/?format=csv"
    older = shop.see(page.links["Older"].removeprefix(f"{ROOT}ai/ui/"))
    assert "Received: Paid" in older.words
    assert older.words.count("Used: Product") == 1
    assert "Newer" in older.links
    before = shop.see(page.links["Earlier month"].removeprefix(f"{ROOT}ai/ui/"))
    assert "Aug 2026" in before.words
    assert "Nothing was booked in this month." in before.words
    assert before.links["Later month"] == f"{ROOT}ai/ui/ledger/?month=2026-09"
    assert "Later month" not in page.links
    shop.see("ledger/?page=3", status=404)
    shop.see("ledger/?month=2026-13", status=422)
    # Digits too, but of no date (Arabic-Indic ones).
    shop.see("ledger/?month=20%D9%A2%D9%A6-10", status=422)


def test_a_statement_tells_of_corrections_without_their_references(shop: Shop) -> None:
    """What an operator took is said, not how it was named."""
    shop.addons.grant(SHOP, 100, source="adjustment", ref="op-secret-1")
    shop.addons.adjust(SHOP, -1, ref="op-secret-2", actor="kofi", reason="mistake")
    page = shop.see("ledger/")
    assert "Taken by the operator -1.00 99.00" in page.words
    assert "Received: Correction" in page.words
    assert "op-secret" not in page.html


@pytest.mark.parametrize(
    ("denied", "gone"),
    [
        ("usage:read", {"Usage", "Statement"}),
        ("credits:purchase", {"Buy credits"}),
        ("addon:manage", {"Add-on"}),
    ],
)
def test_what_somebody_may_not_do_is_not_offered(denied: str, gone: set[str]) -> None:
    """Its link is not there, its page answers 403 as a page, and no button leads there."""
    shop = Shop(policy="hybrid", denied=frozenset({denied}))
    page = shop.see()
    assert gone.isdisjoint(page.links)
    path = {"usage:read": "usage/", "credits:purchase": "buy/", "addon:manage": "addon/"}[denied]
    assert shop.see(path, status=403).headings == [("h1", "Forbidden")]
    shop.close()


def test_a_reader_of_usage_alone_sees_no_balance() -> None:
    """Neither the badge nor a waiting payment."""
    shop = Shop(denied=frozenset({"credits:read"}))
    shop.addons.orders.start(SHOP, "VALUE")
    page = shop.see("usage/")
    assert "ai-credits-badge" not in page.html
    assert "A payment is waiting" not in page.words
    assert list(page.links)[:3] == ["Skip to the content", "Buy credits", "Usage"]
    shop.close()


def test_nobody_is_shown_a_page_and_told_to_sign_in(shop: Shop) -> None:
    """401 as a page."""
    page = shop.see(status=401, business=None)
    assert page.links["Go to the start page and sign in"] == ROOT


def test_an_unknown_method_is_a_page_that_names_the_others(shop: Shop) -> None:
    """405 with the header that the problem has."""
    response = shop.ask("ai/ui/trial/")
    assert (response.status, response.headers["allow"]) == (405, "POST")
    assert response.content_type.startswith("text/html")


def test_a_problem_of_the_api_stays_a_problem(shop: Shop) -> None:
    """Only pages answer with pages."""
    response = shop.ask("ai/credits/", business=None)
    assert (response.status, response.content_type) == (401, PROBLEM)
    assert shop.ask("ai/nothing/").content_type == PROBLEM


def test_short_credits_lead_to_the_shop_and_what_may_work_later_can_be_tried_again(shop: Shop) -> None:
    """The two ways on that only some errors have."""
    request = WebRequest(method="GET", path="ai/ui/", root=ROOT)
    short = InsufficientCreditsError(required=Credits(3), available=Credits(1), offers=())
    assert Page(shop.web.problem(short, request)).links["Buy credits"] == f"{ROOT}ai/ui/buy/"
    assert Page(shop.web.problem(StoreUnavailable(), request)).links["Try again"] == f"{ROOT}ai/ui/"


@pytest.mark.parametrize("error", [StoreUnavailable, GatewayError, ProviderTimeout])
def test_what_others_say_never_reaches_a_page(shop: Shop, error: type[AddOnsError]) -> None:
    """A database, a gateway and a provider are told of in the words of our own that clients get too."""
    request = WebRequest(method="GET", path="ai/ui/", root=ROOT)
    page = Page(shop.web.problem(error("connection to 10.0.0.7 failed: password of ama"), request))
    assert "10.0.0.7" not in page.html
    assert "ama" not in page.words
    assert "Nothing was " in page.words


@pytest.mark.parametrize("missing", ["jinja2", "pygal"])
def test_without_the_extra_the_operator_hears_what_to_install(
    busy: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, missing: str
) -> None:
    """The command is in the log, and the shop hears that there is no page now; without Jinja2 as a problem."""
    pages._templates.cache_clear()
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ConfigError, match=f"Pages need the package {missing}. Nothing was charged. Run: pip install"):
        pages.library(missing)
    response = busy.ask("ai/ui/usage/")
    assert response.status == 503
    assert f"Pages need the package {missing}. Nothing was charged. Run: pip install" in caplog.text
    assert b"pip install" not in response.body
    assert (response.content_type == PROBLEM) == (missing == "jinja2")
    pages._templates.cache_clear()


def test_drawing_a_chart_leaves_no_import_hook_behind(busy: Shop) -> None:
    """Pygal's own would warn at every later import of the process."""
    busy.see("usage/")
    assert [finder for finder in sys.meta_path if not hasattr(finder, "find_spec")] == []


def test_a_features_name_is_text_in_the_chart_too(shop: Shop) -> None:
    """A host's own feature with a hostile name, used once."""
    with declared.isolated():

        @billed_feature("ui_hostile", credits="2", name=HOSTILE)
        def hostile() -> Prompt[str]:
            """A feature."""
            return Prompt[str](user="x")

        assert hostile.spec.name == HOSTILE
        shop.addons.grant(SHOP, 9, source="promo", ref="x")
        shop.addons.billing.charge_credits(SHOP, "u_1", "ui_hostile", "0.01")
        page = shop.see("usage/")
        assert HOSTILE in page.text
        assert "script>alert" not in page.html
        assert "script>alert" not in shop.see("prices/").html
