"""What happens to personal data in one call: masked, dropped or refused, and what to do with texts that are too long.

A stretch that only might be personal (a first name alone, digits inside a longer
number) is no value of any sort: it is hidden as it was typed, whatever the rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ai_addons.errors import PrivacyRefused
from ai_addons.privacy.base import Kind, Rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ai_addons.privacy.base import Declared
    from ai_addons.privacy.spans import Hit
    from ai_addons.settings import FeaturePrivacySettings, Handling, Oversize

_MARGIN: Final = 256
"""How many characters behind a cut are searched too: more than any value that a pattern finds."""

_CUT_MARK: Final = " …"


def rules_of(*sections: FeaturePrivacySettings | None) -> Rules:
    """The rules of a call.

    Args:
        *sections: What the settings say of the feature, what its code says, what holds for all;
            the first that says anything of a sort wins.
    """
    said = [section for section in sections if section is not None]
    handling: dict[Kind, Handling] = {}
    for kind in Kind:
        # Stretches hidden as typed have no setting: they are always masked.
        found: Handling | None = next(filter(None, (getattr(s, kind.value.lower(), None) for s in said)), None)
        if found is not None:
            handling[kind] = found
    oversize: Oversize | None = next(filter(None, (section.oversize for section in said)), None)
    return Rules(handling=handling, oversize=oversize or "refuse")


def refuse_declared(values: Iterable[Declared], rules: Rules) -> None:
    """Stop a call whose data holds a sort that its rules refuse.

    Raises:
        PrivacyRefused: Naming field and sort, never the value.
    """
    for value in values:
        if rules.refuses(value.kind):
            raise PrivacyRefused(_refused(f"The field {value.place!r}", value.kind))


def refuse_found(hits: Iterable[Hit], rules: Rules, place: str) -> None:
    """Stop a call whose texts hold a sort that its rules refuse.

    Raises:
        PrivacyRefused: Naming place and sort, never the value.
    """
    for hit in hits:
        if rules.refuses(hit.kind):
            raise PrivacyRefused(_refused(f"The field {place!r}" if place else "The text of the prompt", hit.kind))


def _refused(where: str, kind: Kind) -> str:
    return (
        f"{where} holds personal data of the type {kind.value}, which this feature refuses. Nothing was sent and "
        f"nothing was charged. Leave it out, or let {kind.value} be masked or dropped."
    )


def without(text: str, hits: Iterable[Hit]) -> str:
    """A text with stretches cut out; what stood on both sides stays apart, by one blank.

    >>> from ai_addons.privacy.spans import Hit
    >>> without("Call 024 now", [Hit(5, 8, Kind.PHONE, 0)])
    'Call now'
    """
    kept, at = "", 0
    for hit in hits:
        kept = _joined(kept, text[at : hit.start])
        at = hit.end
    return _joined(kept, text[at:])


def _joined(left: str, right: str) -> str:
    if not left or left[-1].isspace():
        return left + right.lstrip(" ")
    apart = left[-1].isalnum() and right[:1].isalnum()
    return f"{left} {right}" if apart else left + right


def window(text: str, limit: int, longest: int) -> str:
    """As much of a text as is searched to cut it at ``limit`` characters.

    Args:
        text: A text that is longer.
        limit: Where it is to end.
        longest: The length of the longest known value, in characters.
    """
    return text[: limit + max(_MARGIN, 2 * longest)]


def cut_before(text: str, limit: int, hits: Sequence[Hit]) -> str:
    """The beginning of a text, ending at a blank and before any value that the limit would halve.

    Args:
        text: A text longer than the limit.
        limit: The most characters that may be left, the mark of the cut included.
        hits: What is to be hidden in it and a little beyond the limit.

    >>> cut_before("buy rice and beans", 12, [])
    'buy rice …'
    """
    end, stable = _blank_before(text, max(0, limit - len(_CUT_MARK))), False
    while end and not stable:
        start = next((hit.start for hit in hits if hit.start < end < hit.end), end)
        end, stable = _blank_before(text, start), start == end
    return text[:end].rstrip() + _CUT_MARK if end else ""


def _blank_before(text: str, end: int) -> int:
    """Where the last blank up to a place stands; 0 if there is none, for half a word may be half a value."""
    if not end or text[end].isspace():
        return end
    if text[end - 1].isspace():
        return end - 1
    return max(0, end - len(text[:end].rsplit(None, 1)[-1]) - 1)
