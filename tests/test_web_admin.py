"""The operator's endpoints: who may ask, every figure of a small month, every change with its reason."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal

import pytest

from ai_addons.billing.orders import Quarantined
from ai_addons.money import MicroGhs, Money
from ai_addons.web import Principal, WebRequest
from ai_addons.web.base import Context
from ai_addons.web.endpoints import ENDPOINTS, admin
from ai_addons.web.errors import ValidationFailed
from ai_addons.web.pages import HTML
from ai_addons.web.reports import figures
from ai_addons.web.reports.answers import RateAnswer, SpendingAnswer
from tests.operator_month import DAY, NAMELESS, SHOP, STRANGER, WRITER, Office, buy, open_office, trade

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_addons.web import WebResponse
    from ai_addons.web.base import Endpoint

READS: Final = tuple(one for one in ENDPOINTS if one.action == "admin:read")
WRITES: Final = tuple(one for one in ENDPOINTS if one.action == "admin:write" and one.method == "POST")
# The OpenAPI document names what operators get, and holds no figure.
TENANTS: Final = tuple(
    one for one in ENDPOINTS if one.action not in {"admin:read", "admin:write"} and one.name != "openapi"
)


@pytest.fixture
def office() -> Iterator[Office]:
    """An office after the month of trade and its orders."""
    opened = open_office()
    trade(opened)
    yield opened
    assert opened.addons.doctor().ok
    opened.close()


@pytest.fixture(scope="module")
def month() -> Iterator[Office]:
    """The same with its orders, to be looked at only."""
    opened = open_office()
    trade(opened)
    buy(opened)
    yield opened
    opened.close()


def told(response: WebResponse) -> Any:
    """A good answer's JSON."""
    assert (response.status, response.content_type) == (200, "application/json"), response.body
    return json.loads(response.body)


def problem(response: WebResponse) -> tuple[int, str]:
    """A refusal's status and code."""
    return response.status, json.loads(response.body)["code"]


def send(office: Office, path: str, who: Any = WRITER, **body: object) -> WebResponse:
    """Send JSON."""
    return office.post(f"ai/admin/{path}/", json.dumps(body).encode(), who)


# Who may ask.


@pytest.mark.parametrize("endpoint", [*READS, *WRITES], ids=lambda one: one.name)
@pytest.mark.parametrize(
    ("principal", "refusal"),
    [
        (None, (401, "unauthenticated")),
        (SHOP, (403, "forbidden")),
        (STRANGER, (403, "forbidden")),
        (Principal(business_id="shop_a", roles=frozenset({"write"})), (403, "forbidden")),
        (Principal(business_id="", roles=frozenset({"read"})), (403, "forbidden")),
    ],
    ids=["nobody", "shop", "stranger", "writer", "reader"],
)
def test_only_operators_get_in(
    month: Office, endpoint: Endpoint, principal: Principal | None, refusal: tuple[int, str]
) -> None:
    """Nobody signed in, shops and strangers get nothing; who may only read changes nothing, and the other way round."""
    if principal is not None and endpoint.action == f"admin:{next(iter(principal.roles), '')}":
        return
    path = re.sub(r"\{\w+\}", "shop_c", endpoint.path)
    answer = month.get(path, principal) if endpoint.method == "GET" else month.post(path, b"{}", principal)
    if endpoint.page:
        # What went wrong on a page is a page.
        assert (answer.status, answer.content_type) == (refusal[0], HTML)
        assert f"<h1>{refusal[1].capitalize()}</h1>".encode() in answer.body
    else:
        assert problem(answer) == refusal
        assert set(json.loads(answer.body)) == {"type", "title", "status", "code", "detail"}


_SECRET_KEYS: Final = re.compile(
    r"margin|revenue|profit|provider|saved|total_cost|cost_(ghs|usd)|left_ghs|fee_ghs|unpriced"
)
# What the month cost, in all and by feature, in cedis and dollars, and what it left.
_SECRET_FIGURES: Final = ("2.09628", "1.97982", "0.11646", "0.5823", "4.49268", "2.72658", "1.7661", "0.669")


