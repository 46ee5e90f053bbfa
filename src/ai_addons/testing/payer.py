"""The business that pays in a test, and what it was charged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_addons.money import Credits

if TYPE_CHECKING:
    from decimal import Decimal

    from ai_addons.addons import AddOns
    from ai_addons.billing.records import Transaction
    from ai_addons.receipt import Receipt


class FundedPayer:
    """A business with credits; the fixture ``ai_payer``.

    Args:
        addons: Where it is known.
        business: Its id.
        user: Who asks.
        receipts: Where the receipts of its calls are collected.

    Attributes:
        business: Its id.
        user: Who asks.
        receipts: The receipt of every call made in the test's own thread or task, in order.
    """

    def __init__(self, addons: AddOns, business: str, user: str, receipts: list[Receipt]) -> None:
        self._addons = addons
        self.business = business
        self.user = user
        self.receipts = receipts

    @property
    def available(self) -> Credits:
        """Credits left."""
        return self._addons.wallet(self.business).available

    @property
    def spent(self) -> Credits:
        """Credits charged so far, from the books."""
        return self._addons.wallet(self.business).lifetime_used

    def assert_charged(self, amount: str | int | Decimal | Credits, feature: object = None) -> None:
        """Check what this business was charged so far, in all or for one feature.

        Args:
            amount: The exact sum in credits; 0 for nothing.
            feature: The decorated function or its key; None for all.

        Raises:
            AssertionError: With every call that was booked.
        """
        wanted = amount if isinstance(amount, Credits) else Credits(amount)
        name = None if feature is None else key(feature)
        rows = [row for row in self._addons.transactions(self.business) if name in (None, row.feature)]
        charged = sum((row.charged for row in rows), start=Credits(0))
        if charged != wanted:
            where = "" if name is None else f" for {name}"
            msg = f"{charged.short} credits were charged{where}, not {wanted.short}. The books say:\n{_table(rows)}"
            raise AssertionError(msg)


def key(feature: object) -> str:
    """A feature's key, from the decorated function or the key itself.

    Raises:
        TypeError: If it is neither.
    """
    if isinstance(feature, str):
        return feature
    spec = getattr(feature, "spec", None)
    if spec is None:
        msg = f"give a decorated feature or its key, not {feature!r}: is @billed_feature(…) missing?"
        raise TypeError(msg)
    return str(spec.key)


def _table(rows: list[Transaction]) -> str:
    """Calls for a person, one a line."""
    lines = [f"  {row.feature}: {_ended(row)}, charged {row.charged.short}" for row in rows]
    return "\n".join(lines) or "  no call at all (a refused one is not booked)"


def _ended(row: Transaction) -> str:
    return f"{row.outcome}, words by {row.source}" if row.error_code is None else f"{row.outcome} ({row.error_code})"
