"""The table of endpoints, one module for each part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ai_addons.web.endpoints import (
    addon,
    admin,
    admin_pages,
    buying,
    document,
    feedback,
    ledger,
    pricing,
    purchases,
    trial,
    ui,
    ui_addon,
    ui_buy,
    usage,
    wallet,
    webhooks,
)

if TYPE_CHECKING:
    from ai_addons.web.base import Endpoint

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    *wallet.ENDPOINTS,
    *pricing.ENDPOINTS,
    *buying.ENDPOINTS,
    *purchases.ENDPOINTS,
    *addon.ENDPOINTS,
    *trial.ENDPOINTS,
    *usage.ENDPOINTS,
    *ledger.ENDPOINTS,
    *feedback.ENDPOINTS,
    *webhooks.ENDPOINTS,
    *document.ENDPOINTS,
    *ui.ENDPOINTS,
    *ui_buy.ENDPOINTS,
    *ui_addon.ENDPOINTS,
    *admin.ENDPOINTS,
    *admin_pages.ENDPOINTS,
)
"""Every endpoint, in the order of the documents."""