def keys(value: Any) -> Iterator[str]:
    """Every name in some JSON."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner)


@pytest.mark.parametrize("endpoint", [one for one in TENANTS if one.method == "GET"], ids=lambda one: one.name)
def test_no_answer_to_a_shop_holds_cost_or_margin(month: Office, endpoint: Endpoint) -> None:
    """Neither by name nor by figure, in whatever the shop may ask for."""
    answer = month.get(re.sub(r"\{\w+\}", "unknown", endpoint.path), SHOP)
    text = answer.body.decode(errors="replace")
    assert [figure for figure in _SECRET_FIGURES if figure in text] == []
    if answer.content_type.endswith("json"):
        assert [name for name in keys(json.loads(text)) if _SECRET_KEYS.search(name)] == []


def test_the_scan_for_cost_and_margin_sees_them(month: Office) -> None:
    """What the operator gets would be found: the test above can fail."""
    text = month.get("ai/admin/overview/").body.decode()
    assert [figure for figure in _SECRET_FIGURES if figure in text] == list(_SECRET_FIGURES)
    assert {"margin", "revenue_ghs", "cost_usd", "left_ghs"} <= {
        name for name in keys(json.loads(text)) if _SECRET_KEYS.search(name)
    }


# Figures.


def line(key: str, name: str, calls: int, *amounts: str | None, unpriced: int = 0) -> dict[str, Any]:
    """A line of a margin table."""
    columns = ("credits", "revenue_ghs", "fee_ghs", "cost_ghs", "left_ghs", "margin")
    return {"key": key, "name": name, "calls": calls, **dict(zip(columns, amounts, strict=True)), "unpriced": unpriced}


LOSER: Final = line("shop_b", "shop_b", 1, "3.000000", "0.000000", "0.000000", "0.582300", "-0.582300", None)


def test_the_overview_says_what_came_and_went(month: Office) -> None:
    """12 x 0.2 and 2 x 3 credits at 0.80; 1.95 % fee; USD 0.18 at 11.646; two users; every figure worked by hand."""
    assert told(month.get("ai/admin/overview/")) == {
        "days": 30,
        "fee_rate": "0.0195",
        "total": line("", "", 16, "11.400000", "6.720000", "0.131040", "2.096280", "4.492680", "0.669"),
        "cost_usd": "0.180000000000",
        "features": [
            line(
                "credit_assessment",
                "Credit Risk Assessment",
                4,
                *("9.000000", "4.800000", "0.093600", "1.979820", "2.726580", "0.568"),
            ),
            line(
                "report_summary",
                "AI Report Summary",
                12,
                *("2.400000", "1.920000", "0.037440", "0.116460", "1.766100", "0.920"),
            ),
        ],
        "ai_users": 2,
        "revenue_per_ai_user_ghs": "3.36",
        "by_day": [
            {
                "day": f"2026-09-{day}",
                "calls": calls,
                "revenue_ghs": revenue,
                "cost_ghs": ghs,
                "cost_usd": usd,
            }
            for day, calls, revenue, ghs, usd in (
                (21, 12, "1.920000", "0.116460", "0.010000000000"),
                (24, 3, "4.800000", "1.397520", "0.120000000000"),
                (26, 1, "0.000000", "0.582300", "0.050000000000"),
            )
        ],
    }


@pytest.mark.parametrize(("days", "calls", "users", "each"), [(1, 1, 1, "0.00"), (3, 4, 2, "2.40"), (6, 16, 2, "3.36")])
def test_the_days_asked_for_end_with_today(month: Office, days: int, calls: int, users: int, each: str) -> None:
    """Six days hold all of it."""
    found = told(month.get("ai/admin/overview/", days=str(days)))
    assert (found["total"]["calls"], found["ai_users"], found["revenue_per_ai_user_ghs"]) == (calls, users, each)


@pytest.mark.parametrize("name", ["overview", "losers", "calls", "payments", "margins", "kpis"])
@pytest.mark.parametrize("days", ["0", "367", "x", "1.5", ""])
def test_other_numbers_of_days_are_refused(month: Office, name: str, days: str) -> None:
    """With what is wrong, and without what was sent."""
    answer = month.get(f"ai/admin/{name}/", days=days)
    assert problem(answer) == (422, ValidationFailed.code)
    assert json.loads(answer.body)["errors"][0]["loc"] == ["query", "days"]


def test_the_losers_are_named(month: Office) -> None:
    """The shop that used its trial alone; no feature lost anything."""
    assert told(month.get("ai/admin/losers/")) == {"days": 30, "features": [], "businesses": [LOSER]}
    found = told(month.get("ai/admin/losers/", days="1"))
    assert [one["key"] for one in (*found["features"], *found["businesses"])] == ["credit_assessment", "shop_b"]


def times(feature: str, calls: int, in_3_s: int, *percentiles: int, cached: bool = False) -> dict[str, Any]:
    """A line of the table of times."""
    p50, p95, p99 = percentiles
    both = {"calls": calls, "timed": calls, "in_3_s": in_3_s}
    return {"feature": feature, "cached": cached, **both, "p50_ms": p50, "p95_ms": p95, "p99_ms": p99}


def test_calls_are_told_by_time_and_error_with_what_the_cache_saved(office: Office) -> None:
    """2,600 ms lie under 2,750 and 3,400 under 3,500; two hits saved USD 0.001 each, at 11.646 for a dollar."""
    missing = told(office.get("ai/admin/calls/"))
    assert (missing["missing_days"], missing["errors"]) == (4, [])
    office.clock.advance(2 * DAY)
    office.addons.sweep()
    saved = {"cacheable": 12, "hits": 2, "hit_rate": "0.167", "saved_usd": "0.002000000000", "saved_ghs": "0.023292"}
    none = {"cacheable": 0, "hits": 0, "hit_rate": None, "saved_usd": "0.000000000000", "saved_ghs": "0.000000"}
    assert told(office.get("ai/admin/calls/")) == {
        "days": 30,
        "missing_days": 0,
        "latency": [
            times("", 14, 12, 400, 30_000, 30_000),
            times("", 2, 2, 10, 10, 10, cached=True),
            times("credit_assessment", 4, 2, 2_750, 30_000, 30_000),
            times("report_summary", 10, 10, 400, 400, 400),
            times("report_summary", 2, 2, 10, 10, 10, cached=True),
        ],
        "errors": [{"error": "provider_timeout", "calls": 1, "features": {"credit_assessment": 1}}],
        "cache": [
            {"feature": "", **saved},
            {"feature": "credit_assessment", **none},
            {"feature": "report_summary", **saved},
        ],
    }


def test_payments_are_told_by_state(month: Office) -> None:
    """One paid, one open, one aside with GHS 20 in the place of 30."""
    found = told(month.get("ai/admin/payments/"))
    assert [(one["state"], one["orders"], one["businesses"], one["amount"]) for one in found["orders"]] == [
        ("pending", 1, 1, "30.00"),
        ("quarantined", 1, 1, "30.00"),
        ("successful", 1, 1, "80.00"),
    ]
    assert found["attempts"] == [
        {"gateway": "fake", "method": "mobile_money", "state": state, "outcome": outcome, "tries": 1}
        for state, outcome in (("open", "pending"), ("paid", "paid"), ("quarantined", "paid"))
    ]
    (aside,) = found["quarantine"]
    assert {name: aside[name] for name in ("business", "reason", "expected", "currency", "paid", "paid_currency")} == {
        "business": "shop_c",
        "reason": "amount",
        "expected": "30.00",
        "currency": "GHS",
        "paid": "20.00",
        "paid_currency": "GHS",
    }
    assert found["money_back"] == []


def test_money_on_its_way_back_is_told(office: Office) -> None:
    """A refund of GHS 8 and a dispute of GHS 72, in the states they are in."""
    orders = office.addons.orders
    payment = orders.start("shop_a", "VALUE", email="owner@shop.example", phone="0244000000", network="mtn")
    office.gateway.pay(payment.attempt.reference)
    orders.verify("shop_a", payment.attempt.reference)
    orders.refund("shop_a", payment.order.id, "8", key="r-1", actor="esi", reason="one day down")
    office.gateway.open_dispute(payment.attempt.reference)
    orders.reconcile()
    found = told(office.get("ai/admin/payments/"))["money_back"]
    assert [(one["what"], one["several"], one["amount"], one["currency"]) for one in found] == [
        ("dispute", 1, "80.00", "GHS"),
        ("refund", 1, "8.00", "GHS"),
    ]


def test_the_status_says_what_needs_somebody(office: Office) -> None:
    """Half an hour later the open attempt waits too; a rate that was set by hand calls nobody."""
    before = told(office.get("ai/admin/status/"))
    assert before["alerts"] == []
    assert before["at"] == "2026-09-26T14:13:21Z"
    buy(office)
    office.clock.advance(1_801)
    office.addons.pause(feature="credit_assessment", actor="esi@pos.example", reason="prices")
    after = told(office.get("ai/admin/status/"))
    assert after["alerts"] == [
        "Paused: credit_assessment of all businesses.",
        "Waiting: payments that nobody ended for half an hour (1).",
        "Waiting: payments that do not fit their order (1).",
    ]
    assert after["switches"] == [
        {"business": None, "feature": "credit_assessment", "actor": "esi@pos.example", "at": after["at"]}
    ]
    assert {one["what"]: one["several"] for one in after["backlog"]} == {
        "payments": 1,
        "inbox": 0,
        "quarantine": 1,
        "outbox": 0,
        "holds": 0,
    }
    assert after["rate"] == {
        "ghs_per_usd": "11.646",
        "as_of": "2026-09-29",
        "source": "static",
        "age_days": 0,
        "state": "stale",
        "sources": ["static"],
        "waiting": [],
    }


def test_cost_stands_beside_the_budget(office: Office) -> None:
    """Real calls count: 100 tokens in and 50 out of the small model, at most what it may answer while in progress."""
    found = told(office.get("ai/admin/status/"))["spending"]
    assert [(one["window"], one["starts_at"], one["budget_usd"], one["share"]) for one in found] == [
        ("day", "2026-09-26T00:00:00Z", None, None),
        ("month", "2026-09-01T00:00:00Z", "50.000000000000", "0.000"),
    ]


def test_the_heavy_figures_are_there_on_request(month: Office) -> None:
    """Margins by the grants that paid, KPIs with verdicts, the forecast, the doctor's word."""
    margins = told(month.get("ai/admin/margins/"))
    assert [(one["pack"], one["revenue_ghs"], one["cost_usd"], one["left_ghs"]) for one in margins["packs"]] == [
        ("", "0.000000", "0.020000000000", "-0.232920"),
        ("purchase", "6.720000", "0.110000000000", "5.307900"),
        ("trial", "0.000000", "0.050000000000", "-0.582300"),
    ]
    assert margins["total"]["margin_at"] == {"11.646": "0.669", "16.00": "0.552"}
    assert [one["business"] for one in margins["losers"]] == ["shop_b", "shop_a"]
    assert [(one["source"], one["calls"]) for one in margins["fx"]] == [("static", 16)]
    kpis = told(month.get("ai/admin/kpis/"))["kpis"]
    answered = next(one for one in kpis if (one["key"], one["part"]) == ("response", "provider"))
    assert (answered["numerator"], answered["denominator"], answered["verdict"]) == ("12", "14", "not enough data")
    assert (answered["p50_ms"], answered["low"]) == (400, "0.600586")
    forecast = told(month.get("ai/admin/forecast/"))
    assert (forecast["month"], forecast["spent_usd"], forecast["low_usd"]) == ("2026-09", "0.180000000000", None)
    assert told(month.get("ai/admin/doctor/")) == {"ok": True, "wallets": 3, "several": 0, "findings": []}


