"""`AddOns`: the object a host makes once and everything is reached through."""

from __future__ import annotations

from contextvars import ContextVar
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Self, TypeVar

from ai_addons._bar import shown
from ai_addons._batch import Batch, Job, arun_batch, run_batch
from ai_addons._call import Call
from ai_addons.addons.on_sale import OnSale
from ai_addons.aio import AsyncAddOns
from ai_addons.batch import BatchResult
from ai_addons.billing.published import version_name
from ai_addons.catalog import declared
from ai_addons.errors import ConfigError, NotEnabled, PrivacyRefused, bare
from ai_addons.llm.thinking import room
from ai_addons.privacy.masked import mask_once
from ai_addons.privacy.rules import rules_of
from ai_addons.scope import Payer
from ai_addons.settings import HOLD_MARGIN, FeatureSettings, Settings
from ai_addons.till import Till
from ai_addons.wiring import Wiring, micros

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from ai_addons._invocation import CallOptions, Invocation
    from ai_addons.batch import BatchProgress, BoundCall
    from ai_addons.billing.gateways.base import Gateway
    from ai_addons.billing.profile import BusinessProfile
    from ai_addons.billing.sql import Database
    from ai_addons.catalog import FeatureSpec, Registry
    from ai_addons.clock import Clock, Ids
    from ai_addons.events import EventHook
    from ai_addons.llm.base import Llm
    from ai_addons.privacy.base import Rules
    from ai_addons.privacy.masked import Masked
    from ai_addons.settings import FeaturePrivacySettings

R = TypeVar("R")

open_blocks: Final[ContextVar[tuple[AddOns, ...]]] = ContextVar("ai_addons_blocks", default=())
"""The objects of the ``with`` blocks that are open here, the innermost last."""


