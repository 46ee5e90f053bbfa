"""Where a payer's browser comes back to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ai_addons.web.base import Context

RETURN: Final = "ai/ui/return/"
"""Our own page that a payer comes back to, below the mount."""


def return_url(context: Context) -> str | None:
    """Where a payer's browser comes back to; None leaves it to the gateway's own setting.

    Our own page, which verifies, is used if it is among the endpoints and the address of this host is known.
    """
    settings, request = context.addons.settings, context.request
    told = settings.web.return_url or settings.payments.return_url
    if told or request.origin is None or all(endpoint.path != RETURN for endpoint in context.endpoints):
        return told
    return f"{request.origin}{request.root}{RETURN}"
