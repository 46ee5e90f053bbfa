"""The built-in masker passes the contract, and the contract finds out those that must not pass."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from ai_addons import plugins
from ai_addons.privacy.base import Unresolved
from ai_addons.settings import PrivacySettings
from ai_addons.testing.contracts import MaskerContract

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ai_addons.privacy.base import Json, Masker

NAME = "Ama Serwaa"


def builtin() -> Masker:
    """The masker a host gets."""
    masker: Masker = plugins.load("maskers", "builtin")(PrivacySettings())
    return masker


class TestBuiltin(MaskerContract):
    """Declared fields first, recognizers second."""

    def make(self) -> Masker:
        return builtin()


class Spoilt:
    """A masker, session and vault around the built-in ones; each bad one spoils one thing."""

    def __init__(self, **changes: Callable[..., Any]) -> None:
        self.changes = changes

    def session(self) -> SpoiltSession:
        return SpoiltSession(builtin().session(), self.changes)


class SpoiltSession:
    """A session that does one thing in its own way."""

    def __init__(self, real: Any, changes: Mapping[str, Callable[..., Any]]) -> None:
        self.real = real
        self.changes = changes
        self.vault = SpoiltVault(real.vault, changes)

    def mask(self, texts: Sequence[str], data: object) -> tuple[list[str], Json]:
        masked: tuple[list[str], Json] = self.real.mask(texts, data)
        return self.changes["mask"](masked, texts, data) if "mask" in self.changes else masked

    def mask_text(self, text: str) -> str:
        return str(self.changes["mask_text"](text) if "mask_text" in self.changes else self.real.mask_text(text))

    def __repr__(self) -> str:
        return str(self.changes["repr"]()) if "repr" in self.changes else "<session>"


class SpoiltVault:
    """A vault that does one thing in its own way."""

    def __init__(self, real: Any, changes: Mapping[str, Callable[..., Any]]) -> None:
        self.real = real
        self.changes = changes

    @property
    def counts(self) -> Mapping[str, int]:
        counts: Mapping[str, int] = self.changes["counts"]() if "counts" in self.changes else self.real.counts
        return counts

    def restore(self, value: Json) -> Json:
        restored: Json = (
            self.changes["restore"](self.real, value) if "restore" in self.changes else self.real.restore(value)
        )
        return restored

    def close(self) -> None:
        if "close" not in self.changes:
            self.real.close()


def lenient(vault: Any, value: Json) -> Json:
    """Lets through what stands for nothing."""
    try:
        restored: Json = vault.restore(value)
    except Unresolved:
        return value
    return restored


def renamed(masked: Any, *_: object) -> Any:
    """Two names under one placeholder."""
    texts, data = masked
    return texts, [item | {"name": "[PERSON_1]"} for item in data] if isinstance(data, list) else data


def numbered(numbers: Any) -> Callable[..., Any]:
    """Marks each prompt with a number of its own."""
    return lambda masked, *_: ([f"{text} #{next(numbers)}" for text in masked[0]], masked[1])


def unmasked(_: Any, texts: Sequence[str], data: Any) -> Any:
    """Sends everything as it is."""
    return list(texts), data.model_dump() if hasattr(data, "model_dump") else data


def twice(masked: Any, *_: object) -> Any:
    """One name under two placeholders."""
    texts, data = masked
    if isinstance(data, list):
        data = [item | {"name": f"[PERSON_{number}]"} for number, item in enumerate(data, 1)]
    return texts, data


BAD: dict[str, tuple[str, dict[str, Callable[..., Any]], str]] = {
    "sends all": ("test_marked_values_do_not_leave", {"mask": unmasked}, "'Ama Serwaa' is marked as personal"),
    "sends nothing": (
        "test_other_values_are_sent_as_they_are",
        {"mask": lambda masked, *_: (masked[0], {})},
        "Public facts were changed",
    ),
    "changes words": (
        "test_other_values_are_sent_as_they_are",
        {"mask": lambda masked, *_: (["?", "?"], masked[1])},
        "without personal data was changed",
    ),
    "restores nothing": ("test_it_restores_what_it_masked", {"restore": lambda _, value: value}, "came back as"),
    "two for one": ("test_one_value_has_one_placeholder", {"mask": twice}, "two placeholders"),
    "one for two": ("test_one_value_has_one_placeholder", {"mask": renamed}, "one placeholder"),
    "lets inventions through": (
        "test_an_invented_placeholder_is_refused",
        {"restore": lenient},
        "never given was let through",
    ),
    "knows other calls": ("test_calls_share_nothing", {"restore": lenient}, "was accepted in another"),
    "believes the tenant": (
        "test_a_typed_placeholder_stays_what_it_is",
        {"mask": lambda masked, *_: (["[PERSON_2] said so."], masked[1])},
        "typed placeholder came back",
    ),
    "forgets to look": ("test_later_texts_are_masked_too", {"mask_text": lambda text: text}, "later text of the call"),
    "cannot put it back": (
        "test_later_texts_are_masked_too",
        {"mask_text": lambda _: "[PERSON_1]"},
        "did not come back",
    ),
    "counts wrongly": ("test_it_counts_what_it_replaced", {"counts": dict}, r"it counts \{\}"),
    "depends on the day": (
        "test_equal_prompts_are_masked_alike",
        {"mask": numbered(itertools.count())},
        "masked in two ways",
    ),
    "shows the name": ("test_it_forgets", {"repr": lambda: f"<session of {NAME}>"}, "end up in logs"),
    "remembers": ("test_it_forgets", {"close": lambda: None}, "keeps personal data"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_masker_is_found_out(name: str) -> None:
    """Each rule fails for a masker that breaks it, in words that say what is wrong."""
    rule, changes, words = BAD[name]
    with pytest.raises(AssertionError, match=words):
        getattr(contract(Spoilt(**changes)), rule)()


@pytest.mark.parametrize("rule", [name for name in vars(MaskerContract) if name.startswith("test_")])
def test_every_rule_has_a_masker_that_breaks_it(rule: str) -> None:
    """And the same masker, with nothing spoilt, passes it."""
    assert rule in {broken for broken, _, _ in BAD.values()}
    getattr(contract(Spoilt()), rule)()


def test_a_masker_has_to_be_named() -> None:
    """Nothing is tested by accident."""
    with pytest.raises(NotImplementedError):
        MaskerContract().make()


def contract(masker: Any) -> MaskerContract:
    """The contract of a masker, as pytest would collect it."""
    made = MaskerContract()
    made.make = lambda: masker  # type: ignore[method-assign]  # shorter than a class for each
    return made
