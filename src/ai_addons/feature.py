"""`billed_feature`: turns a prompt builder into a paid AI feature."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace
from datetime import timedelta
from functools import partial, update_wrapper
from types import FunctionType, SimpleNamespace
from typing import (
    TYPE_CHECKING,
    Any,
    Final,
    Generic,
    ParamSpec,
    Protocol,
    Self,
    TypedDict,
    TypeVar,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    overload,
)

from pydantic import ValidationError

from ai_addons._invocation import CallOptions, Invocation
from ai_addons.batch import BoundCall
from ai_addons.catalog import MOST_FOLDED, CacheScope, Category, FeatureSpec, Tier, declared
from ai_addons.errors import ConfigError, NoPayer
from ai_addons.money import Credits
from ai_addons.prompt import Prompt, Steps
from ai_addons.scope import Payer, Scope
from ai_addons.settings import FeaturePrivacySettings, Handling, Oversize, Thinking, did_you_mean, read_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Mapping
    from contextlib import AbstractContextManager
    from decimal import Decimal

    from ai_addons.addons import AddOns
    from ai_addons.receipt import Billed, Quote
    from ai_addons.streams import AsyncTextStream, TextStream
    from ai_addons.till import Till

P = ParamSpec("P")
R = TypeVar("R")

_DEFAULT_CACHE: Final = timedelta(hours=6)
_DEFAULT_MAX_TOKENS: Final = 800
_BY_PLACE: Final = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")

_payer: Final[Scope[Payer | None]] = Scope("ai_addons_payer", None)


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


def bill_to(business: str, *, user: str | None = None) -> AbstractContextManager[Payer | None]:
    """Say who pays for the calls in a ``with`` block.

    Args:
        business: The business whose credits are used.
        user: Who asked, for the books.
    """
    return _payer.set(Payer(business, user))


class _Definition(Generic[R]):
    """What was decorated: the builder with its specification and answer type."""

    def __init__(self, spec: FeatureSpec, builder: Callable[..., Any], answer: object) -> None:
        self.spec = spec
        self.builder = builder
        self._answer = answer
        self._signature = inspect.signature(builder)
        parameters = self._signature.parameters.values()
        self._in_order = (
            tuple(one.name for one in parameters) if all(one.kind in _BY_PLACE for one in parameters) else None
        )
        # What makes a feature read like the function it wraps: name, docstring, signature.
        self.looks: Mapping[str, Any] = vars(update_wrapper(cast("Callable[..., Any]", SimpleNamespace()), builder))

    @property
    def answer(self) -> object:
        """The type in the brackets of ``Prompt[…]``; names unknown at decoration are looked up now."""
        if self._answer is None:
            self._answer = _answer_type(self.builder, None)
        return self._answer

    def invocation(self, /, *args: object, **kwargs: object) -> Invocation[R]:
        """Bind arguments by name, defaults included, so that equal calls have equal hashes."""
        build: Callable[[], Prompt[R] | Steps[R]] = partial(self.builder, *args, **kwargs)
        return Invocation(
            spec=self.spec,
            answer=self.answer,
            arguments=self._arguments(args, kwargs),
            build=build,
            builder=self.builder,
        )

    def _arguments(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> dict[str, object]:
        """Arguments by name.

        Raises:
            TypeError: For arguments that the builder does not take.
        """
        if self._in_order is not None and not kwargs and len(args) == len(self._in_order):
            # Most calls, and to bind them takes several times as long.
            return dict(zip(self._in_order, args, strict=True))
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return dict(bound.arguments)

    def text_invocation(self, /, *args: object, **kwargs: object) -> Invocation[R]:
        """The same for a feature that answers text.

        Raises:
            ConfigError: If it answers anything else.
        """
        if self.answer is not str:
            msg = (
                f"{self.spec.key!r} answers {getattr(self.answer, '__name__', self.answer)}, and only text can be read "
                "while it is written. Nothing was charged. Call the feature instead of its `stream`."
            )
            raise ConfigError(msg)
        return self.invocation(*args, **kwargs)


class _Bound(Generic[P, R]):
    """What sync and async features share: their definition, their options, and finding the till."""

    __name__: str

    def __init__(self, definition: _Definition[R], options: CallOptions) -> None:
        self._definition = definition
        self._options = options
        vars(self).update(definition.looks)

    @property
    def spec(self) -> FeatureSpec:
        """Key, price, tier and limits of this feature."""
        return self._definition.spec

    def __repr__(self) -> str:
        """Name the feature."""
        return f"<{type(self).__name__} {self.spec.key}>"

    def declare(self) -> None:
        """Put this feature on sale in this process; decorating does it, and doing it again is harmless.

        Raises:
            FeatureExists: If another function of this host has the key.
        """
        builder = self._definition.builder
        declared.add(self.spec, f"{builder.__module__}.{builder.__qualname__}")

    def _paying(self) -> Payer:
        """Who pays for a call that is made now.

        Raises:
            NoPayer: If nobody is known to.
        """
        payer = _payer.get()
        business = self._options.business
        if business is None and payer is not None:
            business = payer.business
        if not business:
            msg = (
                f"Nobody is known to pay for {self.spec.key!r}, so it was not called and nothing was charged. "
                f"Wrap the call in `with bill_to(business_id):` or use `.options(business=…)`."
            )
            raise NoPayer(msg)
        user = self._options.user or (payer.user if payer is not None and payer.business == business else None)
        return Payer(business, user)

    def _till(self) -> Till:
        from ai_addons.addons import current  # noqa: PLC0415  # declaring a feature does not load the store

        payer = self._paying()
        return (self._options.addons or current()).till(payer.business, payer.user)

    def options(
        self,
        *,
        business: str | None = None,
        user: str | None = None,
        idempotency_key: str | None = None,
        model: str | None = None,
        deadline: timedelta | None = None,
        cache: bool | None = None,
        addons: AddOns | None = None,
    ) -> Self:
        """This feature with some options set; see `CallOptions`."""
        given = {name: value for name, value in locals().items() if name != "self" and value is not None}
        return type(self)(self._definition, replace(self._options, **given))


class Feature(_Bound[P, R]):
    """A paid AI feature with a plain ``def`` builder; call it like the function it wraps."""

    __wrapped__: Callable[P, Prompt[R]]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Make the call and give its value.

        Raises:
            NoPayer: If nobody is known to pay.
            InsufficientCreditsError: If credits are short; the model was not asked.
            CallError: If there is no usable answer; nothing was charged.
        """
        invocation = self._definition.invocation(*args, **kwargs)
        # Out of this frame: a crash reporter prints the locals of every frame that an error passes.
        del args, kwargs
        return self._till().run(invocation, self._options).value

    def billed(self, *args: P.args, **kwargs: P.kwargs) -> Billed[R]:
        """Make the call and give its value with the receipt."""
        invocation = self._definition.invocation(*args, **kwargs)
        del args, kwargs
        return self._till().run(invocation, self._options)

    def quote(self, *args: P.args, **kwargs: P.kwargs) -> Quote:
        """Say what the call would cost now; nothing is called or charged."""
        invocation = self._definition.invocation(*args, **kwargs)
        del args, kwargs
        return self._till().quote(invocation, self._options)

    def bind(self, *args: P.args, **kwargs: P.kwargs) -> BoundCall[R]:
        """The call with its arguments and options, not made yet; for `AddOns.batch`.

        Raises:
            TypeError: For arguments that the builder does not take.
        """
        invocation = self._definition.invocation(*args, **kwargs)
        del args, kwargs
        return BoundCall(invocation=invocation, options=self._options, payer=self._paying)

    def stream(self: Feature[P, str], *args: P.args, **kwargs: P.kwargs) -> TextStream:
        """Make the call and read its answer while it is written; for features that answer text.

        Who pays is settled here; nothing is held or asked before the first piece is read. Reading raises what a
        call raises. A reader who stops after the first piece pays the price in full; where the provider breaks off
        nothing is charged.

        Raises:
            NoPayer: If nobody is known to pay.
            ConfigError: If the feature answers anything but text, or composes its result.
        """
        invocation = self._definition.text_invocation(*args, **kwargs)
        del args, kwargs
        return self._till().stream(invocation, self._options)

    @property
    def aio(self) -> AsyncFeature[P, R]:
        """The same feature for async hosts: ``await feature.aio(…)``."""
        return AsyncFeature(self._definition, self._options)


