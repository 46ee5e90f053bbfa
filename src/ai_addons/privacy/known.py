"""Values that are not sent but may occur in the texts of a call, such as the names of all customers of a shop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeGuard, cast

from ai_addons.errors import PrivacyRefused
from ai_addons.privacy.base import Declared
from ai_addons.privacy.fields import read
from ai_addons.privacy.markers import Pii

if TYPE_CHECKING:
    from collections.abc import Iterator


def read_known(known: object) -> tuple[Declared, ...]:
    """The values to look for.

    Args:
        known: Models with marks, a list or dict of them, a mapping such as
            ``{Pii.NAME: names, Pii.PHONE: phones}``, or None.

    Raises:
        PrivacyRefused: If there is something in it and nothing of it is marked.
    """
    if _is_by_mark(known):
        return tuple(_by_mark(known))
    tree, declared = read(known)
    if tree not in ((), None) and not declared:
        msg = (
            "What was given as known values holds nothing that is marked as personal, so nothing could be looked for. "
            "Nothing was sent and nothing was charged. Mark the fields with Pii, or write e.g. {Pii.NAME: names}."
        )
        raise PrivacyRefused(msg)
    return declared


def _is_by_mark(known: object) -> TypeGuard[Mapping[Pii, object]]:
    return isinstance(known, Mapping) and all(isinstance(key, Pii) for key in cast("Mapping[object, object]", known))


def _by_mark(known: Mapping[Pii, object]) -> Iterator[Declared]:
    for mark, values in known.items():
        for value in _each(values):
            text = "" if value is None or mark is Pii.DROP else str(value)
            if text.strip():
                yield Declared(mark.kind, text)


def _each(values: object) -> Iterable[object]:
    """The values of a list, or the one value."""
    return (
        (values,) if isinstance(values, str) or not isinstance(values, Iterable) else cast("Iterable[object]", values)
    )
