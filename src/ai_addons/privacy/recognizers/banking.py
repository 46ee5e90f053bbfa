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
from ai_addons.privacy.recognizers._context import Topic, has_word, label_before, words_before
from ai_addons.privacy.recognizers._edges import is_word, stands_alone
from ai_addons.privacy.recognizers._runs import RunRecognizer, digits_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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

# Length by country: the SWIFT IBAN registry, and the African countries that use IBANs without being in it.
_IBAN_LENGTHS: Final = (
    "AD24 AE23 AL28 AO25 AT20 AZ28 BA20 BE16 BF28 BG22 BH22 BI27 BJ28 BR29 BY28 CF27 CG27 CH21 CI28 CM27 CR22 "
    "CV25 CY28 CZ24 DE22 DJ27 DK18 DO28 DZ26 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GA27 GB22 GE22 GI23 GL18 GQ27 "
    "GR27 GT28 GW25 HN28 HR21 HU28 IE22 IL23 IQ23 IR26 IS26 IT27 JO30 KM27 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 "
    "LV21 LY25 MA28 MC27 MD24 ME22 MG27 MK19 ML28 MN20 MR27 MT31 MU30 MZ25 NE28 NI28 NL18 NO15 OM23 PK24 PL28 "
    "PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SN28 SO23 ST25 SV28 TD27 TG28 TL23 TN24 "
    "TR26 UA29 VA22 VG24 XK20 YE30"
)
_LEAST_IBAN: Final = 15
_IBAN_WORD: Final = frozenset({"iban"})


class IbanRecognizer(RunRecognizer):
    """Finds international bank account numbers (ISO 13616)."""

    __slots__ = ("_shape",)

    kind: ClassVar[Kind] = Kind.ACCOUNT
    priority: ClassVar[int] = 80
    letters: ClassVar[frozenset[int]] = frozenset({2})

    def __init__(self) -> None:
        # Joined, or in groups of four; a group of letters alone is the bank's, the first one.
        self._shape = re.compile(
            r"[A-Za-z]{2}[0-9]{2}"
            r"(?:(?P<gap>[ \-])[A-Za-z0-9]{4}(?:(?P=gap)(?![A-Za-z]+\b)[A-Za-z0-9]{1,4}){2,7}|[A-Za-z0-9]{11,30})"
        )

    def lettered(self, run: Run) -> Sequence[Span]:
        """One whose check digits are right; after the word IBAN also one whose are not."""
        match = self._shape.match(run.text, run.letters)
        if match is None or run.start - run.letters != 2:  # noqa: PLR2004  # country and check digits are joined
            return ()
        named = has_word(run.text, run.letters, _IBAN_WORD)
        length = _iban_length(match[0], named=named)
        end = run.letters + length
        if not length or is_word(run.text[end : end + 1]) or not (named or _is_iban(match[0][:length])):
            return ()
        return (self.span(run.letters, end),)


@cache
def _iban_lengths() -> Mapping[str, int]:
    return MappingProxyType({entry[:2]: int(entry[2:]) for entry in _IBAN_LENGTHS.split()})


def _iban_length(text: str, *, named: bool) -> int:
    """How much of a text is as long as its country's IBANs; of an unknown country, all if the word says so; else 0."""
    ends = [index + 1 for index, char in enumerate(text) if char.isalnum()]
    wanted = _iban_lengths().get(text[:2].upper(), len(ends) if named else 0)
    if not _LEAST_IBAN <= wanted <= len(ends):
        wanted = len(ends) if named and len(ends) >= _LEAST_IBAN else 0
    return ends[wanted - 1] if wanted else 0


def _is_iban(text: str) -> bool:
    """ISO 7064, mod 97-10: country and check digits moved to the end, letters as 10 to 35; in one case."""
    plain = "".join(filter(str.isalnum, text))
    if not (plain.isupper() or plain.islower()):
        return False
    return int("".join(str(int(char, 36)) for char in plain[4:] + plain[:4])) % 97 == 1


