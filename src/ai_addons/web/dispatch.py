"""The door: finds the endpoint, asks who may, parses, calls, and turns what comes back into bytes.

It is synchronous on purpose. An asynchronous core behind ``async_to_sync`` fails with some database pools at the
second call, and a synchronous one in a thread pool serves both kinds of hosts.
"""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from ai_addons.billing.records import check_id
from ai_addons.errors import AddOnsError, ConfigError, NotFound, UnknownFeature
from ai_addons.events import OperatorAlert, emit
from ai_addons.web.base import Context, WebResponse
from ai_addons.web.compat import as_numbers
from ai_addons.web.endpoints import ENDPOINTS
from ai_addons.web.errors import (
    Forbidden,
    MethodNotAllowed,
    NotAvailable,
    TooManyRequests,
    Unauthenticated,
    Unexpected,
)
from ai_addons.web.keyed import once
from ai_addons.web.pages.errors import problem_page
from ai_addons.web.parsing import check_body, read_body, read_key, read_query
from ai_addons.web.problems import NO_STORE, problem
from ai_addons.web.static import asset_tags
from ai_addons.web.words import ENGLISH, Words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ai_addons.addons import AddOns
    from ai_addons.web.base import Action, Answer, Endpoint, Principal, WebRequest

logger: Final = logging.getLogger("ai_addons")

_SECOND: Final = 1_000_000
_OPERATORS: Final = "admin:"
_OFFICE: Final = "operators"
"""Whom the requests of operators are counted for, who act for no business."""
_CREATED: Final = 201


