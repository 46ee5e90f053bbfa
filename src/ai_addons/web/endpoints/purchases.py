"""Orders: a list of them, one whose payment is waited for, its receipt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, cast

from pydantic import Field

from ai_addons.errors import GatewayError, NotFound, PaymentError
from ai_addons.web.base import Answer, Body, Context, Endpoint, Query, WebResponse
from ai_addons.web.endpoints._shared import PageQuery, read_cursor, write_cursor
from ai_addons.web.endpoints.buying import OPENING, PurchaseAnswer, bought
from ai_addons.web.endpoints.paying import (
    OrderAnswer,
    PaymentAnswer,
    WayBody,
    order_values,
    payment_answer,
    way_of,
)
from ai_addons.web.problems import NO_STORE

if TYPE_CHECKING:
    from ai_addons.billing.orders import Attempt

_LIST: Final = "p"
_HTML: Final = "text/html; charset=utf-8"
_TEXT: Final = "text/plain; charset=utf-8"
_PAGE_POLICY: Final = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
}


class OrdersAnswer(Answer):
    """A page of orders, the newest first."""

    purchases: list[OrderAnswer]
    next_cursor: str | None


class OtpBody(Body):
    """The code that the payer was sent."""

    otp: str = Field(min_length=1, max_length=12, pattern=r"^[A-Za-z0-9]+$", repr=False)


class CancelledAnswer(Answer):
    """An order that was given up."""

    success: bool
    status: str
    message: str


class ReceiptQuery(Query):
    """How a receipt is to look."""

    format: Literal["html", "text"] = "html"


def _list(context: Context) -> OrdersAnswer:
    query = cast("PageQuery", context.query)
    most = query.limit or context.addons.settings.web.page_size
    before = None if query.cursor is None else read_cursor(_LIST, query.cursor)
    # One more than is shown tells whether there is another page.
    found = context.addons.orders.listed(context.business, most + 1, before=before)
    shown = found[:most]
    return OrdersAnswer(
        purchases=[OrderAnswer.model_validate(order_values(order, attempts, context)) for order, attempts in shown],
        next_cursor=write_cursor(_LIST, shown[-1][0].id) if len(found) > most else None,
    )


def _one(context: Context) -> PaymentAnswer:
    every = context.addons.settings.web.verify_every
    return payment_answer(context.addons.orders.watch(context.business, context.params["id"], every=every), context)


def _otp(context: Context) -> PaymentAnswer:
    attempt = _last_attempt(context)
    context.addons.orders.submit_otp(context.business, attempt.reference, cast("OtpBody", context.body).otp)
    return _one(context)


def _last_attempt(context: Context) -> Attempt:
    _, attempts = context.addons.orders.find(context.business, context.params["id"])
    return attempts[-1]


def _retry(context: Context) -> PurchaseAnswer:
    body = cast("WayBody", context.body)
    way = way_of(body, context)
    return bought(context.addons.orders.attempt(context.business, context.params["id"], key=context.key, **way))


def _cancel(context: Context) -> CancelledAnswer:
    order = context.addons.orders.cancel(context.business, context.params["id"])
    message = "The order was given up. A payment that is on its way is honoured all the same."
    return CancelledAnswer(success=True, status=order.state.upper(), message=message)


def _receipt(context: Context) -> WebResponse:
    if context.addons.settings.receipts.seller is None:
        raise NotFound
    receipt = context.addons.orders.receipt(context.business, context.params["id"])
    if cast("ReceiptQuery", context.query).format == "text":
        return WebResponse(status=200, body=receipt.text.encode(), content_type=_TEXT, headers=NO_STORE)
    headers = {**NO_STORE, **_PAGE_POLICY}
    return WebResponse(status=200, body=receipt.html.encode(), content_type=_HTML, headers=headers)


ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Endpoint(
        method="GET",
        path="ai/purchases/",
        name="purchases",
        summary="The orders of a business, the newest first.",
        handle=_list,
        action="credits:read",
        query=PageQuery,
        answer=OrdersAnswer,
    ),
    Endpoint(
        method="GET",
        path="ai/purchases/{id}/",
        name="purchase_status",
        summary="An order and where its payment stands; ask it again while the payer pays.",
        handle=_one,
        action="credits:read",
        answer=PaymentAnswer,
        errors=(NotFound,),
    ),
    Endpoint(
        method="POST",
        path="ai/purchases/{id}/otp/",
        name="purchase_otp",
        summary="Give the code that the payer was sent; a wrong one ends the attempt.",
        handle=_otp,
        action="credits:purchase",
        body=OtpBody,
        answer=PaymentAnswer,
        errors=(NotFound, PaymentError, GatewayError),
        costly=True,
    ),
    Endpoint(
        method="POST",
        path="ai/purchases/{id}/retry/",
        name="purchase_retry",
        summary="Try once more to pay an order, also in another way.",
        handle=_retry,
        action="credits:purchase",
        body=WayBody,
        answer=PurchaseAnswer,
        status=201,
        errors=(NotFound, *OPENING),
        keyed=True,
        costly=True,
    ),
    Endpoint(
        method="POST",
        path="ai/purchases/{id}/cancel/",
        name="purchase_cancel",
        summary="Give up an order that is not paid.",
        handle=_cancel,
        action="credits:purchase",
        answer=CancelledAnswer,
        errors=(NotFound, PaymentError),
    ),
    Endpoint(
        method="GET",
        path="ai/purchases/{id}/receipt/",
        name="purchase_receipt",
        summary="The receipt of a paid order, as a page to print or as text.",
        handle=_receipt,
        action="credits:read",
        query=ReceiptQuery,
        errors=(NotFound, PaymentError),
        produces=("text/html", "text/plain"),
    ),
)
