"""The pages on which credits are bought: choose, pay, wait, done. They work without a script.

A form that did something answers with another address (303), so that a page loaded again buys nothing twice; and it
carries a key, so that a button pressed twice makes one order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, cast

from ai_addons.billing.packs import custom, extra, saving
from ai_addons.clock import Uuid7
from ai_addons.errors import GatewayError, NotFound, PaymentError
from ai_addons.money import Money
from ai_addons.web.base import Context, Endpoint, Query, WebResponse
from ai_addons.web.endpoints.paying import NAME
from ai_addons.web.errors import Forbidden
from ai_addons.web.pages import HEADERS, HTML
from ai_addons.web.pages.forms import Again, Amount, Form, Otp, Purchase, read_form
from ai_addons.web.pages.frame import HOME, go, order_label, order_path, pack_name, show
from ai_addons.web.pages.paying import wait_of, way_of
from ai_addons.web.returning import RETURN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ai_addons.addons import PriceList
    from ai_addons.billing.orders import Attempt, Order
    from ai_addons.money import Credits
    from ai_addons.web.base import Action, Handler
    from ai_addons.web.words import Words

ADDON: Final = "ADDON"
"""What a month of the add-on is called among the things on sale."""

_BUY: Final = f"{HOME}buy/"
_PAY: Final = f"{HOME}buy/pay/"
_ORDER: Final = f"{HOME}orders/{{order}}/"
# The keys of forms, apart from those that clients of the API choose.
_KEYS: Final = "ui-"

_AWAY: Final = "The payment service could not be reached. Nothing was lost. Look again in a minute."
_TITLES: Final[Mapping[str, str]] = {
    "pending": "Waiting for your payment",
    "successful": "Paid",
    "failed": "Order cancelled",
    "abandoned": "Not paid in time",
    "quarantined": "We are checking this payment",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be paid for.

    Attributes:
        name: What it is called.
        price: What it costs.
        credits: All its credits.
    """

    name: str
    price: Money
    credits: Credits


class PayQuery(Query):
    """What is to be paid for."""

    item: str
    """Type of a pack, ``CUSTOM`` or ``ADDON``."""
    amount: Amount | None = None
    """Cedis, for ``CUSTOM``."""


def _choose(context: Context) -> WebResponse:
    return _choices(context, problem=None)


def _choices(context: Context, *, problem: str | None) -> WebResponse:
    sold = context.addons.price_list(context.business)
    return show(
        context,
        "shop/buy.html",
        title="Buy credits",
        status=200 if problem is None else 422,
        packs=[(pack, pack_name(pack.type), saving(pack), extra(pack)) for pack in sold.packs],
        custom=sold.custom,
        addon=sold.addon if context.allows("addon:manage") else None,
        problem=problem,
    )


def _pay(context: Context) -> WebResponse:
    query = cast("PayQuery", context.query)
    sold = context.addons.price_list(context.business)
    try:
        wanted = _wanted(sold, query.item, query.amount, context.words)
    except ValueError:
        return _choices(context, problem=_out_of_bounds(sold, context.words))
    key = Uuid7().new(context.addons.clock.now())
    return _ways(context, wanted, _fields(query.item, query.amount, key))


def _fields(item: str, amount: str | None, key: str) -> dict[str, str]:
    """What a form carries unseen."""
    return {"item": item, "key": key} | ({} if amount is None else {"amount": amount})


def _out_of_bounds(sold: PriceList, words: Words) -> str:
    said = words("Credits cannot be bought for that amount. Nothing was charged.")
    if sold.custom is None:
        return said
    return f"{said} {words('Choose from {least} to {most}.', least=sold.custom.least, most=sold.custom.most)}"


def _ways(
    context: Context, wanted: Wanted, fields: Mapping[str, str], *, problem: str | None = None, status: int = 200
) -> WebResponse:
    orders = context.addons.orders
    return show(
        context,
        "shop/pay.html",
        title="Pay",
        status=status,
        wanted=wanted,
        fields=fields,
        prompts_phones=orders.prompts_phones,
        cards=orders.cards(context.business),
        email_needed=not context.addons.profile_of(context.business).email,
        problem=problem,
    )


