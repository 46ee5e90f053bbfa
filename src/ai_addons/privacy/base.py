"""Words shared by the privacy layer, and its port.

Personal data is replaced by placeholders such as ``[PERSON_1]``. The table
behind them, the vault, lives for one call, in memory only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NoReturn, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from ai_addons.settings import Handling, Oversize

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


class Kind(Enum):
    """The type word of a placeholder."""

    PERSON = "PERSON"
    PHONE = "PHONE"
    EMAIL = "EMAIL"
    ADDRESS = "ADDRESS"
    ID = "ID"
    ACCOUNT = "ACCOUNT"
    BUSINESS = "BUSINESS"
    DATE = "DATE"
    AMOUNT = "AMOUNT"
    TEXT = "TEXT"

    # Members are equal to themselves alone. Enum's own hash is a function in Python, asked dozens of times a text.
    if not TYPE_CHECKING:  # to type checkers it is the hash that every class has
        __hash__ = object.__hash__


@dataclass(frozen=True, slots=True, repr=False)
class Declared:
    """A value the developer marked as personal.

    Attributes:
        kind: The type word of its placeholder.
        value: The value itself.
        place: The field it stands in, by the developer's own names; empty where it stands in none.
    """

    kind: Kind
    value: str
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What happens to personal data in one call.

    Attributes:
        handling: By the type word of placeholders; one that is not named is masked.
        oversize: Whether a text that is too long is refused or cut.
    """

    handling: Mapping[Kind, Handling] = field(default_factory=dict["Kind", "Handling"])
    oversize: Oversize = "refuse"

    def drops(self, kind: Kind) -> bool:
        """Whether data of this type is cut out."""
        return self.handling.get(kind) == "drop"

    def refuses(self, kind: Kind) -> bool:
        """Whether data of this type stops the call."""
        return self.handling.get(kind) == "refuse"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text that a recognizer takes for personal data; ``end`` is exclusive."""

    start: int
    end: int
    kind: Kind
    priority: int = 0


class Recognizer(Protocol):
    """Finds one sort of personal data in free text, in time linear in its length.

    One with a true attribute ``late`` is run after the others, and sees the text with
    placeholders where they and the declared fields found something. What makes one
    (the entry point) may have ``from_settings``, which is given the section
    ``privacy`` of the settings; else it is called with nothing.
    """

    def find(self, text: str) -> Iterable[Span]:
        """All stretches of that sort."""
        ...


class AnswerStream(Protocol):
    """A text answer that arrives in pieces; it waits for nothing, so sync and async code can drive it."""

    def feed(self, chunk: str) -> str:
        """Take the next piece and give what can be shown by now; often nothing.

        Raises:
            Unresolved: If a placeholder stands for nothing; nothing of it was given out.
        """
        ...

    def finish(self) -> str:
        """Say that the answer is complete, and give the rest.

        Raises:
            Unresolved: As `feed`, or if a value that was expected is missing.
        """
        ...


class Vault(Protocol):
    """The placeholders of one call and what stands behind them."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How many placeholders of each type word were made."""
        ...

    def restore(self, value: Json, *, facts: Mapping[str, str] | None = None, expects: Collection[Kind] = ()) -> Json:
        """Put the values back into every string leaf and key, in one pass.

        Args:
            value: The answer.
            facts: Texts of the references, such as ``{overdue_total}``, that the
                answer may hold; they are put in by the same pass. None leaves
                braces alone.
            expects: Types of which the answer must hold a value.

        Raises:
            Unresolved: If anything looks like a placeholder but is none of ours,
                or if a value that was expected is missing.
        """
        ...

    def stream(self, *, expects: Collection[Kind] = ()) -> AnswerStream:
        """Put the values back into an answer that arrives in pieces.

        Args:
            expects: Types of which the answer must hold a value.
        """
        ...

    def close(self) -> None:
        """Forget everything."""
        ...


class Unresolved(Exception):
    """The answer holds placeholders that stand for nothing; it must not be shown.

    Attributes:
        tokens: The offending placeholders, as the model wrote them.
        missing: Placeholders of which one was expected, by type; all of them are absent.
    """

    def __init__(self, tokens: Sequence[str], missing: Sequence[tuple[str, ...]] = ()) -> None:
        super().__init__(f"{len(tokens)} unresolved placeholders, {len(missing)} expected ones missing")
        self.tokens: tuple[str, ...] = tuple(tokens)
        self.missing: tuple[tuple[str, ...], ...] = tuple(missing)


class Sealed:
    """Base for holders of personal data: it never prints, pickles or copies itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        """A fixed text, whatever is inside."""
        return f"<{type(self).__name__} …>"

    def __reduce__(self) -> NoReturn:
        """Refuse pickling and copying: personal data stays in this call."""
        msg = f"{type(self).__name__} holds personal data and must not be pickled or copied"
        raise TypeError(msg)


class Session(Protocol):
    """The masking of one call: all its texts share one vault."""

    @property
    def vault(self) -> Vault:
        """What restores the answer."""
        ...

    def mask(self, texts: Sequence[str], data: object, *, known: object = None) -> tuple[list[str], Json]:
        """Mask the texts of one prompt and its data.

        Args:
            texts: Free texts (system, user).
            data: A pydantic model, a list or dict of them, or None.
            known: Personal data that is not sent but may occur in the texts, marked
                like ``data``; or None.

        Returns:
            The masked texts and the data as JSON, masked.

        Raises:
            PrivacyRefused: If masking cannot be done safely; nothing may be sent.
        """
        ...

    def mask_text(self, text: str) -> str:
        """Mask one more text of the call with what is known so far."""
        ...


class Masker(Protocol):
    """A way to mask (`ai_addons.maskers` entry points)."""

    def session(self, rules: Rules | None = None) -> Session:
        """Start masking one call.

        Args:
            rules: What happens to personal data in this call; None for what the settings say.
        """
        ...
