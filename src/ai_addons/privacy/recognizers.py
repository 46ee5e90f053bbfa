"""Recognizers: personal data found in free text by its shape.

They see folded text (plain dashes, blanks and digits) and report where the data
stands. Each is a cheap test, then a bounded pattern, then checks of what stands
around it: business figures (prices, barcodes, dates, order numbers) must survive.

Ghanaian numbers follow the national numbering plan of the National Communications
Authority: nine digits after ``0`` or ``233``; mobile ones begin with 2 or 5, fixed
lines with 3. Foreign ones follow ITU-T E.164: at most 15 digits.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ai_addons.privacy.base import Kind, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ai_addons.privacy.base import Recognizer

_EMAIL_PRIORITY: Final = 80
_PHONE_PRIORITY: Final = 50

# E-mail. RFC 5321 allows 64 characters before the @; more is no address, but it is hidden all the same.
_LOCAL: Final = re.compile(r"[\w.%+\-'!#$&*=?^`{|}~]{1,256}\Z")
_DOMAIN: Final = re.compile(r"(?:[^\W_][\w\-]{0,62}\.){1,30}[^\W_][\w\-]{0,62}")
_TOP_LEVEL: Final = re.compile(r"(?:[^\W\d_]{2,24}|xn--[a-z0-9\-]{1,59})\Z", re.IGNORECASE)
_NOT_LEADING: Final = ".'`-*=?&!#{|}^~$%"

# Phones.
_GAP: Final = r"[ .\-()]{0,2}"
_NATIONAL: Final = rf"[235](?:{_GAP}[0-9]){{8}}"
_STRONG: Final = re.compile(
    rf"(?P<ghana>(?:\(?(?:\+ ?|00 ?)?233\)?{_GAP}(?:\(?0\)?{_GAP})?|\(?0\)?{_GAP}){_NATIONAL})(?![0-9])"
    r"|(?P<free>0800(?:[ \-]?[0-9]){5,6})(?![0-9])"
    rf"|(?P<foreign>(?:\+ ?|00 ?)[1-9](?:{_GAP}[0-9]){{6,14}})(?![0-9])"
    r"|(?P<american>(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}-)[0-9]{3}-[0-9]{4})(?![0-9])"
)
# Trunk prefix and area in one group, then groups of two or more; "0 24 123 4567"; or pairs.
_GROUPING: Final = re.compile(
    r"\(?[0-9]{3,10}(?:[^0-9]{1,2}[0-9]{2,}){0,4}"
    r"|0[ \-]?[0-9]{2}(?:[^0-9]{1,2}[0-9]{2,}){1,3}"
    r"|[0-9]{2}(?:[ .\-][0-9]{2}){4}"
)
_WEAK: Final = re.compile(r"[0-9](?:[ .\-]?[0-9]){6,11}(?![0-9])")
_CONTEXT: Final = re.compile(
    r"\b(?:phone|telephone|tel|call|mobile|cell|whatsapp|sms|fax|contact|dial|reach|momo|wallet)\b", re.IGNORECASE
)
# Between the context word and the number these say that it is something else.
_OTHER_NUMBER: Final = re.compile(
    r"\b(?:isbn|ean|upc|barcode|imei|serial|sku|invoice|inv|receipt|rcp|ref|reference|txn|trans|transaction|order|batch"
    r"|lot|code|model|id|po|qty|quantity|amount|price|total|ghs|cedis|usd|account|acct)\b",
    re.IGNORECASE,
)
_NEVER_BEFORE: Final = re.compile(
    r"(?:\b(?:ghs|gh¢|gh₵|usd|ngn|eur|gbp|cedis?)|[₵¢$€£₦])\s?\Z"
    r"|\b(?:isbn|ean|upc|barcode|imei|serial|sku)\W{0,3}(?:(?:no|number|num)\W{0,3})?\Z"
    r"|\b97[89][ \-]\Z"
    r"|(?-i:\b(?!TEL|CALL|CELL|FAX|MOB|MOMO|SMS|WA)[A-Z]{2,5}-)\Z"
    r"|[0-9]\.\Z"
    r"|[0-9]\s?[x@]\s?\Z",
    re.IGNORECASE,
)
_NEVER_AFTER: Final = re.compile(r"\.[0-9]|\s?%|:[0-9]")
_DATE: Final = re.compile(r"[0-9]{4}[ .\-][0-9]{1,2}[ .\-][0-9]{1,2}|[0-9]{1,2}[ .\-][0-9]{1,2}[ .\-][0-9]{4}(?![0-9])")
_CONTEXT_REACH: Final = 30
_LEFT_REACH: Final = 24
_ENOUGH_DIGITS: Final = re.compile(r"[0-9](?:[^0-9a-zA-Z\n]{0,3}[0-9]){6}")


class EmailRecognizer:
    """Finds e-mail addresses."""

    __slots__ = ()

    def find(self, text: str) -> Iterator[Span]:
        """All addresses, also those in angle brackets or with a full stop after them."""
        at = text.find("@")
        while at >= 0:
            local = _LOCAL.search(text, max(0, at - 256), at)
            domain = _DOMAIN.match(text, at + 1)
            if local and domain and (length := _host_length(domain[0])):
                name = local[0].lstrip(_NOT_LEADING)
                if name:
                    yield Span(at - len(name), at + 1 + length, Kind.EMAIL, _EMAIL_PRIORITY)
            at = text.find("@", at + 1)


def _host_length(host: str) -> int:
    """How much of it is a host name: its end must be a top-level domain; 0 if nothing is."""
    labels = host.rstrip("-_").split(".")
    while len(labels) > 1:
        if _TOP_LEVEL.fullmatch(labels[-1]):
            return len(".".join(labels))
        labels.pop()
    return 0


class PhoneRecognizer:
    """Finds phone numbers: Ghanaian ones in any spelling, foreign ones, others near a word such as "call"."""

    __slots__ = ()

    def find(self, text: str) -> Iterator[Span]:
        """All phone numbers."""
        if not _ENOUGH_DIGITS.search(text):
            return
        at = 0
        while match := _STRONG.search(text, at):
            if _plausible(text, match):
                # A bracket that closes after the number is not part of it.
                outside = match[0][0] == "(" and match[0].count("(") > match[0].count(")")
                yield Span(match.start() + outside, match.end(), Kind.PHONE, _PHONE_PRIORITY)
                at = match.end()
            else:
                at = match.start() + 1
        yield from _near_context(text)


def _near_context(text: str) -> Iterator[Span]:
    for word in _CONTEXT.finditer(text):
        for match in _WEAK.finditer(text, word.end(), word.end() + _CONTEXT_REACH + 24):
            if match.start() - word.end() > _CONTEXT_REACH:
                break
            between = text[word.end() : match.start()]
            if not _OTHER_NUMBER.search(between) and not _DATE.search(match[0]) and _stands_alone(text, match):
                yield Span(match.start(), match.end(), Kind.PHONE, _PHONE_PRIORITY)


def _plausible(text: str, match: re.Match[str]) -> bool:
    """Whether what looks like a phone number stands where one can stand and is grouped like one."""
    if match["ghana"] and not _grouped_like_a_phone(match["ghana"]):
        return False
    return _stands_alone(text, match)


def _grouped_like_a_phone(number: str) -> bool:
    """``024 123 4567`` is grouped like a phone, ``02-12-2026 10`` like a date, ``0-306-40615-7`` like a book."""
    if "233" in number[:7]:
        return True
    return _GROUPING.fullmatch(re.sub(r"\(0\) ?", "0", number)) is not None


def _stands_alone(text: str, match: re.Match[str]) -> bool:
    """Whether neither a word, nor a larger number, nor a currency touches it."""
    start, end = match.span()
    if _touches_word(text, start, end) or _NEVER_AFTER.match(text, end):
        return False
    if "-" in match[0] and re.match(r"-[0-9]", text[end : end + 2]):
        return False
    if "-" in match[0].lstrip("+(") and re.search(r"[0-9]-\Z", text[max(0, start - 2) : start]):
        return False
    return not _NEVER_BEFORE.search(text, max(0, start - _LEFT_REACH), start)


def _touches_word(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    escape = text[max(0, start - 2) : start] in {r"\n", r"\t", r"\r"}
    return (_is_word(before) and not escape) or _is_word(after)


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"


BUILT_IN_RECOGNIZERS: Final[Mapping[str, Callable[[], Recognizer]]] = MappingProxyType(
    {"email": EmailRecognizer, "phone": PhoneRecognizer}
)
"""The recognizers that come with the package, by name."""
