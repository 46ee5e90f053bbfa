"""Texts that are not searched again because nothing was found in them: only where that is sure."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Annotated, Any, Final

import pytest
from pydantic import BaseModel

from ai_addons import AddOns
from ai_addons.errors import PrivacyRefused
from ai_addons.privacy import scan
from ai_addons.privacy.base import Kind, Rules, Span
from ai_addons.privacy.fields import Pii, Public
from ai_addons.privacy.mask import BuiltinMasker
from ai_addons.privacy.recognizers import BUILT_IN_RECOGNIZERS, EmailRecognizer, PhoneRecognizer
from ai_addons.testing import kit_settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ai_addons.privacy.base import Recognizer

NOTE: Final = "Ama Mensah of Osu pays on Fridays"


class Customer(BaseModel):
    """A customer with a note."""

    name: Annotated[str, Pii.NAME]
    note: str = ""
    product: Annotated[str, Public] = ""


class Names:
    """A host's recognizer, whose list of names grows."""

    def __init__(self) -> None:
        self.known: list[str] = []

    def find(self, text: str) -> Iterator[Span]:
        """Every known name."""
        for name in self.known:
            if (at := text.find(name)) >= 0:
                yield Span(at, at + len(name), Kind.PERSON, 50)


class HostPhones(PhoneRecognizer):
    """One of ours that a host changed: it can be told to see nothing."""

    blind = True

    def find(self, text: str) -> Iterator[Span]:
        """What ours finds, once it sees."""
        return iter(()) if self.blind else super().find(text)


def masker(*more: Recognizer, built_in: Iterable[str] = BUILT_IN_RECOGNIZERS, **bounds: Any) -> BuiltinMasker:
    """The built-in recognizers and more."""
    made = [BUILT_IN_RECOGNIZERS[name]() for name in built_in]
    return BuiltinMasker([*made, *more], **{"max_field_bytes": 65_536, **bounds})


def masked(masker: BuiltinMasker, text: str, *, known: object = None, rules: Rules | None = None) -> str:
    """A free text as it is sent."""
    return masker.session(rules).mask([text], None, known=known)[0][0]


def test_a_text_that_was_clean_is_not_searched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """That is what the memory is for."""
    searched = list[str]()
    ordinary = EmailRecognizer.find

    def find(self: EmailRecognizer, text: str) -> Iterable[Span]:
        searched.append(text)
        return ordinary(self, text)

    monkeypatch.setattr(EmailRecognizer, "find", find)
    ours = masker()
    assert [masked(ours, NOTE) for _ in range(3)] == [NOTE] * 3
    assert searched == [NOTE]


@pytest.mark.parametrize("known", [{Pii.NAME: ["Ama Mensah"]}, Customer(name="Ama Mensah")])
def test_a_name_that_is_known_later_is_hidden_in_a_text_that_was_clean(known: object) -> None:
    """Known values are looked for in every call: the memory is of recognizers alone."""
    ours = masker()
    assert masked(ours, NOTE) == NOTE
    assert masked(ours, NOTE, known=known) == "[PERSON_1] of Osu pays on Fridays"
    assert masked(ours, NOTE) == NOTE


def test_a_text_that_was_clean_hides_a_declared_value_wherever_it_stands() -> None:
    """Data and texts of one call, after calls in which they were clean one by one."""
    ours = masker()
    masked(ours, NOTE)
    texts, data = ours.session().mask([NOTE], Customer(name="Ama Mensah", note=NOTE, product="soap"))
    assert texts == ["[PERSON_1] of Osu pays on Fridays"]
    assert data == {"name": "[PERSON_1]", "note": "[PERSON_1] of Osu pays on Fridays", "product": "soap"}


def test_what_was_let_through_as_public_is_hidden_in_a_free_text() -> None:
    """A brand's number stands in a product's name; the same words in a note are somebody's."""
    ours = masker()
    text = "Ring 0244123456"
    assert ours.session().mask([], Customer(name="", product=text))[1] == {"name": "", "note": "", "product": text}
    assert masked(ours, text) == "Ring [PHONE_1]"


def test_other_rules_decide_about_the_same_text_each_time() -> None:
    """Masked, refused and dropped by turns: a text with something in it is never remembered."""
    ours, text = masker(), "Ring 0244123456"
    refuse, drop = (Rules(handling={Kind.PHONE: what}) for what in ("refuse", "drop"))
    assert masked(ours, text) == "Ring [PHONE_1]"
    with pytest.raises(PrivacyRefused):
        masked(ours, text, rules=refuse)
    assert masked(ours, text, rules=drop).strip() == "Ring"
    with pytest.raises(PrivacyRefused):
        masked(ours, text, rules=refuse)
    assert masked(ours, text) == "Ring [PHONE_1]"


def test_a_host_s_recognizer_is_asked_every_time() -> None:
    """What it finds may depend on more than the text."""
    names = Names()
    ours = masker(names)
    assert masked(ours, NOTE) == NOTE
    names.known.append("Ama Mensah")
    assert masked(ours, NOTE) == "[PERSON_1] of Osu pays on Fridays"


