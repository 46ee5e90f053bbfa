"""What a tenant calls things, as it may stand in a sentence.

A model never sees such a name: it cites the letters that stand for it, and code puts
the name there. A name is somebody's typing, so it may hold an order, a link or markup;
then the text shows the letters, and the owner finds the name in the rows of the result.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ai_addons.features._facts import clean, escape, words
from ai_addons.features._guard import CANARY, unsafe
from ai_addons.privacy.grammar import lookalike

if TYPE_CHECKING:
    from ai_addons.features._result import Fact

# Many a customer is known by a telephone number alone, and many an item by its bar code.
_NUMBER: Final = re.compile(r"\+?[0-9][0-9 ()-]*")


def named(key: str, what: str, name: str, *, most: int = 60) -> Fact:
    """The fact that stands for a name.

    Args:
        key: The letters that a model cites, such as ``CA``.
        what: What it is the name of, such as ``customer``.
        name: As the tenant typed it; it stays the fact's value.
        most: Characters of it that a sentence has room for.
    """
    return words(key, what, name, shown_name(name, f"the {what} listed as {key}", most=most))


def shown_name(name: str, otherwise: str, *, most: int = 60) -> str:
    """A name as text shows it: plain, short, and without what could be taken for something else.

    Args:
        name: As the tenant typed it.
        otherwise: What to write instead of a link, an address, markup, an instruction or a placeholder.
        most: Characters to keep.
    """
    text = escape(clean(name))
    return otherwise if not text or _misleads(text) else _cut(text, most)


def _misleads(text: str) -> bool:
    if _NUMBER.fullmatch(text):
        return False
    return unsafe(text, system="") is not None or lookalike().search(text) is not None or CANARY in text.lower()


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}\u2026"
