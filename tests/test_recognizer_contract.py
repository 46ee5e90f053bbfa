"""The recognizers pass their contract, and the contract finds out those that must not pass."""

from __future__ import annotations

import re
import runpy
import socket
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

import pytest

from ai_addons import plugins
from ai_addons.privacy.base import Kind, Span
from ai_addons.privacy.recognizers import BUILT_IN_RECOGNIZERS
from ai_addons.settings import PrivacySettings
from ai_addons.testing.contracts import RecognizerContract

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ai_addons.privacy.base import Recognizer

ROOT: Final = Path(__file__).parent.parent
EXAMPLE: Final = ROOT / "examples" / "loyalty_cards.py"
PAGE: Final = ROOT / "docs" / "how-to" / "write-a-recognizer.md"
EXAMPLES: Final = {
    "email": ("ama@gmail.com", "5kg@12.50"),
    "phone": ("024 123 4567", "EAN no. 0241234567"),
    "url": ("https://x.example/a", "and/or"),
    "ipv4": ("10.0.0.1", "version 1.2.3.4"),
    "ipv6": ("2001:db8::1", "10:30:00"),
    "api_key": ("sk_test_4242424242424242", "risk-assessment-for-all-customers-2026"),
    "jwt": ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl", "eyJhbGci"),
    "ghana_card": ("GHA-123456789-0", "GHA-12"),
    "ghana_gps": ("GA-183-8164", "lot GA 183 cloth"),
    "ghana_tin": ("P0034093052", "P34093052"),
    "ssnit": ("C019203000019", "DISCOUNTSALES"),
    "nhis": ("NHIS 63048137", "63048137"),
    "voter_id": ("Voter ID 6075291703", "6075291703"),
    "passport": ("G1313735", "model G1313735"),
    "driving_licence": ("ABC-12345678-12345", "INV-123456"),
    "vehicle_plate": ("GR 1234-20", "AC 220 V"),
    "bank_account": ("acct 8465632122330", "8465632122330"),
    "iban": ("GB82 WEST 1234 5698 7654 32", "GB82 WEST 1234 5698 7654 33"),
    "payment_card": ("4111 1111 1111 1111", "4111 1111 1111 1112"),
    "us_ssn": ("123-45-6789", "000-45-6789"),
    "birth_date": ("born 4 May 1990", "sold 4 May 2026"),
}


def contract_of(name: str) -> type[RecognizerContract]:
    """The contract of one built-in recognizer, loaded as the settings would."""
    found, left = EXAMPLES[name]

    class BuiltIn(RecognizerContract):
        finds: ClassVar[Sequence[str]] = (found, f"before {found} after", f"({found})")
        leaves: ClassVar[Sequence[str]] = (left, f"before {left} after", "Sold 12 bags at GHS 1,234.50.")

        def make(self) -> Recognizer:
            made: Recognizer = plugins.load("recognizers", name)()
            return made

    return BuiltIn


