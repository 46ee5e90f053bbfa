"""Ghanaian numbers of persons and places.

Formats: Ghana Card and TIN by the OECD's sheet on Ghana's tax numbers; digital
addresses by GhanaPostGPS; NHIS by the scheme's site; the others by what identity
checks accept. The Ghana Card's check character is unpublished, so none is computed.
"""

from __future__ import annotations

import re
from operator import mul
from typing import TYPE_CHECKING, ClassVar, Final

from ai_addons.privacy.base import Kind
from ai_addons.privacy.recognizers._context import Topic, has_word, label_before
from ai_addons.privacy.recognizers._runs import RunRecognizer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ai_addons.privacy.base import Span
    from ai_addons.privacy.recognizers._runs import Run

END: Final = r"(?!\w|-\w)"
"""Neither a word nor a hyphenated rest may follow an id."""

_ADDRESS_WORDS: Final = frozenset(
    {"gps", "ghanapost", "ghanapostgps", "digital", "address", "location", "lives", "deliver", "delivery", "delivered"}
)
_REGION: Final = "[ABCEGNUVWX]"
_GOODS: Final = frozenset({Topic.BUSINESS, Topic.SERIAL})
_TIN_WEIGHTS: Final = range(1, 10)
_TIN_MODULUS: Final = 11
_LEAST_DIGITS: Final = 6


class GhanaCardRecognizer(RunRecognizer):
    """Finds personal numbers of the Ghana Card, those of foreigners too."""

    __slots__ = ("_foreign", "_joined")

    kind: ClassVar[Kind] = Kind.ID
    priority: ClassVar[int] = 80
    letters: ClassVar[frozenset[int]] = frozenset({3})
    small: ClassVar[frozenset[str]] = frozenset({"gha", "fgn"})
    topics: ClassVar[frozenset[Topic]] = frozenset({Topic.GHANA_CARD})
    lengths: ClassVar[frozenset[int]] = frozenset({9, 10})

    def __init__(self) -> None:
        # The check character may be missing or badly typed: the prefix alone is clear.
        self._joined = re.compile(
            rf"(?i:GHA|FGN)[ \-]{{0,3}}[0-9]{{8,9}}(?:[ \-]{{0,3}}[0-9]|[ ]?-?[ ]?[A-Za-z])?{END}"
        )
        self._foreign = re.compile(rf"[A-Za-z]{{3}}-[0-9]{{8,9}}-[0-9A-Za-z]{END}")

    def lettered(self, run: Run) -> Sequence[Span]:
        """``GHA-123456789-0`` in any spelling; other countries' codes with both hyphens only."""
        match = self._joined.match(run.text, run.letters) or self._foreign.match(run.text, run.letters)
        return (self.span(*match.span()),) if match else ()


class GhanaGpsRecognizer(RunRecognizer):
    """Finds GhanaPostGPS digital addresses, such as ``GA-183-8164``."""

    __slots__ = ("_joined", "_spaced", "_strict")

    kind: ClassVar[Kind] = Kind.ADDRESS
    priority: ClassVar[int] = 60
    letters: ClassVar[frozenset[int]] = frozenset({1, 2})

    def __init__(self) -> None:
        self._strict = re.compile(rf"(?i:{_REGION})[A-Za-z0-9]-[0-9]{{3,5}}-[0-9]{{4}}{END}")
        # With single blanks, A4 is a sheet of paper.
        self._spaced = re.compile(
            rf"{_REGION}(?:[A-Z]|(?!(?<=A)[345] [0-9])[0-9])[ \-]{{1,3}}[0-9]{{3,5}}[ \-]{{1,3}}[0-9]{{4}}{END}"
        )
        self._joined = re.compile(rf"(?i:{_REGION})[A-Za-z0-9][ \-]{{0,3}}[0-9]{{3,5}}[ \-]{{0,3}}[0-9]{{4}}{END}")

    def lettered(self, run: Run) -> Sequence[Span]:
        """With hyphens or blanks anywhere; joined only near a word such as "address"."""
        text, at = run.text, run.letters
        match = self._joined.match(text, at)
        if match is None:
            return ()
        sure = self._strict.match(text, at) or (self._spaced.match(text, at) and label_before(text, at) not in _GOODS)
        return (self.span(*match.span()),) if sure or has_word(text, at, _ADDRESS_WORDS) else ()


