"""What a feature's builder returns: the question to the model and the type of its answer.

A builder is pure: it turns arguments into a `Prompt` and does nothing else.

================================ ===========================================
``Prompt(system=…, user=…)``     the model answers the declared type itself
``Prompt.composed(answer=A, …)`` the model answers an A, code makes the result
``Prompt.settled(result)``       no model needed: no hold, no call, no charge
``yield from ask(Prompt[A](…))`` a first, smaller question in the same call
================================ ===========================================
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, Self, TypeAlias, cast, get_args, runtime_checkable

from typing_extensions import TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

R_co = TypeVar("R_co", covariant=True, default=str)
A = TypeVar("A")
S = TypeVar("S")

Source: TypeAlias = Literal["ai", "offline", "cache", "rules"]
"""Where a result's words come from: a model, the offline model's samples, a stored answer, or code alone."""

DegradedReason: TypeAlias = Literal["provider_down", "guard_rejected", "insufficient_data", "over_budget", "blocked"]
"""Why a result came without the model."""

PlaceholderType: TypeAlias = Literal[
    "PERSON", "PHONE", "EMAIL", "ADDRESS", "ID", "ACCOUNT", "BUSINESS", "DATE", "AMOUNT", "TEXT"
]
"""The word in a placeholder that says what stands behind it: ``AMOUNT`` in ``[AMOUNT_2]``."""


@runtime_checkable
class RecordsOutcome(Protocol):
    """A result that wants to say how it came about (`FeatureResult` does)."""

    def with_outcome(self, source: Source, degraded_reason: DegradedReason | None) -> Self:
        """A copy of this result that names its source."""
        ...


class Prompt(Generic[R_co]):
    """A question to the model; the type parameter is what the caller gets.

    ``Prompt`` alone means ``Prompt[str]``. Any type that `pydantic.TypeAdapter`
    knows will do. It stands in the builder's return annotation and nowhere else.

    Args:
        user: What is asked, in the developer's words.
        system: Who the model is and how it should answer.
        data: The facts, as a pydantic model (or a list or dict of them). They are
            sent as delimited canonical JSON, so a tenant's text never mixes with
            instructions, and fields marked with `Pii` are masked by kind.
        sample: A typical answer, made by code; the offline model gives it in
            place of a real one.
        expects: Types of personal data of which the answer must hold a value: a
            reminder without its ``AMOUNT`` is asked for once more, then refused.
        known: Personal data that is not sent but may occur in the texts, such as
            the business's customers: models with `Pii` marks (or a list or dict of
            them), or ``{Pii.NAME: names, Pii.PHONE: phones}``. It is masked where it
            occurs.
    """

    __slots__ = (
        "__orig_class__",
        "answer",
        "check",
        "data",
        "expects",
        "facts",
        "fallback",
        "finish",
        "known",
        "result",
        "sample",
        "system",
        "user",
    )

    # typing.Generic sets this on `Prompt[Route](…)`; `ask` reads the answer type from it.
    __orig_class__: object
    system: str
    user: str
    data: object
    known: object
    sample: Callable[[], object] | None
    answer: object
    check: Callable[[Any], Sequence[str]] | None
    finish: Callable[[Any], R_co] | None
    fallback: Callable[[], R_co] | None
    result: tuple[R_co] | None
    facts: Mapping[str, str] | None
    expects: tuple[str, ...]

    def __init__(
        self,
        *,
        user: str,
        system: str = "",
        data: object = None,
        sample: Callable[[], R_co] | None = None,
        expects: Sequence[PlaceholderType] = (),
        known: object = None,
    ) -> None:
        self._set(user=user, system=system, data=data, sample=sample, expects=expects, known=known)

    @classmethod
    def composed(  # noqa: PLR0913  # each is a part of its own
        cls: type[Prompt[Any]],
        *,
        answer: type[A],
        finish: Callable[[A], S],
        user: str,
        system: str = "",
        data: object = None,
        check: Callable[[A], Sequence[str]] | None = None,
        fallback: Callable[[], S] | None = None,
        sample: Callable[[], A] | None = None,
        facts: Mapping[str, str] | None = None,
        expects: Sequence[PlaceholderType] = (),
        known: object = None,
    ) -> Prompt[S]:
        """Ask the model for an ``A`` and make the result from it in code.

        Args:
            answer: What the model is asked for.
            finish: Makes the result from a checked answer, personal data restored
                and facts put in.
            user: What is asked.
            system: Who the model is.
            data: The facts, as for `Prompt`.
            check: Names what is wrong with a (still masked) answer; empty means
                nothing. The messages go back to the model once, so they must not
                quote values.
            fallback: Makes the result without the model when there is no usable
                answer; returned uncharged.
            sample: A typical answer for the offline model.
            facts: Texts that the answer cites by key, ``{overdue_total}``. They are put
                in together with the personal data, in one pass: a name that looks like
                a reference stays a name. ``check`` sees the references.
            expects: Types of personal data of which the answer must hold a value.
            known: Personal data to mask in the texts and not to send, as for `Prompt`.
        """
        new: Prompt[S] = object.__new__(cls)
        new._set(
            user=user,
            system=system,
            data=data,
            answer=answer,
            check=check,
            finish=finish,
            fallback=fallback,
            sample=sample,
            facts=facts,
            expects=expects,
            known=known,
        )
        return new

    @classmethod
    def settled(cls: type[Prompt[Any]], result: S) -> Prompt[S]:
        """The result is known already (blocked, too little data): no hold, no call, no charge."""
        new: Prompt[S] = object.__new__(cls)
        new._set(user="", result=(result,))
        return new

    def _set(  # noqa: PLR0913  # one argument for each slot
        self,
        *,
        user: str,
        system: str = "",
        data: object = None,
        answer: object = None,
        check: Callable[[Any], Sequence[str]] | None = None,
        finish: Callable[[Any], Any] | None = None,
        fallback: Callable[[], Any] | None = None,
        sample: Callable[[], object] | None = None,
        result: tuple[Any] | None = None,
        facts: Mapping[str, str] | None = None,
        expects: Sequence[str] = (),
        known: object = None,
    ) -> None:
        self.user, self.system, self.data, self.sample, self.known = user, system, data, sample, known
        self.answer, self.check, self.finish, self.fallback, self.result = answer, check, finish, fallback, result
        self.facts, self.expects = facts, tuple(expects)

    def __repr__(self) -> str:
        """Name the kind of prompt, never its text: that may hold personal data."""
        kind = "settled" if self.result is not None else "composed" if self.finish is not None else "plain"
        return f"<Prompt {kind}>"


Steps: TypeAlias = Generator[Prompt[Any], Any, Prompt[S]]
"""What a builder with a first, smaller question returns."""


def ask(prompt: Prompt[A]) -> Generator[Prompt[Any], Any, A]:
    """Ask the model on the way, inside the same hold, and give back its answer.

    Write ``route = yield from ask(Prompt[Route](user=…))`` in a builder that
    returns `Steps`. The answer type is the one in the brackets.

    Raises:
        CallError: If there is no usable answer; the builder may catch it and
            settle without the model.
    """
    return cast("A", (yield prompt))


def declared_answer(prompt: Prompt[Any]) -> object:
    """The type written in ``Prompt[Route](…)``; ``str`` where nothing is written."""
    return next(iter(get_args(getattr(prompt, "__orig_class__", None))), str)
