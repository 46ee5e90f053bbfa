"""The document that describes all endpoints."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from ai_addons.web.base import Endpoint, WebResponse
from ai_addons.web.openapi import document

if TYPE_CHECKING:
    from ai_addons.web.base import Context


def _document(context: Context) -> WebResponse:
    made = document(context.endpoints, root=context.request.root)
    headers = {"cache-control": "public, max-age=300", "x-content-type-options": "nosniff"}
    return WebResponse(status=200, body=json.dumps(made, ensure_ascii=False).encode(), headers=headers)


ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Endpoint(
        method="GET",
        path="ai/openapi.json",
        name="openapi",
        summary="This document (OpenAPI 3.1).",
        handle=_document,
        action=None,
    ),
)
