"""`billed_feature`: turns a prompt builder into a paid AI feature."""

from __future__ import annotations

import inspect
import re
from datetime import timedelta
from functools import partial
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, ParamSpec, Protocol, TypedDict, TypeVar, cast, overload

from pydantic import ValidationError

from ai_addons._invocation import CallOptions
from ai_addons.calling import AsyncFeature, Feature, bill_to
from ai_addons.catalog import MOST_FOLDED, CacheScope, Category, FeatureSpec, Tier
from ai_addons.definition import Definition, answer_type, names_around
from ai_addons.errors import ConfigError
from ai_addons.money import Credits
from ai_addons.settings import FeaturePrivacySettings, Handling, Oversize, Thinking, did_you_mean, read_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator
    from decimal import Decimal

    from ai_addons.prompt import Prompt

__all__ = ["AsyncFeature", "Decorator", "Feature", "PrivacyPolicy", "bill_to", "billed_feature", "sold_as"]

P = ParamSpec("P")
R = TypeVar("R")

_DEFAULT_CACHE: Final = timedelta(hours=6)
_DEFAULT_MAX_TOKENS: Final = 800
_KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


class PrivacyPolicy(TypedDict, total=False):
    """What happens to each sort of personal data in a feature, by the type word of its placeholders.

    ``"mask"`` (the default) puts a placeholder in its place, ``"drop"`` cuts it out
    of texts and leaves declared fields out, ``"refuse"`` raises `PrivacyRefused`
    before anything is held or sent. ``oversize`` says whether a text that is too long
    is refused or cut.
    """

    PERSON: Handling
    PHONE: Handling
    EMAIL: Handling
    ADDRESS: Handling
    ID: Handling
    ACCOUNT: Handling
    BUSINESS: Handling
    DATE: Handling
    AMOUNT: Handling
    oversize: Oversize


class Decorator(Protocol):
    """What `billed_feature` gives: a decorator that keeps parameters and result type."""

    @overload
    def __call__(self, builder: Callable[P, Coroutine[Any, Any, Prompt[R]]], /) -> AsyncFeature[P, R]: ...
    @overload
    def __call__(self, builder: Callable[P, Generator[Prompt[Any], Any, Prompt[R]]], /) -> Feature[P, R]: ...
    @overload
    def __call__(self, builder: Callable[P, Prompt[R]], /) -> Feature[P, R]: ...