class TestLoyaltyCards(RecognizerContract):
    """The example, loaded as a host's settings would."""

    finds: ClassVar[Sequence[str]] = ("LOY-123456", "Ama (LOY-123456) called")
    leaves: ClassVar[Sequence[str]] = ("LOY-12", "ALLOY-123456", "LOY-1234567")

    @pytest.fixture(autouse=True)
    def _beside_the_host(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.syspath_prepend(str(EXAMPLE.parent))

    def make(self) -> Recognizer:
        made: Recognizer = plugins.load("recognizers", "loyalty_cards:LoyaltyCards")()
        return made


def test_the_example_shows_what_would_be_sent(capsys: pytest.CaptureFixture[str]) -> None:
    """Run as a script, it masks a note with its own recognizer and the built-in ones."""
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    assert capsys.readouterr().out == "Ama ([ID_1]) called from [PHONE_2].\n"


def test_the_page_shows_the_class_of_the_example() -> None:
    """What the page says is what the example does."""
    shown = PAGE.read_text(encoding="utf-8")
    code = EXAMPLE.read_text(encoding="utf-8")
    assert code[code.index("CARD =") : code.index("class LoyaltyCards")].strip() in shown
    assert code[code.index("    def find") : code.index("if __name__")].strip() in shown


RULES: Final = [name for name in dir(RecognizerContract) if name.startswith("test_")]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", list(EXAMPLES))
def test_every_built_in_recognizer_keeps_the_contract(name: str, rule: str) -> None:
    """Each by its name, as an entry point."""
    getattr(contract_of(name)(), rule)()


def test_all_built_in_recognizers_are_searched_with_by_default() -> None:
    """What the package brings, what it registers and what the settings name are the same."""
    assert set(PrivacySettings().recognizers) == set(BUILT_IN_RECOGNIZERS) == set(EXAMPLES)
    for name, made in BUILT_IN_RECOGNIZERS.items():
        assert plugins.load("recognizers", name) is made


class Tag:
    """A sound recognizer; each bad one below spoils one thing of it."""

    def find(self, text: str) -> Iterable[Span]:
        for match in re.finditer(r"#[0-9]{1,9}", text):
            yield Span(match.start(), match.end(), Kind.ID)


class Blind(Tag):
    """Finds nothing."""

    def find(self, text: str) -> Iterable[Span]:  # noqa: ARG002  # it never looks
        return ()


class Eager(Tag):
    """Takes every word for an id."""

    def find(self, text: str) -> Iterable[Span]:
        return [Span(match.start(), match.end(), Kind.ID) for match in re.finditer(r"\S{1,99}", text)]


class Outside(Tag):
    """Counts one too far."""

    def find(self, text: str) -> Iterable[Span]:
        return [Span(span.start, len(text) + 1, Kind.ID) for span in super().find(text)]


class Empty(Tag):
    """Finds stretches without length."""

    def find(self, text: str) -> Iterable[Span]:
        return [Span(span.start, span.start, Kind.ID) for span in super().find(text)]


class Kindless(Tag):
    """Gives a word instead of a kind."""

    def find(self, text: str) -> Iterable[Span]:
        return [Span(span.start, span.end, "ID") for span in super().find(text)]  # type: ignore[arg-type]  # the fault


class Forgetful(Tag):
    """Finds a thing once."""

    def __init__(self) -> None:
        self.calls = count()

    def find(self, text: str) -> Iterable[Span]:
        return super().find(text) if next(self.calls) < 60 else ()


class Calling(Tag):
    """Asks the network for help, and hides that it could not."""

    def find(self, text: str) -> Iterable[Span]:
        with pytest.raises(RuntimeError, match="must not reach"):
            socket.getaddrinfo("recognizers.example", 443)
        return super().find(text)


class Dialling(Tag):
    """Asks the network for help."""

    def find(self, text: str) -> Iterable[Span]:
        socket.getaddrinfo("recognizers.example", 443)
        return super().find(text)


class Quadratic(Tag):
    """Looks through the whole text from each of its characters."""

    def find(self, text: str) -> Iterator[Span]:
        for at in range(len(text)):
            if len(text[at:].lower()) > len(text):
                yield Span(at, at + 1, Kind.ID)
        yield from super().find(text)


class TagContract(RecognizerContract):
    """What the ones above are asked."""

    finds: ClassVar[Sequence[str]] = ("customer #1234", "#1")
    leaves: ClassVar[Sequence[str]] = ("# 1234",)

    def __init__(self, recognizer: type[Tag]) -> None:
        self.recognizer = recognizer

    def make(self) -> Recognizer:
        return self.recognizer()


@pytest.mark.parametrize("rule", RULES)
def test_a_sound_recognizer_passes(rule: str) -> None:
    """The contract asks nothing more than it says."""
    getattr(TagContract(Tag), rule)()


@pytest.mark.parametrize(
    ("bad", "rule", "told"),
    [
        (Blind, "test_it_finds_what_it_is_for", "Nothing was found in 'customer #1234'"),
        (Eager, "test_it_finds_what_it_is_for", "which `leaves` says is not personal"),
        (Outside, "test_what_it_reports_lies_inside_the_text", "lies outside a text"),
        (Empty, "test_what_it_reports_lies_inside_the_text", "lies outside a text"),
        (Kindless, "test_what_it_reports_lies_inside_the_text", "has no `Kind`"),
        (Forgetful, "test_it_is_deterministic", "must remember nothing"),
        (Forgetful, "test_threads_may_share_it", "got other spans"),
        (Calling, "test_it_stays_off_the_network", "went to the network"),
        (Dialling, "test_it_stays_off_the_network", "went to the network"),
        (Quadratic, "test_a_hostile_text_costs_no_more_than_it_is_long", "bound its repeats"),
    ],
)
def test_a_bad_recognizer_is_told_what_is_wrong(bad: type[Tag], rule: str, told: str) -> None:
    """Each fault fails its own test, in words."""
    with pytest.raises(AssertionError, match=re.escape(told)):
        getattr(TagContract(bad), rule)()


def test_two_instances_must_agree() -> None:
    """An instance that differs from the next one is found out."""
    made = count()

    class Numbered(Tag):
        def __init__(self) -> None:
            self.number = next(made)

        def find(self, text: str) -> Iterable[Span]:
            return () if self.number % 2 else super().find(text)

    with pytest.raises(AssertionError, match="Two instances"):
        TagContract(Numbered).test_it_is_deterministic()


def test_a_contract_without_examples_proves_nothing() -> None:
    """It asks for texts in which something must be found, and for a way to make the recognizer."""
    with pytest.raises(AssertionError, match="`finds` is empty"):
        RecognizerContract().test_it_finds_what_it_is_for()
    with pytest.raises(NotImplementedError):
        RecognizerContract().make()
