"""What the words before a number say it is.

Whole words only, read backwards from the number: the nearest one that means
anything decides. So "call about invoice 12345678" is an invoice, and "voter ID no.
6075291703" is a voter's number although three words lie between.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

REACH: Final = 45
"""How many characters before a number its context may stand."""

NEAR: Final = 30
"""The same for phone numbers and birth dates."""


class Topic(Enum):
    """What a number is about."""

    PHONE = "phone"
    VOTER = "voter"
    NHIS = "nhis"
    ACCOUNT = "account"
    SORT_CODE = "sort code"
    CARD = "card"
    GHANA_CARD = "ghana card"
    PASSPORT = "passport"
    LICENCE = "licence"
    SSNIT = "ssnit"
    SSN = "ssn"
    SOCIAL_SECURITY = "social security"
    BIRTH = "birth"
    SERIAL = "serial"
    BUSINESS = "business"
    NAMED = "named"
    """Something with an id or a code: no phone number, but what it is stands further left."""
    SECOND = "second"
    """What it says depends on the word before it."""


_WORDS_OF: Final[Mapping[Topic, str]] = {
    Topic.PHONE: "phone telephone phones tel call mobile cell cellphone whatsapp whats sms fax contact contacts dial"
    " reach momo wallet hotline",
    Topic.VOTER: "voter voters electoral",
    Topic.NHIS: "nhis nhia",
    Topic.ACCOUNT: "account accounts acct acc bank zwich ezwich gcb ecobank absa stanbic fidelity calbank zenith cbg"
    " uba gtbank adb nib",
    Topic.PASSPORT: "passport",
    Topic.LICENCE: "licence license dvla",
    Topic.SSNIT: "ssnit pension",
    Topic.SSN: "ssn",
    Topic.CARD: "card visa mastercard verve amex maestro debit",
    Topic.GHANA_CARD: "nia ghanacard",
    Topic.BIRTH: "dob born birth birthday birthdate",
    Topic.SERIAL: "isbn ean upc gtin barcode imei imeis serial sku iccid epoch timestamp scan scanned batch lot"
    " waybill tracking voucher coupon meter",
    Topic.BUSINESS: "invoice inv receipt rcp ref reference txn trans transaction order po qty quantity amount"
    " price total balance model product item items stock version firmware period cost ticket"
    " sold float ghs cedis cedi usd eur gbp ngn pesewas",
    Topic.NAMED: "id code",
}
_ALONE: Final[Mapping[str, Topic]] = {word: topic for topic, words in _WORDS_OF.items() for word in words.split()}
_OTHER_CARDS: Final = (
    "id identity nhis insurance voter voters s sim gift loyalty memory sd scratch recharge membership member staff"
    " student residence health phone"
)
# Two words that mean something together only.
_PAIRS: Final[Mapping[tuple[str, str], Topic | None]] = {
    ("sort", "code"): Topic.SORT_CODE,
    ("health", "insurance"): Topic.NHIS,
    ("social", "security"): Topic.SOCIAL_SECURITY,
    ("a", "c"): Topic.ACCOUNT,
    ("zwich", "card"): Topic.ACCOUNT,
    ("mo", "mo"): Topic.PHONE,
    ("i", "phone"): None,
    ("smart", "phone"): None,
    ("ghana", "card"): Topic.GHANA_CARD,
    ("ecowas", "card"): Topic.GHANA_CARD,
    ("national", "card"): Topic.GHANA_CARD,
    **{(word, "card"): None for word in _OTHER_CARDS.split()},
}
_TOPICS: Final[Mapping[str, Topic]] = {**_ALONE, **{second: Topic.SECOND for _, second in _PAIRS}}
_FILLERS: Final = frozenset({"no", "num", "nr", "number", "numbers", "id", "code", "is", "was"})
# Names of fields run together: `phoneNumber` is two words.
_TOKEN: Final = re.compile(r"[a-z]+|[A-Z](?:[a-z]+|[A-Z]*(?![a-z]))|[0-9]+")
_LETTER: Final = re.compile(r"[A-Za-z]")
_SEPARATORS: Final = ",;)]}>\n"
_SEPARATED: Final = re.compile(f"[{re.escape(_SEPARATORS)}]")
_FULL_STOP: Final = re.compile(r"\.(?:\s|\Z)")
_ESCAPE: Final = re.compile(r"\\[nrt]")
_ABBREVIATED: Final = frozenset({"inv", "ref", "rcp", "txn", "trans", "qty", "po", "acct", "tel", "lic"})
_LABEL_REACH: Final = 24


def words_before(text: str, start: int, reach: int = REACH) -> list[str]:
    """The words and numbers before a place, nearest first; one cut off by the reach is left out."""
    begin = max(0, start - reach)
    words: list[str] = _TOKEN.findall(_plain_escapes(text[begin:start]))
    if begin and words and text[begin - 1].isalnum() and text[begin].isalnum():
        del words[0]
    words.reverse()
    return words


def _plain_escapes(text: str) -> str:
    r"""A text in which an escaped ``\\n`` does not read as the letter of a word."""
    return _ESCAPE.sub("\n\n", text) if "\\" in text else text


def topic_before(text: str, start: int) -> Topic | None:
    """What the nearest meaningful word before a number says; None if no word does."""
    if not _LETTER.search(text, max(0, start - REACH), start):
        return None
    named = False
    words = words_before(text, start)
    plain = [word.lower() for word in words]
    # Asked of all at once: mostly none of them means anything.
    if _TOPICS.keys().isdisjoint(plain):
        return None
    for index, word in enumerate(plain):
        topic = _TOPICS.get(word)
        if topic is None:
            continue
        if topic is Topic.SECOND:
            topic = _pair(plain, index)
        if topic is Topic.NAMED:
            named = True
        elif topic is Topic.PHONE:
            return None if named or not _is_near(text, start, words[index]) else topic
        elif topic is not None:
            return topic
    return None


def _pair(words: Sequence[str], index: int) -> Topic | None:
    """What a word says together with the one before it; the words are in lower case."""
    second = words[index]
    first = words[index + 1] if index + 1 < len(words) else ""
    return _PAIRS.get((first, second), _ALONE.get(second))


def _is_near(text: str, start: int, word: str) -> bool:
    return text.rfind(word, max(0, start - NEAR - len(word)), start) >= 0


def label_before(text: str, start: int) -> Topic | None:
    """What a number is called right before it: "serial no. 12345", "IMEI: 12345"."""
    before = text[max(0, start - _LABEL_REACH) : start]
    last = before.rstrip(" ")[-1:]
    # Where a separator is the last sign, it cuts off every word before it.
    if last.isdigit() or last in _SEPARATORS:
        return None
    before = _plain_escapes(before)
    for word in reversed(_TOKEN.findall(before)):
        plain = word.lower()
        if plain in _FILLERS:
            continue
        topic = _ALONE.get(plain)
        return None if topic is None or _is_cut_off(before, word) else topic
    return None


def _is_cut_off(text: str, word: str) -> bool:
    """Whether a comma, a bracket or a full stop divides the end of a text from a word in it."""
    after = text.rfind(word) + len(word)
    if _SEPARATED.search(text, after):
        return True
    return word.lower() not in _ABBREVIATED and _FULL_STOP.match(text, after) is not None


def has_word(text: str, start: int, wanted: frozenset[str]) -> bool:
    """Whether one of these words, in lower case, stands within reach before a place."""
    return any(word.lower() in wanted for word in words_before(text, start))
