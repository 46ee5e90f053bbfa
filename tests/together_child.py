"""Other hosts that ask for the same answer at the same time, die while they ask, or fork."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ai_addons import AddOns
from ai_addons.testing import FakeLlm, kit_settings
from tests.features import AMA, OPINION, opinion, slogan

if TYPE_CHECKING:
    from ai_addons.llm.base import ModelRequest


def _addons(folder: str, llm: FakeLlm, **cache: Any) -> AddOns:
    store = {"url": f"sqlite:///{folder}/books.db"}
    return AddOns(kit_settings(store=store, **({"cache": cache} if cache else {})), llm=llm, environ={})


class _Slow(FakeLlm):
    """Notes each request in a file and takes its time."""

    def __init__(self, log: Path) -> None:
        super().__init__()
        self._log = log

    def complete(self, request: ModelRequest) -> Any:
        with self._log.open("a") as log:
            log.write("x")
        time.sleep(1)
        return super().complete(request)


class _Hangs(FakeLlm):
    """Says that it was asked, and nothing more."""

    def complete(self, request: ModelRequest) -> Any:
        print("asked", flush=True)  # noqa: T201  # tells the parent
        time.sleep(60)
        return super().complete(request)


def ask_at_once(folder: str, url: str, prefix: str) -> None:
    """Eight threads ask one thing, as soon as there is a line to read; each prints its charge and its answer."""
    llm = _Slow(Path(folder, "requests"))
    llm.reply(opinion, OPINION)
    addons = _addons(folder, llm, backend="redis", url=url, prefix=prefix)
    call = opinion.options(addons=addons, business="shop")
    print("ready", flush=True)  # noqa: T201  # tells the parent
    sys.stdin.readline()
    with ThreadPoolExecutor(8) as pool:
        for billed in pool.map(call.billed, [AMA] * 8):
            print(billed.receipt.charged.short, billed.value.verdict)  # noqa: T201  # as above
    addons.close()


def hang(folder: str, url: str, prefix: str) -> None:
    """Ask, and wait for ever."""
    addons = _addons(folder, _Hangs(), backend="redis", url=url, prefix=prefix, lock_ttl="2s")
    opinion.options(addons=addons, business="shop")(AMA)


def fork(folder: str) -> None:
    """Make a call, fork, make one on the other side too, and print what is left of 100 credits."""
    addons = _addons(folder, FakeLlm())
    addons.grant("b", 100, source="adjustment", ref="funds")

    def call(number: int) -> None:
        asyncio.run(asyncio.wait_for(slogan.options(addons=addons, business="b").aio(number), 20))

    call(1)
    child = os.fork()
    if child == 0:
        call(2)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    print(addons.wallet("b").available.short)  # noqa: T201  # as above
    addons.close()