def test_the_doctors_findings_are_told(month: Office) -> None:
    """A balance changed behind the books' back, and put right again."""
    database = month.addons._wiring.database

    def shift(tx: Any) -> None:
        tx.connection.execute("UPDATE business_ai_credits SET posted = posted + 1 WHERE business_id = 'shop_b'")

    def back(tx: Any) -> None:
        tx.connection.execute("UPDATE business_ai_credits SET posted = posted - 1 WHERE business_id = 'shop_b'")

    database.write(shift)
    try:
        found = told(month.get("ai/admin/doctor/"))
    finally:
        database.write(back)
    assert not found["ok"]
    assert found["several"] == len(found["findings"]) > 0
    assert {one["business"] for one in found["findings"]} == {"shop_b"}


# Changes.


def audited(office: Office, business: str = "") -> list[tuple[str, str, object]]:
    """Who did what and why."""
    return [(one.actor, one.action, one.detail.get("reason")) for one in office.addons.audit(business)]


@pytest.mark.parametrize(
    ("body", "business"),
    [
        ({}, ""),
        ({"feature": "report_summary"}, ""),
        ({"business": "shop_a"}, "shop_a"),
        ({"business": "shop_a", "feature": "report_summary"}, "shop_a"),
    ],
)
def test_calls_are_paused_and_resumed_with_a_reason(office: Office, body: dict[str, str], business: str) -> None:
    """By business, feature, both or all; the second time says that it stood so already."""
    answers = [told(send(office, path, **body, reason="prices")) for path in ("pause", "pause", "resume", "resume")]
    assert [one["changed"] for one in answers] == [True, False, True, False]
    assert sorted(audited(office, business)) == [
        ("kofi@pos.example", "pause", "prices"),
        ("kofi@pos.example", "pause", "prices"),
        ("kofi@pos.example", "resume", "prices"),
    ]
    assert office.addons.operating.switches() == ()