def _buy(context: Context) -> WebResponse:
    form = read_form(Purchase, context.request)
    if form.item == ADDON and not context.allows("addon:manage"):
        raise Forbidden
    sold = context.addons.price_list(context.business)
    try:
        wanted = _wanted(sold, form.item, form.amount, context.words)
    except ValueError:
        return _choices(context, problem=_out_of_bounds(sold, context.words))
    try:
        order = _start(context, form)
    except PaymentError as error:
        fields = _fields(form.item, form.amount, form.key)
        return _ways(context, wanted, fields, problem=context.words(_trouble(error)), status=error.http_status)
    return go(context, order_path(order.id))


def _start(context: Context, form: Purchase) -> Order:
    principal = context.principal
    return context.addons.orders.start(
        context.business,
        None if form.item == ADDON else form.item,
        amount=form.amount if form.item == "CUSTOM" else None,
        addon=form.item == ADDON,
        key=f"{_KEYS}{form.key}",
        user=None if principal is None else principal.user_id,
        email=form.email,
        **way_of(context, form),
    ).order


def _trouble(error: PaymentError) -> str:
    """Why a payment could not be started; what a gateway says of itself is not for payers."""
    if isinstance(error, GatewayError):
        return "The payment could not be started. Nothing was charged. Try again, or pay another way."
    return str(error)


def _order(context: Context) -> WebResponse:
    every = context.addons.settings.web.verify_every
    watched = context.addons.orders.watch(context.business, context.params["order"], every=every)
    return _order_page(context, watched.order, watched.attempts)


def _order_page(
    context: Context,
    order: Order,
    attempts: tuple[Attempt, ...],
    *,
    key: str | None = None,
    problem: str | None = None,
    status: int = 200,
) -> WebResponse:
    addons, business = context.addons, context.business
    waits = order.state == "pending" and context.allows("credits:purchase")
    receipted = _receipted(context, order)
    return show(
        context,
        "shop/order.html",
        title=_TITLES.get(order.state, "Your order"),
        status=status,
        path=order_path(order.id),
        order=order,
        label=order_label(order, context.words),
        wait=wait_of(order, attempts, addons.clock.now()),
        may_buy=context.allows("credits:purchase"),
        receipted=receipted,
        notes=[note.number for note in addons.orders.credit_notes(business, order.id)] if receipted else [],
        prompts_phones=waits and addons.orders.prompts_phones,
        cards=addons.orders.cards(business) if waits else [],
        key=key or Uuid7().new(addons.clock.now()),
        problem=problem,
    )


def _again(context: Context) -> WebResponse:
    """Another attempt at an order that nobody paid yet."""
    form = read_form(Again, context.request)
    # What became of the first press is asked before anything else, but another way is another attempt.
    key = f"{_KEYS}{form.key}-{form.way}"

    def again(order: str, _: tuple[Attempt, ...]) -> None:
        context.addons.orders.attempt(context.business, order, key=key, **way_of(context, form))

    return _do(context, again, key=form.key)


def _otp(context: Context) -> WebResponse:
    form = read_form(Otp, context.request)

    def give(_: str, attempts: tuple[Attempt, ...]) -> None:
        for attempt in attempts[-1:]:
            context.addons.orders.submit_otp(context.business, attempt.reference, form.otp)

    return _do(context, give)


def _check(context: Context) -> WebResponse:
    """Ask about every attempt: somebody may have paid an older one, or late."""
    read_form(Form, context.request)

    def ask(_: str, attempts: tuple[Attempt, ...]) -> None:
        for attempt in attempts:
            if attempt.state != "paid":
                context.addons.orders.verify(context.business, attempt.reference)

    return _do(context, ask)


def _cancel(context: Context) -> WebResponse:
    read_form(Form, context.request)
    return _do(context, lambda order, _: context.addons.orders.cancel(context.business, order))


def _do(context: Context, work: Callable[[str, tuple[Attempt, ...]], object], *, key: str | None = None) -> WebResponse:
    """Do something about an order, and show its page; what went wrong is told on that page too, which keeps a key."""
    orders, id_ = context.addons.orders, context.params["order"]
    _, attempts = orders.find(context.business, id_)
    try:
        work(id_, attempts)
    except PaymentError as error:
        away = isinstance(error, GatewayError)
        order, attempts = orders.find(context.business, id_)
        said = context.words(_AWAY if away else str(error))
        return _order_page(context, order, attempts, key=key, problem=said, status=error.http_status)
    return go(context, order_path(id_))


