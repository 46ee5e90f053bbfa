"""The parts behind `AddOns`, made from the settings: books, cache, models, privacy.

Making the parts opens nothing: the database connects at its first statement,
LiteLLM is imported at the first real call, threads start when they are needed.
"""

from __future__ import annotations

import os
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import random
from typing import TYPE_CHECKING, Final

from ai_addons import plugins
from ai_addons._call import Kit
from ai_addons.billing.books import Books, Terms
from ai_addons.billing.budget import Budget
from ai_addons.billing.funding import Funding
from ai_addons.billing.given import pico_usd
from ai_addons.billing.limiting import Limits
from ai_addons.billing.limits import SCOPES, WINDOWS, Limit
from ai_addons.billing.operations import Operations
from ai_addons.billing.outbox import Outbox, open_outbox
from ai_addons.billing.packs import offers
from ai_addons.billing.pricing import Pricing
from ai_addons.billing.profile import unknown
from ai_addons.billing.rates import static_rate
from ai_addons.billing.spending import Purse
from ai_addons.billing.sql import Database
from ai_addons.billing.store import Store
from ai_addons.billing.subscriptions import Subscriptions
from ai_addons.cache.keys import Keys
from ai_addons.cache.secret import secret_file
from ai_addons.clock import SystemClock, Uuid7
from ai_addons.errors import ConfigError
from ai_addons.llm.costs import PriceBook
from ai_addons.llm.retry import ModelCaller

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Executor
    from datetime import timedelta

    from ai_addons.billing.limits import Window
    from ai_addons.billing.policy import Policy
    from ai_addons.billing.profile import BusinessProfile
    from ai_addons.cache.base import AnswerCache
    from ai_addons.catalog import Offer
    from ai_addons.clock import Clock, Ids
    from ai_addons.events import EventHook
    from ai_addons.llm.base import Llm
    from ai_addons.money import Credits, PicoUsd
    from ai_addons.privacy.base import Masker
    from ai_addons.settings import LimitSettings, Settings

OFFLINE: Final = "offline/sample"
"""The route of the offline model."""

