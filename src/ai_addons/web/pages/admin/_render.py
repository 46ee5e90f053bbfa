"""Fills the operator's templates. Jinja2 and pygal (extra ``web``) are loaded when the first page is asked for."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from ai_addons.errors import ConfigError
from ai_addons.web.base import WebResponse
from ai_addons.web.pages.admin import filters

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from ai_addons.web.base import WebRequest

HTML: Final = "text/html; charset=utf-8"

CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)
"""No page may load or send anything elsewhere."""

HEADERS: Final[Mapping[str, str]] = {
    "cache-control": "no-store",
    "content-security-policy": CSP,
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
}
"""Headers of every page."""


def render(template: str, request: WebRequest, *, status: int = 200, **facts: object) -> WebResponse:
    """Fill a template.

    Args:
        template: Its path in the folder of pages, e.g. ``admin/today.html``. It finds ``root``, ``here`` and
            ``csrf_token`` beside the facts.
        request: What is answered.
        status: HTTP status.
        **facts: What stands on the page; text is escaped.

    Raises:
        ConfigError: If Jinja2 is not installed.
    """
    page = _templates().get_template(template)
    html: str = page.render(root=request.root, here=request.path, csrf_token=request.csrf_token, **facts)
    return WebResponse(status=status, body=html.encode(), content_type=HTML, headers=HEADERS)


def library(name: str) -> ModuleType:
    """A package of the extra ``web``.

    Raises:
        ConfigError: If it is not installed.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError:
        msg = f"Pages need the package {name}. Nothing was charged. Run: pip install 'ai-addons[web]'"
        raise ConfigError(msg) from None


@cache
def _templates() -> Any:  # noqa: ANN401  # an environment of Jinja2, which may be missing
    """The templates of this package, each read once."""
    jinja2 = library("jinja2")
    made = jinja2.Environment(
        loader=jinja2.FunctionLoader(_source),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(filters.FILTERS)
    return made


def _source(name: str) -> str:
    return files("ai_addons.web.pages").joinpath(name).read_text("utf-8")
