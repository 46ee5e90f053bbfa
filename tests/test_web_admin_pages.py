"""The operator's pages: what they say, whom they let change what, and that nothing on them comes from elsewhere."""

from __future__ import annotations

import re
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import pytest

from ai_addons.errors import ConfigError
from ai_addons.web import WebRequest, pages
from ai_addons.web.base import Context
from ai_addons.web.endpoints import admin_pages
from ai_addons.web.pages.admin import charts, filters
from ai_addons.web.pages.admin.changes import QUESTIONS, facts
from ai_addons.web.reports.answers import DayAnswer
from ai_addons.web.static import ADMIN_STYLE, TOKENS, asset
from tests.operator_month import ANSWER, DAY, NAMELESS, READER, SHOP, WRITER, Office, buy, open_office, trade

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_addons.web import WebResponse

CHANGE: Final = "ai/admin/pages/change/"
FORM: Final = "application/x-www-form-urlencoded"
HOSTILE: Final = '"><script>alert(1)</script>&#x27;'


class Reader(HTMLParser):
    """A page as tests look at it: its texts, its links, its forms."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(" ".join(data.split()))

    def all(self, tag: str, name: str) -> list[str]:
        """The values of an attribute of one kind of tag."""
        return [str(attrs[name]) for found, attrs in self.tags if found == tag and name in attrs]

    def hidden(self) -> dict[str, str]:
        """What a form sends by itself."""
        return {
            str(attrs["name"]): str(attrs["value"])
            for tag, attrs in self.tags
            if tag == "input" and attrs.get("type") == "hidden"
        }


@pytest.fixture
def office() -> Iterator[Office]:
    """An office after the month of trade."""
    opened = open_office()
    trade(opened)
    yield opened
    assert opened.addons.doctor().ok
    opened.close()


def read(response: WebResponse, status: int = 200) -> Reader:
    """A page."""
    assert (response.status, response.content_type) == (status, "text/html; charset=utf-8")
    return Reader(response.body.decode())


def send(office: Office, /, who: Any = WRITER, **form: str) -> WebResponse:
    """Send the form of a change."""
    return office.post(CHANGE, urlencode(form).encode(), who, kind=FORM)


# What they say.


def test_the_first_page_says_what_needs_somebody_and_how_things_go(office: Office) -> None:
    """The figures of the JSON answers, for people: units, thousands, per cent."""
    buy(office)
    office.clock.advance(3 * DAY)
    office.addons.sweep()
    page = read(office.get("ai/admin/"))
    said = " ".join(page.texts)
    for words in (
        "Read at 2026-09-29 14:13 UTC.",
        "Waiting: payments that do not fit their order (1).",
        "Revenue GHS 6.72",
        "Provider cost GHS 2.10 USD 0.1800",
        "Left GHS 4.49 after 1.95 % payment fee",
        "Margin 66.9 % of 16 calls",
        "Credit Risk Assessment 4 9 4.80 0.0936 1.98 2.73 56.8 % 0",
        "shop_b 1 3 0.00 0.00 0.5823 -0.5823 \u2013 0",
        "Credit Risk Assessment a model or rules 4 4 2 2.75 s 30 s 30 s",
        "AI Report Summary a stored answer 2 2 2 10 ms 10 ms 10 ms",
        "provider timeout 1 Credit Risk Assessment 1",
        "AI Report Summary 12 2 16.7 % 0.0233 0.0020",
        "successful 1 1 GHS 80.00",
        "fake mobile money quarantined paid 1",
        "amount GHS 30.00 GHS 20.00 2026-09-26 14:13 UTC",
        "GHS 11.646 for one US dollar, from static, as of 2026-09-29 (0 days ago): stale",
    ):
        assert words in said
    assert page.all("svg", "class") == ["pygal-chart"]


def test_an_office_where_nothing_happened_says_so() -> None:
    """No chart, no rows, and no error."""
    office = open_office(fx={"sources": ("tests.operator_month:leaping",)})
    office.addons.rates.refresh(force=True)
    page = read(office.get("ai/admin/"))
    said = " ".join(page.texts)
    for words in (
        "Nothing needs anybody now.",
        "No calls in these days.",
        "No orders in these days.",
        "None is pulled.",
    ):
        assert words in said
    assert page.all("svg", "class") == []
    assert "No errors in these days." in said
    office.close()


def test_the_heavy_pages_say_their_figures_on_request(office: Office) -> None:
    """KPIs with verdicts, margins by pack at two rates, the forecast; the books only when asked to check."""
    said = " ".join(read(office.get("ai/admin/pages/figures/")).texts)
    for words in (
        "Answers within 3 s, served by a provider 12 14 85.7 % 60.1 % to 96.0 % 95.0 % not enough data",
        "all trial all 1 3 0.00 0.00 0.5823 0.0500 -0.5823",
        "66.9 % 66.9 % 55.2 %",
        "2026-09: USD 0.1800 (GHS 2.10) so far; expected USD",
    ):
        assert words in said
    assert "Check all books now" in " ".join(read(office.get("ai/admin/pages/books/")).texts)
    assert "2 wallets: the books agree." in read(office.get("ai/admin/pages/books/", check="yes")).texts


def test_findings_of_the_doctor_are_shown(office: Office) -> None:
    """What should hold, and what is found."""
    database = office.addons._wiring.database

    def shift(by: int) -> None:
        database.write(
            lambda tx: tx.connection.execute(
                f"UPDATE business_ai_credits SET posted = posted + {by} WHERE business_id = 'shop_b'"  # noqa: S608
            )
        )

    shift(1)
    said = " ".join(read(office.get("ai/admin/pages/books/", check="yes")).texts)
    shift(-1)
    assert re.search(r"\d findings in 2 wallets; the first hundred are shown\.", said)
    assert "shop_b" in said


@pytest.mark.parametrize("path", ["ai/admin/", "ai/admin/pages/figures/", "ai/admin/pages/books/"])
def test_nothing_on_a_page_comes_from_elsewhere(office: Office, path: str) -> None:
    """No script, no address but ours, each link below the mount; headers that hold a browser to it."""
    buy(office)
    response = office.get(path, WRITER)
    page = read(response)
    assert [tag for tag, _ in page.tags if tag in {"script", "img", "iframe"}] == []
    assert page.all("link", "href") == [asset(name).url("/pos/") for name in (TOKENS, ADMIN_STYLE)]
    assert [name for _, attrs in page.tags for name in attrs if name.startswith("on")] == []
    assert set(re.findall(r"https?://[^\"'<> ]+", response.body.decode())) <= {"http://www.w3.org/2000/svg"}
    places = [*page.all("a", "href"), *page.all("form", "action")]
    assert [place for place in places if not place.startswith(("/pos/ai/admin/", "#content"))] == []
    assert response.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src")
    assert "unsafe-eval" not in response.headers["content-security-policy"]
    assert (response.headers["cache-control"], response.headers["x-content-type-options"]) == ("no-store", "nosniff")


@pytest.mark.parametrize("path", ["ai/admin/", "ai/admin/pages/figures/", "ai/admin/pages/books/", CHANGE])
def test_a_page_can_be_read_by_a_screen_reader(office: Office, path: str) -> None:
    """A language, one main heading, a name for each table, a label for each field, every id once."""
    buy(office)
    page = read(office.get(path, WRITER, **({"what": "pause"} if path == CHANGE else {})))
    assert page.all("html", "lang") == ["en-GH"]
    assert [tag for tag, _ in page.tags if tag in {"h1", "main"}] == ["main", "h1"]
    tables = [tag for tag, _ in page.tags if tag in {"table", "caption"}]
    assert tables == ["table", "caption"] * (len(tables) // 2)
    fields = [attrs for tag, attrs in page.tags if tag in {"input", "textarea"} and attrs.get("type") != "hidden"]
    assert {str(attrs["id"]) for attrs in fields} == set(page.all("label", "for"))
    ids = [str(attrs["id"]) for _, attrs in page.tags if attrs.get("id")]
    assert sorted(ids) == sorted(set(ids))


def luminance(colour: str) -> Decimal:
    """Relative luminance of a colour (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return Decimal(0.2126 * red + 0.7152 * green + 0.0722 * blue)


def test_the_bars_of_charts_stand_out() -> None:
    """At least 3 to 1 (WCAG 2.2, 1.4.11), in the light and in the dark; the colours of text are all pages' own."""
    grounds = re.findall(r"--ai-background: (#\w{6});", asset(TOKENS).body.decode())
    assert len(grounds) == 2
    for ground in grounds:
        for colour in charts.COLOURS:
            light, dark = sorted((luminance(colour), luminance(ground)), reverse=True)
            assert (light + Decimal("0.05")) / (dark + Decimal("0.05")) >= Decimal(3), colour


def test_hostile_names_are_text(office: Office) -> None:
    """Of businesses, features, operators and in questions: nothing of them is markup."""
    office.addons.grant(HOSTILE, "5", source="trial", ref="trial")
    office.call(HOSTILE, "credit_assessment", "1", ANSWER)
    office.addons.pause(business=HOSTILE, feature=HOSTILE, actor=HOSTILE)
    for page in (
        office.get("ai/admin/", WRITER),
        office.get("ai/admin/pages/figures/", WRITER),
        office.get(CHANGE, WRITER, what="resume", business=HOSTILE, feature=HOSTILE),
    ):
        assert page.status == 200
        assert b"<script" not in page.body
        assert b"alert(1)" in page.body


# Changes.


def test_who_may_only_read_sees_no_button(office: Office) -> None:
    """And is refused what he may not do; who may write finds a way to each change."""
    buy(office)
    office.addons.pause(feature="report_summary", actor="esi")
    assert [link for link in read(office.get("ai/admin/", READER)).all("a", "href") if CHANGE in link] == []
    links = [link for link in read(office.get("ai/admin/", WRITER)).all("a", "href") if CHANGE in link]
    assert [re.findall(r"what=(\w+)", link) for link in links] == [["resume"], ["release"], ["refunded"]]
    assert office.get(CHANGE, READER, what="pause").status == 403
    assert send(office, READER, what="pause", reason="x").status == 403
    assert office.get("ai/admin/", SHOP).status == 403
    assert [one.feature for one in office.addons.operating.switches()] == ["report_summary"]


@pytest.mark.parametrize("what", ["pause", "resume"])
def test_a_switch_is_turned_after_a_question(office: Office, what: str) -> None:
    """The question says what it means and sends back what was asked, with the token; then one is led back."""
    if what == "resume":
        office.addons.pause(feature="report_summary", actor="esi")
    question = read(office.get(CHANGE, WRITER, what=what, business="", feature="report_summary"))
    assert {"Business", "all", "Feature", "report_summary"} <= set(question.texts)
    sent = question.hidden()
    assert sent == {"csrfmiddlewaretoken": "t<k>n", "what": what, "feature": "report_summary"}
    done = send(office, **sent, reason=" prices ")
    assert (done.status, done.body, done.headers["location"]) == (303, b"", f"/pos/ai/admin/?done={what}")
    assert [one.feature for one in office.addons.operating.switches()] == (
        ["report_summary"] if what == "pause" else []
    )
    assert {(one.actor, one.action, one.detail.get("reason")) for one in office.addons.audit()} >= {
        ("kofi@pos.example", what, "prices")
    }
    assert {"pause": "Paid calls are paused.", "resume": "Paid calls go on, unless another switch holds."}[
        what
    ] in read(office.get("ai/admin/", WRITER, done=what)).texts


@pytest.mark.parametrize(("what", "posted"), [("release", "30"), ("refunded", "0")])
def test_a_payment_is_decided_after_a_question(office: Office, what: str, posted: str) -> None:
    """Accepted, its order is granted as it was made; deciding the same again changes nothing."""
    aside = buy(office)
    question = read(office.get(CHANGE, WRITER, what=what, business="shop_c", payment=aside))
    assert {"shop_c", "amount", "GHS 30.00", "GHS 20.00"} <= set(question.texts)
    for _ in range(2):
        assert send(office, **question.hidden(), reason="by phone").status == 303
    assert office.addons.orders.quarantined() == []
    assert office.addons.wallet("shop_c").posted.short == posted
    noted = [(one.actor, one.detail["reason"]) for one in office.addons.audit("shop_c")]
    assert noted == [("kofi@pos.example", "by phone")]


def test_a_decision_that_came_too_late_is_told_on_the_page(office: Office) -> None:
    """Somebody else was quicker: the question comes back with what is the matter; asked anew, it is not there."""
    aside = buy(office)
    office.addons.orders.mark_refunded("shop_c", aside, actor="esi", reason="sent back")
    late = send(office, what="release", business="shop_c", payment=aside, reason="by phone")
    assert {"shop_c", aside} <= set(read(late, 409).texts)
    assert "alert" in {str(attrs.get("role")) for tag, attrs in read(late, 409).tags if tag == "p"}
    assert office.get(CHANGE, WRITER, what="release", business="shop_c", payment=aside).status == 404


def test_a_rate_is_confirmed_after_a_question() -> None:
    """And the page that lists it no longer does."""
    office = open_office(fx={"sources": ("tests.operator_month:leaping",)})
    office.addons.rates.refresh(force=True)
    office.clock.advance(DAY)
    office.addons.rates.refresh(force=True)
    home = read(office.get("ai/admin/", WRITER))
    assert [link for link in home.all("a", "href") if "what=rate" in link] == [f"/pos/{CHANGE}?what=rate&rate=20.25"]
    question = read(office.get(CHANGE, WRITER, what="rate", rate="20.25"))
    assert "20.25" in question.texts
    assert send(office, **question.hidden(), reason="devaluation").status == 303
    assert "what=rate" not in office.get("ai/admin/", WRITER).body.decode()
    office.close()


@pytest.mark.parametrize(
    "form",
    [
        {"what": "pause"},
        {"what": "pause", "reason": "  "},
        {"what": "resume", "reason": "x" * 256},
        {"what": "pause", "reason": "a\0b"},
        {"what": "rate", "rate": "much", "reason": "x"},
    ],
)
def test_a_change_without_its_reason_is_asked_for_again(office: Office, form: dict[str, str]) -> None:
    """On the same page, with what is missing; nothing is changed."""
    again = read(send(office, **form), 422)
    assert admin_pages.NOT_SAID in again.texts
    assert again.hidden()["what"] == form["what"]
    assert office.addons.audit() == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"what=pause&what",
        b"what=sell&reason=x",
        b"reason=x",
        b"what=pause&reason=x&actor=kofi",
        b"what=pause&reason=x&business=" + b"x" * 256,
        b"\xff\xfe",
        b"&".join(b"f%d=1" % number for number in range(30)),
    ],
)
def test_what_is_no_form_of_ours_is_refused(office: Office, body: bytes) -> None:
    """Without saying what was sent."""
    answer = office.post(CHANGE, body, kind=FORM)
    assert (answer.status, b"This is not a form of ours." in answer.body) == (422, True)
    assert office.addons.audit() == []