def test_a_payment_that_does_not_fit_is_accepted_or_noted_as_sent_back(office: Office) -> None:
    """Each once: then the other is a conflict, and another's name for it is unknown."""
    aside = buy(office)
    assert told(send(office, f"quarantine/shop_c/{aside}/release", reason="agreed by phone")) == {"changed": True}
    assert audited(office, "shop_c")[-1] == ("kofi@pos.example", "payment_released", "agreed by phone")
    assert problem(send(office, f"quarantine/shop_c/{aside}/refunded", reason="x")) == (409, "payment")


def test_a_payment_is_noted_as_sent_back(office: Office) -> None:
    """Nothing is granted for it."""
    aside = buy(office)
    assert told(send(office, f"quarantine/shop_c/{aside}/refunded", reason="paid twice")) == {"changed": True}
    assert office.addons.wallet("shop_c").posted.micro == 0
    assert office.addons.orders.quarantined() == []


@pytest.mark.parametrize("what", ["release", "refunded"])
@pytest.mark.parametrize(
    "place", ["shop_a/{}", "shop_c/unknown", "nobody/{}", "a%00b/{}", "shop_c/%00", f"{'x' * 256}/1"]
)
def test_a_payment_under_another_name_is_not_found(office: Office, what: str, place: str) -> None:
    """Whatever was sent in its place, the answer is the same, and no wallet is made."""
    aside = buy(office)
    answer = send(office, f"quarantine/{place.format(aside)}/{what}", reason="x")
    assert problem(answer) == (404, "not_found")
    assert len(office.addons.orders.quarantined()) == 1
    assert {head.business for head in office.addons.heads()} <= {"shop_a", "shop_b", "shop_c"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("pause", {}),
        ("pause", {"reason": ""}),
        ("pause", {"reason": "  "}),
        ("pause", {"reason": "x" * 256}),
        ("pause", {"reason": "a\0b"}),
        ("pause", {"reason": 5}),
        ("pause", {"reason": "x", "business": ""}),
        ("pause", {"reason": "x", "feature": "a\0b"}),
        ("resume", {"reason": "x", "whose": "kofi"}),
        ("rates/confirm", {"reason": "x"}),
        ("rates/confirm", {"reason": "x", "rate": "1e3"}),
        ("rates/confirm", {"reason": "x", "rate": "-1"}),
        ("rates/confirm", {"reason": "x", "rate": 11.5}),
        ("quarantine/shop_c/1/release", {"actor": "kofi"}),
    ],
)
def test_a_change_without_what_it_needs_is_refused(office: Office, path: str, body: dict[str, object]) -> None:
    """A reason always, names that the store can hold, nothing unknown; the value sent is not in the answer."""
    answer = send(office, path, **body)
    assert problem(answer) == (422, ValidationFailed.code)
    assert all("input" not in fault for fault in json.loads(answer.body)["errors"])
    assert audited(office) == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("pause", {"reason": "x"}),
        ("resume", {"reason": "x"}),
        ("rates/confirm", {"reason": "x", "rate": "11"}),
        ("quarantine/shop_c/1/release", {"reason": "x"}),
        ("quarantine/shop_c/1/refunded", {"reason": "x"}),
    ],
)
def test_a_change_needs_a_name(office: Office, path: str, body: dict[str, object]) -> None:
    """Whoever the host's login does not name changes nothing."""
    assert problem(send(office, path, NAMELESS, **body)) == (403, "forbidden")
    assert office.addons.operating.switches() == ()