_LEAST_CARD: Final = 13
_MOST_CARD: Final = 19
_SHORT_CARDS: Final = frozenset({13, 15})
# The first digit comes first, which is found far faster than the whole shape; what stands before it is looked at next.
_GROUPED: Final = (
    r"[1-6](?<![0-9][1-6])"
    r"(?:(?P<fours>[0-9]{3}(?P<gap>[ .\-]{1,3})[0-9]{4}(?P=gap)[0-9]{4}(?P=gap)[0-9]{4})(?:(?P=gap)[0-9]{1,3})?"
    r"|[0-9]{3}(?P<sep>[ .\-]{1,3})[0-9]{6}(?P=sep)[0-9]{4,5}|[0-9]{12,18})(?![0-9])"
)
_MASTERCARD: Final = "5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"
_VERVE: Final = "506[01]|507[89]|6500"
_OTHERS: Final = "352[89]|35[3-8]|6011|64[4-9]|65|62"  # JCB, Discover, UnionPay
_DINERS: Final = "30[0-5]|3[689]"
_MAESTRO: Final = "50|5[678]|6"
# First digits by length: those of an issuer alone, and those that many other numbers share. Of the latter, up to 15
# digits are a card only after a word such as "card".
_ISSUERS: Final = {
    13: ("", f"4|{_MAESTRO}"),
    14: (_DINERS, _MAESTRO),
    15: ("3[47]", f"1800|2131|{_MAESTRO}"),
    16: (f"4|{_MASTERCARD}|{_VERVE}|{_OTHERS}", _MAESTRO),
    17: ("62", _MAESTRO),
    18: (f"{_VERVE}|62", _MAESTRO),
    19: (f"4|{_VERVE}|62", _MAESTRO),
}
_NOBODY: Final = "(?!)"
_LONGEST_NAMED: Final = 15
_GOODS: Final = frozenset({Topic.BUSINESS, Topic.SERIAL})
_DEVICE_WORDS: Final = frozenset({"imei", "imeis", "serial", "iccid"})


class PaymentCardRecognizer(RunRecognizer):
    """Finds card numbers and leaves barcodes, phone serial numbers and order numbers alone."""

    __slots__ = ("_grouped", "_issuers")

    kind: ClassVar[Kind] = Kind.ACCOUNT
    priority: ClassVar[int] = 70
    digits: ClassVar[range] = range(13, 28)

    def __init__(self) -> None:
        self._grouped = re.compile(_GROUPED)
        # The one group is matched by digits of an issuer alone.
        self._issuers = {size: re.compile(f"({sure or _NOBODY})|{maybe}") for size, (sure, maybe) in _ISSUERS.items()}

    def bare(self, run: Run) -> Sequence[Span]:
        """All of the run, or else what in it is grouped like a card."""
        if self._is_card(run, run.start, run.digits) and stands_alone(run.text, run.start, run.end):
            return (self.span(run.start, run.end),)
        if run.raw is run.digits:
            return ()
        found: list[Span] = []
        for match in self._grouped.finditer(run.text, run.start, run.end):
            place = self._card_at(run, match)
            if place and stands_alone(run.text, *place):
                found.append(self.span(*place))
        return found

    def _card_at(self, run: Run, match: re.Match[str]) -> tuple[int, int] | None:
        """Where a card stands in what is grouped like one: what follows four fours may be the month it expires."""
        start, whole = match.span()
        for end in dict.fromkeys((whole, match.end("fours"))):
            if end > start and self._is_card(run, start, digits_of(run.text[start:end])):
                return start, end
        return None

    def _is_card(self, run: Run, start: int, digits: str) -> bool:
        size = len(digits)
        # 1800 is JCB's; no other issuer begins outside 2 to 6.
        if not _LEAST_CARD <= size <= _MOST_CARD or digits[0] not in "123456":
            return False
        issuer = self._issuers[size].match(digits)
        if issuer is None or not passes_luhn(digits) or self._is_something_else(run.text, start, size):
            return False
        if issuer.lastindex or size > _LONGEST_NAMED:
            return True
        return run.topic is Topic.CARD and not (size == _LEAST_CARD and is_ean(digits))

    def _is_something_else(self, text: str, start: int, size: int) -> bool:
        """Whether what stands before it makes it a phone number, or the serial number of a device."""
        label = label_before(text, start)
        if text[start - 1 : start] == "+" or label in _GOODS:
            return True
        return size in _SHORT_CARDS and label is not Topic.CARD and _is_device(text, start)


def _is_device(text: str, start: int) -> bool:
    """Whether a word such as "IMEI" stands before a number, and no other number so long between them."""
    for word in words_before(text, start):
        if word.isdigit() and len(word) > _LEAST_CARD:
            return False
        if word.lower() in _DEVICE_WORDS:
            return True
    return False


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
