"""A text or data masked on its own, outside any call."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Self, overload

from ai_addons.errors import BadOutput
from ai_addons.privacy.base import Json, Sealed, Unresolved
from ai_addons.privacy.grammar import EXACT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ai_addons.privacy.base import Masker, Vault


@dataclass(frozen=True, slots=True)
class Placeholder:
    """What stands in a masked text for a value.

    Attributes:
        token: As it is written, e.g. ``[PERSON_1]``.
        kind: Its type word, e.g. ``PERSON``.
    """

    token: str
    kind: str


class Masked(Sealed):
    """What would be sent of a text and of data; it never prints the values behind the placeholders.

    Used in a ``with`` block, or closed, it forgets them.

    Attributes:
        text: The text with placeholders.
        data: The data as JSON with placeholders; None if none was given.
        placeholders: Those that stand in text and data, in order of their first appearance.
    """

    __slots__ = ("_vault", "data", "placeholders", "text")

    def __init__(self, text: str, data: Json, vault: Vault) -> None:
        self.text: str = text
        self.data: Json = data
        found = (match for part in (text, *_texts(data)) for match in EXACT.finditer(part))
        self.placeholders: tuple[Placeholder, ...] = tuple(dict.fromkeys(Placeholder(m[0], m[1]) for m in found))
        self._vault = vault

    @property
    def counts(self) -> Mapping[str, int]:
        """How many values of each kind were replaced."""
        return MappingProxyType(Counter(placeholder.kind for placeholder in self.placeholders))

    @overload
    def restore(self, answer: str) -> str: ...

    @overload
    def restore(self, answer: Json) -> Json: ...

    def restore(self, answer: Json) -> Json:
        """Put the values back into an answer: a text, or JSON with placeholders in its texts and keys.

        Raises:
            BadOutput: If a placeholder in it stands for nothing, or it holds a phone number or an e-mail address
                that was not in what was masked; also once this is closed.
        """
        try:
            return self._vault.restore(answer)
        except Unresolved as unresolved:
            # Not the offending pieces themselves: a phone number may be one of them.
            msg = (
                f"The answer holds {len(unresolved.tokens)} placeholders or contact details that stand for nothing "
                "known here, so it must not be shown. Nothing was charged. Ask again, or restore before closing."
            )
            raise BadOutput(msg) from None

    def reveal(self) -> dict[str, str]:
        """What each placeholder stands for: personal data, for the eyes of whoever supplied it.

        Raises:
            BadOutput: If this is closed.
        """
        return {found.token: self.restore(found.token) for found in self.placeholders}

    def close(self) -> None:
        """Forget the values; nothing can be restored after that."""
        self._vault.close()

    def __enter__(self) -> Self:
        """Use this object inside the block."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Forget the values."""
        self.close()


def mask_once(masker: Masker, text: str, *, data: object, known: object) -> Masked:
    """Mask a text and data as those of one call.

    Args:
        masker: Does it.
        text: Free text.
        data: What `Prompt.data` takes, or None.
        known: What `Prompt.known` takes, or None: it is replaced where it occurs, and not shown itself.

    Raises:
        PrivacyRefused: If it cannot be masked safely.
    """
    session = masker.session()
    (masked,), shown = session.mask([text], data, known=known)
    return Masked(masked, shown, session.vault)


def _texts(value: Json) -> Iterator[str]:
    """Every text of JSON, keys included, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _texts(item)
