"""What a business has and what is on sale."""

from __future__ import annotations

from decimal import Decimal  # noqa: TC003  # pydantic reads it
from typing import TYPE_CHECKING, Final

from ai_addons.web.base import Answer, Context, Endpoint

if TYPE_CHECKING:
    from ai_addons.billing.records import Wallet


class CreditsAnswer(Answer):
    """A business's credits now."""

    balance: Decimal
    held: Decimal
    available: Decimal


def _credits(context: Context) -> CreditsAnswer:
    wallet: Wallet = context.addons.wallet(context.business)
    return CreditsAnswer(balance=wallet.posted.decimal, held=wallet.held.decimal, available=wallet.available.decimal)


ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Endpoint(
        method="GET",
        path="ai/credits/",
        name="credits",
        summary="A business's credits now.",
        handle=_credits,
        action="credits:read",
        answer=CreditsAnswer,
    ),
)
