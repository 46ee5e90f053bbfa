"""HKDF with SHA-256 (RFC 5869): many keys from one secret, none of which gives away another."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

_BLOCK: Final = 32
_MOST: Final = 255 * _BLOCK


def extract(salt: bytes, secret: bytes) -> bytes:
    """A pseudorandom key of 32 bytes (RFC 5869 section 2.2).

    Args:
        salt: Any bytes; empty counts as 32 zeros.
        secret: What is kept secret, of any length.
    """
    return hmac.digest(salt or bytes(_BLOCK), secret, hashlib.sha256)


def expand(key: bytes, info: bytes, length: int = _BLOCK) -> bytes:
    """A key for one purpose (RFC 5869 section 2.3).

    Args:
        key: What `extract` gave.
        info: Names the purpose; another one gives an unrelated key.
        length: Bytes wanted, 1 to 8,160.

    Raises:
        ValueError: For any other length.
    """
    if not 1 <= length <= _MOST:
        msg = f"HKDF gives 1 to {_MOST} bytes, not {length}"
        raise ValueError(msg)
    made, block = b"", b""
    for count in range(1, -(-length // _BLOCK) + 1):
        block = hmac.digest(key, block + info + bytes([count]), hashlib.sha256)
        made += block
    return made[:length]
