"""The figures of the whole business: counted from the shop's tables and from what the other features gave back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ai_addons.features.collection_analysis import OpenInvoice
from ai_addons.features.customer_insight import InsightPolicy
from ai_addons.features.customer_insight.groups import shop
from ai_addons.features.portfolio_dashboard import MonthPoint, PortfolioFigures
from ai_addons.features.portfolio_dashboard import figures as count
from ai_addons.features.portfolio_dashboard.models import MONTHS
from ai_addons.features.shop.inputs import MONTH, QUARTER, categories, first_day, open_bills, open_on, totals, within

if TYPE_CHECKING:
    from datetime import date

    from ai_addons.features.collection_analysis import CollectionAnalysis
    from ai_addons.features.customer_insight import CustomerQuestion
    from ai_addons.features.inventory_forecast import InventoryForecast, StockRequest
    from ai_addons.features.portfolio_dashboard import ReceivablesFigures
    from ai_addons.features.report_summary import Totals
    from ai_addons.features.shop.tables import Trade

_NONE: Final = Decimal(0)


def portfolio(
    trade: Trade,
    asked: CustomerQuestion,
    worklist: CollectionAnalysis,
    request: StockRequest,
    forecast: InventoryForecast,
    *,
    last_year: Totals | None = None,
) -> PortfolioFigures:
    """Ready figures of all five areas.

    Args:
        trade: The shop's records.
        asked: What was asked about its customers: their purchases.
        worklist: What the collection analysis gave back.
        request: What was forecast.
        forecast: What the forecast gave back.
        last_year: Sums of the same days a year earlier, None if they are not known.
    """
    purchases = asked.purchases or ()
    now, before = (totals(within(trade.sales, trade.as_of - back), trade.stock) for back in (0 * MONTH, MONTH))
    return PortfolioFigures(
        as_of=trade.as_of,
        sales=count.sales_figures(
            now, before, last_year=last_year, active=count.active_customers(purchases, trade.as_of)
        ),
        margin=count.margin_figures(now, before),
        receivables=_receivables(trade, worklist),
        stock=count.stock_figures(
            request.items, forecast.items, cost_of_sales_30d=max(now.sales - (now.gross_profit or _NONE), _NONE)
        ),
        customers=count.customer_figures(purchases, trade.as_of, segments=shop(asked, InsightPolicy()).groups),
        months=_months(trade),
        categories=count.sales_rows(categories(trade)),
        risks=count.risk_rows([one for one in worklist.ranked if one.overdue], {}),
    )


def _receivables(trade: Trade, worklist: CollectionAnalysis) -> ReceivablesFigures:
    earlier = trade.as_of - MONTH
    bills = [OpenInvoice(**bill.model_dump(exclude={"paid", "paid_so_far"})) for bill in open_on(trade, earlier)]
    return count.receivables_figures(
        open_bills(trade),
        trade.as_of,
        credit_sales_90d=_credit_sales(trade, trade.as_of),
        before=count.receivables_figures(bills, earlier, credit_sales_90d=_credit_sales(trade, earlier)),
        limits_total=sum((line.current_limit for line in trade.contacts), _NONE),
        expected_unpaid=worklist.totals.expected_unpaid,
        roll_rates=worklist.roll_rates,
    )


def _credit_sales(trade: Trade, day: date) -> Decimal:
    return totals(within(trade.sales, day, QUARTER), trade.stock).credit_sales


def _months(trade: Trade) -> tuple[MonthPoint, ...]:
    """Twelve times thirty days, oldest first; none where the records do not reach so far back."""
    if first_day(trade) > trade.as_of - MONTHS * MONTH + timedelta(days=1):
        return ()
    ends = [trade.as_of - back * MONTH for back in range(MONTHS - 1, -1, -1)]
    return tuple(
        MonthPoint(
            sales=totals(within(trade.sales, end), trade.stock).sales,
            receivables=sum((bill.amount for bill in open_on(trade, end)), _NONE),
        )
        for end in ends
    )