def test_whoever_has_no_name_changes_nothing(office: Office) -> None:
    """The page says why."""
    page = read(send(office, NAMELESS, what="pause", reason="x"), 403)
    assert (
        "A change is kept with the name of who made it, and this sign-in has none. Nothing was changed. "
        "Sign in by name." in page.texts
    )
    assert office.addons.operating.switches() == ()


def test_a_page_without_a_token_sends_none(office: Office) -> None:
    """Where the host's login wants none."""
    asked = WebRequest(method="GET", path=CHANGE, query={"what": "pause"}, principal=WRITER)
    assert read(office.web.dispatch(asked)).hidden() == {"what": "pause"}


def test_a_question_past_the_door_is_a_mistake(office: Office) -> None:
    """Whoever calls the handler without its query is told."""
    (ask,) = [one for one in admin_pages.ENDPOINTS if one.name == "admin_page_ask"]
    context = Context(
        addons=office.addons,
        request=WebRequest(method="GET", path=CHANGE),
        principal=WRITER,
        params={},
        body=None,
        query=None,
        allows=lambda _action: True,
    )
    with pytest.raises(TypeError, match="asks about a change"):
        ask.handle(context)


# How figures are written.


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("money", Decimal("1234567.891"), "1,234,567.89"),
        ("money", Decimal("0.00499"), "0.0050"),
        ("money", Decimal("-0.5"), "-0.5000"),
        ("money", Decimal(0), "0.00"),
        ("money", Decimal("0.995"), "0.9950"),
        ("money", Decimal("2.675"), "2.68"),
        ("money", None, "\u2013"),
        ("share", Decimal("0.6685"), "66.9 %"),
        ("share", Decimal("-21.5"), "-2,150.0 %"),
        ("share", None, "\u2013"),
        ("number", 1_234_567, "1,234,567"),
        ("number", Decimal("11.400000"), "11.4"),
        ("number", Decimal("100.000"), "100"),
        ("number", 100, "100"),
        ("number", None, "\u2013"),
        ("took", 999, "999 ms"),
        ("took", 1_000, "1 s"),
        ("took", 2_750, "2.75 s"),
        ("took", 600_000, "600 s"),
        ("took", None, "\u2013"),
        ("when", datetime(2026, 9, 21, 13, 33, 20, tzinfo=UTC), "2026-09-21 13:33 UTC"),
        ("when", None, "\u2013"),
        ("words", "provider_timeout", "provider timeout"),
    ],
)
def test_figures_are_written_for_people(name: str, value: object, text: str) -> None:
    """Two places, four below one; thousands apart; half up; a dash for what nobody knows."""
    assert filters.FILTERS[name](value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (Decimal("0.5"), "share", "50.0 %"),
        (None, "share", "\u2013"),
        (Decimal(60), "GHS", "60.00 GHS"),
        (None, "GHS", "\u2013"),
    ],
)
def test_a_kpi_is_written_in_its_unit(value: Decimal | None, unit: str, text: str) -> None:
    """A share in per cent; money with its currency."""
    assert filters.figure(value, unit) == text


