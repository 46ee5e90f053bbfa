"""`Definition`: what was decorated, and a call of it with its arguments in place."""

from __future__ import annotations

import inspect
from functools import partial, update_wrapper
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast, get_args, get_origin, get_type_hints

from ai_addons._invocation import Invocation
from ai_addons.errors import ConfigError
from ai_addons.prompt import Prompt, Steps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ai_addons.catalog import FeatureSpec

R = TypeVar("R")

_BY_PLACE: Final = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Definition(Generic[R]):
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
            self._answer = answer_type(self.builder, None)
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


def names_around(builder: Callable[..., Any]) -> Mapping[str, Any]:
    """Names of the block where a builder is being decorated: its answer type may be a class of that block."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_code.co_filename != builder.__code__.co_filename:
        frame = frame.f_back
    return {} if frame is None else dict(frame.f_locals)


def answer_type(builder: Callable[..., Any], names: Mapping[str, Any] | None) -> object:
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
