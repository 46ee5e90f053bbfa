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

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ai_addons.privacy.base import Kind
from ai_addons.privacy.fold import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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


TYPE_WORDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {kind.value: kind for kind in Kind}
    | {_plain(word): kind for kind, words in _TRANSLATIONS.items() for word in words.split()}
)
"""Every accepted type word, in plain capitals (no accents, ``O`` for ``Ɔ``)."""

# How a letter of a plain type word may be written; a combining accent may follow any vowel.
_SPELLINGS: Final[Mapping[str, str]] = {
    "A": "(?:[AÁÀÂÃ]\u0301?)",
    "C": "(?:[CÇ]\u0327?)",
    "E": "(?:[EÉÈÊƐ]\u0301?)",
    "O": "(?:[OÓÔÕƆ]\u0301?)",
    "-": "[-\u2010\u2011]",
}


def kind_of(word: str) -> Kind:
    """The type that a type word names, in any case and with or without its accents.

    Args:
        word: A word that `WORD` matches.
    """
    return TYPE_WORDS[_plain(word)]


def _one_of(words: Iterable[str], *, cut: bool) -> str:
    """A pattern for any of the words, shared beginnings written once; with ``cut`` also for their beginnings."""
    tails: dict[str, list[str]] = {}
    for word in words:
        tails.setdefault(word[0], []).append(word[1:])
    return "(?:" + "|".join(_SPELLINGS.get(head, head) + _tail(rest, cut=cut) for head, rest in tails.items()) + ")"


def _tail(rest: Iterable[str], *, cut: bool) -> str:
    longer = [tail for tail in rest if tail]
    if not longer:
        return ""
    return _one_of(longer, cut=cut) + ("?" if cut or "" in rest else "")


# Only translations that have accents may be written with them; a plain word with a stray accent folds to the same type.
WORD: Final = _one_of(TYPE_WORDS, cut=False)
"""Pattern for a whole type word; upper case unless the flag IGNORECASE is set."""

BEGINNING: Final = _one_of(TYPE_WORDS, cut=True)
"""Pattern for one letter or more of the beginning of a type word."""
