"""What a business used."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, Final, cast

from pydantic import Field

from ai_addons.billing.usage import MOST_DAYS
from ai_addons.money import Credits
from ai_addons.web.base import Answer, Context, Endpoint, Query

if TYPE_CHECKING:
    from ai_addons.billing.usage import FeatureUse


class UsageQuery(Query):
    """How far to look back."""

    days: int = Field(default=30, ge=1, le=MOST_DAYS, description="Days, today included.")


class FeatureUseAnswer(Answer):
    """What was used of one feature."""

    feature: str
    feature_display_name: str
    count: int
    credits: Credits


class UsageAnswer(Answer):
    """What a business used over some days. ``total_cost_ghs`` is there for operators only."""

    period_days: int
    current_balance: Credits
    total_credits_used: Credits
    total_requests: int
    successful_requests: int
    success_rate: Decimal
    avg_response_time_ms: Decimal | None
    feature_breakdown: list[FeatureUseAnswer]
    most_used_feature: str | None
    total_cost_ghs: Decimal | None = None

    left_out: ClassVar[frozenset[str]] = frozenset({"total_cost_ghs"})


def _usage(context: Context) -> UsageAnswer:
    usage = context.addons.usage(context.business, cast("UsageQuery", context.query).days)
    return UsageAnswer(
        period_days=usage.period_days,
        current_balance=usage.current_balance,
        total_credits_used=usage.total_credits_used,
        total_requests=usage.total_requests,
        successful_requests=usage.successful_requests,
        success_rate=usage.success_rate,
        avg_response_time_ms=usage.avg_response_time_ms,
        feature_breakdown=[_feature(one) for one in usage.feature_breakdown],
        most_used_feature=usage.most_used_feature,
        total_cost_ghs=usage.total_cost_ghs if context.allows("admin:read") else None,
    )


def _feature(use: FeatureUse) -> FeatureUseAnswer:
    return FeatureUseAnswer(
        feature=use.feature, feature_display_name=use.feature_display_name, count=use.count, credits=use.credits
    )


ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Endpoint(
        method="GET",
        path="ai/usage-stats/",
        name="usage_stats",
        summary="What a business used over its last days, by feature.",
        handle=_usage,
        action="usage:read",
        query=UsageQuery,
        answer=UsageAnswer,
    ),
)
