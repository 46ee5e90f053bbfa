"""Accounts: bank accounts, IBANs and payment cards.

Cards are told from barcodes and serial numbers by issuer range, length and the Luhn
check (ISO/IEC 7812-1). Luhn alone proves little: one barcode in ten passes it, and
the serial number of every mobile phone (IMEI) does.
"""

from __future__ import annotations

import re
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Final

from ai_addons.privacy.base import Kind
from ai_addons.privacy.recognizers._context import Topic, has_word, label_before
from ai_addons.privacy.recognizers._edges import is_word, stands_alone
from ai_addons.privacy.recognizers._runs import RunRecognizer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ai_addons.privacy.base import Span
    from ai_addons.privacy.recognizers._runs import Run


class BankAccountRecognizer(RunRecognizer):
    """Finds account numbers, sort codes and e-zwich numbers, near a word that says so."""

    __slots__ = ()

    kind: ClassVar[Kind] = Kind.ACCOUNT
    priority: ClassVar[int] = 40
    topics: ClassVar[frozenset[Topic]] = frozenset({Topic.ACCOUNT, Topic.SORT_CODE})
    lengths: ClassVar[frozenset[int]] = frozenset(range(8, 18))

    def topical(self, run: Run) -> Sequence[Span]:
        """8 to 17 digits, or the 6 of a sort code."""
        if (
            run.topic is Topic.SORT_CODE
            and len(run.digits) == _SORT_CODE
            and stands_alone(run.text, run.start, run.end)
        ):
            return (self.span(run.start, run.end),)
        return super().topical(run)


_SORT_CODE: Final = 6

# SWIFT IBAN registry: length by country.
_IBAN_LENGTHS: Final = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29"
    " ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28"
    " LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25"
    " QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
)
_LEAST_IBAN: Final = 15
_MOST_IBAN: Final = 34
_IBAN_WORD: Final = frozenset({"iban"})


class IbanRecognizer(RunRecognizer):
    """Finds international bank account numbers (ISO 13616)."""

    __slots__ = ("_shape",)

    kind: ClassVar[Kind] = Kind.ACCOUNT
    priority: ClassVar[int] = 80
    letters: ClassVar[frozenset[int]] = frozenset({2})

    def __init__(self) -> None:
        self._shape = re.compile(r"[A-Za-z]{2}[0-9]{2}(?:[ \-]?[A-Za-z0-9]){11,30}")

    def lettered(self, run: Run) -> Sequence[Span]:
        """One whose check digits are right; after the word IBAN also one whose are not."""
        match = self._shape.match(run.text, run.letters)
        if match is None or run.start - run.letters != 2:  # noqa: PLR2004  # country and check digits are joined
            return ()
        length = next((size for size in _iban_sizes(match[0]) if _is_iban(match[0][:size])), 0)
        if not length and has_word(run.text, run.letters, _IBAN_WORD):
            length = next(_iban_sizes(match[0]), 0)
        end = run.letters + length
        return (self.span(run.letters, end),) if length and not is_word(run.text[end : end + 1]) else ()


@cache
def _iban_lengths() -> Mapping[str, int]:
    return MappingProxyType({entry[:2]: int(entry[2:]) for entry in _IBAN_LENGTHS.split()})


def _iban_sizes(text: str) -> Iterator[int]:
    """How much of a text may be an IBAN: its country's length, or for an unknown country all that end with a group."""
    ends = [index + 1 for index, char in enumerate(text) if char.isalnum()]
    wanted = _iban_lengths().get(text[:2].upper())
    if wanted is not None:
        yield from ends[wanted - 1 : wanted]
        return
    for count in range(min(len(ends), _MOST_IBAN), _LEAST_IBAN - 1, -1):
        if not text[ends[count - 1] : ends[count - 1] + 1].isalnum():
            yield ends[count - 1]


def _is_iban(text: str) -> bool:
    """ISO 7064, mod 97-10: country and check digits moved to the end, letters as 10 to 35."""
    plain = "".join(filter(str.isalnum, text))
    return int("".join(str(int(char, 36)) for char in plain[4:] + plain[:4])) % 97 == 1


