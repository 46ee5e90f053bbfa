"""The door: finds the endpoint, asks who may, parses, calls, and turns what comes back into bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import unquote

from pydantic import BaseModel, ValidationError

from ai_addons.errors import AddOnsError, NotFound
from ai_addons.web.base import Context, WebResponse
from ai_addons.web.endpoints import ENDPOINTS
from ai_addons.web.errors import Forbidden, MethodNotAllowed, Unauthenticated, ValidationFailed
from ai_addons.web.pages.errors import problem_page
from ai_addons.web.problems import NO_STORE, problem
from ai_addons.web.static import asset_tags

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ai_addons.addons import AddOns
    from ai_addons.web.base import Action, Answer, Endpoint, Principal, WebRequest

M = TypeVar("M", bound=BaseModel)

_NO_CONTENT: Final = b"{}"


class Web:
    """The endpoints of one `AddOns`.

    Args:
        addons: What answers.
        authorize: Whether a principal may do something; it is the host's to say. None refuses everything that
            needs somebody.
        endpoints: The table; a host may add endpoints of its own.
    """

    def __init__(
        self,
        addons: AddOns,
        *,
        authorize: Callable[[Principal, Action], bool] | None = None,
        endpoints: Sequence[Endpoint] = ENDPOINTS,
    ) -> None:
        self.addons = addons
        self.endpoints: tuple[Endpoint, ...] = tuple(endpoints)
        self._authorize = authorize

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
        raise MethodNotAllowed(sorted({endpoint.method for endpoint, _ in here}))

    def dispatch(self, request: WebRequest) -> WebResponse:
        """Answer a request; errors of ours become problems, others are the framework's to report."""
        try:
            return self._answer(request)
        except AddOnsError as error:
            return self.problem(error, request)

    def problem(self, error: AddOnsError, request: WebRequest) -> WebResponse:
        """The answer to a request that ended in an error, e.g. that of the host's own login; of a page, a page."""
        told = problem(error, root=request.root)
        return told if not self._is_page(request) else problem_page(error, told, request)

    def assets(self, root: str = "/", *, csrf_token: str | None = None) -> str:
        """The tags that a host's page needs in its head for the web components.

        Args:
            root: Path under which the endpoints are mounted, with a slash at both ends.
            csrf_token: What the host's login wants back with a script's request; None for nothing.

        Returns:
            HTML, escaped.
        """
        return asset_tags(root, csrf_token=csrf_token)

    def _is_page(self, request: WebRequest) -> bool:
        return any(endpoint.page and _match(endpoint.path, request.path) is not None for endpoint in self.endpoints)

    def _answer(self, request: WebRequest) -> WebResponse:
        endpoint, params = self.find(request.method, request.path)
        self._check(endpoint, request)
        context = Context(
            addons=self.addons,
            request=request,
            principal=request.principal,
            params=params,
            body=None if endpoint.body is None else _body(endpoint.body, request.body),
            query=None if endpoint.query is None else _query(endpoint.query, request.query),
            allows=lambda action: self._allows(request.principal, action),
        )
        answer = endpoint.handle(context)
        return answer if isinstance(answer, WebResponse) else _sent(answer, endpoint.status)

    def _check(self, endpoint: Endpoint, request: WebRequest) -> None:
        if endpoint.action is None:
            return
        if request.principal is None:
            raise Unauthenticated
        if not self._allows(request.principal, endpoint.action):
            raise Forbidden

    def _allows(self, principal: Principal | None, action: Action) -> bool:
        return principal is not None and self._authorize is not None and self._authorize(principal, action) is True


def _match(pattern: str, path: str) -> dict[str, str] | None:
    """The named parts of a path, None where it is another's."""
    wanted, given = pattern.split("/"), path.split("/")
    if len(wanted) != len(given):
        return None
    params: dict[str, str] = {}
    for part, text in zip(wanted, given, strict=True):
        if part.startswith("{") and text:
            params[part[1:-1]] = unquote(text)
        elif part != text:
            return None
    return params


def _body(model: type[M], body: bytes) -> M:
    try:
        return model.model_validate_json(body or _NO_CONTENT)
    except ValidationError as error:
        raise ValidationFailed(_faults(error, "body")) from None


def _query(model: type[M], query: Mapping[str, str]) -> M:
    try:
        return model.model_validate(dict(query))
    except ValidationError as error:
        raise ValidationFailed(_faults(error, "query")) from None


def _faults(error: ValidationError, where: str) -> list[dict[str, object]]:
    """What is wrong and where; never the value, which may be personal."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [{"type": fault["type"], "loc": [where, *fault["loc"]], "msg": fault["msg"]} for fault in found]


def _sent(answer: Answer, status: int) -> WebResponse:
    return WebResponse(status=status, body=answer.model_dump_json().encode(), headers=NO_STORE)
