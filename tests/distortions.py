"""What models, editors and web pages do to a placeholder, for the tests of restoring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ai_addons.privacy.base import Kind
from ai_addons.privacy.restore import PlaceholderVault
from ai_addons.privacy.type_words import TYPE_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

TRANSLATED: Final[Mapping[Kind, tuple[str, ...]]] = {
    kind: tuple(word for word, named in TYPE_WORDS.items() if named is kind and word != kind.value) for kind in Kind
}
_APOSTROPHES: Final = "'’"  # noqa: RUF001  # a typographic apostrophe is meant
BRACKETS: Final = ("{}", "<>", "«»", "⟦⟧", "【】", "［］", "‹›")  # noqa: RUF001  # full-width brackets are meant


def _inside(change: Callable[[str, int], str]) -> Callable[[Random, str, int], str]:
    return lambda _random, word, number: f"[{change(word, number)}]"


# Each takes a source of chance, the type word and the number.
DISTORTIONS: Final[Mapping[str, Callable[[Random, str, int], str]]] = {
    "identity": _inside(lambda word, number: f"{word}_{number}"),
    "lower case": _inside(lambda word, number: f"{word.lower()}_{number}"),
    "title case": _inside(lambda word, number: f"{word.title()}_{number}"),
    "no brackets": lambda _, word, number: f"{word}_{number}",
    "blank joint": _inside(lambda word, number: f"{word} {number}"),
    "hyphen joint": _inside(lambda word, number: f"{word}-{number}"),
    "markdown": lambda _, word, number: rf"\[{word}\_{number}\]",
    "entities": lambda _, word, number: f"&lt;{word}_{number}&gt;",
    "unicode escapes": lambda _, word, number: rf"\u003c{word}_{number}\u003e",
    "possessive inside": lambda random, word, number: f"[{word}_{number}{random.choice(_APOSTROPHES)}s]",
    "possessive outside": lambda random, word, number: f"[{word}_{number}]{random.choice(_APOSTROPHES)}s",
    "plural inside": lambda random, word, number: f"[{word}_{number}{random.choice(('s', 'es'))}]",
    "bold": lambda _, word, number: f"**[{word}_{number}]**",
    "doubled brackets": lambda _, word, number: f"[[{word}_{number}]]",
    "other brackets": lambda random, word, number: f"{word}_{number}".join(random.choice(BRACKETS)),
    "blanks inside": lambda random, word, number: f"{word}_{number}".join(random.choice((("[ ", " ]"), ("[  ", "]")))),
    "blank before the number": _inside(lambda word, number: f"{word}_ {number}"),
    "translated": lambda random, word, number: f"[{random.choice(TRANSLATED[Kind(word)])}_{number}]",
    "zeros": lambda random, word, number: f"[{word}_{random.choice(('0', '00'))}{number}]",
    "line break": lambda random, word, number: (
        f"[{word}{random.choice(('_' + chr(10), chr(10), chr(10) + '_'))}{number}]"
    ),
    "number lost": _inside(lambda word, _number: word),
}
LOST: Final = "number lost"
KEPT: Final[Mapping[str, Callable[[str, str], str]]] = {
    "possessive inside": lambda written, value: value + written[-3:-1],
    "possessive outside": lambda written, value: value + written[-2:],
    "bold": lambda _written, value: f"**{value}**",
}
"""What of a distorted placeholder belongs to the text and stays."""

SENTENCES: Final = (
    "{}",
    "Dear {}, your order is ready.",
    "We will call {} on Monday, not {}.",
    "Owed since 3 May: {}",
    "{} ({})",
    "- {}\n- {}\n",
    '"{}", she said: {}!',
    "Total for {}: 12 bags at 45.50 each; see {} / {}.",
    "Me ma wo akye, {}. Ɛyɛ {} deɛ.",
    "Cher {}, votre commande est prête.",
)
_VALUES: Final = (
    "Ama Mensah",
    'Kofi "Boy" Addo',
    "two\nlines",
    "{overdue_total}",
    "[PERSON_1]",
    "PHONE 2",
    "https://x.test/[ID_5]",
    "024 123 4567",
    "ama@x.com",
    "",
    "\\",
    "ɔkyeame\u200b",
    "x" * 120,
    "]]",
)


def full_vault(random: Random, many: int = 30) -> tuple[PlaceholderVault, dict[int, tuple[Kind, str]]]:
    """A vault with values of all types in random order, and what stands behind each number."""
    vault = PlaceholderVault()
    kinds = [*Kind, *random.choices([*Kind], k=many - len(Kind))]
    random.shuffle(kinds)
    values = {number: (kind, f"{random.choice(_VALUES)}#{number}") for number, kind in enumerate(kinds, 1)}
    for number, (kind, value) in values.items():
        vault.placeholder(kind, str(number), value)
    return vault, values


def distorted(random: Random, name: str, kind: Kind, number: int, value: str) -> tuple[str, str]:
    """A placeholder after one distortion, and what it must come back as."""
    written = DISTORTIONS[name](random, kind.value, number)
    return written, KEPT[name](written, value) if name in KEPT else value
