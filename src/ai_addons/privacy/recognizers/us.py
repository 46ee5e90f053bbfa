"""Numbers of the United States that a shop may meet."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Final

from ai_addons.privacy.base import Kind
from ai_addons.privacy.recognizers._context import Topic, label_before
from ai_addons.privacy.recognizers._edges import stands_alone
from ai_addons.privacy.recognizers._runs import RunRecognizer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ai_addons.privacy.base import Span
    from ai_addons.privacy.recognizers._runs import Run

# Areas 000, 666 and 9xx, group 00 and serial 0000 are never given (Social Security Administration).
_SHAPE: Final = r"(?<![0-9\-])(?!000|666|9)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}(?![0-9]|-[0-9])"
# Begins with a plain character, which is found far faster than the whole shape.
_AFTER_AREA: Final = r"-[0-9]{2}-[0-9]{4}"
_AREA_DIGITS: Final = 3
_NEVER: Final = r"000|666|9|...00|.....0000"


class UsSsnRecognizer(RunRecognizer):
    """Finds US social security numbers."""

    __slots__ = ("_after_area", "_never", "_shape")

    kind: ClassVar[Kind] = Kind.ID
    priority: ClassVar[int] = 51
    digits: ClassVar[range] = range(9, 28)
    sign: ClassVar[str] = "-"
    topics: ClassVar[frozenset[Topic]] = frozenset({Topic.SSN, Topic.SOCIAL_SECURITY})
    lengths: ClassVar[frozenset[int]] = frozenset({9})

    def __init__(self) -> None:
        self._after_area = re.compile(_AFTER_AREA)
        self._shape = re.compile(_SHAPE)
        self._never = re.compile(_NEVER)

    def bare(self, run: Run) -> Sequence[Span]:
        """With its two hyphens, anywhere."""
        found: list[Span] = []
        for rest in self._after_area.finditer(run.raw):
            match = self._shape.match(run.raw, max(0, rest.start() - _AREA_DIGITS))
            if match and self._is_free(run.text, run.start + match.start(), run.start + match.end()):
                found.append(self.span(run.start + match.start(), run.start + match.end()))
        return found

    def _is_free(self, text: str, start: int, end: int) -> bool:
        """Whether it stands alone and is not called an order or a serial number."""
        return stands_alone(text, start, end) and label_before(text, start) not in _GOODS

    def topical(self, run: Run) -> Sequence[Span]:
        """Without hyphens, near a word that says so."""
        return () if self._never.match(run.digits) else super().topical(run)


_GOODS: Final = frozenset({Topic.BUSINESS, Topic.SERIAL})