_LEAST_CARD: Final = 13
_MOST_CARD: Final = 19
_SHORT_CARDS: Final = frozenset({13, 15})
_GROUPED: Final = (
    r"(?<![0-9])(?:[0-9]{4}([ .\-]{1,3})[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?:\1[0-9]{1,3})?"
    r"|[0-9]{4}([ .\-]{1,3})[0-9]{6}\2[0-9]{4,5}|[0-9]{13,19})(?![0-9])"
)
_MASTERCARD: Final = "5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"
_VERVE: Final = "506[01]|507[89]|6500"
_OTHERS: Final = "352[89]|35[3-8]|6011|64[4-9]|65|62"  # JCB, Discover, UnionPay
_DINERS: Final = "30[0-5]|3[689]"
_MAESTRO: Final = "50|5[678]|6"
# First digits by length: those of an issuer alone, and those that so many other numbers share that a word must help.
_ISSUERS: Final = {
    13: ("", f"4|{_MAESTRO}"),
    14: (_DINERS, _MAESTRO),
    15: ("3[47]", f"1800|2131|{_MAESTRO}"),
    16: (f"4|{_MASTERCARD}|{_VERVE}|{_OTHERS}", ""),
    17: ("62", ""),
    18: (f"{_VERVE}|62", ""),
    19: (f"4|{_VERVE}|62", ""),
}
_NOBODY: Final = "(?!)"
_LONGEST_NAMED: Final = 15
_GOODS: Final = frozenset({Topic.BUSINESS, Topic.SERIAL})
_DEVICE_WORDS: Final = frozenset({"imei", "imeis", "serial", "iccid"})


class PaymentCardRecognizer(RunRecognizer):
    """Finds card numbers and leaves barcodes, phone serial numbers and order numbers alone."""

    __slots__ = ("_grouped", "_maestro", "_named", "_sure")

    kind: ClassVar[Kind] = Kind.ACCOUNT
    priority: ClassVar[int] = 70
    digits: ClassVar[range] = range(13, 28)

    def __init__(self) -> None:
        self._grouped = re.compile(_GROUPED)
        self._sure = {size: re.compile(sure or _NOBODY) for size, (sure, _) in _ISSUERS.items()}
        self._named = {size: re.compile(named or _NOBODY) for size, (_, named) in _ISSUERS.items()}
        self._maestro = re.compile(_MAESTRO)

    def bare(self, run: Run) -> Sequence[Span]:
        """All of the run, or else what in it is grouped like a card."""
        if self._is_card(run, run.start, run.digits) and stands_alone(run.text, run.start, run.end):
            return (self.span(run.start, run.end),)
        if run.raw is run.digits:
            return ()
        return [
            self.span(run.start + match.start(), run.start + match.end())
            for match in self._grouped.finditer(run.raw)
            if match.end() - match.start() < len(run.raw)
            and self._is_card(run, run.start + match.start(), re.sub("[^0-9]", "", match[0]))
            and stands_alone(run.text, run.start + match.start(), run.start + match.end())
        ]

    def _is_card(self, run: Run, start: int, digits: str) -> bool:
        size = len(digits)
        if not (_LEAST_CARD <= size <= _MOST_CARD and passes_luhn(digits)):
            return False
        if label_before(run.text, start) in _GOODS:
            return False
        if size in _SHORT_CARDS and has_word(run.text, start, _DEVICE_WORDS):
            return False
        if self._sure[size].match(digits):
            return True
        if self._named[size].match(digits) and run.topic is Topic.CARD:
            return size != _LEAST_CARD or not is_ean(digits)
        return size > _LONGEST_NAMED and self._maestro.match(digits) is not None and run.topic not in _GOODS


_DOUBLED: Final = bytes.maketrans(b"0123456789", b"0246813579")


def passes_luhn(digits: str) -> bool:
    """The check of ISO/IEC 7812-1.

    Every second digit from the right is doubled; the sum of all digits is divisible by ten.

    >>> passes_luhn("4111111111111111"), passes_luhn("4111111111111112")
    (True, False)
    """
    plain = digits.encode()
    # The sums of bytes carry 48 for each digit.
    total = sum(plain[-1::-2]) + sum(plain[-2::-2].translate(_DOUBLED))
    return (total - 48 * len(plain)) % 10 == 0


def is_ean(digits: str) -> bool:
    """The check of EAN-13 barcodes: weights 1 and 3 from the left (GS1 General Specifications, 7.9).

    >>> is_ean("4006381333931"), is_ean("4006381333932")
    (True, False)
    """
    return sum(int(digit) * (1 + 2 * (index % 2)) for index, digit in enumerate(digits)) % 10 == 0
