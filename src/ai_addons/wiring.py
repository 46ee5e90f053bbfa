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
from ai_addons.billing.packs import offers
from ai_addons.billing.rates import static_rate
from ai_addons.billing.sql import Database
from ai_addons.billing.store import Store
from ai_addons.cache.keys import Keys
from ai_addons.cache.secret import secret_file
from ai_addons.clock import SystemClock, Uuid7
from ai_addons.llm.costs import PriceBook
from ai_addons.llm.retry import ModelCaller

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from concurrent.futures import Executor
    from datetime import timedelta

    from ai_addons.billing.policy import Policy
    from ai_addons.cache.base import AnswerCache
    from ai_addons.catalog import Offer
    from ai_addons.clock import Clock, Ids
    from ai_addons.events import EventHook
    from ai_addons.llm.base import Llm
    from ai_addons.money import Credits
    from ai_addons.privacy.base import Masker
    from ai_addons.settings import Settings

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
        self.policy: Policy = plugins.load("policies", settings.billing.policy)()
        self.prices: PriceBook = PriceBook(settings.prices.models, allow_unpriced=settings.prices.allow_unpriced)
        self.database: Database = Database(settings.store.url)
        self.store: Store = Store(
            self.database,
            clock=self.clock,
            ids=self._ids,
            rate=static_rate(settings.fx),
            hold_ttl=micros(settings.call.hold_ttl),
            low=settings.billing.low_balance,
            offers=self._offers,
        )

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

    def llm_for(self, model: str) -> Llm:
        """The adapter for a route: the offline model, else LiteLLM."""
        if self._llm is not None:
            return self._llm
        name = "offline" if model == OFFLINE else "litellm"
        with self._lock:
            if name not in self._llms:
                self._llms[name] = plugins.load("llms", name)(providers=self.settings.providers, environ=self.environ)
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

    def _offers(self, shortfall: Credits) -> tuple[Offer, ...]:
        return offers(self.policy.packs(), shortfall)

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
        # Books in memory end with the process, and so may their keys.
        return Keys(secrets.token_bytes(_RANDOM_SECRET) if path is None else secret_file(Path(f"{path}.key")))


def micros(duration: timedelta) -> int:
    """A duration in whole microseconds."""
    return round(duration.total_seconds() * 1_000_000)
