"""A recognizer of a host's own: the numbers of its loyalty cards.

Run ``python examples/loyalty_cards.py`` to see what would be sent of a note.
"""

import re
from collections.abc import Iterator

from ai_addons import AddOns, Settings
from ai_addons.privacy.base import Kind, Span
from ai_addons.settings import PrivacySettings

CARD = re.compile(r"(?<!\w)LOY-[0-9]{6}(?!\w)")


class LoyaltyCards:
    """Finds ``LOY-`` and six digits."""

    def find(self, text: str) -> Iterator[Span]:
        """All card numbers in a text."""
        for match in CARD.finditer(text):
            yield Span(match.start(), match.end(), Kind.ID, priority=45)


if __name__ == "__main__":
    recognizers = (*PrivacySettings().recognizers, "__main__:LoyaltyCards")
    addons = AddOns(Settings(privacy={"recognizers": recognizers}))
    print(addons.mask("Ama (LOY-123456) called from 024 412 3456.").text)