class Web:
    """The endpoints of one `AddOns`.

    Args:
        addons: What answers.
        authorize: Whether a principal may do something; it is the host's to say. None refuses everything that
            needs somebody.
        translate: An English sentence of the shop owner's pages in the reader's language, as gettext does it; what it
            does not know it gives back. It is asked for each sentence, with ``{name}`` where a value stands, and for
            ``en-GH``, the language of the page. None for English. Operators' pages are English always.
        endpoints: The table; a host may add endpoints of its own.
    """

    def __init__(
        self,
        addons: AddOns,
        *,
        authorize: Callable[[Principal, Action], bool] | None = None,
        translate: Callable[[str, WebRequest], str] | None = None,
        endpoints: Sequence[Endpoint] = ENDPOINTS,
    ) -> None:
        self.addons = addons
        self.endpoints: tuple[Endpoint, ...] = tuple(endpoints)
        self._authorize = authorize
        self._translate = translate

    def find(self, method: str, path: str) -> tuple[Endpoint, Mapping[str, str]]:
        """The endpoint that a request is for, and the named parts of its path.

        Adapters ask before they find out who is there: an endpoint without an action needs nobody.

        Raises:
            NotFound: If there is none at this path.
            MethodNotAllowed: If there is one, for other methods.
        """
        wanted = "GET" if method == "HEAD" else method
        here = [
            (endpoint, params) for endpoint in self.endpoints if (params := _match(endpoint.path, path)) is not None
        ]
        if not here:
            raise NotFound
        for endpoint, params in here:
            if endpoint.method == wanted:
                return endpoint, params
        methods = {endpoint.method for endpoint, _ in here}
        raise MethodNotAllowed(sorted({*methods, "HEAD"} if "GET" in methods else methods))

    def dispatch(self, request: WebRequest) -> WebResponse:
        """Answer a request, whatever happens: errors become problems, and what nobody foresaw is logged and told."""
        try:
            answer = self._answer(request)
        except AddOnsError as error:
            answer = self.problem(error, request)
        except Exception:  # the one guard: a host's error page might show what a request held
            logger.exception("an endpoint of the AI add-on failed: %s", request.method)
            self._tell("web_failed", request)
            answer = self.problem(Unexpected(), request)
        return replace(answer, body=b"") if request.method == "HEAD" else answer

    def problem(self, error: AddOnsError, request: WebRequest) -> WebResponse:
        """The answer to a request that ended in an error, e.g. that of the host's own login; of a page, a page.

        What is wrong with the configuration is for the operator: it is logged and told, and the client hears only
        that this is not to be had.
        """
        if isinstance(error, ConfigError) and not isinstance(error, UnknownFeature):
            logger.error("an endpoint of the AI add-on is not configured: %s", error, exc_info=error)
            self._tell("web_not_configured", request)
            error = NotAvailable()
        told = problem(error, root=request.root, compat=self.addons.settings.web.compat)
        page = self._page(request)
        return told if page is None else problem_page(error, told, request, self._words(page, request))

    def _tell(self, code: str, request: WebRequest) -> None:
        """Alert the operator; the endpoint's name only, for a path may hold somebody's ids."""
        try:
            name = self.find(request.method, request.path)[0].name
        except AddOnsError:
            name = "none"
        emit(self.addons.hooks, OperatorAlert(code=code, detail=name))

    def assets(self, root: str = "/", *, csrf_token: str | None = None) -> str:
        """The tags that a host's page needs in its head for the web components.

        Args:
            root: Path under which the endpoints are mounted, with a slash at both ends.
            csrf_token: What the host's login wants back with a script's request; None for nothing.

        Returns:
            HTML, escaped.
        """
        return asset_tags(root, csrf_token=csrf_token)

    def _page(self, request: WebRequest) -> Endpoint | None:
        """The page at a request's path, whatever the method; None if there is none."""
        pages = (endpoint for endpoint in self.endpoints if endpoint.page)
        return next((page for page in pages if _match(page.path, request.path) is not None), None)

    def _words(self, endpoint: Endpoint, request: WebRequest) -> Words:
        """What says the sentences of a page."""
        translate = self._translate
        if translate is None or (endpoint.action or "").startswith(_OPERATORS):
            return ENGLISH
        return Words(lambda sentence: translate(sentence, request))

    def _answer(self, request: WebRequest) -> WebResponse:
        endpoint, params = self.find(request.method, request.path)
        self._check(endpoint, request)
        context = self._context(endpoint, request, params)
        self._count(endpoint, context)

        def carry_out() -> WebResponse:
            answer = endpoint.handle(context)
            return answer if isinstance(answer, WebResponse) else self._sent(answer, endpoint.status)

        return carry_out() if context.key is None else once(context, endpoint, context.key, carry_out)

    def _check(self, endpoint: Endpoint, request: WebRequest) -> None:
        """Whether the asker may; a tenant's endpoint is for somebody who acts for a business."""
        if endpoint.action is None:
            return
        if request.principal is None:
            raise Unauthenticated
        for_tenants = not endpoint.action.startswith(_OPERATORS)
        if (for_tenants and not request.principal.business_id) or not self._allows(request.principal, endpoint.action):
            raise Forbidden

    def _context(self, endpoint: Endpoint, request: WebRequest, params: Mapping[str, str]) -> Context:
        web = self.addons.settings.web
        check_body(endpoint, request, most=web.max_body, most_raw=web.max_webhook_body)
        return Context(
            addons=self.addons,
            request=request,
            principal=request.principal,
            params=params,
            body=None if endpoint.body is None else read_body(endpoint.body, request.body),
            query=None if endpoint.query is None else read_query(endpoint.query, request.query),
            allows=lambda action: self._allows(request.principal, action),
            endpoints=self.endpoints,
            key=read_key(request.headers) if endpoint.keyed else None,
            words=self._words(endpoint, request),
        )

    def _count(self, endpoint: Endpoint, context: Context) -> None:
        """Count a request that is costly.

        Raises:
            TooManyRequests: If there were too many.
        """
        if not endpoint.costly or context.principal is None:
            return
        wait = self.addons.throttle.count(context.business or _OFFICE, context.principal.user_id, endpoint.name)
        if wait:
            raise TooManyRequests(-(-wait // _SECOND))

    def _allows(self, principal: Principal | None, action: Action) -> bool:
        return principal is not None and self._authorize is not None and self._authorize(principal, action) is True

    def _sent(self, answer: Answer, status: int) -> WebResponse:
        if not self.addons.settings.web.compat:
            return WebResponse(
                status=status, body=answer.model_dump_json(exclude=answer.unsaid).encode(), headers=NO_STORE
            )
        # Amounts are numbers there, so they are turned before pydantic writes the rest.
        numbers = as_numbers(answer.model_dump(exclude=answer.unsaid))
        plain = json.dumps(numbers, default=_plain)
        return WebResponse(status=200 if status == _CREATED else status, body=plain.encode(), headers=NO_STORE)


def _plain(value: object) -> object:
    from pydantic_core import to_jsonable_python  # noqa: PLC0415  # only for dates in the old form

    return to_jsonable_python(value)


def _match(pattern: str, path: str) -> dict[str, str] | None:
    """The named parts of a path, None where it is another's."""
    wanted, given = pattern.split("/"), path.split("/")
    if len(wanted) != len(given):
        return None
    params: dict[str, str] = {}
    for part, text in zip(wanted, given, strict=True):
        if part.startswith("{") and (name := _name(text)):
            params[part[1:-1]] = name
        elif part != text:
            return None
    return params


def _name(text: str) -> str | None:
    """A named part of a path; None for what no database could hold, which nothing can have for a name."""
    name = unquote(text)
    try:
        check_id(name, "a part of the path")
    except ValueError:
        return None
    return name
