"""Phone numbers.

Ghanaian ones follow the national numbering plan of the National Communications
Authority: nine digits after ``0`` or ``233``; mobile ones begin with 2 or 5, fixed
lines with 3. Foreign ones follow ITU-T E.164: at most 15 digits.
"""

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

_GAP: Final = r"[ .\-()]{0,2}"
_NATIONAL: Final = rf"[235](?:{_GAP}[0-9]){{8}}"
_STRONG: Final = (
    rf"(?P<ghana>(?:\(?(?:\+ ?|00 ?)?233\)?{_GAP}(?:\(?0\)?{_GAP})?|\(?0\)?{_GAP}){_NATIONAL})(?![0-9])"
    r"|(?P<free>0800(?:[ \-]?[0-9]){5,6})(?![0-9])"
    rf"|(?P<plus>\+ ?[1-9](?:{_GAP}[0-9]){{6,14}})(?![0-9])"
    rf"|(?P<foreign>00 ?[1-9](?:{_GAP}[0-9]){{6,14}})(?![0-9])"
    r"|(?P<american>(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}-)[0-9]{3}-[0-9]{4})(?![0-9])"
)
# Trunk prefix and area in one group, then groups of two or more; "0 24 123 4567"; or pairs.
_GROUPING: Final = (
    r"\(?[0-9]{3,10}(?:[^0-9]{1,2}[0-9]{2,}){0,4}"
    r"|0[ \-]?[0-9]{2}(?:[^0-9]{1,2}[0-9]{2,}){1,3}"
    r"|[0-9]{2}(?:[ .\-][0-9]{2}){4}"
)
# Where a number may begin: found far faster than the whole shape.
_BEGINNING: Final = r"[+(](?=[0-9 +(])|(?<![0-9])(?:0|233|[2-9][0-9]{2}-)"
_LEAD: Final = 3  # "(+ " is the longest that stands before the first digit
_PLAIN: Final = 10
_OTHER_NUMBERS: Final = frozenset(
    {Topic.ACCOUNT, Topic.SORT_CODE, Topic.VOTER, Topic.NHIS, Topic.GHANA_CARD, Topic.LICENCE}
)


class PhoneRecognizer(RunRecognizer):
    """Finds phone numbers: Ghanaian ones in any spelling, foreign ones, others near a word such as "call"."""

    __slots__ = ("_beginning", "_grouping", "_strong")

    kind: ClassVar[Kind] = Kind.PHONE
    priority: ClassVar[int] = 50
    digits: ClassVar[range] = range(7, 28)
    topics: ClassVar[frozenset[Topic]] = frozenset({Topic.PHONE})
    lengths: ClassVar[frozenset[int]] = frozenset(range(7, 13))

    def __init__(self) -> None:
        self._strong = re.compile(_STRONG)
        self._grouping = re.compile(_GROUPING)
        self._beginning = re.compile(_BEGINNING)

    def bare(self, run: Run) -> Sequence[Span]:
        """All numbers with a trunk or country prefix in a run."""
        text = run.text
        if run.raw is run.digits and len(run.raw) == _PLAIN and run.raw[0] == "0" and run.raw[1] in "235":
            return (self.span(run.start, run.end),) if self._is_free(run, run.start, run.end) else ()
        at = max(0, run.start - _LEAD)
        found: list[Span] = []
        while at < run.end and (begins := self._beginning.search(text, at, run.end)):
            match = self._strong.match(text, begins.start(), run.end)
            if match and self._plausible(run, match):
                # A bracket that closes after the number is not part of it.
                outside = match[0][0] == "(" and match[0].count("(") > match[0].count(")")
                found.append(self.span(match.start() + outside, match.end()))
                at = match.end()
            else:
                at = begins.start() + 1
        return found

    def topical(self, run: Run) -> Sequence[Span]:
        """Bare numbers near a word such as "call"; round ones are sums."""
        return () if run.digits.endswith("000") else super().topical(run)

    def _plausible(self, run: Run, match: re.Match[str]) -> bool:
        """Whether what looks like a phone number is grouped like one and stands where one can stand."""
        ghana = match["ghana"]
        if ghana and not self._grouped_like_a_phone(ghana):
            return False
        if not self._is_free(run, *match.span()):
            return False
        # Without a plus sign a foreign number is only digits: what they are called counts.
        if match["foreign"] and run.topic in _OTHER_NUMBERS:
            return False
        named = bool(match["foreign"] or match["american"])
        return not named or label_before(run.text, match.start()) is not Topic.BUSINESS

    def _is_free(self, run: Run, start: int, end: int) -> bool:
        """Whether it stands alone and is not called a serial number or a barcode."""
        return stands_alone(run.text, start, end) and label_before(run.text, start) is not Topic.SERIAL

    def _grouped_like_a_phone(self, number: str) -> bool:
        """``024 123 4567`` is grouped like a phone, ``02-12-2026 10`` like a date, ``0-306-40615-7`` like a book."""
        if number.isdigit() or "233" in number[:7]:
            return True
        if "(0)" in number:
            number = number.replace("(0) ", "0").replace("(0)", "0")
        return self._grouping.fullmatch(number) is not None