def test_empty_facts_are_left_out_of_a_question() -> None:
    """And every change has its question."""
    assert facts(does_not_fit="amount", came="") == (("Does not fit", "amount"),)
    assert {*QUESTIONS} == {"pause", "resume", "release", "refunded", "rate"}


def days(several: int) -> list[DayAnswer]:
    """Days of trade."""
    return [
        DayAnswer(day=date(2026, 9, day), calls=1, revenue_ghs=Decimal(day), cost_ghs=Decimal(1), cost_usd=Decimal(1))
        for day in range(1, several + 1)
    ]


def test_a_chart_is_plain_svg_and_always_the_same() -> None:
    """No script, no comment, no chance; a single day is no chart."""
    drawn = charts.earned(days(30))
    assert drawn == charts.earned(days(30))
    assert drawn.startswith('<svg xmlns="http://www.w3.org/2000/svg" id="chart-earned"')
    assert re.findall(r"<script|<!--|https?://(?!www\.w3\.org/2000/svg)", drawn) == []
    assert (charts.earned(days(1)), charts.earned([])) == ("", "")


@pytest.mark.parametrize("package", ["jinja2", "pygal"])
def test_without_the_extra_a_page_says_what_to_install(
    office: Office, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    """Pages need packages that an API alone does not."""
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigError, match=rf"Pages need the package {package}\. .* pip install 'ai-addons\[web\]'"):
        pages.library(package)
