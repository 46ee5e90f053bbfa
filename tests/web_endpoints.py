"""Endpoints that the tests of the adapters add: what the table of the package may not have."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ai_addons.errors import InsufficientCreditsError, NotFound
from ai_addons.money import Credits
from ai_addons.web import WebResponse
from ai_addons.web.base import Answer, Body, Context, Endpoint, Query

if TYPE_CHECKING:
    from ai_addons.web import Action, Principal


class Colour(Body):
    """A part of a body with a name of its own."""

    name: str


class Wish(Body):
    """What is sent."""

    word: str
    colour: Colour | None = None
    colours: tuple[Colour, ...] = ()


class Window(Query):
    """What is asked for."""

    days: int = 30
    word: str = ""


class Echo(Answer):
    """What came in, as the endpoint saw it."""

    business: str | None
    user: str | None
    params: dict[str, str]
    word: str
    root: str
    header: str | None
    amount: Decimal = Decimal("0.50")


def _echo(context: Context) -> Echo:
    principal, body, query = context.principal, context.body, context.query
    assert isinstance(body, Wish) or isinstance(query, Window)
    return Echo(
        business=None if principal is None else principal.business_id,
        user=None if principal is None else principal.user_id,
        params=dict(context.params),
        word=body.word if isinstance(body, Wish) else getattr(query, "word", ""),
        root=context.request.root,
        header=context.request.headers.get("x-note"),
    )


def _hook(context: Context) -> WebResponse:
    headers = {"x-length": str(len(context.request.body)), "x-type": context.request.headers.get("content-type", "-")}
    return WebResponse(
        status=200, body=context.request.body[::-1], content_type="application/octet-stream", headers=headers
    )


def _page(context: Context) -> WebResponse:
    token = "with" if context.request.csrf_token else "without"
    page = f"<p>{context.business} {token} token, links below {context.request.root}"
    return WebResponse(status=200, body=page.encode(), content_type="text/html; charset=utf-8", headers={"x-page": "1"})


def _poor(_context: Context) -> Echo:
    raise InsufficientCreditsError(required=Credits(3), available=Credits(1), offers=())


def _theirs(_context: Context) -> Echo:
    raise NotFound


def _get(path: str, name: str, **more: object) -> Endpoint:
    known: dict[str, object] = {"method": "GET", "summary": "A test's.", "handle": _echo, "action": "credits:read"}
    return Endpoint(path=path, name=name, **{**known, **more})  # type: ignore[arg-type]  # as the tests below write them


WISH: Final = Endpoint(
    method="POST",
    path="ai/wish/",
    name="wish",
    summary="Take a wish.",
    handle=_echo,
    action="credits:purchase",
    body=Wish,
    answer=Echo,
    status=201,
    errors=(InsufficientCreditsError,),
    keyed=True,
)
ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    WISH,
    _get("ai/wish/", "wishes", query=Window, answer=Echo),
    _get("ai/wish/{id}/", "one_wish", query=Window, answer=Echo),
    _get("ai/poor/", "poor", handle=_poor, answer=Echo),
    _get("ai/theirs/{id}/", "theirs", handle=_theirs, answer=Echo),
    _get("ai/page/", "page", handle=_page, page=True),
    _get("ai/office/", "office", action="admin:read", query=Window, answer=Echo),
    Endpoint(method="POST", path="ai/hook/", name="hook", summary="A hook.", handle=_hook, action=None),
)


def authorize(principal: Principal, action: Action) -> bool:
    """Operators do everything, everybody else what is not theirs."""
    return "operator" in principal.roles or not action.startswith("admin:")
