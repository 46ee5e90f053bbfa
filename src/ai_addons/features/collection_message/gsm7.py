"""How long a text is as an SMS.

Source: 3GPP TS 23.038, 6.2.1 (the GSM 7-bit default alphabet and its extension
table) and TS 23.040, 9.2.3.24.1 (parts of a long message). One message holds 160
septets, or 70 UTF-16 units once a single character is outside the alphabet; a part
of a longer one holds 153 or 67, because a header tells the parts apart.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Encoding: TypeAlias = Literal["gsm7", "ucs2"]
"""The alphabet that an SMS is sent in."""

BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""Characters of one septet."""

EXTENSION: Final = frozenset("\f^{}\\[~]|€")
"""Characters of two septets: an escape and one more."""

_SINGLE: Final[Mapping[Encoding, int]] = {"gsm7": 160, "ucs2": 70}
_PART: Final[Mapping[Encoding, int]] = {"gsm7": 153, "ucs2": 67}
_LAST_SINGLE_UNIT: Final = 0xFFFF

_PLAIN: Final = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc\u2032`\u00b4", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        "\u2026": "...",
        "\u00a0": " ",
        "\u202f": " ",
        "\u2022": "-",
    }
)
_CEDI: Final = re.compile(r"(?:\bGH ?)?\u20b5\s?", re.IGNORECASE)


def plain(text: str) -> str:
    """A text without the typographic characters that force the dear alphabet.

    Curly quotes and dashes become typewriter ones, the cedi sign becomes ``GHS``.
    Letters stay as they are: a name is not ours to spell.
    """
    return _CEDI.sub("GHS ", text.translate(_PLAIN))


def encoding(text: str) -> Encoding:
    """The alphabet a text needs."""
    return "gsm7" if all(char in BASIC or char in EXTENSION for char in text) else "ucs2"


def units(text: str) -> int:
    """Septets of a GSM-7 text, UTF-16 units of any other."""
    return sum(_sizes(text, encoding(text)))


def segments(text: str) -> int:
    """How many messages a text is sent and paid as; 0 for no text."""
    alphabet = encoding(text)
    sizes = list(_sizes(text, alphabet))
    if sum(sizes) <= _SINGLE[alphabet]:
        return min(len(sizes), 1)
    return _parts(sizes, _PART[alphabet])


def _parts(sizes: Iterable[int], capacity: int) -> int:
    """Parts filled one after the other; a character of two units is never cut in two."""
    parts, room = 0, 0
    for size in sizes:
        if size > room:
            parts, room = parts + 1, capacity
        room -= size
    return parts


def _sizes(text: str, alphabet: Encoding) -> Iterable[int]:
    if alphabet == "gsm7":
        return (2 if char in EXTENSION else 1 for char in text)
    return (2 if ord(char) > _LAST_SINGLE_UNIT else 1 for char in text)
