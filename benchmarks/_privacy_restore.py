"""Putting values back into what a model made of the placeholders: right, wrong, or refused.

All distortions are equally likely here. In real answers most placeholders come back as they were, so the shares say
what happens *when* one is damaged, not how often.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BaseModel

from ai_addons.privacy.base import Unresolved
from ai_addons.privacy.fields import Pii
from ai_addons.privacy.mask import BuiltinMasker
from benchmarks import _privacy_ghana as ghana
from benchmarks import _privacy_texts as texts
from benchmarks import _privacy_values as values
from benchmarks._privacy_accuracy import SEED
from benchmarks._privacy_numbers import seeded
from benchmarks._privacy_variants import mobile
from benchmarks._report import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from random import Random

    from ai_addons.privacy.base import Json, Session

GOAL: Final = 0.95

_TRANSLATED: Final = {
    "PERSON": ("PERSONNE", "PESSOA", "ONIPA", "NIPA"),
    "PHONE": ("TELEPHONE", "AHOMATOROFO"),
    "ACCOUNT": ("COMPTE",),
}
_TRANSLATABLE: Final = tuple(_TRANSLATED)
_OTHER_BRACKETS: Final = ("{{}}", "<>", "«»", "⟦⟧", "【】")
_ANSWERS: Final = (
    "Dear customer {0}, thank you. ({1})",
    "We wrote to {0} yesterday.\nNext: {1}",
    "{0} asked for more time, {1} did not.",
    "Please remind {0} again; {1} comes later.",
    "Good news for {0}! Ask {1} too",
)


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A placeholder taken apart, and the value it stands for."""

    word: str
    number: int
    value: str

    @property
    def exact(self) -> str:
        """As it was sent."""
        return f"[{self.word}_{self.number}]"


Distorted = tuple[str, str]
"""What the model made of it, and what the reader should see."""

DISTORTIONS: Final[Mapping[str, Callable[[Placeholder, Random], Distorted]]] = {
    "identity": lambda one, _: (one.exact, one.value),
    "lower case": lambda one, _: (one.exact.lower(), one.value),
    "title case": lambda one, _: (one.exact.title(), one.value),
    "no brackets": lambda one, _: (one.exact[1:-1], one.value),
    "blank for _": lambda one, _: (f"[{one.word} {one.number}]", one.value),
    "hyphen for _": lambda one, _: (f"[{one.word}-{one.number}]", one.value),
    "Markdown escapes": lambda one, _: (rf"\[{one.word}\_{one.number}\]", one.value),
    "HTML escapes": lambda one, _: (f"&lt;{one.word}_{one.number}&gt;", one.value),
    "Unicode escapes": lambda one, _: (rf"\u003c{one.word}_{one.number}\u003e", one.value),
    "possessive inside": lambda one, _: (f"[{one.word}_{one.number}'s]", f"{one.value}'s"),
    "possessive outside": lambda one, _: (f"{one.exact}'s", f"{one.value}'s"),
    "plural inside": lambda one, rng: (f"[{one.word}_{one.number}{rng.choice(['s', 'es'])}]", one.value),
    "bold": lambda one, _: (f"**{one.exact}**", f"**{one.value}**"),
    "doubled bracket": lambda one, _: (f"[{one.exact}]", one.value),
    "other bracket": lambda one, rng: (_in_other_brackets(one, rng), one.value),
    "blanks inside": lambda one, _: (f"[ {one.word}_{one.number} ]", one.value),
    "blank before the number": lambda one, _: (f"[{one.word}_ {one.number}]", one.value),
    "translated": lambda one, rng: (f"[{rng.choice(_TRANSLATED[one.word])}_{one.number}]", one.value),
    "padded number": lambda one, rng: (f"[{one.word}_{'0' * rng.randint(1, 2)}{one.number}]", one.value),
    "line break inside": lambda one, rng: (
        f"[{one.word}{rng.choice(['_' + chr(10), chr(10) + '_'])}{one.number}]",
        one.value,
    ),
    "number dropped": lambda one, _: (f"[{one.word}]", ""),
}
"""What models make of placeholders. Of the last nobody can tell whom it meant, so it must be refused."""


def _in_other_brackets(one: Placeholder, rng: Random) -> str:
    pair = rng.choice(_OTHER_BRACKETS)
    half = len(pair) // 2
    return f"{pair[:half]}{one.word}_{one.number}{pair[half:]}"


class _Call(BaseModel):
    names: list[Annotated[str, Pii.NAME]]
    phones: list[Annotated[str, Pii.PHONE]]
    accounts: list[Annotated[str, Pii.ACCOUNT]]


