"""Every error the SDK raises, as one tree.

::

    AddOnsError                       every one: code, http_status, retryable, charged
    ├── ConfigError                   the developer must change something; nothing was spent
    │   ├── UnknownPlugin  UnknownFeature  FeatureExists
    │   ├── UnpricedFeature  UnpricedModel
    │   └── NoPayer
    ├── PrivacyRefused                personal data could not be masked safely; nothing was sent
    ├── NotEnabled                    the feature is not switched on for this business
    ├── BillingError
    │   ├── InsufficientCreditsError  too few credits; the provider was never called
    │   ├── LimitReached  WalletSuspended  TrialClaimed
    │   ├── Paused                    the kill switch is on
    │   │   └── BudgetSpent           what the models may cost is spent
    │   ├── IdempotencyConflict  LedgerConflict  HoldExpired
    │   ├── AddonNotOffered  AddonConflict  BadSignature  PriceBelowFloor  NotFound
    │   ├── PaymentError              credits that were to be bought
    │   │   ├── PaymentPending  PaymentDeclined  PaymentMismatch
    │   │   └── GatewayError  StaleRate
    │   └── StoreUnavailable
    └── CallError                     the provider was asked in vain; the hold is void
        ├── ProviderUnavailable  ProviderTimeout  ProviderRejected
        └── ContentBlocked  BadOutput  NotFinished

A class docstring is the default message: what happened, whether it cost
anything, what to do.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from ai_addons.money import Credits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ai_addons.catalog import Offer

__all__ = [
    "AddOnsError",
    "AddonConflict",
    "AddonNotOffered",
    "BadOutput",
    "BadSignature",
    "BillingError",
    "BudgetSpent",
    "CallError",
    "ConfigError",
    "ContentBlocked",
    "FeatureExists",
    "GatewayError",
    "HoldExpired",
    "IdempotencyConflict",
    "InsufficientCreditsError",
    "LedgerConflict",
    "LimitReached",
    "NoPayer",
    "NotEnabled",
    "NotFinished",
    "NotFound",
    "Paused",
    "PaymentDeclined",
    "PaymentError",
    "PaymentMismatch",
    "PaymentPending",
    "PriceBelowFloor",
    "PrivacyRefused",
    "ProviderRejected",
    "ProviderTimeout",
    "ProviderUnavailable",
    "StaleRate",
    "StoreUnavailable",
    "TrialClaimed",
    "UnknownFeature",
    "UnknownPlugin",
    "UnpricedFeature",
    "UnpricedModel",
    "WalletSuspended",
]

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class AddOnsError(Exception):
    """The AI add-on could not do this. Nothing was charged. Try again; if it stays so, tell the operator.

    Attributes:
        code: Stable name for machines, the class name in snake case.
        http_status: What a web adapter answers with.
        retryable: Whether the same call may succeed a little later.
        charged: What the business paid for the failed call: zero, with the one
            exception of a token-priced stream that broke after some output.
    """

    code: ClassVar[str] = "add_ons"
    http_status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: object) -> None:
        """Name the error: the class name in snake case, without ``Error``, unless the class names itself."""
        super().__init_subclass__(**kwargs)
        if "code" in vars(cls):
            return
        cls.code = _WORD_START.sub("_", cls.__name__.removesuffix("Error")).lower()

    def __init__(self, message: str | None = None, *, charged: Credits | None = None) -> None:
        super().__init__(message or _default_message(type(self)))
        self.charged: Credits = charged if charged is not None else Credits(0)

    def __str__(self) -> str:
        """The message for a person."""
        return str(self.args[0])


def bare(error: AddOnsError) -> AddOnsError:
    """The error alone, as it leaves a call.

    Crash reporters walk chains and print the locals of every frame, and those of a call hold prompts, answers and
    personal data. The message says all that a person needs.

    Args:
        error: It loses its frames, its cause and its context.
    """
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def _default_message(cls: type[AddOnsError]) -> str:
    """The first paragraph of the class docstring, on one line."""
    return " ".join((cls.__doc__ or cls.__name__).split("\n\n")[0].split())


class ConfigError(AddOnsError):
    """The AI add-on is not configured correctly. Nothing was charged. Run `ai-addons check` to see what to change."""


class UnknownPlugin(ConfigError):
    """No plug-in of that name is installed. Nothing was charged. Check the spelling, or install the package."""


class UnknownFeature(ConfigError):
    """No AI feature of that name is known. Nothing was charged. Check the key against the price list."""

    http_status = 404


class FeatureExists(ConfigError):
    """Two functions are decorated with one feature key. Nothing was charged. Give one of them another key."""


class UnpricedFeature(ConfigError):
    """This feature has no price. Nothing was charged. Give `credits=` to the decorator or a price in the settings."""


class UnpricedModel(ConfigError):
    """This model has no known price, so its cost cannot be bounded. Nothing was charged.

    Add it to `[prices.models]` in the settings, or set `prices.allow_unpriced`.
    """


class NoPayer(ConfigError):
    """Nobody is known to pay for this call, so nothing was sent and nothing was charged. Use `bill_to(business_id)`."""


class PrivacyRefused(AddOnsError):
    """The text could not be made safe to send, so nothing was sent and nothing was charged. Shorten or change it."""

    http_status = 422


class NotEnabled(AddOnsError):
    """This AI feature is not switched on for this business. Nothing was charged. Ask the operator for it."""

    http_status = 403


class BillingError(AddOnsError):
    """The credits could not be booked. Nothing was charged. The operator should run `ai-addons doctor`."""


class InsufficientCreditsError(BillingError):
    """There are too few credits for this call. Nothing was charged and the model was not asked. Buy credits to go on.

    Attributes:
        required: The price of the call.
        available: What the wallet can spend now.
        shortfall: How much is missing.
        offers: Packs that would cover it, cheapest first.
    """

    http_status = 402

    def __init__(
        self,
        message: str | None = None,
        *,
        required: Credits,
        available: Credits,
        offers: Sequence[Offer] = (),
    ) -> None:
        short = required - available
        packs = ", ".join(f"{offer.type} ({offer.credits.short} credits, {offer.price})" for offer in offers)
        super().__init__(
            message
            or f"This costs {required.short} credits and {available.short} are available: {short.short} are missing. "
            f"Nothing was charged and the model was not asked. Buy credits to go on{f': {packs}' if packs else ''}."
        )
        self.required = required
        self.available = available
        self.shortfall = short
        self.offers: tuple[Offer, ...] = tuple(offers)


class LimitReached(BillingError):
    """A spending limit is reached. Nothing was charged. Wait for the next period or raise the limit."""

    http_status = 429


class WalletSuspended(BillingError):
    """This wallet is suspended. Nothing was charged. Ask the operator to reopen it."""

    http_status = 403


class Paused(BillingError):
    """AI features are paused by the operator. Nothing was charged. Try again later."""

    http_status = 503
    retryable = True


class BudgetSpent(Paused):
    """AI features are paused: what the models may cost is spent for now. Nothing was charged. Try again later."""


class TrialClaimed(BillingError):
    """The free trial was claimed before with these details. Nothing was granted. Buy a pack to go on."""

    http_status = 409


class IdempotencyConflict(BillingError):
    """This idempotency key was used for a different request. Nothing was charged. Use a fresh key."""

    http_status = 409


class LedgerConflict(BillingError):
    """The same call is in progress already. Nothing was charged for this one. Try again in a moment."""

    http_status = 409
    retryable = True


class HoldExpired(BillingError):
    """The hold of this call is no longer open. Nothing was charged for it so far. Make the call again."""

    http_status = 409


class AddonNotOffered(BillingError):
    """A monthly add-on is not to be had here, or not in this state. Nothing was booked. Look at the price list."""

    http_status = 409


class AddonConflict(BillingError):
    """The monthly add-on is not in a state for this. Nothing was booked. Look at its state and try again."""

    http_status = 409


class BadSignature(BillingError):
    """This message is not signed by who it claims to be from. Nothing was booked. Check the signing secret."""

    http_status = 401


class PaymentError(BillingError):
    """This payment cannot go on as it stands. Nothing was granted for it. Look at the order."""

    http_status = 409


class PaymentPending(PaymentError):
    """The payment is not finished yet. Nothing was granted so far. Approve it, or look again in a moment."""

    http_status = 409
    retryable = True


class PaymentDeclined(PaymentError):
    """The payment was declined. Nothing was charged and nothing granted. Try again, or pay in another way."""

    http_status = 402


class PaymentMismatch(PaymentError):
    """The payment does not fit its order. Nothing was granted. An operator has been told and will look at it."""

    http_status = 409


class GatewayError(PaymentError):
    """The payment gateway cannot be used just now. Nothing was granted. Look at the order before you pay again.

    Attributes:
        status: HTTP status of its answer; None where none came.
        reason: The gateway's own code, for operators.
        may_exist: Whether the request may have been carried out all the same; ask before it is sent again.
    """

    http_status = 502
    retryable = True

    def __init__(
        self, message: str | None = None, *, status: int | None = None, reason: str = "", may_exist: bool = False
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.may_exist = may_exist


class NotFound(BillingError):
    """There is nothing of yours under this name. Nothing was charged. Check the name."""

    http_status = 404


class StaleRate(PaymentError):
    """The exchange rate is too old to charge in another currency. Nothing was charged. Try again later."""

    http_status = 503
    retryable = True


class PriceBelowFloor(BillingError):
    """This price would lose money. It was not published; nothing was charged.

    Raise it, choose a cheaper model, or publish it as a loss leader.
    """

    http_status = 422


class StoreUnavailable(BillingError):
    """The credit store did not answer in time. Nothing was charged. Try again in a moment.

    Attributes:
        in_doubt: Whether it may have been booked all the same: the connection broke while it was.
    """

    http_status = 503
    retryable = True

    def __init__(self, message: str | None = None, *, in_doubt: bool = False) -> None:
        super().__init__(message)
        self.in_doubt = in_doubt


class CallError(AddOnsError):
    """The AI model gave no usable answer. Nothing was charged. Try again later."""

    http_status = 502


class ProviderUnavailable(CallError):
    """AI is temporarily unavailable. Nothing was charged. Try again in a moment."""

    http_status = 503
    retryable = True


class ProviderTimeout(CallError):
    """The AI model took too long. Nothing was charged. Try again in a moment."""

    http_status = 504
    retryable = True


class ProviderRejected(CallError):
    """The AI provider refused the request. Nothing was charged. The operator should run `ai-addons check`."""

    http_status = 502


class ContentBlocked(CallError):
    """The AI provider declined to answer this. Nothing was charged. Change the request."""

    http_status = 422


class NotFinished(CallError):
    """The batch ended before this call of it was made or answered. Nothing was charged for it. Make the call again."""

    http_status = 503
    retryable = True


class BadOutput(CallError):
    """The AI model's answer was not usable, also after one correction. Nothing was charged. Try again."""

    http_status = 502
    retryable = True