class AddOns(OnSale):
    """Everything the AI features need, made once per process.

    Nothing is opened, imported or called before it is needed.

    Args:
        settings: Settings; None reads them from environment and files.
        clock: Source of time.
        ids: Source of ids.
        hooks: Receive every event.
        llm: Used for every model in place of the configured adapters; tests give a fake.
        registry: The features on sale; None for all that this process declared.
        environ: Where provider keys are looked up; None for the process's own.
        profile: What the host knows of a business: its zone, the date its months are counted from, the
            owner's phone and tax number. Must not call back into this object.
        gateways: Payment gateways to use in place of those of the settings, the usual one first; tests give a fake.
        active_businesses: Ids of all businesses that subscribe to the host now; without it KPIs that need them say
            so. Must not call back into this object.
        database: Where the books are, in place of ``store.url``; for hosts that lend their own connections, as
            `ai_addons.contrib.django.borrowed` does.
    """

    def __init__(  # noqa: PLR0913  # all that a host may bring of its own
        self,
        settings: Settings | None = None,
        *,
        clock: Clock | None = None,
        ids: Ids | None = None,
        hooks: Sequence[EventHook] = (),
        llm: Llm | None = None,
        registry: Registry | None = None,
        environ: Mapping[str, str] | None = None,
        profile: Callable[[str], BusinessProfile] | None = None,
        gateways: Sequence[Gateway] = (),
        active_businesses: Callable[[], Collection[str]] | None = None,
        database: Database | None = None,
    ) -> None:
        self.settings: Settings = settings if settings is not None else Settings()
        self._registry = registry if registry is not None else declared
        self._known_rules: dict[str, tuple[FeaturePrivacySettings | None, Rules]] = {}
        super().__init__(
            Wiring(
                self.settings,
                clock=clock,
                ids=ids,
                hooks=hooks,
                llm=llm,
                environ=environ,
                profile=profile,
                gateways=gateways,
                active_businesses=active_businesses,
                database=database,
            ),
            names=self._name_of,
            price=lambda key: self.prices.listing(self.feature(key)).credits,
            is_enabled=self._is_enabled,
        )
        self.aio: AsyncAddOns = AsyncAddOns(self)

    @classmethod
    def from_env(cls) -> Self:
        """Wire up from ``AI_ADDONS_*`` variables and TOML files alone."""
        return cls()

    @property
    def environ(self) -> Mapping[str, str]:
        """Where provider keys are looked up."""
        return self._wiring.environ

    @property
    def store_name(self) -> str:
        """Where the books are kept, for people."""
        return self._wiring.database.name

    @property
    def secret_name(self) -> str:
        """Where the secret is kept, for people.

        Raises:
            ConfigError: If there is none, or its key file is not safe: no call can be made and no pseudonym.
        """
        (version, _), *former = self._wiring.numbered_keys()
        if self.settings.secret is not None:
            return f"set, version {version}, {len(former)} former ones listed"
        if self._wiring.database.path is None:
            return "a new one in every process, as the books in memory are"
        return f"a key file beside the store, version {version}"

    # Calls.

    def till(self, business: str, user: str | None = None) -> Till:
        """Where one business's calls are rung up; what `bill_to` uses underneath."""
        return Till(self, self._wiring, Payer(business, user))

    def batch(
        self,
        calls: Iterable[BoundCall[R]],
        *,
        concurrency: int | None = None,
        deadline: timedelta | None = None,
        on_progress: Callable[[BatchProgress], object] | None = None,
        progress: bool = False,
    ) -> BatchResult[R]:
        """Make several calls of one business together.

        The sum of their prices is held before anything is sent; each is then charged or
        given back by itself, and one that fails does not end the others. Free repeats hold
        nothing; of calls that are the same one is made, and the others repeat it free.

        Args:
            calls: The calls, from ``feature.bind(…)``; they are begun in this order.
            concurrency: How many are made at a time; None for ``batch.concurrency``.
            deadline: Time for all of them; None for ``batch.deadline``. What is not begun by then is given back.
            on_progress: Told whenever a call ends, in another thread.
            progress: Whether to show a bar, if standard error is a terminal.

        Returns:
            An item for each call, in the order of ``calls``.

        Raises:
            NoPayer: If nobody is known to pay for one of them.
            ConfigError: If they are too many, of several businesses, or need an event loop.
            InsufficientCreditsError: If credits are short for the sum; nothing was sent.
            BillingError: If it cannot be held for another reason; nothing was sent.
            BatchInterrupted: At Ctrl-C; it carries what had ended.
        """
        with shown(on_progress, wanted=progress) as tell:
            job = self._job(calls, concurrency, deadline, tell)
            waiting = next((bound.feature for bound, _ in job.calls if bound.ready is not None), None)
            if waiting is not None:
                msg = (
                    f"The builder of {waiting!r} is async, so this batch was not made and nothing was charged. "
                    "Use `await addons.aio.batch(…)`."
                )
                raise ConfigError(msg)
            return run_batch(Batch(job, self._wiring, self.prepare)) if job.calls else BatchResult(())

    async def _abatch(
        self,
        calls: Iterable[BoundCall[R]],
        concurrency: int | None,
        deadline: timedelta | None,
        on_progress: Callable[[BatchProgress], object] | None,
        *,
        progress: bool,
    ) -> BatchResult[R]:
        with shown(on_progress, wanted=progress) as tell:
            job = self._job(calls, concurrency, deadline, tell)
            return await arun_batch(Batch(job, self._wiring, self.prepare)) if job.calls else BatchResult(())

    def _job(
        self,
        calls: Iterable[BoundCall[R]],
        concurrency: int | None,
        deadline: timedelta | None,
        on_progress: Callable[[BatchProgress], object] | None,
    ) -> Job[R]:
        """What is asked for, with who pays now.

        Raises:
            NoPayer: If nobody is known to pay for one of them.
            ConfigError: If they make no batch.
        """
        settings, payers = self.settings.batch, tuple((call, call.payer()) for call in calls)
        seconds = (settings.deadline if deadline is None else deadline).total_seconds()
        several = settings.concurrency if concurrency is None else concurrency
        faults = (
            (len(payers) > settings.most, f"it has {len(payers)} calls, and batch.most is {settings.most}"),
            (len({payer.business for _, payer in payers}) > 1, "its calls are of several businesses"),
            (any(call.options.addons not in (None, self) for call, _ in payers), "a call names another AddOns"),
            (several < 1, "its concurrency is below 1"),
            (seconds <= 0, "its deadline leaves no time"),
        )
        for applies, what in faults:
            if applies:
                msg = f"This batch was not made: {what}. Nothing was charged. Make it in parts, or correct it."
                raise ConfigError(msg)
        return Job(calls=payers, concurrency=several, seconds=seconds, on_progress=on_progress)

    def _rules(self, spec: FeatureSpec, own: FeatureSettings) -> Rules:
        """What happens to personal data in a feature; settings do not change, so it is worked out once."""
        known = self._known_rules.get(spec.key)
        if known is None or known[0] is not spec.privacy:
            known = spec.privacy, rules_of(own.privacy, spec.privacy, self.settings.privacy)
            self._known_rules[spec.key] = known
        return known[1]

    def prepare(self, invocation: Invocation[R], payer: Payer, options: CallOptions) -> Call[R]:
        """Settle everything about a call that can be settled before it starts.

        Raises:
            ConfigError: For a missing price, tier or provider; nothing was charged.
            NotEnabled: If the feature is off for this business.
        """
        spec, own = invocation.spec, self._feature_settings(invocation.spec.key)
        if not self._is_enabled(spec.key, payer.business):
            raise NotEnabled
        route = self.route(spec, options.model, business=payer.business)
        for model in route:
            self.model_prices.row(model)
        published = self._wiring.pricing.price(spec.key)
        keep = spec.cache if own.cache is None else own.cache
        limits = self.settings.call
        thinking = self._thinking(spec)
        deadline = options.deadline or limits.deadline
        if limits.hold_ttl < deadline + HOLD_MARGIN:
            msg = (
                f"A deadline of {deadline} needs a hold that lives a minute longer, and call.hold_ttl is "
                f"{limits.hold_ttl}. Nothing was charged. Raise call.hold_ttl in the settings."
            )
            raise ConfigError(msg)
        return Call(
            spec=spec,
            answer=invocation.answer,
            arguments=invocation.arguments,
            build=invocation.build,
            payer=payer,
            key=options.idempotency_key,
            price=spec.price(self.settings.prices.features) if published is None else published.credits,
            price_version=None if published is None else version_name(published),
            route=route,
            chosen=options.model,
            builder=invocation.builder,
            cache_for=keep.total_seconds() if isinstance(keep, timedelta) and options.cache else None,
            stale_for=own.stale_for.total_seconds(),
            max_tokens=(own.max_tokens or spec.max_tokens) + room(thinking),
            thinking=thinking,
            attempts=self.settings.call.attempts,
            seconds=deadline.total_seconds(),
            replay_us=micros(timedelta(days=limits.replay_days)),
            free_repeats=limits.free_repeats,
            fold=own.fold or spec.fold,
            rules=self._rules(spec, own),
        )

    # Upkeep.

    def mask(self, text: str = "", *, data: object = None, known: object = None) -> Masked:
        """Show what would be sent of a text and of data, and how to put an answer right.

        Nothing is sent, booked or written; no store and no key is needed.

        Args:
            text: Free text, as `Prompt` takes it.
            data: A model or other data, as `Prompt` takes it; fields marked with `Pii` are replaced in the text too.
            known: Data whose marked values are replaced as well, but which is not part of what is sent, such as
                the customer that a text is about.

        Raises:
            PrivacyRefused: If it cannot be masked safely.
        """
        masker = self._wiring.masker()
        try:
            return mask_once(masker, text, data=data, known=known)
        except PrivacyRefused as error:
            del text, data, known
            raise bare(error) from None

    def warm_up(self) -> None:
        """Open the store and load the model adapter and the masker now, so that the first caller does not wait."""
        self._wiring.store.sweep()
        for part in (self._wiring.masker(), self._wiring.llm_for(self.tier("small")[0])):
            load = getattr(part, "warm_up", None)
            if load is not None:
                load()

    def close(self) -> None:
        """Let go of the store, the cache and the worker threads; a later use opens them again."""
        self._wiring.close()

    def __enter__(self) -> Self:
        """Use this object inside the block."""
        open_blocks.set((*open_blocks.get(), self))
        return self

    def __exit__(self, *exc: object) -> None:
        """Go back to the one used before."""
        open_blocks.set(open_blocks.get()[:-1])
