"""Pages for people: templates, what they are filled with, and the headers that they are sent with.

Every page works without a script. Jinja2 and pygal (extra ``web``) are loaded when the first page is asked for.
"""

from __future__ import annotations

import sys
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from ai_addons.errors import ConfigError
from ai_addons.web.base import WebResponse
from ai_addons.web.pages import filters
from ai_addons.web.pages.admin.filters import FILTERS as FOR_OPERATORS
from ai_addons.web.static import asset, asset_tags
from ai_addons.web.words import ENGLISH

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from ai_addons.web.base import WebRequest
    from ai_addons.web.words import Words

HTML: Final = "text/html; charset=utf-8"

CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)
"""No page may load or send anything elsewhere. Payment pages are reached by a link: ``form-action`` would stop a
redirect to them in some browsers."""

HEADERS: Final[Mapping[str, str]] = {
    "cache-control": "no-store",
    "content-security-policy": CSP,
    # The address of an order is nobody else's business, yet hosts check where a form comes from.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
}
"""Headers of every page."""


def render(
    template: str, request: WebRequest, *, status: int = 200, words: Words = ENGLISH, **facts: object
) -> WebResponse:
    """Fill a template.

    Args:
        template: Its path in this folder, e.g. ``shop/balance.html``. It finds ``root``, ``here``, ``csrf_token`` and
            the tag of the script beside the facts, and ``file`` for the address of another file.
        request: What is answered.
        status: HTTP status.
        words: Says the template's sentences, which it finds as ``_``.
        **facts: What stands on the page; text is escaped.

    Raises:
        ConfigError: If Jinja2 is not installed.
    """
    page = _templates().get_template(template)
    html: str = page.render(
        _=words,
        root=request.root,
        here=request.path,
        csrf_token=request.csrf_token,
        file=partial(_address, request.root),
        script=asset_tags(request.root, csrf_token=request.csrf_token),
        **facts,
    )
    return WebResponse(status=status, body=html.encode(), content_type=HTML, headers=HEADERS)


def _address(root: str, name: str) -> str:
    """Where a page finds a file of `ai_addons.web.static`."""
    return asset(name).url(root)


def library(name: str) -> ModuleType:
    """A package of the extra ``web``.

    Raises:
        ConfigError: If it is not installed.
    """
    finders = list(sys.meta_path)
    try:
        found = import_module(name)
    except ModuleNotFoundError:
        msg = f"Pages need the package {name}. Nothing was charged. Run: pip install 'ai-addons[web]'"
        raise ConfigError(msg) from None
    # pygal leaves an import hook behind whose kind Python has given up: it does nothing but warn at every import.
    for finder in sys.meta_path[:]:
        if finder not in finders and not hasattr(finder, "find_spec"):
            sys.meta_path.remove(finder)
    return found


@cache
def _templates() -> Any:  # noqa: ANN401  # Jinja2 may not be there when types are checked
    jinja2 = library("jinja2")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("ai_addons.web", "pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {**filters.ALL, **FOR_OPERATORS}
    return environment
