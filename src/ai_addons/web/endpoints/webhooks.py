"""What payment gateways tell us. Their signature is the only authentication."""

from __future__ import annotations

from typing import Final

from ai_addons.errors import BadSignature, NotFound
from ai_addons.web.base import Answer, Context, Endpoint


class ReceivedAnswer(Answer):
    """It is kept, and worked on later."""

    received: bool


def _receive(context: Context) -> ReceivedAnswer:
    request = context.request
    context.addons.orders.receive(context.params["gateway"], request.headers, request.body)
    return ReceivedAnswer(received=True)


ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Endpoint(
        method="POST",
        path="ai/webhooks/{gateway}/",
        name="webhook",
        summary="A payment gateway's message, byte for byte as it was signed.",
        handle=_receive,
        action=None,
        answer=ReceivedAnswer,
        errors=(BadSignature, NotFound),
        raw=True,
    ),
)