@pytest.fixture
def leaping() -> Iterator[Office]:
    """An office whose source of exchange rates said 11.50 yesterday and 20.25 today."""
    opened = open_office(fx={"sources": ("tests.operator_month:leaping",)})
    opened.addons.rates.refresh(force=True)
    opened.clock.advance(DAY)
    opened.addons.rates.refresh(force=True)
    yield opened
    opened.close()


def test_a_rate_is_confirmed_with_a_reason(leaping: Office) -> None:
    """It waits in the status until then; who and why is kept."""
    before = told(leaping.get("ai/admin/status/"))
    assert before["alerts"] == ["Waiting: exchange rates to be confirmed (1)."]
    assert (before["rate"]["ghs_per_usd"], before["rate"]["state"]) == ("11.5", "fresh")
    ((rate, as_of),) = [(one["rate"], one["as_of"]) for one in before["rate"]["waiting"]]
    assert (rate, as_of) == ("20.25", "2026-09-22")
    assert told(send(leaping, "rates/confirm", rate="20.25", reason="devaluation")) == {"changed": True}
    after = told(leaping.get("ai/admin/status/"))
    assert (after["alerts"], after["rate"]["ghs_per_usd"], after["rate"]["waiting"]) == ([], "20.25", [])
    assert audited(leaping) == [("kofi@pos.example", "confirm_rate", "devaluation")]


