"""The output of a report summary, put together: every number from code, every word from an answer."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final

from ai_addons.features.report_summary.models import (
    Mover,
    ProfitParts,
    ReportFinding,
    ReportSummary,
    SalesParts,
    UnusualDay,
)
from ai_addons.features.report_summary.words import DIRECTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ai_addons.features.report_summary.bridge import MarginBridge, SalesBridge
    from ai_addons.features.report_summary.models import ProductSales, ReportAnswer, ReportPolicy
    from ai_addons.features.report_summary.ranking import Figures, Finding

_PESEWA: Final = Decimal("0.01")


def summary(found: Figures, given: Sequence[Finding], answer: ReportAnswer, policy: ReportPolicy) -> ReportSummary:
    """The figures with the words of an answer whose facts are put in."""
    return ReportSummary(
        headline=answer.headline.text,
        findings=tuple(
            ReportFinding(code=one.code, direction=DIRECTIONS[one.sign], effect=_pesewas(one.effect), text=finding.text)
            for one, finding in zip(given, answer.findings, strict=True)
        ),
        actions=tuple(line.text for line in answer.actions),
        caveats=tuple(line.text for line in answer.caveats),
        sales_change=found.change,
        sales_parts=None if found.bridge is None else _sales_parts(found.bridge),
        profit_parts=None if found.profit is None else _profit_parts(found.profit),
        rises=tuple(map(_mover, found.rises)),
        falls=tuple(map(_mover, found.falls)),
        odd_days=tuple(UnusualDay(day=one.day, sales=one.sales, usual=_pesewas(one.usual)) for one in found.odd),
        trading_days=found.trading_days,
        insufficient_data=found.trading_days < policy.min_trading_days,
        policy_version=policy.version,
    )


def _pesewas(value: Decimal) -> Decimal:
    return value.quantize(_PESEWA, ROUND_HALF_UP) + 0


def _sales_parts(parts: SalesBridge) -> SalesParts:
    return SalesParts(
        change=parts.change,
        price=parts.price,
        volume=parts.volume,
        mix=parts.mix,
        new=parts.new,
        lost=parts.lost,
    )


def _profit_parts(parts: MarginBridge) -> ProfitParts:
    return ProfitParts(
        change=parts.change,
        price=parts.price,
        cost=parts.cost,
        volume_and_mix=parts.volume_and_mix,
        new=parts.new,
        lost=parts.lost,
    )


def _mover(row: ProductSales) -> Mover:
    return Mover(
        ref=row.ref,
        sales=row.current.sales,
        change=row.current.sales - row.prior.sales,
        stock_out_days=row.stock_out_days,
    )
