"""The facts of a report summary, what is sent of them, and sentences made of them without a model."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, Final

from ai_addons.features import _facts
from ai_addons.features._facts import by_key, compact, references, with_sign
from ai_addons.features._names import named
from ai_addons.features._result import Fact, Notice
from ai_addons.features.report_summary.models import FindingAnswer, HeadlineAnswer, ReportAnswer, ReportLine
from ai_addons.features.report_summary.ranking import baskets, margins, sign_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from ai_addons.features._guard import Direction
    from ai_addons.features._result import DataQuality
    from ai_addons.features.report_summary.models import FindingCode, ReportPolicy, SalesReport, Totals
    from ai_addons.features.report_summary.ranking import Figures, Finding

DIRECTIONS: Final[Mapping[int, Direction]] = {1: "up", 0: "flat", -1: "down"}
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_TENTH: Final = Decimal("0.1")
_PESEWA: Final = Decimal("0.01")


def report_facts(report: SalesReport, found: Figures, policy: ReportPolicy) -> dict[str, Fact]:
    """All that the text may cite; what cannot be computed is left out."""
    return by_key(
        *_sales_facts(report, found, policy),
        *_bridge_facts(report, found, policy),
        *_margin_facts(report, policy),
        *_order_facts(report, policy),
        *_total_facts(report.totals, report.prior_totals, policy),
        *_product_facts(found, policy),
        *_category_facts(found, policy),
        *_day_facts(found),
    )


def _amount(key: str, label: str, value: Decimal) -> Fact:
    """An amount that was divided: to the pesewa."""
    return _facts.money(key, label, value.quantize(_PESEWA, ROUND_HALF_UP) + 0)


def _change(key: str, label: str, change: Decimal, base: Decimal, policy: ReportPolicy) -> Fact:
    return with_sign(_amount(key, label, change), sign_of(change, base, policy.flat_share))


def _pct(key: str, label: str, change: Decimal, base: Decimal, policy: ReportPolicy) -> Fact | None:
    """A change in percent; None without something to compare with."""
    if base <= 0:
        return None
    return with_sign(_facts.percent(key, label, change / base), sign_of(change, base, policy.flat_share))


def _sales_facts(report: SalesReport, found: Figures, policy: ReportPolicy) -> Iterator[Fact | None]:
    before, year = report.prior_totals.sales, report.last_year
    yield _facts.money("sales", "sales of the period", report.totals.sales)
    yield _facts.money("prior_sales", "sales of the prior period", before)
    yield _change("sales_change", "change in sales", found.change, before, policy)
    yield _pct("sales_change_pct", "change in sales", found.change, before, policy)
    if year is not None:
        change = report.totals.sales - year.sales
        yield _change("year_change", "change in sales against last year", change, year.sales, policy)
        yield _pct("year_change_pct", "change in sales against last year", change, year.sales, policy)
    yield _facts.count("trading_days", "open days in the two periods", found.trading_days)


def _bridge_facts(report: SalesReport, found: Figures, policy: ReportPolicy) -> Iterator[Fact]:
    if found.bridge is None:
        return
    for key, label, part in (
        ("price_effect", "change in sales from other prices", found.bridge.price),
        ("volume_effect", "change in sales from more or fewer units", found.bridge.volume),
        ("mix_effect", "change in sales from dearer or cheaper products", found.bridge.mix),
        ("new_effect", "sales of products not sold before", found.bridge.new),
        ("lost_effect", "change in sales from products not sold any more", found.bridge.lost),
    ):
        yield _change(key, label, part, report.prior_totals.sales, policy)


def _margin_facts(report: SalesReport, policy: ReportPolicy) -> Iterator[Fact]:
    both = margins(report.totals, report.prior_totals)
    if report.totals.gross_profit is not None:
        yield _facts.money("gross_profit", "gross profit of the period", report.totals.gross_profit)
    if both is None:
        return
    change = both[0] - both[1]
    sign = sign_of(change, Decimal(1), policy.flat_points)
    shown = (change * 100).quantize(_TENTH, ROUND_HALF_UP) + 0
    yield _facts.percent("gross_margin", "gross profit by sales", both[0])
    yield Fact(
        key="margin_change",
        label="change in the gross margin",
        kind="points",
        value=change,
        text=f"{shown:f} percentage points",
        sign=sign,
    )
    yield with_sign(_amount("margin_effect", "that change at present sales", change * report.totals.sales), sign)


def _order_facts(report: SalesReport, policy: ReportPolicy) -> Iterator[Fact | None]:
    now, before = report.totals, report.prior_totals
    yield _facts.count("orders", "orders of the period", now.orders)
    both = baskets(now, before)
    if both is None:
        return
    more = Decimal(now.orders - before.orders)
    change = both[0] - both[1]
    orders_sign = sign_of(more, Decimal(before.orders), policy.flat_share)
    basket_sign = sign_of(change, both[1], policy.flat_share)
    yield _pct("orders_change_pct", "change in the number of orders", more, Decimal(before.orders), policy)
    yield with_sign(_amount("orders_effect", "that change at the earlier basket", more * both[1]), orders_sign)
    yield _amount("basket", "sales by order", both[0])
    yield with_sign(_amount("basket_change", "change in sales by order", change), basket_sign)
    yield with_sign(_amount("basket_effect", "that change at present orders", change * now.orders), basket_sign)


def _total_facts(now: Totals, before: Totals, policy: ReportPolicy) -> Iterator[Fact]:
    for key, label, current, prior in (
        ("discounts", "discounts", now.discounts, before.discounts),
        ("returns", "goods taken back", now.returns, before.returns),
        ("credit_sales", "sales on credit", now.credit_sales, before.credit_sales),
    ):
        yield _facts.money(key, label, current)
        yield _change(f"{key}_change", f"change in {label}", current - prior, prior, policy)
    if now.sales:
        for key, label, part in (
            ("credit_share", "share of sales on credit", now.credit_sales),
            ("cash_share", "share of sales in cash", now.cash),
            ("momo_share", "share of sales by Mobile Money", now.momo),
        ):
            yield _facts.percent(key, label, part / now.sales)


def _product_facts(found: Figures, policy: ReportPolicy) -> Iterator[Fact]:
    for name, row in found.movers:
        change = row.current.sales - row.prior.sales
        yield named(name, "product", row.ref)
        yield _facts.money(f"{name}.sales", "its sales", row.current.sales)
        yield _change(f"{name}.change", "its change in sales", change, row.prior.sales, policy)
        if row.stock_out_days:
            yield _facts.days(f"{name}.stock_out", "days without stock", Decimal(row.stock_out_days))


def _category_facts(found: Figures, policy: ReportPolicy) -> Iterator[Fact]:
    for place, row in enumerate(found.categories):
        name = f"K{_facts.letters(place)}"
        change = row.sales - row.prior_sales
        yield named(name, "category", row.ref)
        yield _facts.money(f"{name}.sales", "its sales", row.sales)
        yield _change(f"{name}.change", "its change in sales", change, row.prior_sales, policy)


def _day_facts(found: Figures) -> Iterator[Fact]:
    for place, day in enumerate(found.odd):
        name = f"D{_facts.letters(place)}"
        yield Fact(key=name, label="day", kind="date", value=day.day, text=_day(day.day))
        yield _facts.money(f"{name}.sales", "its sales", day.sales)
        yield _amount(f"{name}.usual", "median of the same weekdays before it", day.usual)
        yield with_sign(
            _amount(f"{name}.gap", "its sales above the usual", day.gap), sign_of(day.gap, Decimal(), Decimal())
        )


def _day(day: date) -> str:
    return f"{_WEEKDAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]}"


def sent_rows(found: Figures, given: Sequence[Finding], facts: Mapping[str, Fact]) -> dict[str, str]:
    """What is sent: totals as ``key=value`` lines, rows divided by pipes, nothing that the tenant named."""
    rows = (
        ("products", [name for name, _ in found.movers], ("sales", "change", "stock_out")),
        ("categories", [f"K{_facts.letters(place)}" for place in range(len(found.categories))], ("sales", "change")),
        ("odd_days", [f"D{_facts.letters(place)}" for place in range(len(found.odd))], ("sales", "usual", "gap")),
    )
    tables = {title: _table(names, columns, facts) for title, names, columns in rows if names}
    plain = [fact for key, fact in facts.items() if "." not in key and fact.kind not in {"text", "date"}]
    return {
        "totals": "\n".join(f"{fact.key}={compact(fact)}" for fact in plain),
        **tables,
        "findings": "\n".join(
            f"{DIRECTIONS[one.sign]}: {' '.join(key for key in one.keys if key in facts)}" for one in given
        ),
    }


def _table(names: Sequence[str], columns: Sequence[str], facts: Mapping[str, Fact]) -> str:
    lines = [
        "|".join((name, *(compact(facts[key]) if (key := f"{name}.{column}") in facts else "" for column in columns)))
        for name in names
    ]
    return "\n".join(("|".join(("id", *columns)), *lines))


def data_quality(found: Figures, policy: ReportPolicy) -> DataQuality:
    """By the number of trading days."""
    if found.trading_days < policy.min_trading_days:
        return "poor"
    return "thin" if found.trading_days < policy.thin_trading_days else "ok"


def notices(report: SalesReport, found: Figures, policy: ReportPolicy) -> tuple[Notice, ...]:
    """What could not be computed, and what makes the comparison uneven."""
    now, before = report.totals, report.prior_totals
    left_out = found.bridge is not None and abs(found.change - found.bridge.change) > policy.flat_share * max(
        now.sales, before.sales
    )
    checks = (
        (
            data_quality(found, policy) == "poor",
            "few_trading_days",
            "There are too few trading days to say what changed.",
        ),
        (
            report.period.days != report.prior_period.days,
            "uneven_periods",
            "The two periods are not equally long, so their sums do not compare day by day.",
        ),
        (
            not before.sales,
            "no_prior_sales",
            "There were no sales in the prior period, so changes have no percentage.",
        ),
        (found.bridge is None, "no_products", "Without product rows the change has no parts."),
        (left_out, "products_incomplete", "The product rows do not add up to the change in sales."),
        (
            found.bridge is not None and found.profit is None,
            "costs_missing",
            "Some costs are unknown, so the change in gross profit has no parts.",
        ),
        (margins(now, before) is None, "no_margin", "The gross margin could not be compared."),
        (baskets(now, before) is None, "no_basket", "The average order could not be compared."),
    )
    return tuple(Notice(code=code, text=text) for applies, code, text in checks if applies)


_HEADLINE: Final = "Sales were {sales}, a change of {sales_change_pct} on the prior period."
_HEADLINE_NO_BASE: Final = "Sales were {sales}; there were none in the prior period."
_SAYS: Final[Mapping[FindingCode, str]] = {
    "PRICE": "Other prices changed sales by {price_effect}.",
    "VOLUME": "The number of units sold changed sales by {volume_effect}.",
    "MIX": "The mix of dearer and cheaper products changed sales by {mix_effect}.",
    "NEW": "Products that were not sold before came to {new_effect}.",
    "LOST": "Products that are not sold any more changed sales by {lost_effect}.",
    "MARGIN": (
        "The gross margin is {gross_margin}, a change of {margin_change}; at present sales that is {margin_effect}."
    ),
    "DISCOUNTS": "Discounts came to {discounts}, a change of {discounts_change}.",
    "RETURNS": "Goods taken back came to {returns}, a change of {returns_change}.",
    "CREDIT": "Sales on credit came to {credit_sales}, a change of {credit_sales_change}.",
    "ORDERS": "There were {orders} orders, a change of {orders_change_pct}; at the earlier basket: {orders_effect}.",
    "BASKET": "The average order was {basket}, a change of {basket_change}; at present orders: {basket_effect}.",
    "RISE": "{%s} gained most: its sales changed by {%s.change} to {%s.sales}.",
    "FALL": "{%s} lost most: its sales changed by {%s.change} to {%s.sales}.",
    "CATEGORY": "The category {KA} moved most: its sales changed by {KA.change} to {KA.sales}.",
    "ODD_DAY": "{DA} stands out: sales of {DA.sales} against the usual {DA.usual}, a gap of {DA.gap}.",
    "LAST_YEAR": "Against the same period last year, sales changed by {year_change}.",
}
_MOVED: Final[Mapping[FindingCode, str]] = {
    "PRICE": "Other prices moved sales %s: {price_effect}.",
    "VOLUME": "The number of units sold moved sales %s: {volume_effect}.",
    "MIX": "The mix of dearer and cheaper products moved sales %s: {mix_effect}.",
}
_STOCK_OUT: Final = "{%s} lost most: its sales changed by {%s.change}. It was out of stock for {%s.stock_out}."
_DO: Final[Mapping[tuple[FindingCode, int], str]] = {
    ("PRICE", -1): "Check whether the lower prices were meant.",
    ("VOLUME", -1): "Ask regular buyers what they missed on the shelves.",
    ("LOST", -1): "Look through the products that are not sold any more, and bring back those that were asked for.",
    ("MARGIN", -1): "Compare buying prices with selling prices for the goods that sell most.",
    ("DISCOUNTS", 1): "Check who gave the discounts, and for what.",
    ("RETURNS", 1): "Look at what was taken back, and why.",
    ("CREDIT", 1): "Check that the sales on credit are being paid.",
    ("BASKET", -1): "Place goods that are bought together side by side.",
    ("RISE", 1): "Make sure that there is enough stock of {PA}.",
    ("CATEGORY", -1): "Walk through the category {KA} and look for gaps.",
    ("ODD_DAY", -1): "Find out what happened on {DA}.",
    ("ODD_DAY", 1): "Find out what happened on {DA}, and whether it can be repeated.",
}
_RESTOCK: Final = "Bring {%s} back into stock."
_MOST_ACTIONS: Final = 3
_MOST_CAVEATS: Final = 2
_CAVEATS: Final = frozenset({"uneven_periods", "products_incomplete", "few_trading_days", "no_products"})


def explanation(given: Sequence[Finding], facts: Mapping[str, Fact], warnings: Sequence[Notice]) -> ReportAnswer:
    """The summary in sentences of ours: what is shown when no model had a part in it."""
    headline = _HEADLINE if "sales_change_pct" in facts else _HEADLINE_NO_BASE
    return ReportAnswer(
        headline=HeadlineAnswer(**_parts(headline)),
        findings=tuple(FindingAnswer(**_parts(_sentence(one, facts)), direction=DIRECTIONS[one.sign]) for one in given),
        actions=tuple(ReportLine(**_parts(text)) for text in _actions(given, facts)),
        caveats=tuple(ReportLine(**_parts(notice.text)) for notice in warnings if notice.code in _CAVEATS)[
            :_MOST_CAVEATS
        ],
    )


def _parts(text: str) -> dict[str, Any]:
    return {"text": text, "fact_keys": tuple(references(text))}


def _sentence(finding: Finding, facts: Mapping[str, Fact]) -> str:
    name = finding.keys[0].partition(".")[0]
    if finding.sign and finding.code in _MOVED:
        return _MOVED[finding.code] % DIRECTIONS[finding.sign]
    sold_out = finding.code == "FALL" and f"{name}.stock_out" in facts
    return (_STOCK_OUT if sold_out else _SAYS[finding.code]).replace("%s", name)


def _actions(given: Sequence[Finding], facts: Mapping[str, Fact]) -> list[str]:
    found: list[str] = []
    for one in given:
        name = one.keys[0].partition(".")[0]
        if one.code == "FALL" and f"{name}.stock_out" in facts:
            found.append(_RESTOCK.replace("%s", name))
        elif (one.code, one.sign) in _DO:
            found.append(_DO[one.code, one.sign])
    return found[:_MOST_ACTIONS]