def test_a_rate_that_does_not_wait_is_not_found(leaping: Office) -> None:
    """Nobody confirms another one than was seen."""
    assert problem(send(leaping, "rates/confirm", rate="20.26", reason="x")) == (404, "not_found")
    assert audited(leaping) == []


# The seam.


_OF_DAYS: Final = [one for one in READS if one.query is admin.DaysQuery and not one.page]
_CHANGES: Final = [one for one in WRITES if not one.page]


@pytest.mark.parametrize("endpoint", [*_OF_DAYS, *_CHANGES], ids=lambda one: one.name)
def test_a_handler_without_what_the_door_parses_says_so(month: Office, endpoint: Endpoint) -> None:
    """Whoever calls it past the door has made a mistake, and is told; nothing is changed."""
    context = Context(
        addons=month.addons,
        request=WebRequest(method=endpoint.method, path=endpoint.path),
        principal=WRITER,
        params={"business": "b", "payment": "p"},
        body=None,
        query=None,
        allows=lambda _action: True,
    )
    with pytest.raises(TypeError, match="this endpoint takes a"):
        endpoint.handle(context)


# What the figures are made of.


def spent(used: str, held: str, budget: str | None, share: str | None) -> SpendingAnswer:
    """Cost of a month beside its budget."""
    return SpendingAnswer(
        window="month",
        starts_at=datetime(2026, 9, 1, tzinfo=UTC),
        used_usd=Decimal(used),
        held_usd=Decimal(held),
        used_ghs=Decimal(0),
        budget_usd=None if budget is None else Decimal(budget),
        share=None if share is None else Decimal(share),
    )


