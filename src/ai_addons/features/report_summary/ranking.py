"""What changed, in cedis, and which changes are worth a sentence.

Each candidate has an effect in GHS; the largest come first, whatever their sign.
A margin counts as its change in points times current sales, orders at the earlier
basket, the basket at present orders: these two add up to the change in sales.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from ai_addons.features._facts import letters
from ai_addons.features.report_summary.bridge import Line, margin_bridge, sales_bridge
from ai_addons.features.report_summary.models import MOST_FINDINGS, CategorySales, FindingCode
from ai_addons.features.report_summary.odd_days import odd_days

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ai_addons.features.report_summary.bridge import MarginBridge, SalesBridge
    from ai_addons.features.report_summary.models import ProductSales, ReportPolicy, SalesReport, Totals
    from ai_addons.features.report_summary.odd_days import OddDay

Sign: TypeAlias = Literal[-1, 0, 1]

MOST_MOVERS: Final = 5
_LEAST_FINDINGS: Final = 3
_MOST_CATEGORIES: Final = 3
_MOST_ODD_DAYS: Final = 3
_SENT_FALLS: Final = 3
_ORDER: Final[Mapping[FindingCode, int]] = {code: place for place, code in enumerate(get_args(FindingCode))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All that code worked out of a report.

    Attributes:
        change: In sales, GHS.
        bridge: Its parts over the product rows; None without rows.
        profit: The parts of the change in gross profit; None unless all costs are known.
        rises: Products that gained most, first first.
        falls: Products that lost most, first first.
        categories: Categories whose sales moved most.
        odd: Odd days of the period, the widest gap first.
        trading_days: Open days in the two periods.
    """

    change: Decimal
    bridge: SalesBridge | None
    profit: MarginBridge | None
    rises: tuple[ProductSales, ...]
    falls: tuple[ProductSales, ...]
    categories: tuple[CategorySales, ...]
    odd: tuple[OddDay, ...]
    trading_days: int

    @property
    def movers(self) -> tuple[tuple[str, ProductSales], ...]:
        """The products that are spoken of, with their names in the prompt: PA, then PB."""
        spoken = (*self.rises, *self.falls[:_SENT_FALLS])
        return tuple((f"P{letters(place)}", row) for place, row in enumerate(spoken))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A change that may be worth a sentence.

    Attributes:
        code: What it is about.
        effect: What it comes to in GHS.
        sign: Down, hardly moved, up.
        keys: Facts that belong to it, the signed one first.
    """

    code: FindingCode
    effect: Decimal
    sign: Sign
    keys: tuple[str, ...]


def sign_of(change: Decimal, base: Decimal, flat: Decimal) -> Sign:
    """Where a change points; nowhere if it is below a share of what it is compared with."""
    if change == 0 or abs(change) < flat * base:
        return 0
    return 1 if change > 0 else -1


def figures(report: SalesReport, policy: ReportPolicy) -> Figures:
    """Work out what changed."""
    lines = [_line(row) for row in report.products]
    moved = sorted(report.products, key=lambda row: (row.prior.sales - row.current.sales, row.ref))
    traded = {row.day: row.sales for row in report.days if row.open}
    odd = odd_days(
        traded,
        history=policy.odd_history,
        needed=policy.odd_needed,
        limit=policy.odd_score,
        least_gap=policy.odd_gap,
    )
    return Figures(
        change=report.totals.sales - report.prior_totals.sales,
        bridge=sales_bridge(lines) if lines else None,
        profit=margin_bridge(lines) if lines else None,
        rises=tuple(row for row in moved[:MOST_MOVERS] if row.current.sales > row.prior.sales),
        falls=tuple(row for row in _last_first(moved)[:MOST_MOVERS] if row.current.sales < row.prior.sales),
        categories=_moved_most(report.categories or tuple(_categories(report.products))),
        odd=_widest(day for day in odd if report.period.holds(day.day)),
        trading_days=sum(report.period.holds(day) or report.prior_period.holds(day) for day in traded),
    )


def _last_first(moved: Sequence[ProductSales]) -> list[ProductSales]:
    """By fall, equal ones by name."""
    return sorted(moved, key=lambda row: (row.current.sales - row.prior.sales, row.ref))


def _line(row: ProductSales) -> Line:
    now, before = row.current, row.prior
    return Line(
        category=row.category,
        units=now.units,
        sales=now.sales,
        cost=now.cost,
        prior_units=before.units,
        prior_sales=before.sales,
        prior_cost=before.cost,
    )


def _categories(products: Iterable[ProductSales]) -> Iterator[CategorySales]:
    """Sums of the product rows, where the host gave none; orders are not known."""
    sums: dict[str, tuple[Decimal, Decimal]] = {}
    for row in products:
        now, before = sums.get(row.category, (Decimal(), Decimal()))
        sums[row.category] = (now + row.current.sales, before + row.prior.sales)
    for ref, (now, before) in sums.items():
        yield CategorySales.model_construct(ref=ref, sales=now, prior_sales=before, orders=0, prior_orders=0)


def _moved_most(rows: Iterable[CategorySales]) -> tuple[CategorySales, ...]:
    moved = [row for row in rows if row.sales != row.prior_sales]
    return tuple(sorted(moved, key=lambda row: (-abs(row.sales - row.prior_sales), row.ref))[:_MOST_CATEGORIES])


def _widest(days: Iterable[OddDay]) -> tuple[OddDay, ...]:
    return tuple(sorted(days, key=lambda day: (-abs(day.gap), day.day))[:_MOST_ODD_DAYS])


def chosen(report: SalesReport, found: Figures, policy: ReportPolicy) -> tuple[Finding, ...]:
    """The three to five findings with the largest effects, in that order."""
    ranked = sorted(candidates(report, found, policy), key=lambda one: (-abs(one.effect), _ORDER[one.code]))
    least = policy.finding_share * max(report.totals.sales, report.prior_totals.sales)
    weighty = sum(one.effect != 0 and abs(one.effect) >= least for one in ranked)
    return tuple(ranked[: max(_LEAST_FINDINGS, min(weighty, MOST_FINDINGS))])


def candidates(report: SalesReport, found: Figures, policy: ReportPolicy) -> Iterator[Finding]:
    """All changes that could be a finding; what cannot be computed is not among them."""
    now, before = report.totals, report.prior_totals
    yield from _bridge(found, before, policy)
    yield from _margin(now, before, policy)
    sums: tuple[tuple[FindingCode, str, Decimal, Decimal], ...] = (
        ("DISCOUNTS", "discounts", now.discounts, before.discounts),
        ("RETURNS", "returns", now.returns, before.returns),
        ("CREDIT", "credit_sales", now.credit_sales, before.credit_sales),
    )
    for code, key, current, prior in sums:
        sign = sign_of(current - prior, prior, policy.flat_share)
        yield Finding(code=code, effect=current - prior, sign=sign, keys=(f"{key}_change", key))
    yield from _orders(now, before, policy)
    yield from _rows(report, found, policy)


def _bridge(found: Figures, before: Totals, policy: ReportPolicy) -> Iterator[Finding]:
    if found.bridge is None:
        return
    parts: tuple[tuple[FindingCode, str, Decimal], ...] = (
        ("PRICE", "price_effect", found.bridge.price),
        ("VOLUME", "volume_effect", found.bridge.volume),
        ("MIX", "mix_effect", found.bridge.mix),
        ("NEW", "new_effect", found.bridge.new),
        ("LOST", "lost_effect", found.bridge.lost),
    )
    for code, key, part in parts:
        yield Finding(code=code, effect=part, sign=sign_of(part, before.sales, policy.flat_share), keys=(key,))


def margins(now: Totals, before: Totals) -> tuple[Decimal, Decimal] | None:
    """Gross profit as a share of sales, now and before; None where one of them cannot be computed."""
    if now.gross_profit is None or before.gross_profit is None or not now.sales or not before.sales:
        return None
    return now.gross_profit / now.sales, before.gross_profit / before.sales


def _margin(now: Totals, before: Totals, policy: ReportPolicy) -> Iterator[Finding]:
    both = margins(now, before)
    if both is not None:
        change = both[0] - both[1]
        sign = sign_of(change, Decimal(1), policy.flat_points)
        keys = ("margin_change", "gross_margin", "margin_effect", "gross_profit")
        yield Finding(code="MARGIN", effect=change * now.sales, sign=sign, keys=keys)


def baskets(now: Totals, before: Totals) -> tuple[Decimal, Decimal] | None:
    """Sales by order, now and before; None where there was no order."""
    return (now.sales / now.orders, before.sales / before.orders) if now.orders and before.orders else None


def _orders(now: Totals, before: Totals, policy: ReportPolicy) -> Iterator[Finding]:
    both = baskets(now, before)
    if both is None:
        return
    more = now.orders - before.orders
    sign = sign_of(Decimal(more), Decimal(before.orders), policy.flat_share)
    yield Finding(
        code="ORDERS", effect=more * both[1], sign=sign, keys=("orders_change_pct", "orders", "orders_effect")
    )
    effect = (both[0] - both[1]) * now.orders
    sign = sign_of(both[0] - both[1], both[1], policy.flat_share)
    yield Finding(code="BASKET", effect=effect, sign=sign, keys=("basket_change", "basket", "basket_effect"))


def _rows(report: SalesReport, found: Figures, policy: ReportPolicy) -> Iterator[Finding]:
    """The first product that rose, the first that fell, the first category, the oddest day, the year before."""
    names = {id(row): name for name, row in found.movers}
    sides: tuple[tuple[FindingCode, tuple[ProductSales, ...]], ...] = (("RISE", found.rises), ("FALL", found.falls))
    for code, rows in sides:
        for row in rows[:1]:
            name, change = names[id(row)], row.current.sales - row.prior.sales
            keys = (f"{name}.change", name, f"{name}.sales", f"{name}.stock_out")
            yield Finding(code=code, effect=change, sign=sign_of(change, row.prior.sales, policy.flat_share), keys=keys)
    for group in found.categories[:1]:
        change = group.sales - group.prior_sales
        sign = sign_of(change, group.prior_sales, policy.flat_share)
        yield Finding(code="CATEGORY", effect=change, sign=sign, keys=("KA.change", "KA", "KA.sales"))
    for day in found.odd[:1]:
        yield Finding(
            code="ODD_DAY",
            effect=day.gap,
            sign=sign_of(day.gap, Decimal(), Decimal()),
            keys=("DA.gap", "DA", "DA.sales", "DA.usual"),
        )
    if report.last_year is not None:
        change = report.totals.sales - report.last_year.sales
        sign = sign_of(change, report.last_year.sales, policy.flat_share)
        yield Finding(code="LAST_YEAR", effect=change, sign=sign, keys=("year_change", "year_change_pct"))
