"""Keyed hashes: what names a stored answer, a request, a business and a trial claim, and the keys of pseudonyms.

Everything here is pure and derived from one secret by HKDF (RFC 5869). Each purpose
has its own subkey, so a hash made for one can neither be looked up nor guessed at in
another.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from ai_addons.cache.arguments import arguments_text
from ai_addons.cache.canonical import canonical
from ai_addons.errors import ConfigError
from ai_addons.hkdf import expand, extract

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ai_addons.cache.canonical import Json

_Purpose: TypeAlias = Literal["cache", "request", "repeat", "pseudonym", "trial claim"]

_MIN_SECRET_BYTES: Final = 32
_SALT: Final = b"ai-addons keys v1"
_TAG_LENGTH: Final = 32
# Ghana writes one number as 024…, 24…, +233 24… and 00233 24…; nine digits name the subscriber.
_PHONE_DIGITS: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an answer is looked for; see `Keys.cache_key`.

    Attributes:
        scope: Who shares it.
        route: The models asked, in order.
        settings: The model settings really sent.
        variant: Which of several answers.
    """

    scope: str
    route: Sequence[str]
    settings: Mapping[str, Json]
    variant: int = 0


class Keys:
    """Derives every keyed hash from one secret.

    Args:
        secret: The installation's secret, 32 bytes or more.

    Raises:
        ConfigError: If the secret is too short to protect anything.
    """

    __slots__ = ("_begun", "_root")

    def __init__(self, secret: bytes) -> None:
        if len(secret) < _MIN_SECRET_BYTES:
            msg = (
                f"The secret has {len(secret)} characters, {_MIN_SECRET_BYTES} or more are needed. "
                "Nothing was charged. Set AI_ADDONS_SECRET to a long random text."
            )
            raise ConfigError(msg)
        self._root = extract(_SALT, secret)
        # Begun once and copied: that takes half as long as to begin with the key for every hash.
        self._begun: dict[_Purpose, hmac.HMAC] = {
            purpose: hmac.new(expand(self._root, purpose.encode()), digestmod=hashlib.sha256)
            for purpose in get_args(_Purpose)
        }

    def __repr__(self) -> str:
        """A fixed text: the secret shows nowhere."""
        return "<Keys …>"

    def cache_key(
        self,
        *,
        scope: str,
        feature: str,
        version: str | int,
        route: Sequence[str],
        settings: Mapping[str, Json],
        prompt: Json,
        schema: object,
        variant: int = 0,
    ) -> str:
        """The name of a stored answer; anything that could change the answer changes it.

        Args:
            scope: Who shares the answer: a business, or a name of its own for a shared feature.
            feature: Feature key.
            version: The feature's prompt version.
            route: The models asked, in order.
            settings: The model settings really sent.
            prompt: The masked messages.
            schema: JSON schema of the answer, or None.
            variant: Which of several answers to the same prompt.
        """
        place = Place(scope=scope, route=route, settings=settings, variant=variant)
        written = canonical(schema)
        return self.cache_keys([place], feature=feature, version=version, prompt=prompt, schema=written)[0]

    def cache_keys(
        self, places: Sequence[Place], *, feature: str, version: str | int, prompt: Json, schema: str
    ) -> list[str]:
        """`cache_key` for several places each; the prompt is written once, and the schema comes as `canonical` JSON."""
        asked = f"{canonical(prompt)},{schema}"
        return [self._named(place, feature, version, asked) for place in places]

    def _named(self, place: Place, feature: str, version: str | int, asked: str) -> str:
        head = canonical([place.scope, feature, version, place.route, place.settings]).removesuffix("]")
        # An integer is written as JSON writes it.
        return self._digest("cache", f"{head},{asked},{place.variant:d}]")

    def request_hash(
        self, feature: str, version: str | int, arguments: Mapping[str, object], options: Mapping[str, object]
    ) -> str:
        """What makes a request this one; an idempotency key used for another is a conflict.

        Args:
            feature: Feature key.
            version: The feature's prompt version.
            arguments: The bound arguments of the call; see `arguments_text`.
            options: What else the caller asked for, as JSON.

        Raises:
            ConfigError: If an argument has no stable content.
        """
        return self.request_hashes(feature, version, arguments, [options])[0]

    def request_hashes(
        self, feature: str, version: str | int, arguments: Mapping[str, object], options: Sequence[Mapping[str, object]]
    ) -> list[str]:
        """`request_hash` for several options each; arguments, which may be large, are read once."""
        text = f"{canonical([feature, version]).removesuffix(']')},{arguments_text(arguments)},"
        begun = self._begun["request"].copy()
        begun.update(_bytes(text))
        return [_ended(begun, f"{canonical(each)}]") for each in options]

    def repeat_hash(self, business: str, arguments_hash: str) -> str:
        """Who paid for an answer with which arguments; only the same may have it again for nothing."""
        return self._hash("repeat", [business, arguments_hash])

    def tag(self, business: str) -> str:
        """A stable name for a business in the cache, that says nothing about it."""
        return self._hash("pseudonym", business)[:_TAG_LENGTH]

    def pseudonym_key(self, business: str, version: int, salt: str) -> bytes:
        """The key under which one business's pseudonyms are made.

        Args:
            business: Whose; another business has an unrelated key.
            version: The number of this secret.
            salt: The business's own salt; without it there is no way to the key.

        Returns:
            32 bytes.
        """
        return expand(self._root, _bytes(canonical(["pseudonym key", business, version, salt])))

    def trial_claim(self, kind: str, value: str) -> str:
        """The hash under which a trial is claimed once, whatever way the value is written.

        Args:
            kind: ``phone``, ``tax_id``, or any other word (``email``, ``business``).
            value: What the business gave.

        Raises:
            ConfigError: If nothing is left of the value to tell one business from another.
        """
        plain = _claimed(kind, value)
        if not plain:
            msg = f"The {kind} given for the trial is empty. Nothing was granted. Give one that is filled in."
            raise ConfigError(msg)
        return self._hash("trial claim", [kind, plain])

    def variant(self, arguments_hash: str, n: int) -> int:
        """Which of ``n`` variants these arguments get, evenly spread and always the same one."""
        return int(arguments_hash, 16) % n

    def _hash(self, purpose: _Purpose, value: object) -> str:
        return self._digest(purpose, canonical(value))

    def _digest(self, purpose: _Purpose, text: str) -> str:
        return _ended(self._begun[purpose], text)


def _bytes(text: str) -> bytes:
    # A lone surrogate may stand in a Python string; it hashes like any other character.
    return text.encode("utf-8", "surrogatepass")


def _ended(begun: hmac.HMAC, rest: str) -> str:
    """The hash of what was begun and the rest; the beginning serves again."""
    whole = begun.copy()
    whole.update(_bytes(rest))
    return whole.hexdigest()


def _claimed(kind: str, value: str) -> str:
    """A value without the ways of writing it."""
    text = unicodedata.normalize("NFKC", value)
    if kind == "phone":
        return "".join(sign for sign in text if sign.isascii() and sign.isdigit())[-_PHONE_DIGITS:]
    if kind == "tax_id":
        return "".join(sign for sign in text if sign.isalnum()).upper()
    return text.strip().casefold()
