"""The endpoints in a Flask host (extra ``flask``)."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from flask import Blueprint, Response, g, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.routing import PathConverter

from ai_addons import bill_to
from ai_addons.contrib._bridge import METHODS, OURS, answer, check_length, encoded, nobody, problem_of, refusal, under
from ai_addons.contrib._origin import check_origin
from ai_addons.contrib.wsgi import request_of, sent_headers
from ai_addons.errors import AddOnsError
from ai_addons.web import PayloadTooLarge

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from flask import Flask, Request
    from flask.blueprints import BlueprintSetupState

    from ai_addons.web import Principal, Web, WebRequest, WebResponse

_REST: Final = "ai_addons_rest"
_PAYER: Final = "_ai_addons_payer"


class _Rest(PathConverter):
    """Whatever follows; Flask's own converter leaves out what begins with a slash, and then answers by itself."""

    regex = "(?s:.*)"
    part_isolating = False


def blueprint(
    web: Web,
    *,
    principal: Callable[[Request], Principal | None] | None = None,
    csrf_token: Callable[[Request], str | None] | None = None,
    origin: str | None = None,
    name: str = "ai_addons",
) -> Blueprint:
    """The endpoints as a blueprint, for ``app.register_blueprint(blueprint(web, principal=…), url_prefix="/shop")``.

    Every path below ``ai/`` is ours, and what is none of them is our 404.

    Args:
        web: The endpoints.
        principal: Who is asking. None knows nobody: whatever needs somebody is refused.
        csrf_token: What the host's own check wants a form to send back.
        origin: The host's own address for browsers, e.g. ``https://pos.example.com``; what a request says of it may be
            forged.
        name: Of the blueprint.
    """

    def view(rest: str) -> Response:
        here = replace(_here(rest), origin=origin)
        return _sent(_respond(web, here, principal or nobody, csrf_token or nobody))

    made = Blueprint(name, __name__)
    made.record(_add_converter)
    made.add_url_rule(
        f"/{OURS}<{_REST}:rest>",
        "any",
        view,
        methods=list(METHODS),
        provide_automatic_options=False,
        merge_slashes=False,
    )
    return made


def cookie_principal(
    get_principal: Callable[[Request], Principal | None], *, origins: Collection[str] = ()
) -> Callable[[Request], Principal | None]:
    """A principal hook for hosts whose login is a cookie, as Flask's own session is.

    A browser sends cookies with requests that other sites make it send, so one that changes something must say that
    it comes from the host's own origin.

    Args:
        get_principal: Who the cookie's session belongs to.
        origins: Further origins that are the host's own; needed behind a proxy that hides its scheme or name.
    """

    def hook(asked: Request) -> Principal | None:
        own = f"{asked.scheme}://{asked.host}"
        check_origin(asked.method, sent_headers(asked.environ), own=own, trusted=origins)
        return get_principal(asked)

    return hook


def add_errors(app: Flask, web: Web, *, root: str = "/") -> None:
    """Answer errors of ours that the host's own views raise as our endpoints do: 402 with what to buy, and so on.

    Args:
        app: The host.
        web: The endpoints.
        root: Path under which they are mounted; links begin with it.
    """

    def handler(error: AddOnsError) -> Response:
        return _sent(problem_of(web, request_of(request.environ), error, root))

    app.register_error_handler(AddOnsError, handler)


def add_payer(app: Flask | Blueprint, principal: Callable[[Request], Principal | None]) -> None:
    """Let whoever asks pay for the AI calls made in the host's own views; in a request of nobody nobody pays.

    Args:
        app: The host, or the blueprint whose views make the calls.
        principal: Who is asking. Its refusals, e.g. of another site's request, mean nobody here.
    """

    def begin() -> None:
        try:
            found = principal(request)
        except AddOnsError:
            return
        if found is not None and found.business_id:
            stack = ExitStack()
            stack.enter_context(bill_to(found.business_id, user=found.user_id))
            setattr(g, _PAYER, stack)

    def end(_error: BaseException | None) -> None:
        stack: ExitStack | None = g.pop(_PAYER, None)
        if stack is not None:
            stack.close()

    app.before_request(begin)
    app.teardown_request(end)


def _add_converter(state: BlueprintSetupState) -> None:
    state.app.url_map.converters[_REST] = _Rest


def _here(rest: str) -> WebRequest:
    """The request in our terms, without its body."""
    path = encoded(OURS + rest)
    root = encoded(request.root_path.rstrip("/") + request.path).removesuffix(path)
    return replace(request_of(request.environ), path=path, root=under(root))


def _respond(
    web: Web,
    here: WebRequest,
    principal: Callable[[Request], Principal | None],
    csrf_token: Callable[[Request], str | None],
) -> WebResponse:
    try:
        here = replace(here, body=_body())
    except AddOnsError as error:
        return refusal(web, here, error)
    return answer(web, here, partial(principal, request), partial(csrf_token, request))


def _body() -> bytes:
    check_length(request.content_length)
    try:
        return request.get_data()
    except RequestEntityTooLarge:
        # The host's own limit is lower.
        raise PayloadTooLarge from None


def _sent(response: WebResponse) -> Response:
    # Not by `mimetype`, to which a charset is added.
    made = Response(response.body, status=response.status, content_type=response.content_type)
    made.headers.update(response.headers)
    return made
