"""The start page lists every page, and the navigation of the site is that list."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS: Final = Path(__file__).parent.parent / "docs"


def made(index: str) -> list[Any]:
    """The navigation for a start page."""
    spec = importlib.util.spec_from_file_location("site_nav", DOCS / "site_nav.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    nav: list[Any] = module.nav(index)
    return nav


def paths(nav: list[Any]) -> Iterator[str]:
    """Every page in it, in order."""
    for entry in nav:
        if isinstance(entry, str):
            yield entry
        else:
            for inside in entry.values():
                yield from [inside] if isinstance(inside, str) else paths(inside)


def test_headings_are_groups_and_links_are_pages() -> None:
    """The order and the groups of the start page are those of the navigation."""
    index = "# T\n\n## Start\n\n- [one](one.md)\n\n## How to\n\n### Pay\n\n- [two](how-to/two.md): so. [web](https://a.b/c.md)\n"

    assert made(index) == [
        {"Start": ["index.md", {"One": "one.md"}]},
        {"How to": [{"Pay": [{"Two": "how-to/two.md"}]}]},
    ]


def test_no_page_is_left_out() -> None:
    """Whoever adds a page adds a line to the start page."""
    listed = set(paths(made((DOCS / "index.md").read_text(encoding="utf-8"))))

    assert listed == {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}