def billed_feature(  # noqa: PLR0913  # one keyword per line of the price list and the route; all but the key optional
    key: str,
    *,
    credits: str | int | Decimal | Credits | None = None,  # noqa: A002  # the word of the price list
    tier: Tier = "small",
    cache: str | timedelta | None = _DEFAULT_CACHE,
    version: str = "1",
    max_tokens: int = _DEFAULT_MAX_TOKENS,
    name: str | None = None,
    description: str | None = None,
    category: Category = "basic",
    cache_scope: CacheScope = "business",
    variants: int = 1,
    tokens: tuple[int, int] | None = None,
    popular: bool = False,
    loss_leader: bool = False,
    privacy: PrivacyPolicy | None = None,
    fold: int = 1,
    thinking: Thinking = "off",
) -> Decorator:
    """Make a paid AI feature of a prompt builder.

    The builder is a pure function from arguments to a `Prompt`; it stays
    callable as ``feature.__wrapped__``. The feature's docstring is the builder's.

    Args:
        key: Stable name, e.g. ``credit_opinion``; a built-in key keeps its listed price and name.
        credits: Price per call. None: settings, else the catalogue.
        tier: Which configured models answer.
        cache: How long answers are kept (``"6h"``, ``"7d"``, a `timedelta`), None for not at all.
        cache_scope: ``"business"``, or ``"shared"``: one answer for all businesses, where a prompt says nothing of
            the one it is asked for (constant words, `Pii` slots, enums, bands, `Public` text).
        version: Prompt version; raise it when the wording changes, and stored answers are not used again.
        max_tokens: Output cap sent with every request.
        name: Name for people; default from the key.
        description: Line on the price list; default the builder's first docstring line.
        category: Shelf of the price list.
        variants: How many different answers may be kept for one masked prompt.
        tokens: Input and output tokens of a typical call, measured; `ai-addons check` shows cost and margin from them.
        popular: Flag of the price list.
        loss_leader: Whether a price below cost is meant.
        privacy: What happens to personal data, e.g. ``{"ID": "refuse", "PHONE": "drop"}``; settings win.
        fold: How many calls of it one request may carry in a batch; each is still masked, checked, charged and kept
            by itself.
        thinking: How much the model thinks before it answers: ``"off"``, ``"low"``, ``"medium"``, ``"high"``. It is
            billed as output, so it makes a call several times dearer; room for it is added to ``max_tokens``.

    Raises:
        TypeError: For a price given as float.
        ConfigError: For a key, a price, a duration or a privacy policy that cannot be one.
        FeatureExists: If another function of this host has the key.
    """
    if not _KEY.fullmatch(key):
        msg = f"{key!r} is no feature key. Use lower-case letters, digits and underscores, e.g. 'shelf_label'."
        raise ConfigError(msg)
    if not 1 <= fold <= MOST_FOLDED:
        msg = f"Feature {key!r}: fold is 1 to {MOST_FOLDED}, not {fold}. Nothing was charged."
        raise ConfigError(msg)
    price, keep, policy = _read_price(key, credits), _read_cache(key, cache), _read_policy(key, privacy)

    def decorate(builder: Callable[..., Any]) -> Feature[..., Any] | AsyncFeature[..., Any]:
        summary = (inspect.getdoc(builder) or key).splitlines()[0]
        spec = FeatureSpec(
            key=key,
            name=name or key.replace("_", " ").capitalize(),
            description=description or summary,
            category=category,
            credits=price,
            tier=tier,
            cache=keep,
            version=version,
            max_tokens=max_tokens,
            tokens=tokens,
            cache_scope=cache_scope,
            variants=variants,
            popular=popular,
            loss_leader=loss_leader,
            privacy=policy,
            fold=fold,
            thinking=thinking,
        )
        return _declare(spec, builder)

    return cast("Decorator", decorate)


def sold_as(spec: FeatureSpec) -> Decorator:
    """Make a feature of a builder and a finished specification; the built-in features use it."""
    return cast("Decorator", partial(_declare, spec))


def _declare(spec: FeatureSpec, builder: Callable[..., Any]) -> Feature[..., Any] | AsyncFeature[..., Any]:
    if not isinstance(builder, FunctionType):
        msg = f"Feature {spec.key!r}: a builder is a function written with def, not a {type(builder).__name__}."
        raise ConfigError(msg)
    definition: Definition[Any] = Definition(spec, builder, answer_type(builder, names_around(builder)))
    kind = AsyncFeature[..., Any] if inspect.iscoroutinefunction(builder) else Feature[..., Any]
    feature = kind(definition, CallOptions())
    feature.declare()
    return feature


def _read_cache(key: str, cache: str | timedelta | None) -> timedelta | None:
    try:
        return cast("timedelta | None", read_duration(cache))
    except ValueError as error:
        msg = f"Feature {key!r}: cache={error}. Nothing was charged."
        raise ConfigError(msg) from None


def _read_policy(key: str, policy: PrivacyPolicy | None) -> FeaturePrivacySettings | None:
    if policy is None:
        return None
    try:
        return FeaturePrivacySettings.model_validate(policy)
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False, include_context=False)[0]
        word = ".".join(str(part).upper() for part in wrong["loc"])
        hint = did_you_mean(word, [name.upper() for name in FeaturePrivacySettings.model_fields])
        reason = f"there is no {word}{hint}" if wrong["type"] == "extra_forbidden" else f"{word}: {wrong['msg']}"
        msg = f'Feature {key!r}: privacy: {reason}. Nothing was charged. Write e.g. privacy={{"PHONE": "drop"}}.'
        raise ConfigError(msg) from None


def _read_price(key: str, price: str | int | Decimal | Credits | None) -> Credits | None:
    if price is None:
        return None
    try:
        read = Credits(price)
    except (TypeError, ValueError) as error:
        msg = f'Feature {key!r}: {error}. Nothing was charged. Write e.g. credits="0.1".'
        raise type(error)(msg) from None
    if read < Credits(0):
        msg = f"Feature {key!r}: a price is zero or more, not {read.short}. Nothing was charged."
        raise ConfigError(msg)
    return read
