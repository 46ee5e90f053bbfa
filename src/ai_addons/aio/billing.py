"""`AsyncBilling`: the first plan's four methods for async hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_addons.aio.threads import threaded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

    from ai_addons.billing.service import BillingService, CreditCharge, CreditCheck, UsageStats


class AsyncBilling:
    """The first plan's four methods for async hosts."""

    def __init__(self, service: Callable[[], BillingService]) -> None:
        self._service = service

    async def check_credits(self, business_id: str, feature: str) -> CreditCheck:
        """See `BillingService.check_credits`."""
        return await threaded(self._service().check_credits, business_id, feature)

    async def charge_credits(  # noqa: PLR0913, PLR0917  # the first plan's arguments
        self,
        business_id: str,
        user_id: str | None,
        feature: str,
        actual_openai_cost_usd: Decimal | str | float | None,
        input_tokens: int = 0,
        output_tokens: int = 0,
        response_time_ms: int = 0,
        request_data: Mapping[str, object] | None = None,
        response_summary: str | None = None,
        idempotency_key: str | None = None,
    ) -> CreditCharge:
        """See `BillingService.charge_credits`."""
        return await threaded(
            self._service().charge_credits,
            business_id,
            user_id,
            feature,
            actual_openai_cost_usd,
            input_tokens,
            output_tokens,
            response_time_ms,
            request_data,
            response_summary,
            idempotency_key,
        )

    async def log_failed_transaction(
        self,
        business_id: str,
        user_id: str | None,
        feature: str,
        error_message: str,
        request_data: Mapping[str, object] | None = None,
    ) -> None:
        """See `BillingService.log_failed_transaction`."""
        await threaded(
            self._service().log_failed_transaction, business_id, user_id, feature, error_message, request_data
        )

    async def get_usage_stats(self, business_id: str, days: int = 30) -> UsageStats:
        """See `BillingService.get_usage_stats`."""
        return await threaded(self._service().get_usage_stats, business_id, days)
