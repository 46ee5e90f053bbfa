"""Errors on pages are pages, with a way on."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ai_addons.errors import AddOnsError, ConfigError, InsufficientCreditsError
from ai_addons.web.base import WebResponse
from ai_addons.web.errors import ValidationFailed
from ai_addons.web.pages import render
from ai_addons.web.problems import detail, title
from ai_addons.web.words import ENGLISH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ai_addons.web.base import WebRequest
    from ai_addons.web.words import Words


def problem_page(error: AddOnsError, told: WebResponse, request: WebRequest, words: Words = ENGLISH) -> WebResponse:
    """An error as a page; as it would be told to a client where pages cannot be made.

    Args:
        error: What went wrong. Its message is shown, but never the words of a provider, a gateway or a database.
        told: The same as a problem.
        request: What is answered.
        words: Say it in the reader's language. A message that holds a value is not a sentence that they may know.
    """
    faults = [_fault(fault, words) for fault in error.faults] if isinstance(error, ValidationFailed) else []
    try:
        page = render(
            "error.html",
            request,
            status=told.status,
            words=words,
            title=words(title(type(error))),
            detail=detail(error),
            faults=faults,
            status_code=told.status,
            short_of_credits=isinstance(error, InsufficientCreditsError),
            # A form that is sent again is the browser's to offer, with a question.
            retryable=error.retryable and request.method == "GET",
        )
    except ConfigError:
        return told
    kept = {name: told.headers[name] for name in ("allow", "retry-after") if name in told.headers}
    return WebResponse(
        status=page.status, body=page.body, content_type=page.content_type, headers={**page.headers, **kept}
    )


def _fault(fault: Mapping[str, object], words: Words) -> str:
    """What is wrong with one field; never what was sent."""
    loc = cast("Sequence[object]", fault.get("loc", ()))
    # The first part is where the field was: body or query.
    where = " ".join(map(str, loc[1:]))
    said = words(str(fault.get("msg", "")))
    return f"{where}: {said}" if where else said
