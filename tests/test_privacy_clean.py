from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ai_addons.privacy import scan
from ai_addons.privacy.base import Kind, Span
from ai_addons.privacy.recognizers import EmailRecognizer, PhoneRecognizer
from ai_addons.privacy.scan import Scanner

if TYPE_CHECKING:
    from collections.abc import Iterable


class Moody:
    """A recognizer of a host's own, which finds something from the second text on."""

    def __init__(self) -> None:
        self.asked = 0

    def find(self, text: str) -> Iterable[Span]:
        """Everything, but not at first."""
        self.asked += 1
        return [Span(0, len(text), Kind.ID)] if self.asked > 1 else []


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that recognizers are shown."""
    seen: list[str] = []
    search = Scanner._search  # pyright: ignore[reportPrivateUsage]  # watched, not called

    def watched(self: Scanner, text: str) -> list[Span]:
        seen.append(text)
        return search(self, text)

    monkeypatch.setattr(Scanner, "_search", watched)
    return seen


def test_a_text_with_nothing_in_it_is_searched_once(searched: list[str]) -> None:
    """Instructions that come with every call cost their search once; what is found is found each time."""
    scanner = Scanner([EmailRecognizer(), PhoneRecognizer()])
    found = [scanner.find(text) for text in ["Be kind.", "0241234567", "Be kind.", "0241234567", "Be kind. "]]
    assert [len(spans) for spans in found] == [0, 1, 0, 1, 0]
    assert searched == ["Be kind.", "0241234567", "0241234567", "Be kind. "]


def test_a_recognizer_of_the_hosts_is_asked_each_time() -> None:
    """Nobody knows what else than the text it goes by."""
    moody = Moody()
    scanner = Scanner([EmailRecognizer(), moody])
    assert ([len(scanner.find("Be kind.")) for _ in range(3)], moody.asked) == ([0, 1, 1], 3)


def test_what_is_known_of_texts_is_bounded(searched: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A shop that never asks twice fills no memory: what is full is begun anew."""
    monkeypatch.setattr(scan, "_MOST_CLEAN", 2)
    scanner = Scanner([EmailRecognizer()])
    for text in ["a", "b", "a", "c", "c", "a"]:
        scanner.find(text)
    assert searched == ["a", "b", "c", "a"]


def test_half_a_character_is_searched_like_any_text(searched: list[str]) -> None:
    """A lone surrogate has no UTF-8, and is no reason to fail here: the bounds refuse it with its reason."""
    scanner = Scanner([EmailRecognizer()])
    assert (scanner.find("\ud800"), scanner.find("\ud800"), searched) == ([], [], ["\ud800"])
