"""The table of endpoints, one module for each part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ai_addons.web.endpoints import admin, admin_pages, wallet

if TYPE_CHECKING:
    from ai_addons.web.base import Endpoint

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    *wallet.ENDPOINTS,
    *admin.ENDPOINTS,
    *admin_pages.ENDPOINTS,
)
"""Every endpoint, in the order of the documents."""