def test_one_of_ours_that_a_host_changed_is_asked_every_time() -> None:
    """A class of its own, whatever it inherits from."""
    phones = HostPhones()
    ours = masker(phones, built_in=["email"])
    assert masked(ours, "Ring 0244123456") == "Ring 0244123456"
    phones.blind = False
    assert masked(ours, "Ring 0244123456") == "Ring [PHONE_1]"


@pytest.mark.parametrize(
    ("module", "remembers"),
    [("ai_addons.privacy.recognizers.phones", True), ("ai_addons.privacy.recognizers_of_a_host", False)],
)
def test_a_package_that_is_called_like_ours_is_not_ours(module: str, remembers: bool) -> None:
    """The name of the module decides, to its end."""
    named = type("Named", (Names,), {"__module__": module})()
    ours = masker(named)
    masked(ours, NOTE)
    named.known.append("Ama Mensah")
    assert (masked(ours, NOTE) == NOTE) is remembers


def test_a_recognizer_that_failed_has_not_found_that_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even one of ours that stops half way: the text is searched again."""
    ordinary = EmailRecognizer.find

    def find(self: EmailRecognizer, text: str) -> Iterable[Span]:
        del self
        if failing:
            raise MemoryError(text)
        return ordinary(EmailRecognizer(), text)

    monkeypatch.setattr(EmailRecognizer, "find", find)
    ours, failing = masker(), True
    with pytest.raises(PrivacyRefused):
        masked(ours, "ama@shop.gh")
    failing = False
    assert masked(ours, "ama@shop.gh") == "[EMAIL_1]"


def test_a_text_that_was_cut_clean_is_searched_where_it_is_whole() -> None:
    """What was seen of it is what is remembered, and no text stands for a longer one."""
    ours = masker(max_field_bytes=64)
    begun = "She pays on Fridays, and rings before she comes to the shop. "
    text = begun + "x" * 400 + " 0244123456"
    assert len(masked(ours, text, rules=Rules(oversize="cut"))) <= 64
    assert masked(ours, text[-16:]) == "xxxxx [PHONE_1]"
    # Of the same text a masker with more room sees more.
    assert masked(masker(), text, rules=Rules(oversize="cut")) == begun + "x" * 400 + " [PHONE_1]"


def test_a_call_that_was_too_late_leaves_nothing_that_passes_the_next_one() -> None:
    """A deadline ends the call between texts; each text was searched whole or not at all."""
    seconds = iter([0.0, 0.0, 99.0])
    ours = masker(seconds=1.0, monotonic=lambda: next(seconds, 99.0))
    with pytest.raises(PrivacyRefused, match="longer than 1 seconds"):
        ours.session().mask([NOTE, "Ring 0244123456"], None)
    again = masker()
    again._scanner._clean = ours._scanner._clean  # pyright: ignore[reportPrivateUsage]
    assert masked(again, "Ring 0244123456") == "Ring [PHONE_1]"


def test_two_installations_of_one_process_know_nothing_of_each_other() -> None:
    """One searches for less: what is clean for it is not clean for the other."""
    text = "Ring 0244123456"
    with (
        AddOns(kit_settings(privacy={"recognizers": ["email"]}), environ={}) as fewer,
        AddOns(kit_settings(), environ={}) as all_of_them,
    ):
        assert [fewer.mask(text).text for _ in range(2)] == [text] * 2
        assert [all_of_them.mask(text).text for _ in range(2)] == ["Ring [PHONE_1]"] * 2


def test_half_signs_are_not_taken_for_a_whole_one() -> None:
    """A text with them is refused in a call; `detect`, which takes any text, tells them apart too."""
    ours = masker()
    assert ours.detect("\U0001f600") == []
    assert ours.detect("\ud83d\ude00") == []
    assert len(ours._scanner._clean or ()) == 2  # pyright: ignore[reportPrivateUsage]
    assert [span.kind for span in ours.detect("\udc00 0244123456")] == [Kind.PHONE]


def test_the_memory_is_bounded_and_holds_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Digests of 32 bytes; a full one is emptied, and a text with something in it is never in it."""
    monkeypatch.setattr(scan, "_MOST_CLEAN", 3)
    ours = masker()
    scanner: Any = ours._scanner  # pyright: ignore[reportPrivateUsage]
    sizes = list[int]()
    for number in range(7):
        masked(ours, f"a note without anybody, {'x' * number}")
        masked(ours, "Ring 0244123456")
        sizes.append(len(scanner._clean))
    assert sizes == [1, 2, 3, 1, 2, 3, 1]
    assert [(type(one), len(one)) for one in scanner._clean] == [(bytes, 32)]
    held = [one for part in gc.get_referents(scanner) for one in gc.get_referents(part)]
    assert not [one for one in held if isinstance(one, str) and "note" in one]


def test_threads_that_share_it_mask_as_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is filled and emptied under their hands."""
    monkeypatch.setattr(scan, "_MOST_CLEAN", 2)
    ours = masker()
    texts = [NOTE, "Ring 0244123456", "nothing", "ama@shop.gh pays", "more of nothing"] * 20
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: masked(ours, text), texts))
    assert found == [NOTE, "Ring [PHONE_1]", "nothing", "[EMAIL_1] pays", "more of nothing"] * 20
