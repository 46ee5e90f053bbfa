"""Pseudonyms: one stable name for a person's data in a host's own logs, that says nothing about it.

They join log lines ("the same phone number failed three times") and never go into
a prompt, where placeholders stand. They are keyed, because all Ghanaian mobile
numbers can be tried in minutes: whoever holds the key can try them too, so a
pseudonym is still personal data under the Data Protection Act, 2012 (Act 843).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING, Final

from ai_addons.privacy.normal import normalised, words

if TYPE_CHECKING:
    from ai_addons.privacy.base import Kind

_BYTES: Final = 10


def pseudonym(key: bytes, version: int, kind: Kind, value: str) -> str:
    """``k{version}:`` and 16 characters: base32 of the first 10 bytes of an HMAC-SHA256.

    What is hashed is ``type|normalised value``, so spellings that mean the same value
    have the same pseudonym: case, accents, blanks and separators do not count, nor
    does the prefix of a Ghanaian phone number or a title before a name.

    Args:
        key: 32 bytes, of one business and one version.
        version: Which secret that key is derived from.
        kind: What sort of value.
        value: The value, however it is written.

    Raises:
        ValueError: If there is no letter or digit in the value; all such would be one.
    """
    plain = normalised(kind, value)
    if not words(plain):
        msg = f"a pseudonym needs a value, and this {kind.value} holds no letter or digit; none was made"
        raise ValueError(msg)
    # A lone surrogate may stand in a Python string; it hashes like any other character.
    text = f"{kind.value}|{plain}".encode("utf-8", "surrogatepass")
    return f"k{version}:{base64.b32encode(hmac.digest(key, text, hashlib.sha256)[:_BYTES]).decode().lower()}"
