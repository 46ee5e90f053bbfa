"""The endpoints over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field

from ai_addons.settings.base import Section
from ai_addons.settings.values import Duration


class WebSettings(Section):
    """The endpoints over HTTP."""

    compat: bool = False
    """Answer as the first plan had it: amounts as JSON numbers, errors as ``{"error": …}``, 400 for a bad pack, and 200
    where something was made."""
    return_url: str | None = None
    """Where a payer's browser comes back to. None: ``payments.return_url``, else our own page, which verifies."""
    home_url: str | None = Field(default=None, pattern=r"^(/|https?://)")
    """The host's own pages, e.g. ``/till/``: our pages link back to them. None: they do not."""
    addon_billing: Literal["gateway", "external"] = "gateway"
    """Who collects the money of the monthly add-on: a gateway, or the host (``external``), which then books it with
    ``addons.subscriptions.pay``."""
    max_body: int = Field(default=65_536, gt=0)
    """Bytes of a request's body; more is refused."""
    max_webhook_body: int = Field(default=1_048_576, gt=0)
    """The same for webhooks of gateways."""
    window: Duration = Field(default=timedelta(minutes=1), gt=timedelta(0))
    """In which requests to costly endpoints (purchases, codes, trials, feedback) are counted, on all hosts together."""
    user_requests: int = Field(default=20, ge=0)
    """Requests of one user to one costly endpoint in a window; 0 for no limit."""
    business_requests: int = Field(default=60, ge=0)
    """Requests of one business to one costly endpoint in a window; 0 for no limit."""
    verify_every: Duration = timedelta(seconds=4)
    """Least time between two questions to a gateway about one payment that is polled."""
    page_size: int = Field(default=50, ge=1, le=200)
    """Rows of a page where the client does not say."""
    csv_rows: int = Field(default=10_000, ge=1, le=100_000)
    """Most rows of one CSV answer; a link in its header leads to the rest."""
    keep_replies: Duration = Field(default=timedelta(hours=24), gt=timedelta(0))
    """How long an answer under an ``Idempotency-Key`` is kept for a repeat."""
    expiring_soon: Duration = timedelta(days=7)
    """Credits that expire within this time are told apart."""
