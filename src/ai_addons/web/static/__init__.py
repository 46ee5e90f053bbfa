"""The files that browsers load: the web components and the styles of the pages, served from inside the package.

An address carries the first half of its file's SHA-256, so that browsers may keep it for ever.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from ai_addons.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

SCRIPT: Final = "ai-addons.js"
"""The web components, one module."""
TOKENS: Final = "tokens.css"
"""The colours of all pages."""
STYLE: Final = "pages.css"
"""How the pages of a shop look."""
ADMIN_STYLE: Final = "admin.css"
"""How the operators' pages look."""
PATH: Final = "ai/ui/static/"
"""Where files are served, below the mount."""

_CSS: Final = "text/css; charset=utf-8"
_TYPES: Final[Mapping[str, str]] = {
    SCRIPT: "text/javascript; charset=utf-8",
    TOKENS: _CSS,
    STYLE: _CSS,
    ADMIN_STYLE: _CSS,
}
_HASH_LENGTH: Final = 16


@dataclass(frozen=True, slots=True)
class Asset:
    """A file.

    Attributes:
        name: Its name.
        body: Its bytes.
        content_type: What it is.
        hash: First 16 hex digits of its SHA-256.
    """

    name: str
    body: bytes
    content_type: str
    hash: str

    def url(self, root: str) -> str:
        """Its address under a mount."""
        return f"{root}{PATH}{self.hash}/{self.name}"


@cache
def asset(name: str) -> Asset:
    """A file by its name.

    Raises:
        NotFound: If there is no such file; only the names of the table above are known.
    """
    if name not in _TYPES:
        raise NotFound
    body = files("ai_addons.web.static").joinpath(name).read_bytes()
    return Asset(name, body, _TYPES[name], hashlib.sha256(body).hexdigest()[:_HASH_LENGTH])


def asset_tags(root: str, *, csrf_token: str | None = None) -> str:
    """Tags for the head of a page that shows the web components; see `Web.assets`."""
    script = f'<script type="module" src="{escape(asset(SCRIPT).url(root))}"></script>'
    if csrf_token is None:
        return script
    return f'<meta name="ai-addons-csrf" content="{escape(csrf_token)}">\n{script}'
