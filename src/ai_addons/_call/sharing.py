"""Which prompts may have one stored answer for all businesses.

Only those that say nothing of the business they are asked for: instructions that
stand in the builder's code as they are, and data made of slots (fields marked
with `Pii`, which leave as placeholders), enums, bands and text marked `Public`.
A number, a date or free text keeps the answer in its own business: whether a
prompt was answered before can be told from the time it takes.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime, time
from decimal import Decimal, InvalidOperation
from functools import cache
from types import CodeType
from typing import TYPE_CHECKING, Any, Final, cast

from ai_addons.privacy.fields import Branch, Leaf, read
from ai_addons.privacy.markers import FreeText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FunctionType

    from ai_addons.privacy.fields import Tree
    from ai_addons.prompt import Prompt

_SPAN: Final = re.compile(r"[+-]?P[0-9.,DHMSTWY]+")
"""An ISO 8601 duration, as pydantic writes a timedelta."""


def is_shareable(prompt: Prompt[Any], builder: Callable[..., object]) -> bool:
    """Whether a prompt could have come from any business."""
    constants = constants_of(builder)
    # PrivacyRefused is not expected: the prompt was masked before.
    return {prompt.system, prompt.user} <= constants and _says_nothing(read(prompt.data)[0])


@cache
def constants_of(builder: Callable[..., object]) -> frozenset[str]:
    """The texts in a builder's code, and those of its module that it names."""
    function = cast("FunctionType", builder)  # `billed_feature` takes nothing else
    named = [function.__globals__.get(name) for name in _names(function.__code__)]
    return frozenset({"", *_texts(function.__code__), *(value for value in named if isinstance(value, str))})


def _texts(code: CodeType) -> Iterator[str]:
    for constant in code.co_consts:
        if isinstance(constant, str):
            yield constant
        elif isinstance(constant, CodeType):
            yield from _texts(constant)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _says_nothing(tree: Tree) -> bool:
    if tree is None or isinstance(tree, bool):
        return True
    if isinstance(tree, (int, float)):
        return False
    if isinstance(tree, Leaf):
        return tree.mark is not FreeText and not (isinstance(tree.mark, type) and _is_figure(tree.text))
    if isinstance(tree, Branch):
        return all((isinstance(key, str) or _says_nothing(key)) and _says_nothing(part) for key, part in tree.entries)
    return all(_says_nothing(part) for part in tree)


def _is_figure(text: str) -> bool:
    """Whether a text is a number, a date, a time or a duration: business data that no mark speaks about."""
    for reads in (Decimal, datetime.fromisoformat, time.fromisoformat):
        with suppress(ValueError, InvalidOperation):
            reads(text)
            return True
    return _SPAN.fullmatch(text) is not None
