"""The type words of placeholders, and what models that answer in another language make of them.

A model that writes French or Twi may translate the word in ``[PERSON_1]``. The number still
says which value is meant, and the word must name the same type, so a translation can never
give a wrong value. It can only turn ordinary text into a value, and so the table holds
no word that is also an ordinary English word, a name, or a short everyday word:

* *PERSONA*, *DATA*, *DATUM*, *COMMERCE* are English words;
* *NOMBRE* is a name in Spanish and a number in French, *FIRMA* a company or a signature;
* *AME* (Ewe, person), *WAYA* (Hausa, telephone or wire), *DA* (Twi, day) are too short or mean more.

A word that is not here is refused like an invented placeholder: the answer is asked for once more.
"""

from __future__ import annotations

from itertools import product
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ai_addons.privacy.base import Kind
from ai_addons.privacy.fold import fold

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

# French, Portuguese, Spanish, German; then Twi (onipa, nipa, ahomatrofo), Ga (gbɔmɔ), Ewe (amegbetɔ), Hausa (mutum, …).
_TRANSLATIONS: Final[Mapping[Kind, str]] = {
    Kind.PERSON: "PERSONNE PESSOA ONIPA NIPA GBƆMƆ AMEGBETƆ MUTUM",
    Kind.PHONE: "TELEPHONE TÉLÉPHONE TELEFONE TELÉFONO TELEFON AHOMATROFO AHOMATOROFO TARHO",
    Kind.EMAIL: "E-MAIL COURRIEL CORREO IMEL",
    Kind.ADDRESS: "ADRESSE ENDEREÇO DIRECCIÓN ADIRESHI",
    Kind.ID: "IDENTIFIANT IDENTIFICADOR",
    Kind.ACCOUNT: "COMPTE CONTA CUENTA KONTO",
    Kind.BUSINESS: "ENTREPRISE EMPRESA NEGÓCIO NEGOCIO UNTERNEHMEN KASUWANCI",
    Kind.DATE: "FECHA",
    Kind.AMOUNT: "MONTANT QUANTIA MONTO BETRAG",
    Kind.TEXT: "TEXTE TEXTO",
}


def _plain(word: str) -> str:
    return fold(word).text.upper()


_SPELLED: Final = {kind.value: kind for kind in Kind} | {
    word: kind for kind, words in _TRANSLATIONS.items() for word in words.split()
}
TYPE_WORDS: Final[Mapping[str, Kind]] = MappingProxyType({_plain(word): kind for word, kind in _SPELLED.items()})
"""Every accepted type word, in plain capitals (no accents, ``O`` for ``Ɔ``)."""


def kind_of(word: str) -> Kind:
    """The type that a type word names, in any case and with or without its accents.

    Args:
        word: A word that `WORD` matches.
    """
    return TYPE_WORDS[_plain(word)]


def _one_of(words: Iterable[str], *, cut: bool) -> str:
    """A pattern for any of the words, shared beginnings written once; with ``cut`` also for their beginnings."""
    tails: dict[str, list[str]] = {}
    letters: dict[str, set[str]] = {}
    for word in words:
        plain = _plain(word[0])
        tails.setdefault(plain, []).append(word[1:])
        letters.setdefault(plain, {plain}).add(word[0])
    branches = (_letter(letters[plain]) + _tail(rest, cut=cut) for plain, rest in tails.items())
    return f"(?:{'|'.join(branches)})"


def _letter(spellings: set[str]) -> str:
    """A letter, or any of its spellings."""
    return next(iter(spellings)) if len(spellings) == 1 else f"[{''.join(sorted(spellings))}]"


def _tail(rest: Iterable[str], *, cut: bool) -> str:
    longer = [tail for tail in rest if tail]
    if not longer:
        return ""
    return _one_of(longer, cut=cut) + ("?" if cut or "" in rest else "")


WORD: Final = _one_of(_SPELLED, cut=False)
"""Pattern for a whole type word; upper case unless the flag IGNORECASE is set."""


def _endings(words: Collection[str]) -> Iterator[str]:
    """The last two letters of each word, with every letter in any of its spellings."""
    spelled: dict[str, set[str]] = {}
    for letter in "".join(words):
        spelled.setdefault(_plain(letter), {_plain(letter)}).add(letter)
    for word in words:
        yield from map("".join, product(*(spelled[_plain(letter)] for letter in word[-2:])))


ENDINGS: Final = frozenset(_endings(_SPELLED))
"""How type words end: far fewer texts hold one of these before a number than any capital."""

BEGINNING: Final = _one_of(_SPELLED, cut=True)
"""Pattern for one letter or more of the beginning of a type word."""
