"""`report_summary`: what changed in a period, ranked by cedis, in plain words.

Code splits the change in sales into price, volume, mix, new and lost products, finds
the days that stand out, and chooses and orders the findings. The model writes a
sentence on each; no figure, order or effect is in the schema it answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BaseModel, ConfigDict

from ai_addons.feature import sold_as
from ai_addons.features._facts import texts
from ai_addons.features._guard import filled, number_word_notices, words_of_its_own
from ai_addons.features._result import FeatureResult
from ai_addons.features._spec import built_in
from ai_addons.features.report_summary.guard import SYSTEM, report_faults, report_texts
from ai_addons.features.report_summary.models import (
    CategorySales,
    DaySales,
    FindingCode,
    Mover,
    Period,
    ProductSales,
    ProfitParts,
    ReportAnswer,
    ReportFinding,
    ReportPolicy,
    ReportSummary,
    SalesParts,
    SalesReport,
    Sold,
    Totals,
    UnusualDay,
)
from ai_addons.features.report_summary.ranking import chosen, figures
from ai_addons.features.report_summary.summary import summary
from ai_addons.features.report_summary.words import data_quality, explanation, notices, report_facts, sent_rows
from ai_addons.privacy.fields import Public
from ai_addons.prompt import Prompt

if TYPE_CHECKING:
    from ai_addons.prompt import DegradedReason, Source

__all__ = [
    "SPEC",
    "CategorySales",
    "DaySales",
    "FindingCode",
    "Mover",
    "Period",
    "ProductSales",
    "ProfitParts",
    "ReportAnswer",
    "ReportFinding",
    "ReportPolicy",
    "ReportSummary",
    "SalesParts",
    "SalesReport",
    "Sold",
    "Totals",
    "UnusualDay",
    "report_summary",
]

SPEC: Final = built_in(
    "report_summary",
    version="1",
    max_tokens=700,
    tokens=(1_316, 326),
)
"""What billing and routing need to know."""

DEFAULT_POLICY: Final = ReportPolicy()
USER: Final = "Sum up this report."


class _ReportData(BaseModel):
    """What is sent: rows made by code; products and categories under other names."""

    model_config = ConfigDict(frozen=True)

    rows: dict[str, Annotated[str, Public]]


@sold_as(SPEC)
def report_summary(
    report: SalesReport, *, policy: ReportPolicy = DEFAULT_POLICY
) -> Prompt[FeatureResult[ReportSummary]]:
    """Get AI insights from your reports.

    Args:
        report: Figures of a period and the one before it.
        policy: What counts as a change and as enough data.
    """
    found = figures(report, policy)
    given = chosen(report, found, policy)
    facts = report_facts(report, found, policy)
    warnings = notices(report, found, policy)
    written = texts(facts)
    template = explanation(given, facts, warnings)

    def result(
        answer: ReportAnswer, source: Source = "ai", reason: DegradedReason | None = None
    ) -> FeatureResult[ReportSummary]:
        parts = list(report_texts(answer, given))
        own = number_word_notices(words_of_its_own(cited, written) for _, cited, _ in parts)
        return FeatureResult[ReportSummary](
            data=summary(found, given, answer, policy),
            source=source,
            degraded_reason=reason,
            as_of=report.as_of,
            data_quality=data_quality(found, policy),
            warnings=(*warnings, *own),
            facts=tuple(facts.values()),
            evidence={where: tuple(dict.fromkeys(cited.fact_keys)) for where, cited, _ in parts},
        )

    if found.trading_days < policy.min_trading_days:
        return Prompt.settled(result(filled(template, written), "rules", "insufficient_data"))
    return Prompt.composed(
        answer=ReportAnswer,
        system=SYSTEM,
        user=USER,
        data=_ReportData(rows=sent_rows(found, given, facts)),
        check=lambda answer: report_faults(answer, given, facts),
        finish=result,
        fallback=lambda: result(filled(template, written), "rules"),
        facts=written,
        sample=lambda: template,
    )
