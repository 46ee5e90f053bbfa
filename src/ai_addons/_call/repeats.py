"""What one call repeats from the answer cache, and what it leaves there."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from ai_addons._call import stored
from ai_addons._call.sharing import is_shareable
from ai_addons._call.steps import Do
from ai_addons._call.turns import Turns
from ai_addons.cache.keys import Place
from ai_addons.llm.providers import is_offline
from ai_addons.llm.thinking import thinking_arguments

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ai_addons._call.account import Account
    from ai_addons._call.steps import Call, Kit, Step
    from ai_addons.events import CacheResult
    from ai_addons.llm.schema import AnswerType
    from ai_addons.money import PicoUsd
    from ai_addons.privacy.base import Json
    from ai_addons.prompt import Prompt

R = TypeVar("R")
V = TypeVar("V")

logger: Final = logging.getLogger("ai_addons")

_MICROSECONDS: Final = 1_000_000
# No business can have this name: ids hold no NUL.
_EVERYBODY: Final = "\0everybody"


class Repeats(Generic[R]):
    """The stored answers of one call.

    A cache that is off, for the feature or altogether, has nothing and keeps nothing.
    """

    def __init__(self, call: Call[R], kit: Kit, account: Account[R]) -> None:
        self._call = call
        self._kit = kit
        self._account = account
        self._turns = Turns(kit, account.deadline)
        self._to_store: dict[str, stored.Stored] = {}
        self._read: set[str] = set()
        self._stale: dict[str, stored.Stored] = {}
        self._shared: set[str] = set()

    def names(self, prompt: Prompt[Any], messages: Json, answer: AnswerType) -> tuple[str, str]:
        """A question's name as it was put, for a replay, and as its answer is stored.

        The second changes with whatever could change the answer: models, and the settings sent to them.
        """
        business, spec, call = self._account.identity.business, self._call.spec, self._call
        thinking = cast("Json", {model: thinking_arguments(model, call.thinking) for model in call.route})
        settings: dict[str, Json] = {"max_tokens": call.max_tokens, "thinking": thinking}
        shared = spec.cache_scope == "shared" and self._is_shareable(prompt)
        scope = ("shared" if shared else f"business:{business}") + (":offline" if self._offline else "")
        variant = self._kit.keys.variant(self._account.arguments_hash, spec.variants)
        places = [Place(scope=scope, route=call.route, settings=settings, variant=variant)]
        if self._account.identity.keyed:
            places.append(Place(scope=business, route=(), settings={}))
        # Nobody replays a call without a key of its own: there one name does for both.
        kept, *put = self._kit.keys.cache_keys(
            places,
            feature=spec.key,
            version=spec.version,
            prompt=messages,
            schema=answer.schema_text,
        )
        key = f"{spec.key}:{kept}"
        if shared:
            self._shared.add(key)
        return (put[0] if put else kept), key

    @property
    def on(self) -> bool:
        """Whether answers of this feature are kept."""
        return self._call.cache_for is not None and self._kit.cache is not None

    def look(self, key: str) -> Generator[Step, Any, stored.Stored | None]:
        """What is stored and fresh; nothing else happens."""
        if self._call.cache_for is None or self._kit.cache is None:
            return None
        text: str | None = yield Do(partial(stored.read, self._kit.cache, key))
        return self._fresh(key, text)

    def seek(
        self, key: str, usable: Callable[[stored.Stored], V | None]
    ) -> Generator[Step, Any, tuple[stored.Stored, V, CacheResult] | None]:
        """A stored answer that this call can use, now or once another call has brought it; None if it must ask.

        Raises:
            ProviderTimeout: If another call was asking and had no answer in time.
        """
        hits: list[tuple[stored.Stored, V]] = []

        def take(text: str | None) -> bool:
            found = self._fresh(key, text)
            value = None if found is None else usable(found)
            if found is not None and value is not None:
                hits.append((found, value))
            return bool(hits)

        cache = None if self._call.cache_for is None else self._kit.cache
        if cache is None:
            return None
        if self._turns.leads or self._account.owes:
            how: CacheResult | None = "hit" if take((yield Do(partial(stored.read, cache, key)))) else None
        else:
            how = yield from self._turns.take(cache, key, take)
        return None if how is None else (*hits[0], how)

    def is_free(self, found: stored.Stored) -> bool:
        """Whether a stored answer is this business's own, for these very arguments."""
        return self._call.free_repeats and self._is_own(found)

    def paid_again(self, key: str, found: stored.Stored) -> None:
        """Note that this call pays for a stored answer too, so that its own repeat is free."""
        self._to_store[key] = found.paid_also_by(self._account.own_hash)
        self._read.add(key)

    def answered(self, key: str, answer: str, model: str, cost: PicoUsd | None) -> None:
        """Note a model's answer; what the offline model made is never kept beside real ones."""
        if self._offline or not is_offline(model):
            paid_by = (self._account.own_hash,)
            self._to_store[key] = stored.Stored(answer, model, paid_by, self._kit.clock.now(), cost)

    def stale(self, key: str) -> stored.Stored | None:
        """The business's own answer whose time is over, where the feature may fall back on it."""
        return self._stale.get(key)

    def remember(self) -> Generator[Step, Any, None]:
        """Store what may be repeated; only now, when it is paid for."""
        cache, keep = self._kit.cache, self._call.cache_for
        if cache is None or keep is None or not self._to_store:
            return
        own = self._kit.keys.tag(self._account.identity.business)
        for key, entry in self._to_store.items():
            left = keep + self._call.stale_for - self._age(entry)
            if left > 0:
                tag = self._kit.keys.tag(_EVERYBODY) if key in self._shared else own
                self._turns.bring(key, entry.text())
                again = partial(stored.write_again, alone=self._kit.flights.alone)
                yield Do(partial(again if key in self._read else stored.write, cache, key, entry, left, tag))

    def land(self) -> Generator[Step, Any, None]:
        """Let calls go on that wait for this one's answer."""
        yield from self._turns.land()

    def close(self) -> None:
        """The same for a call that is over, however it ended."""
        self._turns.close()

    @property
    def _offline(self) -> bool:
        return is_offline(self._call.route[0])

    def _is_shareable(self, prompt: Prompt[Any]) -> bool:
        found = is_shareable(prompt, self._call.builder)
        if not found:
            logger.debug("a prompt of %s speaks of its business; its answer is not shared", self._call.spec.key)
        return found

    def _is_own(self, found: stored.Stored) -> bool:
        return self._account.own_hash in found.paid_by

    def _age(self, entry: stored.Stored) -> float:
        return (self._kit.clock.now() - entry.at) / _MICROSECONDS

    def _fresh(self, key: str, text: str | None) -> stored.Stored | None:
        """An entry within its time; one that is over is put aside for when there is no other answer."""
        found = None if text is None else stored.parse(text)
        age, keep = 0.0 if found is None else self._age(found), self._call.cache_for or 0.0
        if found is None or age < keep:
            return found
        if age < keep + self._call.stale_for and self._is_own(found):
            self._stale[key] = found
        return None
