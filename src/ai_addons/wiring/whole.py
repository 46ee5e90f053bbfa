"""`Wiring`: every part behind `AddOns`, made once."""

from __future__ import annotations

import os
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import random
from typing import TYPE_CHECKING, Final

from ai_addons import plugins
from ai_addons._call import Kit, Leftovers
from ai_addons.billing.books import Books, Terms
from ai_addons.billing.funding import Funding
from ai_addons.billing.fx.desk import RateDesk
from ai_addons.billing.limiting import Limits
from ai_addons.billing.opening import Shop
from ai_addons.billing.operating import Operating
from ai_addons.billing.operations import Operations
from ai_addons.billing.outbox import Outbox, open_outbox
from ai_addons.billing.packs import offers
from ai_addons.billing.payments import Payments
from ai_addons.billing.pricing import Pricing
from ai_addons.billing.profile import unknown
from ai_addons.billing.salts import Salts
from ai_addons.billing.sql import Database
from ai_addons.billing.store import Store
from ai_addons.billing.subscriptions import Subscriptions
from ai_addons.billing.throttle import Throttle
from ai_addons.cache.base import CacheFault
from ai_addons.cache.flights import Flights
from ai_addons.cache.keys import Keys
from ai_addons.cache.secret import secret_bytes, secret_file
from ai_addons.clock import SystemClock, Uuid7
from ai_addons.errors import ConfigError
from ai_addons.events import emit
from ai_addons.llm.breaker import Breaker
from ai_addons.llm.costs import PriceBook
from ai_addons.llm.retry import ModelCaller
from ai_addons.wiring.gateways import Gateways
from ai_addons.wiring.hooks import make_hook, not_async
from ai_addons.wiring.reading import circuit_rules, limits_of, micros, purse_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from concurrent.futures import Executor

    from pydantic import SecretStr

    from ai_addons.billing.gateways.base import Gateway
    from ai_addons.billing.policy import Policy
    from ai_addons.billing.profile import BusinessProfile
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
# No business can have this name: ids hold no NUL.
_INSTALLATION: Final = "\0installation"
_PREFIX_LENGTH: Final = 12


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
        gateways: Payment gateways to use in place of those of the settings, the usual one first.
        active_businesses: Tells the host's subscribers of now.
        database: Where the books are, in place of ``store.url``.
    """

    def __init__(  # noqa: PLR0913  # all that a host may bring of its own
        self,
        settings: Settings,
        *,
        clock: Clock | None,
        ids: Ids | None,
        hooks: Sequence[EventHook],
        llm: Llm | None,
        environ: Mapping[str, str] | None,
        profile: Callable[[str], BusinessProfile] | None = None,
        gateways: Sequence[Gateway] = (),
        active_businesses: Callable[[], Collection[str]] | None = None,
        database: Database | None = None,
    ) -> None:
        self.settings = settings
        self.active_businesses = active_businesses
        self.environ: Mapping[str, str] = environ if environ is not None else os.environ
        self.clock: Clock = clock if clock is not None else SystemClock()
        self._ids: Ids = ids if ids is not None else Uuid7()
        self._own_hooks = tuple(make_hook(name) for name in settings.events.hooks)
        self.hooks: tuple[EventHook, ...] = tuple(map(not_async, (*hooks, *self._own_hooks)))
        self._llm = llm
        self._lock = threading.RLock()
        self._llms: dict[str, Llm] = {}
        self._keys: Keys | None = None
        self._desk: tuple[Desk, ThreadPoolExecutor] | None = None
        self._desk_of = 0
        self._masker: tuple[int, Masker] | None = None
        self._policies: dict[str, Policy] = {}
        self.policy: Policy = self.policy_named(None)
        self.prices: PriceBook = PriceBook(settings.prices.models, allow_unpriced=settings.prices.allow_unpriced)
        self.database: Database = database if database is not None else Database(settings.store.url)
        self.books: Books = Books(self.database, clock=self.clock, ids=self._ids, terms=self._make_terms(profile))
        self.store: Store = Store(self.books)
        self.funding: Funding = Funding(self.books, trial_budget=settings.billing.trial_budget)
        self.subscriptions: Subscriptions = Subscriptions(self.books)
        self.operations: Operations = Operations(self.books)
        self.salts: Salts = Salts(self.books, new=partial(secrets.token_hex, _RANDOM_SECRET))
        self.limits: Limits = Limits(self.books)
        self.operating: Operating = Operating(self.books)
        self.pricing: Pricing = Pricing(
            self.books,
            clock=self.clock,
            policies=self._all_policies,
            floor_margin=settings.prices.floor_margin,
            target_margin=settings.prices.target_margin,
            refresh_us=micros(settings.prices.refresh),
        )
        self.rates: RateDesk = RateDesk(self.books, clock=self.clock, fx=settings.fx)
        self.gateways: Gateways = Gateways(
            settings, gateways, environ=self.environ, clock=self.clock, rate=self.rates.rate_to_charge
        )
        self.payments: Payments = Payments(
            self.books,
            self._make_shop(),
            names=self.gateways.names,
            shortfall=settings.payments.refund_shortfall,
        )
        web = settings.web
        self.throttle: Throttle = Throttle(
            self.books, window=micros(web.window), user=web.user_requests, business=web.business_requests
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
                breaker = Breaker(circuit_rules(self.settings.call.breaker), self.clock, partial(emit, self.hooks))
                kit, caller = self._make_kit(breaker), self._make_caller(breaker)
                self._desk = (Desk(kit=kit, caller=caller, threads=threads), threads)
                # What is known of the rate is read while the first model answers.
                self.rates.wake()
            return self._desk[0]

    def masker(self) -> Masker:
        """What replaces personal data; it needs neither books nor a secret.

        Raises:
            UnknownPlugin: If there is no such masker, or it names a recognizer that is not there.
        """
        with self._lock:
            # A child that was forked has none of the threads that a recognizer may work with.
            if self._masker is None or self._masker[0] != os.getpid():
                made = plugins.load("maskers", self.settings.privacy.masker)(self.settings.privacy, self.clock)
                self._masker = (os.getpid(), made)
            return self._masker[1]

    def keys(self) -> Keys:
        """Keyed hashes of requests, cache entries and trial claims, and the keys of pseudonyms.

        Raises:
            ConfigError: If the key file is not safe.
        """
        with self._lock:
            if self._keys is None:
                self._keys = self._make_keys()
            return self._keys

    def former_keys(self) -> list[Keys]:
        """The same under secrets used before."""
        return [_keys_of(secret) for secret in self.settings.former_secrets]

    def numbered_keys(self) -> list[tuple[int, Keys]]:
        """The keys of now and the former ones, each with the number of its secret, the newest first."""
        keys = [self.keys(), *self.former_keys()]
        version = self.settings.secret_version or len(keys)
        return [(version - age, key) for age, key in enumerate(keys)]

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
        """Let go of the store, the cache, the threads and the settings' hooks; a later use opens them again."""
        with self._lock:
            if self._desk is not None:
                desk, threads = self._desk
                self._desk = None
                threads.shutdown(wait=True)
                # A cache server that is away must not keep the books open.
                with suppress(CacheFault):
                    if desk.kit.cache is not None:
                        desk.kit.cache.close()
            self.rates.close()
            self.database.close()
            for hook in self._own_hooks:
                close = getattr(hook, "close", None)
                if close is not None:
                    close()

    def _make_terms(self, profile: Callable[[str], BusinessProfile] | None) -> Terms:
        settings = self.settings
        return Terms(
            rate=lambda now: self.rates.booked(now),  # noqa: PLW0108  # made after these terms
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
            hooks=self.hooks,
        )

    def _make_shop(self) -> Shop:
        return Shop(
            gateway=self.gateways.one,
            packs=self.pricing.all_packs,
            return_url=self.settings.payments.return_url,
            abandon_after=micros(self.settings.payments.abandon_after),
            receipts=self.settings.receipts,
        )

    def _all_policies(self) -> tuple[Policy, ...]:
        """The default one and every installed one: any business may be given any of them."""
        return (self.policy, *(make() for make in plugins.load_all("policies")))

    def _offers(self, policy: str | None, shortfall: Credits) -> tuple[Offer, ...]:
        """What a business of this policy can buy against a shortfall."""
        return offers(self.pricing.packs_at_hand(self.policy_named(policy), self.clock.now()), shortfall)

    def _make_kit(self, breaker: Breaker) -> Kit:
        return Kit(
            store=self.store,
            cache=self._make_cache(),
            flights=Flights(),
            lock_seconds=self.settings.cache.lock_ttl.total_seconds(),
            masker=self.masker(),
            keys=self.keys(),
            prices=self.prices,
            breaker=breaker,
            clock=self.clock,
            ids=self._ids,
            hooks=self.hooks,
            offers=self._offers,
            leftovers=Leftovers(self.clock),
        )

    def _make_llm(self, name: str) -> Llm:
        make: Callable[..., Llm] = plugins.load("llms", name)
        if name == "offline":
            return make(self.settings.offline, self.clock)
        return make(providers=self.settings.providers, environ=self.environ)

    def _make_caller(self, breaker: Breaker) -> ModelCaller:
        attempts = self.settings.call.attempts
        return ModelCaller(self.llm_for, self.prices, self.clock, attempts=attempts, random=random, breaker=breaker)

    def _make_cache(self) -> AnswerCache | None:
        backend = self.settings.cache.backend
        if backend == "off":
            return None
        settings = self.settings.cache
        if settings.prefix is None:
            # Two installations that share a server never clear each other's answers.
            name = f"ai_addons:{self.keys().tag(_INSTALLATION)[:_PREFIX_LENGTH]}"
            settings = settings.model_copy(update={"prefix": name})
        cache: AnswerCache = plugins.load("caches", backend)(settings, self.clock)
        return cache

    def _make_keys(self) -> Keys:
        given, path = self.settings.secret, self.database.path
        if given is not None:
            return _keys_of(given)
        if self.database.postgres or self.settings.cache.backend == "redis":
            what = "Books in PostgreSQL need" if self.database.postgres else "An answer cache in Redis needs"
            msg = (
                f"{what} a secret that all hosts share. Nothing was charged. "
                "Set AI_ADDONS_SECRET to 32 or more random characters, the same everywhere."
            )
            raise ConfigError(msg)
        # Books in memory end with the process, and so may their keys.
        return Keys(secrets.token_bytes(_RANDOM_SECRET) if path is None else secret_file(Path(f"{path}.key")))


def _keys_of(secret: SecretStr) -> Keys:
    return Keys(secret_bytes(secret.get_secret_value()))