class AsyncFeature(_Bound[P, R]):
    """A paid AI feature for ``await``; its builder may be ``async def`` or plain."""

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Make the call and give its value; raises like `Feature`."""
        asked = self.billed(*args, **kwargs)
        # As in `Feature`: personal data stays out of the frames that an error passes. (Of a task that is cancelled
        # before it begins, Python itself keeps the arguments.)
        del args, kwargs
        return (await asked).value

    async def billed(self, *args: P.args, **kwargs: P.kwargs) -> Billed[R]:
        """Make the call and give its value with the receipt."""
        invocation = self._definition.invocation(*args, **kwargs)
        del args, kwargs
        till = self._till()
        return await till.arun(await self._built(invocation), self._options)

    async def quote(self, *args: P.args, **kwargs: P.kwargs) -> Quote:
        """Say what the call would cost now; nothing is called or charged."""
        invocation = self._definition.invocation(*args, **kwargs)
        del args, kwargs
        till = self._till()
        return await till.aquote(await self._built(invocation), self._options)

    def bind(self, *args: P.args, **kwargs: P.kwargs) -> BoundCall[R]:
        """The call with its arguments and options, not made yet; for ``addons.aio.batch``."""
        invocation = self._definition.invocation(*args, **kwargs)
        del args, kwargs
        ready = partial(self._built, invocation) if inspect.iscoroutinefunction(self._definition.builder) else None
        return BoundCall(invocation=invocation, options=self._options, payer=self._paying, ready=ready)

    def stream(self: AsyncFeature[P, str], *args: P.args, **kwargs: P.kwargs) -> AsyncTextStream:
        """Make the call and read its answer while it is written: ``async for``; see `Feature.stream`."""
        invocation = self._definition.text_invocation(*args, **kwargs)
        del args, kwargs
        return self._till().astream(partial(self._built, invocation), self._options)

    async def _built(self, invocation: Invocation[R]) -> Invocation[R]:
        """The same with its prompt at hand, where an ``async def`` has to be waited for."""
        if not inspect.iscoroutinefunction(self._definition.builder):
            return invocation
        prompt = await cast("Coroutine[Any, Any, Prompt[R]]", invocation.build())
        return replace(invocation, build=lambda: prompt)


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
    definition: _Definition[Any] = _Definition(spec, builder, _answer_type(builder, _names_around(builder)))
    kind = AsyncFeature[..., Any] if inspect.iscoroutinefunction(builder) else Feature[..., Any]
    feature = kind(definition, CallOptions())
    feature.declare()
    return feature


def _names_around(builder: Callable[..., Any]) -> Mapping[str, Any]:
    """Names of the block where a builder is being decorated: its answer type may be a class of that block."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_code.co_filename != builder.__code__.co_filename:
        frame = frame.f_back
    return {} if frame is None else dict(frame.f_locals)


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


def _answer_type(builder: Callable[..., Any], names: Mapping[str, Any] | None) -> object:
    """The R of the builder's ``-> Prompt[R]`` or ``-> Steps[R]``; None while a name in it is not known yet.

    Args:
        builder: The decorated function.
        names: Local names at decoration; None for the last try, at the first call.

    Raises:
        ConfigError: If the builder does not say what it returns.
    """
    try:
        # Only the return annotation: parameters may name types that exist for the type checker alone.
        returns = SimpleNamespace(__annotations__={"return": builder.__annotations__.get("return")})
        hints = get_type_hints(returns, builder.__globals__, dict(names) if names is not None else None)
    except NameError as error:
        if names is not None:
            return None
        msg = f"The answer type of {builder.__qualname__} cannot be found: {error}. Nothing was charged."
        raise ConfigError(msg) from None
    returned = hints.get("return")
    for candidate in (returned, *get_args(returned)[2:3]):
        if candidate is Prompt:
            return str
        if get_origin(candidate) is Prompt:
            return get_args(candidate)[0]
    msg = f"{builder.__qualname__} must say what it returns: `-> Prompt[YourModel]`. Nothing was charged."
    raise ConfigError(msg)
