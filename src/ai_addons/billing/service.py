"""The first plan's four methods, with their arguments and the keys of their results."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, TypedDict

from ai_addons import errors
from ai_addons.billing.admission import check_call
from ai_addons.billing.charging import charge
from ai_addons.billing.given import pico_usd, sizes, tokens, whole
from ai_addons.billing.margin import call_margin
from ai_addons.billing.records import Booked, CallIdentity, CallRecord
from ai_addons.billing.sql import reports as sql
from ai_addons.billing.store import Store
from ai_addons.billing.usage import Reports
from ai_addons.money import Credits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from decimal import Decimal

    from ai_addons.billing.books import Books
    from ai_addons.billing.records import Finished
    from ai_addons.billing.sql import Tx
    from ai_addons.clock import Clock

_CODES: Final = frozenset(getattr(errors, name).code for name in errors.__all__)


class CreditCheck(TypedDict):
    """Whether a business can pay for a feature; all amounts in credits."""

    has_credits: bool
    required: Decimal
    current_balance: Decimal
    shortfall: Decimal
    feature_name: str


class CreditCharge(TypedDict):
    """What was charged; all amounts in credits.

    ``profit_margin`` is the share of what was paid for these credits that is left after fee and
    cost (0.897 for 89.7 %), for operators only and None where it cannot be told.
    """

    success: bool
    credits_charged: Decimal
    new_balance: Decimal
    transaction_id: str
    low_credit_warning: bool
    profit_margin: Decimal | None


class FeatureStats(TypedDict):
    """What a business used of one feature."""

    feature: str
    feature_display_name: str
    count: int
    credits: Decimal


class UsageStats(TypedDict):
    """What a business used over some days; ``total_cost_ghs`` is for operators, else None."""

    period_days: int
    current_balance: Decimal
    total_credits_used: Decimal
    total_requests: int
    successful_requests: int
    success_rate: Decimal
    avg_response_time_ms: Decimal | None
    feature_breakdown: list[FeatureStats]
    most_used_feature: str | None
    total_cost_ghs: Decimal | None


class BillingService:
    """Charges for work that a host does itself.

    A feature made with `billed_feature` needs none of this. Where a host calls a model by its own
    means, it checks, does the work and charges; another call may spend the credits in between, and
    then the charge is refused.

    Args:
        books: The open books.
        price: Credits of a feature, by its key.
        names: Finds what a feature is called, by its key; must know what to say of one no longer on sale.
        is_enabled: Whether a feature, by its key, is switched on for a business.
        fingerprint: Keyed hash of a feature and what was asked of it; it may hold personal data.
        clock: Dates the ids of charges without a key.
        operator: Whether the results are for the operator, who may see cost and margin.
    """

    def __init__(
        self,
        books: Books,
        *,
        price: Callable[[str], Credits],
        names: Callable[[str], str],
        is_enabled: Callable[[str, str], bool],
        fingerprint: Callable[[str, Mapping[str, object]], str],
        clock: Clock,
        operator: bool = False,
    ) -> None:
        self._books = books
        self._store = Store(books)
        self._reports = Reports(books, names)
        self._price = price
        self._names = names
        self._is_enabled = is_enabled
        self._fingerprint = fingerprint
        self._clock = clock
        self._operator = operator

    def check_credits(self, business_id: str, feature: str) -> CreditCheck:
        """Whether a business can pay for a feature now; nothing is held.

        Args:
            business_id: Who would pay.
            feature: Feature key.

        Raises:
            UnknownFeature: If there is no such feature.
            UnpricedFeature: If it has no price.
            NotEnabled: If it is off for this business.
        """
        required = self._price(feature)
        if not self._is_enabled(feature, business_id):
            raise errors.NotEnabled
        wallet = self._store.wallet(business_id)
        shortfall = max(required - wallet.spendable(feature), Credits(0))
        return CreditCheck(
            has_credits=not shortfall,
            required=required.decimal,
            current_balance=wallet.available.decimal,
            shortfall=shortfall.decimal,
            feature_name=self._names(feature),
        )

    def charge_credits(  # noqa: PLR0913, PLR0917  # the first plan's arguments
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
        """Charge a feature's price for work that succeeded, in one transaction.

        Args:
            business_id: Who pays.
            user_id: Who asked.
            feature: Feature key.
            actual_openai_cost_usd: What the provider cost, of whatever model, in US dollars; None if unknown. The
                one amount that may be a float; it is rounded to a pico-dollar.
            input_tokens: Tokens sent; with no tokens at all they count as unknown.
            output_tokens: Tokens received.
            response_time_ms: How long it took; 0 if unknown.
            request_data: What was asked. Only its numbers and sizes are kept, never a text.
            response_summary: What was answered. Only its length is kept.
            idempotency_key: What makes it one charge. A repeat with the same feature, request, cost and tokens
                charges nothing and tells again what was charged; its balance is that of now.

        Raises:
            UnknownFeature: If there is no such feature.
            NotEnabled: If it is off for this business; a repeat of what was charged before is told even then.
            ValueError: If a number is below zero or too large, or a name is none.
            TypeError: If a number is of a wrong kind.
            InsufficientCreditsError: If too few credits are available.
            IdempotencyConflict: If the key was used for something else.
            LedgerConflict: If a call with this key is in progress.
            WalletSuspended: If the wallet takes no new calls.
            Paused: If the kill switch is on.
            LimitReached: If a spending limit would be passed.
            StoreUnavailable: If the database cannot be used; nothing was charged then.
        """
        price = self._price(feature)
        record = CallRecord(
            outcome="ok",
            source="ai",
            tokens=tokens(input_tokens, output_tokens),
            cost=pico_usd(actual_openai_cost_usd),
            latency_ms=whole(response_time_ms, "response_time_ms") or None,
            request_meta=sizes(request_data),
            response_meta={} if response_summary is None else {"summary": {"size": len(response_summary)}},
        )
        request = {"data": request_data, "cost": record.cost, "tokens": [input_tokens, output_tokens]}
        call = self._call(business_id, user_id, feature, idempotency_key, request)
        done = self._book(call, price, record)
        balance = done.balance if isinstance(done, Booked) else self._store.wallet(business_id).available
        return CreditCharge(
            success=True,
            credits_charged=done.charged.decimal,
            new_balance=balance.decimal,
            transaction_id=call.id,
            low_credit_warning=balance < self._books.terms.low,
            profit_margin=self._books.database.read(partial(_margin, call)) if self._operator else None,
        )

    def log_failed_transaction(
        self,
        business_id: str,
        user_id: str | None,
        feature: str,
        error_message: str,
        request_data: Mapping[str, object] | None = None,
    ) -> None:
        """Write work that failed into the call log; charges nothing. Its cost counts as unknown.

        Args:
            business_id: Whose call it was.
            user_id: Who asked.
            feature: Feature key.
            error_message: What went wrong. One of our own error codes is kept; of any other text only the length,
                for it may quote the customer.
            request_data: What was asked. Only its numbers and sizes are kept.

        Raises:
            UnknownFeature: If there is no such feature.
            ValueError: If a name is none.
            StoreUnavailable: If the database cannot be used.
        """
        self._price(feature)
        record = CallRecord(
            outcome="failed",
            source="ai",
            error_code=error_message if error_message in _CODES else "host_error",
            request_meta=sizes(request_data),
            response_meta={"error": {"size": len(error_message)}},
        )
        self._store.record(self._call(business_id, user_id, feature, None, {}), record)

    def get_usage_stats(self, business_id: str, days: int = 30) -> UsageStats:
        """What a business used in its last days; zeros for one never seen.

        Args:
            business_id: Whose calls.
            days: How many days back, today included, in the business's zone.

        Raises:
            ValueError: Unless it is 1 to 366 days.
        """
        usage = self._reports.usage(business_id, days)
        return UsageStats(
            period_days=usage.period_days,
            current_balance=usage.current_balance.decimal,
            total_credits_used=usage.total_credits_used.decimal,
            total_requests=usage.total_requests,
            successful_requests=usage.successful_requests,
            success_rate=usage.success_rate,
            avg_response_time_ms=usage.avg_response_time_ms,
            feature_breakdown=[
                FeatureStats(
                    feature=one.feature,
                    feature_display_name=one.feature_display_name,
                    count=one.count,
                    credits=one.credits.decimal,
                )
                for one in usage.feature_breakdown
            ],
            most_used_feature=usage.most_used_feature,
            total_cost_ghs=usage.total_cost_ghs if self._operator else None,
        )

    def _call(
        self, business: str, user: str | None, feature: str, key: str | None, request: Mapping[str, object]
    ) -> CallIdentity:
        """Which call it is. Without a key nobody can repeat it, so its request needs no name."""
        call = CallIdentity(
            business=business,
            user=user,
            id=self._books.new_id(self._clock.now()) if key is None else key,
            feature=feature,
            request_hash="" if key is None else self._fingerprint(feature, request),
            keyed=key is not None,
        )
        check_call(call)
        return call

    def _book(self, call: CallIdentity, price: Credits, record: CallRecord) -> Booked | Finished:
        if self._is_enabled(call.feature, call.business):
            return charge(self._books, call, price, record) if price else self._book_free(call, record)
        # Whoever was charged before the feature was switched off must not be told that nothing was.
        before = self._store.find(call) if call.keyed else None
        if before is None:
            raise errors.NotEnabled
        return before

    def _book_free(self, call: CallIdentity, record: CallRecord) -> Booked | Finished:
        """A feature that costs nothing holds nothing; a repeat is the line of the first time."""
        return self._store.find(call) or self._store.record(call, record)


def _margin(call: CallIdentity, tx: Tx) -> Decimal | None:
    """What a charge earned, by the grants that paid."""
    rows = tx.rows(sql.ROWS_UNDER_KEY, {"business": call.business, "key": call.id})
    # Under one key an attempt may have failed before, or been free after.
    paid = max(rows, key=lambda row: int(row.charged))
    return call_margin(paid.revenue_micro_ghs, paid.cost_micro_ghs)