_RANDOM_SECRET: Final = 32
_STORE_THREADS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a till works with."""

    kit: Kit
    caller: ModelCaller
    threads: Executor


class Wiring:
    """Makes the parts once, and lets go of them.

    Args:
        settings: All settings.
        clock: Source of time; None for the machine's.
        ids: Source of ids; None for UUIDv7.
        hooks: Receive every event.
        llm: Used for every model in place of the configured adapters.
        environ: Where provider keys are looked up; None for the process's own.
        profile: What the host knows of a business.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None,
        ids: Ids | None,
        hooks: Sequence[EventHook],
        llm: Llm | None,
        environ: Mapping[str, str] | None,
        profile: Callable[[str], BusinessProfile] | None = None,
    ) -> None:
        self.settings = settings
        self.environ: Mapping[str, str] = environ if environ is not None else os.environ
        self.clock: Clock = clock if clock is not None else SystemClock()
        self._ids: Ids = ids if ids is not None else Uuid7()
        self._hooks = tuple(hooks)
        self._llm = llm
        self._lock = threading.RLock()
        self._llms: dict[str, Llm] = {}
        self._keys: Keys | None = None
        self._desk: tuple[Desk, ThreadPoolExecutor] | None = None
        self._desk_of = 0
        self._policies: dict[str, Policy] = {}
        self.policy: Policy = self.policy_named(None)
        self.prices: PriceBook = PriceBook(settings.prices.models, allow_unpriced=settings.prices.allow_unpriced)
        self.database: Database = Database(settings.store.url)
        self.books: Books = Books(self.database, clock=self.clock, ids=self._ids, terms=self._make_terms(profile))
        self.store: Store = Store(self.books)
        self.funding: Funding = Funding(self.books, trial_budget=settings.billing.trial_budget)
        self.subscriptions: Subscriptions = Subscriptions(self.books)
        self.operations: Operations = Operations(self.books)
        self.limits: Limits = Limits(self.books)
        self.pricing: Pricing = Pricing(
            self.books,
            clock=self.clock,
            policies=self._all_policies,
            floor_margin=settings.prices.floor_margin,
            target_margin=settings.prices.target_margin,
            refresh_us=micros(settings.prices.refresh),
        )
        self.outbox: Outbox = open_outbox(self.books, settings.webhooks, clock=self.clock, random=random)

    def policy_named(self, name: str | None) -> Policy:
        """A billing policy, made once; the default one for None.

        Raises:
            UnknownPlugin: If there is none of that name.
        """
        chosen = self.settings.billing.policy if name is None else name
        with self._lock:
            if chosen not in self._policies:
                self._policies[chosen] = plugins.load("policies", chosen)()
            return self._policies[chosen]

    def desk(self) -> Desk:
        """The parts a call needs."""
        with self._lock:
            if self._desk is None or self._desk_of != os.getpid():
                # A child that was forked has none of its parent's threads.
                self._desk_of = os.getpid()
                threads = ThreadPoolExecutor(_STORE_THREADS, thread_name_prefix="ai_addons")
                self._desk = (Desk(kit=self._make_kit(), caller=self._make_caller(), threads=threads), threads)
            return self._desk[0]

    def keys(self) -> Keys:
        """Keyed hashes of requests, cache entries, trial claims and names in logs.

        Raises:
            ConfigError: If the key file is not safe.
        """
        with self._lock:
            if self._keys is None:
                self._keys = self._make_keys()
            return self._keys

    def former_keys(self) -> list[Keys]:
        """The same under secrets used before."""
        return [Keys(secret.get_secret_value().encode()) for secret in self.settings.former_secrets]

    def llm_for(self, model: str) -> Llm:
        """The adapter for a route: the offline model, else LiteLLM."""
        if self._llm is not None:
            return self._llm
        name = "offline" if model == OFFLINE else "litellm"
        with self._lock:
            if name not in self._llms:
                self._llms[name] = self._make_llm(name)
            return self._llms[name]

    def close(self) -> None:
        """Let go of the store, the cache and the threads; a later use makes them again."""
        with self._lock:
            if self._desk is not None:
                desk, threads = self._desk
                self._desk = None
                threads.shutdown(wait=True)
                if desk.kit.cache is not None:
                    desk.kit.cache.close()
            self.database.close()

    def _make_terms(self, profile: Callable[[str], BusinessProfile] | None) -> Terms:
        settings = self.settings
        return Terms(
            rate=static_rate(settings.fx),
            hold_ttl=micros(settings.call.hold_ttl),
            low=settings.billing.low_balance,
            policy=self.policy_named,
            packs=lambda policy, at: self.pricing.packs_at_hand(policy, at),  # noqa: PLW0108  # made after these terms
            limits=limits_of(settings.limits),
            warn_at=settings.limits.warn_at,
            purse=purse_of(settings),
            operator_tz=settings.limits.operator_tz,
            profile=profile if profile is not None else unknown,
            cooldown=micros(settings.billing.alert_cooldown),
            outbox=settings.webhooks.url is not None,
            hooks=self._hooks,
        )

    def _all_policies(self) -> tuple[Policy, ...]:
        """The default one and every installed one: any business may be given any of them."""
        return (self.policy, *(make() for make in plugins.load_all("policies")))

    def _offers(self, policy: str | None, shortfall: Credits) -> tuple[Offer, ...]:
        """What a business of this policy can buy against a shortfall."""
        return offers(self.pricing.packs_at_hand(self.policy_named(policy), self.clock.now()), shortfall)

    def _make_kit(self) -> Kit:
        masker: Masker = plugins.load("maskers", self.settings.privacy.masker)(self.settings.privacy)
        return Kit(
            store=self.store,
            cache=self._make_cache(),
            masker=masker,
            keys=self.keys(),
            prices=self.prices,
            clock=self.clock,
            ids=self._ids,
            hooks=self._hooks,
            offers=self._offers,
        )

    def _make_llm(self, name: str) -> Llm:
        make: Callable[..., Llm] = plugins.load("llms", name)
        if name == "offline":
            return make(self.settings.offline, self.clock)
        return make(providers=self.settings.providers, environ=self.environ)

    def _make_caller(self) -> ModelCaller:
        return ModelCaller(self.llm_for, self.prices, self.clock, attempts=self.settings.call.attempts, random=random)

    def _make_cache(self) -> AnswerCache | None:
        backend = self.settings.cache.backend
        if backend == "off":
            return None
        cache: AnswerCache = plugins.load("caches", backend)(self.settings.cache, self.clock)
        return cache

    def _make_keys(self) -> Keys:
        given, path = self.settings.secret, self.database.path
        if given is not None:
            return Keys(given.get_secret_value().encode())
        if self.database.postgres:
            msg = (
                "Books in PostgreSQL need a secret that all hosts share. Nothing was charged. "
                "Set AI_ADDONS_SECRET to 32 or more random characters, the same everywhere."
            )
            raise ConfigError(msg)
        # Books in memory end with the process, and so may their keys.
        return Keys(secrets.token_bytes(_RANDOM_SECRET) if path is None else secret_file(Path(f"{path}.key")))


def micros(duration: timedelta) -> int:
    """A duration in whole microseconds."""
    return round(duration.total_seconds() * 1_000_000)


def purse_of(settings: Settings) -> Purse:
    """The provider budget of the settings."""
    budget = settings.budget
    sums: dict[Window, PicoUsd | None] = {"day": pico_usd(budget.usd_day), "month": pico_usd(budget.usd_month)}
    return Purse(
        budgets=tuple(Budget(window=window, amount=amount) for window, amount in sums.items() if amount is not None),
        warn_at=budget.warn_at,
        tz=settings.limits.operator_tz,
    )


def limits_of(settings: LimitSettings) -> tuple[Limit, ...]:
    """The limits of the settings."""
    return tuple(
        Limit(scope=scope, window=window, amount=amount)
        for scope in SCOPES
        for window in WINDOWS
        if (amount := getattr(settings, f"{scope}_{window}")) is not None
    )
