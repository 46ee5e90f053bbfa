"""Drivers and vehicles: licences and number plates of the DVLA."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Final

from ai_addons.privacy.base import Kind
from ai_addons.privacy.recognizers._context import Topic, has_word, label_before
from ai_addons.privacy.recognizers._edges import counts_something, starts_clear
from ai_addons.privacy.recognizers._runs import RunRecognizer
from ai_addons.privacy.recognizers.ghana import END

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ai_addons.privacy.base import Span
    from ai_addons.privacy.recognizers._runs import Run

_VEHICLE_WORDS: Final = frozenset(
    {
        *("vehicle", "vehicles", "car", "cars", "truck", "trucks", "van", "taxi", "plate", "plates", "reg"),
        *("registration", "driver", "lorry", "trotro", "bus", "tipper", "motorbike"),
    }
)
_LICENCE_WORDS: Final = frozenset({"licence", "license", "driver", "drivers", "driving", "dvla", "dl"})
# Region and district letters of plates: first letter, then the second ones in use with it.
_PLATE_LETTERS: Final = {
    "A": "CEKPSW",
    "B": "ARTW",
    "C": "DR",
    "D": "PV",
    "E": "NRS",
    "G": "BCELMNRSTWXY",
    "H": "R",
    "N": "ER",
    "O": "R",
    "S": "V",
    "U": "EW",
    "V": "DR",
    "W": "NPRT",
}
_PLATE_CODES: Final = "|".join(f"{first}[{seconds}]" for first, seconds in _PLATE_LETTERS.items())
# Shop documents and goods are numbered like licences; these letters are theirs.
_DOCUMENTS: Final = frozenset(
    {
        *(
            "INV",
            "PO",
            "SO",
            "SI",
            "PI",
            "REF",
            "TXN",
            "TRX",
            "TX",
            "ORD",
            "OR",
            "RCP",
            "REC",
            "RET",
            "RMA",
            "GRN",
            "DN",
        ),
        *("CN", "QT", "QUO", "EST", "WO", "TKT", "JOB", "DOC", "PAY", "VAT", "POS", "MOMO", "IN", "BK"),
        *("SKU", "LOT", "BAT", "BN", "PRD", "ITM", "STK", "WH", "BIN", "SN", "EAN", "UPC", "CUS"),
    }
)
_GOODS: Final = frozenset({Topic.BUSINESS, Topic.SERIAL})
_MEASURES: Final = frozenset({"AC", "WT", "GB"})
_UNITS: Final = frozenset("VWAGL")
_FIRST_YEAR: Final = 9
_LAST_YEAR: Final = 39
_LEAST_DIGITS: Final = 4


class DrivingLicenceRecognizer(RunRecognizer):
    """Finds driving licence numbers, such as ``ABC-12345678-12345``."""

    __slots__ = ("_long", "_loose", "_short")

    kind: ClassVar[Kind] = Kind.ID
    priority: ClassVar[int] = 40
    letters: ClassVar[frozenset[int]] = frozenset({1, 2, 3})
    topics: ClassVar[frozenset[Topic]] = frozenset({Topic.LICENCE})
    lengths: ClassVar[frozenset[int]] = frozenset(range(6, 19))

    def __init__(self) -> None:
        self._long = re.compile(rf"[A-Za-z]{{2,3}}-[0-9]{{8}}-[0-9]{{5}}{END}")
        self._short = re.compile(rf"([A-Z]{{2,3}})-[0-9]{{6}}{END}")
        self._loose = re.compile(rf"[A-Za-z]{{1,3}}[ \-]?[0-9A-Za-z](?:-?[0-9A-Za-z]){{4,17}}{END}")

    def lettered(self, run: Run) -> Sequence[Span]:
        """The two known shapes; any mix of letters and digits after a word such as "licence"."""
        text, at = run.text, run.letters
        match = self._long.match(text, at) or self._as_short(text, at)
        if match is None:
            match = self._loose.match(text, at)
            if match and not self._is_called_licence(run, match[0]):
                match = None
        return (self.span(*match.span()),) if match else ()

    def topical(self, run: Run) -> Sequence[Span]:
        """Digits alone, if they are called a licence."""
        return [span for span in super().topical(run) if label_before(run.text, span.start) is Topic.LICENCE]

    def _is_called_licence(self, run: Run, number: str) -> bool:
        return sum(map(str.isdigit, number)) >= _LEAST_DIGITS and label_before(run.text, run.letters) is Topic.LICENCE

    def _as_short(self, text: str, at: int) -> re.Match[str] | None:
        match = self._short.match(text, at)
        if match is None or has_word(text, at, _LICENCE_WORDS):
            return match
        goods = match[1] in _DOCUMENTS or label_before(text, at) in _GOODS
        return None if goods else match


class VehiclePlateRecognizer(RunRecognizer):
    """Finds number plates, such as ``GR 1234-20``."""

    __slots__ = ("_dated", "_lettered", "_loose", "_reversed")

    kind: ClassVar[Kind] = Kind.ID
    priority: ClassVar[int] = 40
    digits: ClassVar[range] = range(3, 5)
    sign: ClassVar[str] = "-"
    letters: ClassVar[frozenset[int]] = frozenset({2})
    small: ClassVar[frozenset[str]] = frozenset(
        (first + second).lower() for first, seconds in _PLATE_LETTERS.items() for second in seconds
    )

    def __init__(self) -> None:
        self._dated = re.compile(
            rf"(?:(?:{_PLATE_CODES})[ \-]{{1,3}}[0-9]{{1,4}}[ \-]{{1,3}}|(?i:{_PLATE_CODES})-[0-9]{{1,4}}-)"
            rf"([0-9]{{2}}){END}"
        )
        self._lettered = re.compile(
            rf"(?:{_PLATE_CODES})(?:[ \-]{{1,3}}[0-9]{{3,4}}[ \-]{{1,3}}|-[0-9]{{2}}-)[A-Z]{END}"
        )
        self._loose = re.compile(
            rf"(?i:{_PLATE_CODES})(?:[ \-]{{0,3}}[0-9]{{1,4}}[ \-]{{1,3}}(?:[0-9]{{2}}|[A-Za-z]{{1,2}})"
            rf"|[ \-]?[0-9]{{1,4}}[A-Za-z]{{1,2}}|[0-9]{{3,6}}){END}"
        )
        self._reversed = re.compile(rf"[0-9]{{3,4}}-(?:{_PLATE_CODES})[A-Z]{{2}}{END}")

    def lettered(self, run: Run) -> Sequence[Span]:
        """Code, number and year, or the letter used before 2009; other forms near a word such as "truck"."""
        text, at = run.text, run.letters
        match = self._loose.match(text, at)
        if match is None:
            return ()
        sure = self._is_dated(text, at) or self._is_lettered(text, at)
        return (self.span(*match.span()),) if sure or has_word(text, at, _VEHICLE_WORDS) else ()

    def bare(self, run: Run) -> Sequence[Span]:
        """The form ``3648-GRXY``, near a word such as "truck"."""
        match = self._reversed.match(run.text, run.start)
        if match is None or not starts_clear(run.text, run.start) or not has_word(run.text, run.start, _VEHICLE_WORDS):
            return ()
        return (self.span(*match.span()),)

    def _is_dated(self, text: str, at: int) -> bool:
        match = self._dated.match(text, at)
        if match is None or label_before(text, at) in _GOODS or counts_something(text, match.end()):
            return False
        return _FIRST_YEAR <= int(match[1]) <= _LAST_YEAR

    def _is_lettered(self, text: str, at: int) -> bool:
        match = self._lettered.match(text, at)
        if match is None or label_before(text, at) in _GOODS:
            return False
        # "AC 220 V" is a voltage, "WT 500 G" a weight.
        measure = text[at : at + 2] in _MEASURES and match[0][-1] in _UNITS
        return not measure or "-" in match[0] or sum(map(str.isdigit, match[0])) >= _LEAST_DIGITS
