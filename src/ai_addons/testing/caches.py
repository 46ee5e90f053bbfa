"""The contract of an answer cache; `ai_addons.testing.contracts` offers it."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING, Final

from ai_addons.cache.base import Measured
from ai_addons.testing.require import require

if TYPE_CHECKING:
    from ai_addons.cache.base import AnswerCache
    from ai_addons.clock import Clock
    from ai_addons.testing.fakes import ManualClock

_TEXTS: Final = {
    "plain": "Akwaaba",
    "signs": " \u20b5 \U0001f600 \n\t\x00 \u202e end \n",
    "empty": "",
    "number": "12 not a time",
    "json": '{"v": 1, "answer": "\\u20b5"}',
}
_LONG: Final = "\u20b5" * (40_000 // 3)
_MANY: Final = 250
_THREADS: Final = 8


class CacheContract:
    """What every answer cache must keep; an `AssertionError` says in words what yours did wrong.

    Subclass it in a test module and say how to make yours::

        class TestMyCache(CacheContract):
            def make(self, clock):
                return MyCache(clock)

    A cache that several processes share is given the same place each time it is
    made within a test, and `shared` is set.

    Attributes:
        shared: Whether two caches that `make` gives in one test hold the same answers.
    """

    shared: bool = False

    def make(self, clock: Clock) -> AnswerCache:
        """Your cache; empty at the first time in a test.

        Args:
            clock: What the time to live is measured by; tests move it.
        """
        raise NotImplementedError

    def test_it_gives_back_what_was_put(self, ai_clock: ManualClock) -> None:
        """A text comes back exactly, whatever its signs; an unknown key is None."""
        with closing(self.make(ai_clock)) as cache:
            for key, text in _TEXTS.items():
                cache.put(key, text, ttl=60, tag="t")
            for key, text in _TEXTS.items():
                require(cache.get(key) == text, f"`get` changed the text {key!r}.")
            require(cache.get("unknown") is None, "`get` must give None for a key that was never put.")

    def test_it_keeps_long_answers(self, ai_clock: ManualClock) -> None:
        """An answer of 40 kB comes back whole."""
        with closing(self.make(ai_clock)) as cache:
            cache.put("long", _LONG, ttl=60, tag="t")
            require(cache.get("long") == _LONG, "An answer of 40 kB did not come back whole.")

    def test_the_later_text_counts(self, ai_clock: ManualClock) -> None:
        """A key has one text; the later one, with its own lifetime."""
        with closing(self.make(ai_clock)) as cache:
            cache.put("a", "old", ttl=1, tag="t")
            cache.put("a", "new", ttl=60, tag="t")
            ai_clock.advance(2)
            require(cache.get("a") == "new", "A second `put` must replace text and lifetime of the first.")

    def test_an_answer_ends(self, ai_clock: ManualClock) -> None:
        """A text is there up to the last microsecond of its lifetime and never after it."""
        with closing(self.make(ai_clock)) as cache:
            cache.put("a", "fresh", ttl=60, tag="t")
            ai_clock.advance(59.999999)
            require(cache.get("a") == "fresh", "A text was gone before its time.")
            ai_clock.advance(0.000001)
            require(cache.get("a") is None, "A text was given after its time.")

    def test_no_lifetime_keeps_nothing(self, ai_clock: ManualClock) -> None:
        """A lifetime of zero or less leaves nothing that can be read, not even what was there."""
        with closing(self.make(ai_clock)) as cache:
            for ttl in (0, -5):
                cache.put("a", "before", ttl=60, tag="t")
                cache.put("a", "text", ttl=ttl, tag="t")
                require(cache.get("a") is None, f"A text put for {ttl} seconds was given.")

    def test_a_tag_is_evicted(self, ai_clock: ManualClock) -> None:
        """Evicting a tag drops all its texts and no others, and counts them."""
        with closing(self.make(ai_clock)) as cache:
            for number in range(_MANY):
                cache.put(f"a{number}", "mine", ttl=60, tag="a")
            cache.put("b", "theirs", ttl=60, tag="b")
            gone = cache.evict("a")
            require(gone == _MANY, f"`evict` said that {gone} texts went, not {_MANY}.")
            require(cache.evict("a") == 0, "`evict` found something under a tag that was evicted.")
            left = [cache.get("a0"), cache.get(f"a{_MANY - 1}"), cache.get("b")]
            require(left == [None, None, "theirs"], "`evict` must drop the texts of its tag and no others.")

    def test_a_prefix_is_evicted(self, ai_clock: ManualClock) -> None:
        """A prefix stands for itself, without signs of any pattern, alone or within a tag; without either all goes."""
        with closing(self.make(ai_clock)) as cache:
            for key in ("a_b:1", "a_b:2", "axb:1", "a*:1"):
                cache.put(key, key, ttl=60, tag=key[-1])
            require(cache.evict("1", prefix="a_b:") == 1, "`evict` with tag and prefix must drop what has both.")
            require(cache.evict(prefix="a_b:") == 1, "`evict` with a prefix must drop what begins with it.")
            require(cache.evict(prefix="a*:") == 1, "A star in a prefix is a star.")
            require(cache.get("axb:1") == "axb:1", "`evict` dropped a text whose key begins otherwise.")
            require(cache.evict() == 1, "`evict` without tag and prefix must drop everything.")

    def test_its_size_is_known(self, ai_clock: ManualClock) -> None:
        """If it can be measured, it counts its texts."""
        with closing(self.make(ai_clock)) as cache:
            for key in _TEXTS:
                cache.put(key, _LONG, ttl=60, tag="t")
            if isinstance(cache, Measured):
                found = cache.size()
                require(found.entries == len(_TEXTS), f"`size` counts {found.entries} texts, not {len(_TEXTS)}.")
                require(found.size >= len(_LONG), f"`size` says {found.size} bytes, which is too little.")

    def test_threads_share_it(self, ai_clock: ManualClock) -> None:
        """Many threads at once read what they wrote."""
        with closing(self.make(ai_clock)) as cache:
            lost: list[str] = []

            def use(name: str) -> None:
                for number in range(20):
                    key = f"{name}{number}"
                    cache.put(key, key, ttl=60, tag=name)
                    if cache.get(key) != key:
                        lost.append(key)

            threads = [threading.Thread(target=use, args=(name,)) for name in "abcdefgh"[:_THREADS]]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            require(not lost, f"{len(lost)} texts that a thread had just put were not there.")

    def test_others_see_what_was_put(self, ai_clock: ManualClock) -> None:
        """If it is shared, what one puts or evicts the other sees."""
        if not self.shared:
            return
        with closing(self.make(ai_clock)) as one, closing(self.make(ai_clock)) as other:
            one.put("a", "text", ttl=60, tag="t")
            require(other.get("a") == "text", "What one cache put the other one did not find.")
            other.evict("t")
            require(one.get("a") is None, "What one cache evicted the other one still gave.")

    def test_it_goes_on_after_closing(self, ai_clock: ManualClock) -> None:
        """Closing does not break a call that is still on its way."""
        with closing(self.make(ai_clock)) as cache:
            cache.close()
            cache.put("b", "text", ttl=60, tag="t")
            require(cache.get("b") == "text", "After `close` the next use must open the cache again.")
