"""The pages of a shop's owner that only show something, and the files that browsers load."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, cast

from pydantic import Field

from ai_addons.billing.months import day_of
from ai_addons.errors import NotFound
from ai_addons.money import Credits
from ai_addons.web.base import Context, Endpoint, Query, WebResponse
from ai_addons.web.pages.charts import usage_chart
from ai_addons.web.pages.frame import HOME, show
from ai_addons.web.pages.ledger import LedgerPage, kind_text, lines
from ai_addons.web.pages.prices import price_rows
from ai_addons.web.pages.series import timeline
from ai_addons.web.static import PATH, asset

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ai_addons.web.base import Action, Handler

_FOR_EVER: Final = "public, max-age=31536000, immutable"
_PERIODS: Final = (7, 30, 90, 365)
_SOON: Final = timedelta(days=7)
_MICROSECOND: Final = timedelta(microseconds=1)


class DaysQuery(Query):
    """How far back to look."""

    days: int = Field(default=30, ge=1, le=366)
    """Days, today included."""


class MonthQuery(Query):
    """Which part of a statement to show."""

    month: str | None = Field(default=None, pattern=r"^2[0-9]{3}-(0[1-9]|1[0-2])$")
    """The month, ``2026-11``; None for this one."""
    page: int = Field(default=1, ge=1, le=1_000_000)
    """Which page of it, the newest first."""


def _balance(context: Context) -> WebResponse:
    addons, business = context.addons, context.business
    wallet = addons.wallet(business)
    soon = addons.clock.now() + _SOON // _MICROSECOND
    return show(
        context,
        "shop/balance.html",
        title="Your AI credits",
        badge=False,
        wallet=wallet,
        trial=addons.trial_left(business) if context.allows("credits:purchase") else Credits(0),
        first_use=not wallet.lifetime_in,
        expiring=[grant for grant in wallet.grants if grant.expires_at is not None and grant.expires_at <= soon],
        may_buy=context.allows("credits:purchase"),
        rows=price_rows(addons.price_list(business), wallet),
    )


def _prices(context: Context) -> WebResponse:
    addons, business = context.addons, context.business
    price_list = addons.price_list(business)
    rows = price_rows(price_list, addons.wallet(business))
    return show(context, "shop/prices.html", title="Prices", rows=rows, may_buy=context.allows("credits:purchase"))


def _usage(context: Context) -> WebResponse:
    query = cast("DaysQuery", context.query)
    addons, business = context.addons, context.business
    today = day_of(addons.clock.now(), addons.profile_of(business).tz)
    first = today - timedelta(days=query.days - 1)
    used = addons.usage(business, query.days)
    shown = timeline(addons.usage_by_day(business, first, today), first, today, context.words)
    return show(
        context,
        "shop/usage.html",
        title="Usage",
        days=query.days,
        periods=_PERIODS,
        used=used.for_shop(),
        shown=shown,
        chart=usage_chart(shown) if shown.series else None,
    )


def _grants(context: Context) -> WebResponse:
    addon = context.addons.price_list(context.business).addon
    wallet = context.addons.wallet(context.business)
    plan = addon if wallet.subscription is None else wallet.subscription.plan
    names = {spec.key: spec.name for spec in context.addons.all_features()}

    def named(keys: Iterable[str]) -> str:
        return ", ".join(context.words(names.get(key, key)) for key in keys)

    return show(context, "shop/grants.html", title="Your credits", wallet=wallet, plan=plan, named=named)


def _orders(context: Context) -> WebResponse:
    orders = context.addons.orders.history(context.business)
    return show(context, "shop/orders.html", title="Orders", orders=orders, may_buy=context.allows("credits:purchase"))


def _ledger(context: Context) -> WebResponse:
    query = cast("MonthQuery", context.query)
    addons, business = context.addons, context.business
    today = day_of(addons.clock.now(), addons.profile_of(business).tz)
    first = today.replace(day=1) if query.month is None else date.fromisoformat(f"{query.month}-01")
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    statement = addons.statement(business, first, last)
    page = LedgerPage.of(statement, query.page)
    if page is None:
        raise NotFound
    return show(
        context,
        "shop/ledger.html",
        title="Statement",
        statement=statement,
        page=page,
        nothing=Credits(0),
        lines=lines(page.entries, statement.names),
        totals=[(kind_text(one.kind), one.count, one.change) for one in statement.totals],
        earlier=(first - timedelta(days=1)).isoformat()[:7],
        later=None if last >= today else (last + timedelta(days=1)).isoformat()[:7],
    )


def _file(context: Context) -> WebResponse:
    found = asset(context.params["name"])
    if context.params["hash"] != found.hash:
        raise NotFound
    tag = f'"{found.hash}"'
    headers = {"cache-control": _FOR_EVER, "etag": tag, "x-content-type-options": "nosniff"}
    asked = context.request.headers.get("if-none-match", "")
    known = "*" in asked or tag in asked
    return WebResponse(
        status=304 if known else 200,
        body=b"" if known else found.body,
        content_type=found.content_type,
        headers=headers,
    )


def _page(  # a line of the table
    path: str, name: str, summary: str, handle: Handler, action: Action, query: type[Query] | None = None
) -> Endpoint:
    return Endpoint(
        method="GET", path=path, name=name, summary=summary, handle=handle, action=action, query=query, page=True
    )


ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    _page(HOME, "ui_balance", "Page: a business's credits now.", _balance, "credits:read"),
    _page(f"{HOME}prices/", "ui_prices", "Page: what each feature costs.", _prices, "credits:read"),
    _page(f"{HOME}usage/", "ui_usage", "Page: what was used, by feature and day.", _usage, "usage:read", DaysQuery),
    _page(f"{HOME}grants/", "ui_grants", "Page: what the credits consist of.", _grants, "credits:read"),
    _page(f"{HOME}orders/", "ui_orders", "Page: the orders of a business.", _orders, "credits:read"),
    _page(f"{HOME}ledger/", "ui_ledger", "Page: a month's statement.", _ledger, "usage:read", MonthQuery),
    Endpoint(
        method="GET",
        path=f"{PATH}{{hash}}/{{name}}",
        name="ui_static",
        summary="A file of the pages and the web components; its address changes with its content.",
        handle=_file,
        action=None,
    ),
)
