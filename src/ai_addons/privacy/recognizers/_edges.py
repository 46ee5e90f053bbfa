"""Whether something found stands alone, or is part of a word, a code, an amount or a larger number."""

from __future__ import annotations

import re
from typing import Final

_CURRENCY_SIGNS: Final = "₵¢$€£₦"
_CURRENCY_WORDS: Final = ("ghs", "usd", "ngn", "eur", "gbp", "cedi", "cedis")
# The word before a hyphen: `INV-2025` is a code; `TEL-024` is a label.
_CODE: Final = re.compile(r"(?<![A-Za-z0-9])([A-Z]{2,5})-\Z")
_LABELS: Final = frozenset({"TEL", "CALL", "CELL", "FAX", "MOB", "MOMO", "SMS", "WA", "NHIS", "VOTER", "ACCT", "BANK"})
_LAST_WORD: Final = re.compile(r"[A-Za-z]{3,5}\Z")
_FIGURE_AFTER: Final = re.compile(
    r"\.[0-9]|\s?%|:[0-9]|\s?(?:₵|(?i:ghs|cedis?|usd|pesewas)\b)|\s?[x×@]\s?[0-9]"  # noqa: RUF001  # the sign of multiplication is meant
)
_UNIT_AFTER: Final = re.compile(
    r"\s?(?:bags?|cartons?|boxes|box|pcs|pieces|units?|packs?|bottles?|crates?|kg|g|ml|l|litres?|yds|yards|sold|items?"
    r"|times|days|points|customers|orders|sales|sms)\b",
    re.IGNORECASE,
)
_MAYBE_AFTER: Final = frozenset(".%:₵x×@gGcCuUpP")  # noqa: RUF001  # as above
_MAYBE_BEFORE: Final = frozenset(_CURRENCY_SIGNS) | frozenset(".xX@×sdnrpiSDNRPI89 ")  # noqa: RUF001  # as above
_BOOK: Final = frozenset({"978", "979"})


def is_word(char: str) -> bool:
    """Whether a character belongs to a word; no character does not."""
    return char.isalnum() or char == "_"


def starts_clear(text: str, start: int) -> bool:
    r"""Whether no word touches a place from the left; the ``n`` of an escaped ``\n`` is none."""
    before = text[start - 1 : start]
    if not before.isalnum() and before != "_":
        return True
    return before in "nrt" and text[max(0, start - 2) : start - 1] == "\\"


def ends_clear(text: str, end: int) -> bool:
    """Whether no word touches a place from the right."""
    return not is_word(text[end : end + 1])


def is_figure(text: str, start: int, end: int) -> bool:
    """Whether a number is an amount, a percentage, a quantity, a time or a part of a code."""
    # One look at a character on each side settles most numbers.
    after = text[end + 1 : end + 2] if text[end : end + 1] == " " else text[end : end + 1]
    if after in _MAYBE_AFTER and _FIGURE_AFTER.match(text, end):
        return True
    before = text[start - 1 : start]
    lead = text[start - 2 : start - 1] if before in {" ", "-"} else before
    return lead in _MAYBE_BEFORE and _is_led_in(text, start)


def begins_word(text: str, at: int) -> bool:
    """Whether a letter stands here or after one blank: a look that saves most patterns for words their try."""
    return text[at : at + 2].lstrip()[:1].isalpha()


def counts_something(text: str, end: int) -> bool:
    """Whether a unit follows, so that the number before it is a quantity."""
    return begins_word(text, end) and _UNIT_AFTER.match(text, end) is not None


def stands_alone(text: str, start: int, end: int) -> bool:
    """Whether neither a word, nor a larger number, nor a currency touches a number."""
    after = text[end : end + 1]
    if is_word(after) or not starts_clear(text, start) or is_figure(text, start, end):
        return False
    if text[start - 1 : start] == "-" and _hangs_on(text, start, end):
        return False
    return not (after == "-" and "-" in text[start:end] and text[end + 1 : end + 2].isdigit())


def is_code(text: str, start: int) -> bool:
    """Whether capitals and a hyphen before a number make it a code, such as ``INV-2025``."""
    code = _CODE.search(text, max(0, start - 7), start)
    return code is not None and code[1] not in _LABELS


def _hangs_on(text: str, start: int, end: int) -> bool:
    """Whether the hyphen before a number ties it to a code or, if it has hyphens of its own, to a number."""
    return is_code(text, start) or (text[start - 2 : start - 1].isdigit() and "-" in text[start:end].lstrip("+("))


def _is_led_in(text: str, start: int) -> bool:
    """Whether a currency, a multiplication sign, a decimal point or a book's prefix leads in a number."""
    before = text[max(0, start - 9) : start]
    if before[-1:] == "." and before[-2:-1].isdigit():
        return True
    if before[-1:] in {" ", "-"} and before[-4:-1] in _BOOK and not before[-5:-4].isdigit():
        return True
    if before[-1:] == " ":
        before = before[:-1]
    last = before[-1:]
    if not last or last in _CURRENCY_SIGNS:
        return bool(last)
    if last in "xX@×":  # noqa: RUF001  # the sign of multiplication is meant
        return before[:-1].rstrip()[-1:].isdigit()
    if not before.lower().endswith(_CURRENCY_WORDS):
        return False
    word = _LAST_WORD.search(before)
    # After a number the word belongs to that one: "500 cedis 0241234567".
    return (
        word is not None and word[0].lower() in _CURRENCY_WORDS and not before[: word.start()].rstrip()[-1:].isdigit()
    )
