"""How orders are paid, and what receipts say of it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from ai_addons.settings.base import Section
from ai_addons.settings.values import Duration, Names


class GatewaySettings(Section):
    """How to reach one payment gateway."""

    keys: tuple[SecretStr, ...] = ()
    """Secret keys, the newest first: it signs requests, and Paystack's webhooks may be signed with any. Empty: the
    usual variable, ``PAYSTACK_SECRET_KEY`` or ``STRIPE_SECRET_KEY``."""
    webhook_secrets: tuple[SecretStr, ...] = ()
    """Stripe's webhook secrets (``whsec_…``); several while they are rotated. Empty: ``STRIPE_WEBHOOK_SECRET``."""
    base_url: str | None = None
    """Where its API is. None: the gateway's own."""
    currency: str | None = Field(default=None, pattern="^[A-Z]{3}$")
    """What payers are charged in. None: GHS at Paystack, USD at Stripe."""
    timeout: Duration = Field(default=timedelta(seconds=10), gt=timedelta(0))
    """How long each step of a request may take."""


class PaymentSettings(Section):
    """How orders of credits are paid."""

    gateways: Names = ()
    """Gateways that may be used, the usual one first. None: all that ``gateways`` names, in that order."""
    return_url: str | None = None
    """Where a payer's browser comes back to. None: nowhere of its own; the gateway's own setting counts."""
    abandon_after: Duration = Field(default=timedelta(hours=24), gt=timedelta(0))
    """After this an order that nobody paid is given up; a payment that comes later is honoured all the same."""
    refund_shortfall: Literal["clamp", "debt", "suspend"] = "clamp"
    """What becomes of spent credits that a refund or dispute should take back: you bear them (``clamp``), credits
    bought later pay them (``debt``), or the same and the business makes no calls until then (``suspend``)."""


class TaxRuleSettings(Section):
    """One tax or levy."""

    code: Annotated[str, Field(min_length=1)]
    """Stable name."""
    name: Annotated[str, Field(min_length=1)]
    """What the receipt calls it."""
    rate: Decimal = Field(ge=0, lt=1)
    """Share of what it is charged on."""
    on: Names = ()
    """Codes of taxes before it that it is charged on too."""


class TaxPeriodSettings(Section):
    """The taxes from a day on."""

    starts: date
    """The first day."""
    rules: tuple[TaxRuleSettings, ...]
    """In the order of the receipt."""


class ReceiptSettings(Section):
    """Receipts for payments: who sells, and which taxes are in the price."""

    seller: str | None = None
    """Legal name of who sells; without it there are no receipts."""
    address: Names = ()
    """Lines of its address."""
    tax_id: str | None = None
    """Its tax number."""
    phone: str | None = None
    """Its telephone, for questions."""
    email: str | None = None
    """Its e-mail address, for questions."""
    prefix: str = "R-"
    """What stands before the number of a receipt."""
    note_prefix: str = "CN-"
    """What stands before the number of a credit note."""
    tax: Literal["none", "ghana", "own"] = "none"
    """Which taxes: none, the example table for Ghana (let an accountant confirm it), or those of ``taxes``."""
    taxes: tuple[TaxPeriodSettings, ...] = ()
    """Periods, the earliest first, each with ``starts`` and ``rules`` (``code``, ``name``, ``rate``, ``on``)."""
    prices_include_tax: bool = True
    """Whether the prices of packs include the taxes."""
