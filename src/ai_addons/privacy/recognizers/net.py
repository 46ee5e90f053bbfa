"""Addresses on the net: e-mail, links, IP."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address
from string import hexdigits
from typing import TYPE_CHECKING, ClassVar, Final

from ai_addons.privacy.base import Kind, Span
from ai_addons.privacy.recognizers._context import words_before
from ai_addons.privacy.recognizers._edges import begins_word, ends_clear, starts_clear
from ai_addons.privacy.recognizers._runs import RunRecognizer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ai_addons.privacy.recognizers._runs import Run

_EMAIL_PRIORITY: Final = 80
_URL_PRIORITY: Final = 70
_IP_PRIORITY: Final = 60

# RFC 5321 allows 64 characters before the @; more is no address, but it is hidden all the same.
_LOCAL_SIGNS: Final = frozenset(".%+-'!#$&*=?^`{|}~_")
_DOMAIN: Final = r"(?:[^\W_][\w\-]{0,62}\.){1,30}[^\W_][\w\-]{0,62}"
_TOP_LEVEL: Final = r"(?:[^\W\d_]{2,24}|xn--[a-z0-9\-]{1,59})\Z"
_NOT_LEADING: Final = ".'`-*=?&!#{|}^~$%"
_LONGEST_LOCAL: Final = 256


class EmailRecognizer:
    """Finds e-mail addresses."""

    __slots__ = ("_domain", "_top_level")

    def __init__(self) -> None:
        self._domain = re.compile(_DOMAIN)
        self._top_level = re.compile(_TOP_LEVEL, re.IGNORECASE)

    def find(self, text: str) -> Iterator[Span]:
        """All addresses, also those in angle brackets or with a full stop after them."""
        for at in _places(text, "@"):
            domain = self._domain.match(text, at + 1)
            if domain and (length := self._host_length(domain[0])):
                start = _local_start(text, at)
                if start < at:
                    yield Span(start, at + 1 + length, Kind.EMAIL, _EMAIL_PRIORITY)

    def _host_length(self, host: str) -> int:
        """How much of it is a host name: its end must be a top-level domain; 0 if nothing is."""
        labels = host.rstrip("-_").split(".")
        while len(labels) > 1:
            if self._top_level.fullmatch(labels[-1]):
                return len(".".join(labels))
            labels.pop()
        return 0


def _places(text: str, piece: str) -> Iterator[int]:
    """Where a piece of text stands, overlapping ones too."""
    at = text.find(piece)
    while at >= 0:
        yield at
        at = text.find(piece, at + 1)


def _local_start(text: str, at: int) -> int:
    """Where the part before an at sign begins; the sign itself if there is none."""
    start, first = at, max(0, at - _LONGEST_LOCAL)
    while start > first and (text[start - 1].isalnum() or text[start - 1] in _LOCAL_SIGNS):
        start -= 1
    if text[start - 1 : start] == "\\" and text[start] in "nrt":
        start += 1
    while start < at and text[start] in _NOT_LEADING:
        start += 1
    return start


# Bare links are told from prose by the host alone: where people, not goods, have their pages.
_PEOPLE: Final = (
    "wa.me t.me m.me fb.me facebook.com instagram.com twitter.com x.com tiktok.com linkedin.com youtube.com"
    " snapchat.com api.whatsapp.com chat.whatsapp.com"
)
_AFTER_LINK: Final = ".,;:!?'*_"
_SCHEME_REACH: Final = 8
_PAIRS: Final = {")": "(", "]": "[", "}": "{"}


class UrlRecognizer:
    """Finds links, with all that is in them."""

    __slots__ = ("_hosts", "_rest", "_scheme")

    def __init__(self) -> None:
        self._hosts = tuple(_PEOPLE.split())
        self._scheme = re.compile(r"(?:(?<![a-z0-9])|(?<=\\[nrt]))(?:https?|ftps?)\Z")
        self._rest = re.compile(r"[^\s<>\"\\]{1,2048}")

    def find(self, text: str) -> Iterator[Span]:
        """All links; the punctuation after one is none of it."""
        small, past = text.lower(), 0
        if "/" not in small and "www." not in small:
            return
        for at in sorted({*self._before_slashes(small), *_bare(small)}):
            match = self._rest.match(text, at) if at >= past else None
            if match and (length := _link_length(match[0])):
                past = at + length
                yield Span(at, past, Kind.ID, _URL_PRIORITY)

    def _before_slashes(self, small: str) -> Iterator[int]:
        """Where a scheme begins that ends in ``://``, or a known host before a slash: slashes are few, hosts many."""
        for at in _places(small, "/"):
            if small[at - 1 : at + 2] == "://":
                scheme = self._scheme.search(small, max(0, at - _SCHEME_REACH), at - 1)
                if scheme:
                    yield scheme.start()
            elif small.endswith(self._hosts, 0, at):
                starts = (at - len(host) for host in self._hosts if small.endswith(host, 0, at))
                yield from (start for start in starts if not _touched(small, start))


def _bare(small: str) -> Iterator[int]:
    """Where a host begins whose name says that it is one."""
    return (at for at in _places(small, "www.") if not _touched(small, at))


def _touched(text: str, at: int) -> bool:
    """Whether a host's name goes on to the left of a place."""
    return not starts_clear(text, at) or text[at - 1 : at] in set("-.@/")


