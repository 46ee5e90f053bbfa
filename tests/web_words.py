"""A feature that the hosts of the tests sell."""

from __future__ import annotations

from ai_addons import Prompt, billed_feature


@billed_feature("host_word", credits=3)
def say_word(word: str) -> Prompt[str]:
    """Say a word."""
    return Prompt(user=word)
