"""The navigation of the site: what `index.md` lists, in its order and under its headings."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

INDEX: Final = Path(__file__).parent / "index.md"
_LINK: Final = re.compile(r"\[([^\]]+)\]\(([\w/.-]+\.md)\)")


def nav(index: str) -> list[Any]:
    """Groups of pages as MkDocs wants them.

    Args:
        index: The start page: ``##`` is a group, ``###`` one within it, and each link below leads to a page.
    """
    made: list[Any] = [{"Start": ["index.md"]}]
    for heading in re.split(r"^## ", index, flags=re.MULTILINE)[1:]:
        title, _, rest = heading.partition("\n")
        own, *parts = re.split(r"^### ", rest, flags=re.MULTILINE)
        pages: list[Any] = _pages(own)
        pages += [{part.partition("\n")[0]: _pages(part)} for part in parts]
        if title == "Start":
            made[0]["Start"] += pages
        elif pages:
            made.append({title: pages})
    return made


def _pages(text: str) -> list[Mapping[str, str]]:
    return [{title[:1].upper() + title[1:]: path} for title, path in _LINK.findall(text)]


def on_config(config: Any) -> Any:  # noqa: ANN401  # MkDocs' own object; MkDocs is no dependency of the types
    """Called by MkDocs before it looks for pages."""
    config["nav"] = nav(INDEX.read_text(encoding="utf-8"))
    return config
