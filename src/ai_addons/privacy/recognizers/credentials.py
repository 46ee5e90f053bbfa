"""API keys and tokens: whoever reads one can act in the shop's name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ai_addons.privacy.base import Kind, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

_PRIORITY: Final = 80
_LONGEST: Final = 512
# What providers print in front of their keys, and the whole key. Plain text is found far faster than a shape.
_KEYS: Final = (
    ("sk-", rf"sk-(?:(?:proj|ant|svcacct|or)-|(?=[A-Za-z_\-]{{0,64}}[0-9]))[A-Za-z0-9_\-]{{20,{_LONGEST}}}"),
    ("AKIA", r"AKIA[A-Z0-9]{16}"),
    ("ASIA", r"ASIA[A-Z0-9]{16}"),
    ("glpat-", r"glpat-[A-Za-z0-9_\-]{20,255}"),
    ("xox", r"xox[abeoprs]-[A-Za-z0-9\-]{10,255}"),
    ("AIza", r"AIza[A-Za-z0-9_\-]{35}"),
    ("FLWSECK-", r"FLWSECK-[A-Za-z0-9\-]{12,255}"),
)
# Of those with an underscore, what stands before the first one: it is rare, so all are looked for at once.
_WITH_UNDERSCORE: Final = (
    *((f"{sort}k", rf"{sort}k_(?:live|test)_[A-Za-z0-9]{{10,255}}") for sort in "spr"),
    *((f"gh{sort}", rf"gh{sort}_[A-Za-z0-9]{{36,255}}") for sort in "pousr"),
    ("github", r"github_pat_[A-Za-z0-9_]{22,255}"),
    ("whsec", r"whsec_[A-Za-z0-9+/=]{16,255}"),
    ("FLWSECK", r"FLWSECK_TEST-[A-Za-z0-9\-]{12,255}"),
)
_JWT: Final = "eyJ"  # what "{\"" is in base64url
_SIGNS: Final = ("-", "A", "xox")
_BEFORE: Final = r"(?:(?<!\w)|(?<=\\[nrt]))(?<!\w-)"
_AFTER: Final = r"(?![A-Za-z0-9_])"


class ApiKeyRecognizer:
    """Finds keys of model, payment, cloud and chat providers by their prefixes."""

    __slots__ = ("_heads", "_patterns", "_with_underscore")

    def __init__(self) -> None:
        patterns = [(gate, _whole(shape)) for gate, shape in _KEYS]
        # By a sign in their gates: most texts have none of one, or none of the other.
        self._patterns = {sign: tuple(entry for entry in patterns if sign == _sign_of(entry[0])) for sign in _SIGNS}
        self._with_underscore = tuple((head, _whole(shape)) for head, shape in _WITH_UNDERSCORE)
        self._heads = tuple(head for head, _ in _WITH_UNDERSCORE)

    def find(self, text: str) -> Iterator[Span]:
        """All keys that are whole and not part of a longer word."""
        for sign, patterns in self._patterns.items():
            for gate, pattern in patterns if sign in text else ():
                if gate in text:
                    yield from _found(text, gate, pattern)
        at = text.find("_")
        while at >= 0:
            if text.endswith(self._heads, 0, at):
                yield from self._around(text, at)
            at = text.find("_", at + 1)

    def _around(self, text: str, at: int) -> Iterator[Span]:
        for head, pattern in self._with_underscore:
            if text.endswith(head, 0, at) and (match := pattern.match(text, at - len(head))):
                yield Span(match.start(), match.end(), Kind.ID, _PRIORITY)


def _whole(shape: str) -> re.Pattern[str]:
    return re.compile(_BEFORE + shape + _AFTER)


def _sign_of(gate: str) -> str:
    return next(sign for sign in _SIGNS if sign in gate)


def _found(text: str, gate: str, pattern: re.Pattern[str]) -> Iterator[Span]:
    """What matches a pattern, asked only where the plain text stands that all its matches begin with."""
    at = text.find(gate)
    while at >= 0:
        match = pattern.match(text, at)
        if match:
            yield Span(match.start(), match.end(), Kind.ID, _PRIORITY)
        at = text.find(gate, match.end() if match else at + 1)


class JwtRecognizer:
    """Finds JSON Web Tokens (RFC 7519): three parts in base64url, the first a JSON object."""

    __slots__ = ("_pattern",)

    def __init__(self) -> None:
        part = rf"[A-Za-z0-9_\-]{{{{{{}},{_LONGEST * 8}}}}}"
        self._pattern = _whole(rf"{_JWT}{part.format(8)}\.{part.format(8)}(?:\.{part.format(0)})?")

    def find(self, text: str) -> Iterator[Span]:
        """All tokens, signed or not."""
        if _JWT in text:
            yield from _found(text, _JWT, self._pattern)