class GhanaTinRecognizer(RunRecognizer):
    """Finds tax numbers of the Ghana Revenue Authority, such as ``P0034093052``."""

    __slots__ = ("_shape",)

    kind: ClassVar[Kind] = Kind.ID
    priority: ClassVar[int] = 70
    letters: ClassVar[frozenset[int]] = frozenset({1})

    def __init__(self) -> None:
        self._shape = re.compile(rf"[PCGQVpcgqv]00[ \-]?[0-9]{{7}}[ \-]?[0-9Xx]{END}")

    def lettered(self, run: Run) -> Sequence[Span]:
        """The shape is enough; one whose check character is wrong ranks behind other readings."""
        match = self._shape.match(run.text, run.letters)
        return (self.span(*match.span(), doubt=0 if valid_tin(match[0]) else 5),) if match else ()


def valid_tin(number: str) -> bool:
    """Whether the check character of a GRA TIN is right.

    The sum of i times the i-th of the nine digits after the letter, modulo 11; 10 is
    written ``X`` (OECD, "Ghana: information on tax identification numbers").

    >>> valid_tin("P0034093052"), valid_tin("P0034093053")
    (True, False)
    """
    plain = number[1:].replace(" ", "").replace("-", "").upper()
    # Bytes are added far faster than characters, and each carries 48.
    total = (sum(map(mul, _TIN_WEIGHTS, plain.encode())) - 48 * sum(_TIN_WEIGHTS)) % _TIN_MODULUS
    return plain[-1] == ("X" if total == _TIN_MODULUS - 1 else str(total))


class SsnitRecognizer(RunRecognizer):
    """Finds social security numbers of SSNIT, such as ``A587706589481``."""

    __slots__ = ("_loose", "_strict")

    kind: ClassVar[Kind] = Kind.ID
    priority: ClassVar[int] = 60
    letters: ClassVar[frozenset[int]] = frozenset({1, 2, 3})

    def __init__(self) -> None:
        self._strict = re.compile(rf"[A-Za-z][0-9]{{12}}{END}")
        self._loose = re.compile(rf"[A-Za-z][0-9A-Za-z]{{12,14}}{END}")

    def lettered(self, run: Run) -> Sequence[Span]:
        """A letter and twelve digits; 13 to 15 letters and digits only near a word such as "SSNIT"."""
        match = self._strict.match(run.text, run.letters)
        if match is None:
            loose = self._loose.match(run.text, run.letters)
            wordy = loose is None or sum(map(str.isdigit, loose[0])) < _LEAST_DIGITS
            match = None if wordy or run.topic not in {Topic.SSNIT, Topic.SOCIAL_SECURITY} else loose
        return (self.span(*match.span()),) if match else ()


class PassportRecognizer(RunRecognizer):
    """Finds passport numbers, such as ``G1313735``."""

    __slots__ = ("_loose", "_strict")

    kind: ClassVar[Kind] = Kind.ID
    priority: ClassVar[int] = 40
    letters: ClassVar[frozenset[int]] = frozenset({1, 2})

    def __init__(self) -> None:
        self._strict = re.compile(rf"[GHD][0-9]{{7}}{END}")
        self._loose = re.compile(rf"[A-Za-z]{{1,2}}[ \-]?[0-9]{{6,9}}{END}")

    def lettered(self, run: Run) -> Sequence[Span]:
        """Ghanaian ones anywhere, others near the word."""
        text, at = run.text, run.letters
        match = self._loose.match(text, at)
        if match is None:
            return ()
        sure = self._strict.match(text, at) and label_before(text, at) not in _GOODS
        return (self.span(*match.span()),) if sure or run.topic is Topic.PASSPORT else ()


class NhisRecognizer(RunRecognizer):
    """Finds numbers of the National Health Insurance Scheme, near a word that says so."""

    __slots__ = ()

    kind: ClassVar[Kind] = Kind.ID
    priority: ClassVar[int] = 40
    topics: ClassVar[frozenset[Topic]] = frozenset({Topic.NHIS})
    lengths: ClassVar[frozenset[int]] = frozenset({8, 10})


class VoterIdRecognizer(RunRecognizer):
    """Finds voter id numbers, near a word that says so."""

    __slots__ = ()

    kind: ClassVar[Kind] = Kind.ID
    priority: ClassVar[int] = 40
    topics: ClassVar[frozenset[Topic]] = frozenset({Topic.VOTER})
    lengths: ClassVar[frozenset[int]] = frozenset({10, 11, 12})
