"""Requests under an ``Idempotency-Key``: carried out once, and a repeat gets the same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_addons.billing.replies import Reply
from ai_addons.web.base import WebResponse
from ai_addons.web.problems import NO_STORE

if TYPE_CHECKING:
    from collections.abc import Callable

    from ai_addons.web.base import Context, Endpoint


def once(context: Context, endpoint: Endpoint, key: str, carry_out: Callable[[], WebResponse]) -> WebResponse:
    """Carry a request out, or answer what was answered to it before.

    Only a success is kept. After an error the same request is carried out again, and the books see to it that
    nothing happens twice.

    Args:
        context: The request.
        endpoint: What it is for.
        key: The client's.
        carry_out: Does it.

    Raises:
        IdempotencyConflict: If the key was used for another request.
        LedgerConflict: If the same request is being carried out right now.
    """
    replies, business = context.addons.replies, context.business
    body = None if context.body is None else context.body.model_dump(mode="json")
    asked = {"body": body, "params": dict(context.params)}
    begun = replies.begin(business, key, f"web:{endpoint.name}", asked)
    if isinstance(begun, Reply):
        return WebResponse(status=begun.status, body=begun.body.encode(), headers=NO_STORE)
    reply: Reply | None = None
    try:
        answer = carry_out()
        reply = Reply(status=answer.status, body=answer.body.decode())
        return answer
    finally:
        replies.end(business, key, begun, reply)