def _call(rng: Random) -> tuple[Session, list[Placeholder]]:
    """A call with several random values, and the placeholders that were sent for them."""
    call = _Call(
        names=_different(values.name, 4, rng),
        phones=_different(mobile, 4, rng),
        accounts=_different(ghana.account, 4, rng),
    )
    session = BuiltinMasker([], max_field_bytes=65_536).session()
    _, data = session.mask([], call)
    assert isinstance(data, dict)  # noqa: S101  # a model renders as an object
    pairs = [(token, value) for name, own in call for token, value in zip(_tokens(data[name]), own, strict=True)]
    return session, [_placeholder(*pair) for pair in pairs]


def _tokens(field: Json) -> list[str]:
    return [str(token) for token in field] if isinstance(field, list) else []


def _different(make: Callable[[Random], str], count: int, rng: Random) -> list[str]:
    made: dict[str, None] = {}
    while len(made) < count:
        made[make(rng)] = None
    return list(made)


def _placeholder(token: str, value: str) -> Placeholder:
    word, number = token[1:-1].split("_")
    return Placeholder(word, int(number), value)


def verdict(restored: str | None, expected: str | None, strangers: Sequence[str]) -> str:
    """What became of one answer.

    Args:
        restored: What the reader would see; None if the answer was refused.
        expected: What the reader should see; None if it should be refused.
        strangers: Values of other placeholders, which must not stand in it.
    """
    if restored is not None and any(value in restored for value in strangers):
        return "wrong"
    if restored is None:
        return "refused"
    return "correct" if restored == expected else "left"


def restoring(_folder: Path, *, full: bool) -> list[Result]:
    """All distortions, then clean texts."""
    counts = {name: counted(name, 400 if full else 60) for name in DISTORTIONS}
    return [_total(counts), *(_line(name, *both) for name, both in counts.items()), _clean(full=full)]


def counted(name: str, draws: int) -> tuple[Counter[str], Counter[str]]:
    """Verdicts on our restoring, and on replacing the exact forms."""
    rng = seeded(f"{SEED} {name}")
    ours, plain = Counter[str](), Counter[str]()
    for _ in range(draws):
        session, sent = _call(rng)
        meant, other = _two(name, sent, rng)
        form, value = DISTORTIONS[name](meant, rng)
        frame = rng.choice(_ANSWERS)
        answer = frame.format(form, other.exact)
        expected = frame.format(value, other.value) if value else None
        strangers = [one.value for one in sent if one not in (meant, other)]
        ours[verdict(_restored(session, answer), expected, strangers)] += 1
        plain[verdict(_replaced(answer, sent), expected, strangers)] += 1
    return ours, plain


def _two(name: str, sent: Sequence[Placeholder], rng: Random) -> tuple[Placeholder, Placeholder]:
    """The one that is damaged, and one that is not."""
    kinds = _TRANSLATABLE if name == "translated" else tuple({one.word for one in sent})
    meant = rng.choice([one for one in sent if one.word in kinds])
    return meant, rng.choice([one for one in sent if one != meant])


def _restored(session: Session, answer: str) -> str | None:
    try:
        return str(session.vault.restore(answer))
    except Unresolved:
        return None


def _replaced(answer: str, sent: Sequence[Placeholder]) -> str:
    for one in sent:
        answer = answer.replace(one.exact, one.value)
    return answer


def _shares(counts: Counter[str]) -> str:
    total = counts.total()
    return ", ".join(f"{what} {counts[what] / total:.1%}" for what in ("correct", "wrong", "refused", "left"))


def _total(counts: Mapping[str, tuple[Counter[str], Counter[str]]]) -> Result:
    ours = sum((mine for mine, _ in counts.values()), Counter[str]())
    plain = sum((theirs for _, theirs in counts.values()), Counter[str]())
    share = ours["correct"] / ours.total()
    return Result(
        what=f"restore, {len(counts)} distortions, {ours.total():,} answers",
        ours=_shares(ours),
        yardstick=f"`str.replace`: {_shares(plain)}",
        figure=share,
        goal=f">= {GOAL:.0%} correct, none wrong, none left",
        met=share >= GOAL and not ours["wrong"] and not ours["left"],
    )


def _line(name: str, ours: Counter[str], plain: Counter[str]) -> Result:
    return Result(what=f"restore, {name}", ours=_shares(ours), yardstick=f"`str.replace`: {_shares(plain)}")


def _clean(*, full: bool) -> Result:
    """Ordinary texts, in which nothing may be put and which should not be refused."""
    session, _ = _call(seeded(SEED))
    answers = [sample.text for sample in texts.business(10_000 if full else 2_000, SEED + 1)]
    restored = [_restored(session, answer) for answer in answers]
    false = sum(after not in (None, before) for before, after in zip(answers, restored, strict=True))
    return Result(
        what=f"restore, {len(answers):,} texts without placeholders",
        ours=f"{false} changed, {restored.count(None)} refused",
        figure=float(false),
        unit="texts",
        goal="0 changed",
        met=false == 0,
    )
