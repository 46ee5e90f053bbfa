"""How much one prompt may hold and how long masking it may take; what is over is refused, or cut by rule."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ai_addons.errors import PrivacyRefused
from ai_addons.privacy.fields import Leaf, Pii
from ai_addons.privacy.rules import window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ai_addons.privacy.base import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The bounds of one prompt.

    Attributes:
        field_bytes: The longest text, in UTF-8.
        call_bytes: All texts together.
        seconds: Time for masking.
    """

    field_bytes: int
    call_bytes: int
    seconds: float

    def windows(self, found: Sequence[Leaf], rules: Rules, longest: int) -> dict[Leaf, tuple[Leaf, int]]:
        """The texts to be cut, each with as much of it as is searched and the characters that may be left.

        Args:
            found: All texts of the prompt.
            rules: Whether texts that are too long are refused or cut.
            longest: The length of the longest known value, in characters.

        Raises:
            PrivacyRefused: If a text, or all together, is over its bound.
        """
        windows: dict[Leaf, tuple[Leaf, int]] = {}
        total = 0
        for leaf in found:
            if leaf.cut is None and len(leaf.text) <= self.field_bytes and leaf.text.isascii():
                # Most texts: short, and as many bytes as characters.
                total += len(leaf.text)
                continue
            size, limit = self._measured(leaf, rules)
            total += size
            if limit is not None:
                windows[leaf] = replace(leaf, text=window(leaf.text, limit, longest)), limit
        if total > self.call_bytes:
            raise PrivacyRefused(_too_large("A prompt", total, self.call_bytes, "one prompt", "max_call_bytes"))
        return windows

    def _measured(self, leaf: Leaf, rules: Rules) -> tuple[int, int | None]:
        """How many bytes of a text may be sent, and at how many characters it is cut; None for not at all."""
        encoded = _encoded(leaf.text)
        size, most, limit = len(encoded), self.field_bytes, leaf.cut
        if size > most:
            by_rule = rules.oversize == "cut" and not isinstance(leaf.mark, Pii)
            if not by_rule and limit is None:
                raise PrivacyRefused(_too_large("A text", size, most, "one field", "max_field_bytes"))
            fitting = len(encoded[:most].decode(errors="ignore"))
            limit = fitting if limit is None else min(limit, fitting)
        return (size, None) if limit is None or len(leaf.text) <= limit else (min(size, most), limit)

    def too_late(self) -> PrivacyRefused:
        """What stops a call that takes too long.

        Patterns are linear and texts are bounded, so no single step does.
        """
        return PrivacyRefused(
            f"Masking took longer than {self.seconds:g} seconds. Nothing was sent and nothing was charged. "
            "Send less text, or raise privacy.deadline in the settings."
        )


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        msg = (
            "A text holds half a character (a lone surrogate), which no provider takes. Nothing was sent and "
            "nothing was charged. Read the text in its right encoding."
        )
        raise PrivacyRefused(msg) from None


def _too_large(what: str, size: int, most: int, where: str, setting: str) -> str:
    return (
        f"{what} of {size} bytes is over the limit of {most} bytes for {where}. Nothing was sent and nothing was "
        f"charged. Shorten it, or raise privacy.{setting} in the settings."
    )