@pytest.mark.parametrize(
    ("one", "alert"),
    [
        (spent("39", "0.99", "50", "0.799"), []),
        (spent("39", "1", "50", "0.800"), ["80% of the provider budget of this month is spent."]),
        (spent("49", "1", "50", "1.000"), ["The provider budget of this month is spent: paid calls are refused."]),
        (spent("0", "0", "0", None), ["The provider budget of this month is spent: paid calls are refused."]),
        (spent("99", "0", None, None), []),
    ],
)
def test_a_budget_is_worth_an_alert_from_its_warning_level_on(one: SpendingAnswer, alert: list[str]) -> None:
    """Calls in progress count, as they do for the budget itself; a budget of nothing is always spent."""
    fresh = RateAnswer(
        ghs_per_usd=Decimal(11),
        as_of=date(2026, 9, 21),
        source="bog",
        age_days=0,
        state="fresh",
        sources=("bog",),
        waiting=(),
    )
    assert list(figures.alerts([one], [], [], fresh, warn_at=Decimal("0.8"))) == alert


OLD_RATE = "The exchange rate of 2026-09-21 from {} is {}. Run `ai-addons rates refresh`."


@pytest.mark.parametrize(
    ("source", "state", "sources", "alert"),
    [
        ("bog", "fresh", ("bog", "static"), []),
        ("bog", "old", ("bog", "static"), [OLD_RATE.format("bog", "old")]),
        ("static", "stale", ("bog", "static"), [OLD_RATE.format("static", "stale")]),
        ("static", "stale", ("static",), []),
    ],
)
def test_an_old_rate_is_an_alert_where_sources_should_give_a_newer_one(
    source: str, state: Literal["fresh", "old", "stale"], sources: tuple[str, ...], alert: list[str]
) -> None:
    """Who sets the rate by hand is not called each night; who named sources and hears nothing from them is."""
    known = RateAnswer(
        ghs_per_usd=Decimal(11),
        as_of=date(2026, 9, 21),
        source=source,
        age_days=5,
        state=state,
        sources=sources,
        waiting=(),
    )
    assert list(figures.alerts([], [], [], known, warn_at=Decimal("0.8"))) == alert


@pytest.mark.parametrize(
    ("minor", "currency", "paid"), [(2_000, "GHS", "20.00"), (None, None, None), (2_000, "XXX", None)]
)
def test_what_came_is_told_where_its_currency_is_known(
    minor: int | None, currency: str | None, paid: str | None
) -> None:
    """The minor unit of another currency might be anything."""
    aside = Quarantined(
        id="q",
        business="b",
        order="o",
        reference="r",
        reason="currency",
        expected=Money("30", "GHS"),
        paid_minor=minor,
        paid_currency=currency,
        live=True,
        opened_at=0,
    )
    assert figures.aside(aside).paid == (None if paid is None else Decimal(paid))


@pytest.mark.parametrize(
    ("revenue", "users", "each"), [(10_000, 3, "0.00"), (15_000, 1, "0.02"), (14_999, 1, "0.01"), (1, 0, None)]
)
def test_revenue_by_user_is_rounded_to_a_pesewa(revenue: int, users: int, each: str | None) -> None:
    """Half up; without users there is none."""
    assert figures.by_user(MicroGhs(revenue), users) == (None if each is None else Decimal(each))
