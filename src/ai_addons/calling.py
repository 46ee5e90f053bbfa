"""`Feature` and `AsyncFeature`: how a paid feature is called, and who pays for it."""

from __future__ import annotations

import inspect
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, ParamSpec, Self, TypeVar, cast

from ai_addons.batch import BoundCall
from ai_addons.catalog import declared
from ai_addons.errors import NoPayer
from ai_addons.scope import Payer, Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextlib import AbstractContextManager
    from datetime import timedelta

    from ai_addons._invocation import CallOptions, Invocation
    from ai_addons.addons import AddOns
    from ai_addons.catalog import FeatureSpec
    from ai_addons.definition import Definition as _Definition  # what makes a feature is no promise
    from ai_addons.prompt import Prompt
    from ai_addons.receipt import Billed, Quote
    from ai_addons.streams import AsyncTextStream, TextStream
    from ai_addons.till import Till

P = ParamSpec("P")
R = TypeVar("R")

_payer: Final[Scope[Payer | None]] = Scope("ai_addons_payer", None)


def bill_to(business: str, *, user: str | None = None) -> AbstractContextManager[Payer | None]:
    """Say who pays for the calls in a ``with`` block.

    Args:
        business: The business whose credits are used.
        user: Who asked, for the books.
    """
    return _payer.set(Payer(business, user))


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
