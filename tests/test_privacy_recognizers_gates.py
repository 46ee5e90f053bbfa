"""A cheap look that comes before a pattern loses nothing that the pattern alone would have found."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address
from typing import Final

import pytest
from hypothesis import given, strategies

from ai_addons.privacy.mask import from_settings
from ai_addons.privacy.recognizers import ApiKeyRecognizer, Ipv6Recognizer, UrlRecognizer
from ai_addons.settings import PrivacySettings

MASKER: Final = from_settings(PrivacySettings())
IPV6: Final = re.compile(
    r"(?:(?<![\w:.])|(?<=\\[nrt]))(?:[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{0,4}){2,8}|::[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{0,4}){0,7})"
    r"(?:\.[0-9]{1,3}){0,3}"
)
KEY: Final = re.compile(r"(?:(?<!\w)|(?<=\\[nrt]))(?<!\w-)[spr]k_(?:live|test)_[A-Za-z0-9]{10,255}(?![A-Za-z0-9_])")


def is_ipv6(text: str) -> bool:
    """Whether it is one by the standard library, and has a digit."""
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return any(map(str.isdigit, text))


def addresses(text: str) -> list[tuple[int, int]]:
    """Where addresses of version 6 stand, by the whole shape tried at every place."""
    found: list[tuple[int, int]] = []
    for match in IPV6.finditer(text):
        address = match[0].rstrip(":") if not match[0].endswith("::") else match[0]
        end = match.start() + len(address)
        if is_ipv6(address) and not re.match(r"\w", text[end:]):
            found.append((match.start(), end))
    return found


PIECES: Final = strategies.sampled_from(
    ["::", ":", "1", "af0", "2001:db8::", "fe80::1", ".", " ", "\\n", "g", ",", "1.2.3.4", "12:30:45", "a:b", "\u00e9"]
)


@given(strategies.lists(PIECES, max_size=12).map("".join))
def test_addresses_are_found_from_their_colons(text: str) -> None:
    """Beginning with a colon finds the same as trying the shape everywhere."""
    assert [(span.start, span.end) for span in Ipv6Recognizer().find(text)] == addresses(text)


KEY_PIECES: Final = strategies.sampled_from(
    ["sk_live_", "pk_test_", "rk_", "_", "live_", "0123456789", "abcdefghijk", "-", " ", "\\n", "x", "."]
)


@given(strategies.lists(KEY_PIECES, max_size=10).map("".join))
def test_keys_are_found_from_their_underscores(text: str) -> None:
    """So does beginning with an underscore."""
    found = [(span.start, span.end) for span in ApiKeyRecognizer().find(text)]
    assert found == [match.span() for match in KEY.finditer(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see WA.me/233241234567 now", ["WA.me/233241234567"]),
        ("https://x.com/ama and t.me/ama", ["https://x.com/ama", "t.me/ama"]),
        ("WWW.shop.test", ["WWW.shop.test"]),
        ("fox.com/ama, a-x.com/ama, http/x", []),
        ("1/2 and/or ://x", []),
        ("/", []),
    ],
)
def test_links_are_found_from_their_slashes(text: str, found: list[str]) -> None:
    """A slash with a known host or a scheme before it, in any case; fractions and other hosts are none."""
    assert [text[span.start : span.end] for span in UrlRecognizer().find(text)] == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("GB82WEST12345698765432", ["GB82WEST12345698765432"]),
        ("xGB82WEST12345698765432", []),
        (r"x\nGB82WEST12345698765432", ["GB82WEST12345698765432"]),
        ("HHHGB82WEST12345698765432", []),
        ("truck 3648-GRXY", ["3648-GRXY"]),
        ("truck 3648 GRXY", []),
    ],
)
def test_short_runs_are_read_where_they_can_be_something(text: str, found: list[str]) -> None:
    """Two digits after two letters begin an account, deep in a word they are nothing; a plate needs its hyphen."""
    assert [text[span.start : span.end] for span in MASKER.detect(text)] == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("123-45-6789", ["123-45-6789"]),
        ("23-45-6789", []),
        ("0123-45-6789", []),
        ("1-123-45-6789", []),
        ("123-45-6789 234-56-7891", ["123-45-6789", "234-56-7891"]),
        ("123-45-6789-0", []),
    ],
)
def test_american_numbers_are_found_from_their_first_hyphen(text: str, found: list[str]) -> None:
    """The area before the hyphen is looked at next, wherever the run begins."""
    assert [text[span.start : span.end] for span in MASKER.detect(text)] == found
