"""How a contract says what is wrong."""

from __future__ import annotations


def require(holds: bool, otherwise: str) -> None:  # noqa: FBT001  # reads as a sentence
    """Fail with a sentence; not by `assert`, which pytest rewrites in test modules only and -O leaves out."""
    if not holds:
        raise AssertionError(otherwise)