def _link_length(text: str) -> int:
    """How much of a text without blanks is the link; 0 if it leads nowhere."""
    link = text.rstrip(_AFTER_LINK)
    while link[-1:] in _PAIRS and link.count(link[-1]) > link.count(_PAIRS[link[-1]]):
        link = link[:-1].rstrip(_AFTER_LINK)
    scheme = link.find("://")
    rest = link[scheme + 3 :] if scheme >= 0 else link
    if scheme < 0 and rest[:4].lower() != "www.":
        rest = rest.partition("/")[2]
    return len(link) if any(map(str.isalnum, rest)) else 0


_OCTET: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4: Final = rf"(?<![0-9.])(?:{_OCTET}\.){{3}}{_OCTET}(?![0-9]|\.[0-9])"
# Begins with a plain character, which is found far faster than the whole shape.
_MAYBE_IPV4: Final = r"\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]"
_IPV6: Final = (
    r"(?:(?<![\w:.])|(?<=\\[nrt]))(?:[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{0,4}){2,8}|::[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{0,4}){0,7})"
    r"(?:\.[0-9]{1,3}){0,3}"
)
# As above: an address begins with its first colon or with the digits right before that.
_COLON: Final = r":(?=[0-9A-Fa-f]{0,4}:)"
_HEX_GROUP: Final = 4
_VERSIONS: Final = frozenset(
    {
        "v",
        "ver",
        "version",
        "firmware",
        "release",
        "build",
        "android",
        "ios",
        "windows",
        "software",
        "section",
        "clause",
    }
)
_FIRMWARE_AFTER: Final = r"\s?(?:firmware|version|build|release)\b"
_VERSION_REACH: Final = 14
_DIALLED: Final = 10
_LEAST_DOTS: Final = 3
_OCTET_DIGITS: Final = 3


def _digits_before(text: str, at: int, most: int) -> int:
    """How many digits, hexadecimal ones too, stand right before a place, at most so many."""
    before = text[max(0, at - most) : at]
    return len(before) - len(before.rstrip(hexdigits))


class Ipv4Recognizer(RunRecognizer):
    """Finds IP addresses of version 4 and leaves version numbers alone."""

    __slots__ = ("_after", "_four", "_maybe")

    kind: ClassVar[Kind] = Kind.ID
    priority: ClassVar[int] = _IP_PRIORITY
    digits: ClassVar[range] = range(4, 28)
    sign: ClassVar[str] = "."

    def __init__(self) -> None:
        self._maybe = re.compile(_MAYBE_IPV4)
        self._four = re.compile(_IPV4)
        self._after = re.compile(_FIRMWARE_AFTER, re.IGNORECASE)

    def bare(self, run: Run) -> Sequence[Span]:
        """IPv4: four numbers up to 255 with dots between."""
        if run.raw.count(".") < _LEAST_DOTS:
            return ()
        found: list[Span] = []
        for dots in self._maybe.finditer(run.raw):
            # No letter is in a run.
            match = self._four.match(run.raw, dots.start() - _digits_before(run.raw, dots.start(), _OCTET_DIGITS))
            if match and not self._is_other(run, run.start + match.start(), run.start + match.end()):
                found.append(self.span(run.start + match.start(), run.start + match.end()))
        return found

    def _is_other(self, run: Run, start: int, end: int) -> bool:
        """Whether it is a version, or the first digits after a plus sign, which are a phone number, dots or not."""
        dialled = run.text[run.start - 1 : run.start] == "+" and start - run.start < _DIALLED
        return dialled or self._is_version(run.text, start, end)

    def _is_version(self, text: str, start: int, end: int) -> bool:
        if text[start - 1 : start] in {"-", "."} or (begins_word(text, end) and self._after.match(text, end)):
            return True
        if "," in text[max(0, start - 2) : start]:
            return False
        words = words_before(text, start, _VERSION_REACH)
        return bool(words) and words[0].lower() in _VERSIONS


class Ipv6Recognizer:
    """Finds IP addresses of version 6, which have no run of digits to start from."""

    __slots__ = ("_colon", "_pattern")

    def __init__(self) -> None:
        self._colon = re.compile(_COLON)
        self._pattern = re.compile(_IPV6)

    def find(self, text: str) -> Iterator[Span]:
        """All addresses with a digit in them."""
        for match in self._shaped(text):
            address = match[0].rstrip(":") if match[0].endswith(":") and not match[0].endswith("::") else match[0]
            end = match.start() + len(address)
            if starts_clear(text, match.start()) and ends_clear(text, end) and _is_ipv6(address):
                yield Span(match.start(), end, Kind.ID, _IP_PRIORITY)

    def _shaped(self, text: str) -> Iterator[re.Match[str]]:
        past = 0
        for colon in self._colon.finditer(text):
            at = colon.start()
            if at >= past and (match := self._pattern.match(text, at - _digits_before(text, at, _HEX_GROUP))):
                past = match.end()
                yield match


def _is_ipv6(address: str) -> bool:
    """Whether it is one, and has a digit: ``a::b`` is somebody's punctuation."""
    if not any(map(str.isdigit, address)):
        return False
    try:
        IPv6Address(address)
    except AddressValueError:
        return False
    return True
