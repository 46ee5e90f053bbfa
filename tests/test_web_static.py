"""The files that browsers load: their addresses, their size, their colours."""

from __future__ import annotations

import gzip
import hashlib
import re
from typing import TYPE_CHECKING, Final

import pytest

from ai_addons.errors import NotFound
from ai_addons.web.static import ADMIN_STYLE, SCRIPT, STYLE, TOKENS, asset, asset_tags
from tests.ui_shop import ROOT, Shop

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_BYTES: Final = 40 * 1024
"""All files together, compressed: shops are on phones."""
STYLES: Final = (TOKENS, STYLE, ADMIN_STYLE)
LEAST_FOR_TEXT: Final = 4.5
LEAST_FOR_SHAPES: Final = 3.0
"""Contrast that WCAG 2.2 (1.4.3 and 1.4.11) asks for."""


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """Whose files are asked for."""
    made = Shop()
    yield made
    made.close()


@pytest.mark.parametrize(("name", "kind"), [(SCRIPT, "text/javascript"), *((style, "text/css") for style in STYLES)])
def test_a_file_is_kept_for_ever_under_the_hash_of_its_content(shop: Shop, name: str, kind: str) -> None:
    """Anybody may load it, and what is known already is not sent again."""
    file = asset(name)
    assert file.hash == hashlib.sha256(file.body).hexdigest()[:16]
    path = file.url(ROOT).removeprefix(ROOT)
    first = shop.ask(path, business=None)
    assert (first.status, first.body, first.content_type) == (200, file.body, f"{kind}; charset=utf-8")
    assert first.headers == {
        "cache-control": "public, max-age=31536000, immutable",
        "etag": f'"{file.hash}"',
        "x-content-type-options": "nosniff",
    }
    again = shop.ask(path, headers={"if-none-match": f'W/"x", "{file.hash}"'})
    assert (again.status, again.body) == (304, b"")
    assert shop.ask(path, headers={"if-none-match": '"other"'}).status == 200


@pytest.mark.parametrize(
    "path",
    [
        f"0123456789abcdef/{SCRIPT}",
        "{hash}/__init__.py",
        "{hash}/.ai-addons.js",
        "{hash}/..%2Fbase.py",
        "{hash}/%2e%2e",
        "{hash}/AI-ADDONS.JS",
        "{hash}/",
        "{hash}/x/ai-addons.js",
        "{hash}",
    ],
)
def test_other_hashes_and_odd_names_are_not_there(shop: Shop, path: str) -> None:
    """404, whatever lies beside the files."""
    assert shop.ask(f"ai/ui/static/{path.replace('{hash}', asset(SCRIPT).hash)}").status == 404


def test_an_unknown_file_is_not_found() -> None:
    """Also from Python."""
    with pytest.raises(NotFound):
        asset("base.py")


def test_all_files_together_are_small() -> None:
    """Compressed, as a web server sends them."""
    assert sum(len(gzip.compress(asset(name).body)) for name in (SCRIPT, *STYLES)) < MOST_BYTES


def test_a_host_gets_the_tags_for_its_own_pages(shop: Shop) -> None:
    """Escaped; without a token there is no tag for it."""
    url = asset(SCRIPT).url("/shop/")
    assert shop.web.assets("/shop/") == f'<script type="module" src="{url}"></script>'
    told = asset_tags('/"><x>/', csrf_token='"><y>')
    assert told.startswith('<meta name="ai-addons-csrf" content="&quot;&gt;&lt;y&gt;">\n')
    assert "<x>" not in told


def test_no_file_loads_anything_or_writes_markup() -> None:
    """No address of another machine, no text taken for markup, nothing that a strict policy forbids."""
    for name in (SCRIPT, *STYLES):
        text = asset(name).body.decode()
        for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
            assert forbidden not in text
        assert re.findall(r"https?://[a-z]", text) == []
        assert "@import" not in text
        assert "url(" not in text.lower().replace("new url(", "").replace(".url(", "").replace("  url(", "")


# Colours.


def palette(dark: bool) -> dict[str, str]:
    """The colours of the pages by name."""
    text = asset(TOKENS).body.decode()
    light, night = re.findall(r":root \{(.*?)\}", text, flags=re.DOTALL)
    return dict(re.findall(r"--ai-([\w-]+): (#[0-9a-f]{6});", night if dark else light))


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio of two colours."""
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_contrast_is_computed_as_the_standard_has_it() -> None:
    """Black on white is 21; #777777 on white just fails."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_can_be_read(dark: bool) -> None:
    """On each ground that it stands on."""
    colours = palette(dark)
    pairs = [
        (text, ground)
        for text in ("text", "muted", "accent", "good", "warn", "bad")
        for ground in ("background", "surface")
    ]
    pairs += [("on-accent", "accent"), ("text", "warn-surface"), ("warn", "warn-surface"), ("accent", "warn-surface")]
    assert [pair for pair in pairs if contrast(colours[pair[0]], colours[pair[1]]) < LEAST_FOR_TEXT] == []


@pytest.mark.parametrize("dark", [False, True])
def test_every_shape_can_be_seen(dark: bool) -> None:
    """Borders of fields and the bars of charts."""
    colours = palette(dark)
    shapes = ["border", *(f"chart-{number}" for number in range(1, 7))]
    assert [one for one in shapes if contrast(colours[one], colours["background"]) < LEAST_FOR_SHAPES] == []


@pytest.mark.parametrize("name", [STYLE, ADMIN_STYLE])
def test_pages_have_no_colour_of_their_own(name: str) -> None:
    """What a host sets, and what is computed above, holds for all pages."""
    text = asset(name).body.decode()
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b|rgb|hsl", text) == []
    assert set(re.findall(r"var\(--ai-([\w-]+)\)", text)) <= palette(dark=False).keys()
    assert text.count("var(") == len(re.findall(r"var\(--ai-[\w-]+\)", text))


def test_both_palettes_have_the_same_names() -> None:
    """None is forgotten in the dark."""
    assert palette(dark=False).keys() == palette(dark=True).keys()


def test_the_components_fall_back_to_the_colours_of_the_pages() -> None:
    """A host without our style sees the same, in light and in dark."""
    script = asset(SCRIPT).body.decode()
    known = {True: palette(dark=True), False: palette(dark=False)}
    found = re.findall(r"var\(--ai-([\w-]+), (#[0-9a-f]{3,6})\)", script)
    assert len(found) > 20
    wrong = [(name, colour) for name, colour in found if _long(colour) not in {known[True][name], known[False][name]}]
    assert wrong == []


def _long(colour: str) -> str:
    return colour if len(colour) == 7 else "#" + "".join(digit * 2 for digit in colour[1:])