def _back(context: Context) -> WebResponse:
    """Where gateways send payers back to; that somebody comes back proves nothing, so the gateway is asked."""
    # Gateways add what they like.
    query = context.request.query
    reference = query.get("reference") or query.get("trxref")
    if reference is None or re.fullmatch(NAME, reference) is None:
        raise NotFound
    try:
        order = context.addons.orders.verify(context.business, reference).order
    except GatewayError:
        # It cannot be asked now: every page leads to the order that waits, and that order's page asks again.
        return go(context, f"{HOME}orders/")
    return go(context, order_path(order.id))


def _receipt(context: Context) -> WebResponse:
    return _paper(context.addons.orders.receipt(context.business, context.params["order"]).html)


def _note(context: Context) -> WebResponse:
    for note in context.addons.orders.credit_notes(context.business, context.params["order"]):
        if note.number == context.params["number"]:
            return _paper(note.html)
    raise NotFound


def _paper(html: str) -> WebResponse:
    return WebResponse(status=200, body=html.encode(), content_type=HTML, headers=HEADERS)


def _wanted(price_list: PriceList, item: str, amount: str | None, words: Words) -> Wanted:
    """What is to be paid for.

    Raises:
        ValueError: If the amount is out of bounds.
        NotFound: If it is not on sale.
    """
    if item == ADDON and price_list.addon is not None:
        return Wanted(words("A month of the add-on"), price_list.addon.price, price_list.addon.credits)
    if item == "CUSTOM" and price_list.custom is not None:
        pack = custom(price_list.custom, Money(amount or "0"))
        return Wanted(words("Your own amount"), pack.price, pack.credits)
    for pack in price_list.packs:
        if pack.type == item:
            return Wanted(pack_name(pack.type), pack.price, pack.credits)
    raise NotFound


def _receipted(context: Context, order: Order) -> bool:
    """Whether there is a receipt to show: the order is paid, and the operator has said who sells."""
    return order.receipt_number is not None and context.addons.settings.receipts.seller is not None


def _page(  # a line of the table
    path: str, name: str, summary: str, handle: Handler, action: Action, query: type[Query] | None = None
) -> Endpoint:
    return Endpoint(
        method="GET", path=path, name=name, summary=summary, handle=handle, action=action, query=query, page=True
    )


def _form(path: str, name: str, summary: str, handle: Handler, *, costly: bool = True) -> Endpoint:
    return Endpoint(
        method="POST",
        path=path,
        name=name,
        summary=summary,
        handle=handle,
        action="credits:purchase",
        status=303,
        costly=costly,
        page=True,
    )


ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    _page(_BUY, "ui_buy", "Page: choose what to buy.", _choose, "credits:purchase"),
    _page(_PAY, "ui_pay", "Page: choose how to pay.", _pay, "credits:purchase", PayQuery),
    _form(_PAY, "ui_start", "Form: order, and ask for the payment.", _buy),
    # Each look asks the gateway.
    replace(
        _page(RETURN, "ui_return", "Where payers come back to; asks the gateway.", _back, "credits:read"),
        status=303,
        costly=True,
    ),
    _page(_ORDER, "ui_order", "Page: an order, and what it waits for.", _order, "credits:read"),
    _form(f"{_ORDER}again/", "ui_again", "Form: try once more to pay an order.", _again),
    _form(f"{_ORDER}otp/", "ui_otp", "Form: give the code that the payer was sent.", _otp),
    _form(f"{_ORDER}check/", "ui_check", "Form: ask the gateway once more.", _check),
    _form(f"{_ORDER}cancel/", "ui_cancel", "Form: give up an order that is not paid.", _cancel, costly=False),
    _page(f"{_ORDER}receipt/", "ui_receipt", "Page: the receipt of a paid order.", _receipt, "credits:read"),
    _page(f"{_ORDER}notes/{{number}}/", "ui_note", "Page: the credit note of a refund.", _note, "credits:read"),
)
