"""Who pays inside a ``with`` block, whatever runs at the same time."""

from __future__ import annotations

import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor

import pytest

from ai_addons.scope import Payer, Scope


def _boom() -> None:
    raise RuntimeError


def test_the_innermost_block_decides_and_is_undone() -> None:
    """Blocks nest, and leaving one restores what held outside, also after an error."""
    scope = Scope[str | None]("payer", None)
    with scope.set("outer") as value:
        assert (value, scope.get()) == ("outer", "outer")
        with pytest.raises(RuntimeError), scope.set("inner"):
            _boom()
        assert scope.get() == "outer"
    assert scope.get() is None


def test_threads_do_not_see_each_other_s_payer() -> None:
    """A payer set in one thread never pays for another."""
    scope = Scope[Payer | None]("payer", None)

    def bill(number: int) -> bool:
        with scope.set(Payer(f"biz_{number}")) as payer:
            return scope.get() == payer

    with scope.set(Payer("main", user="u_1")), ThreadPoolExecutor(8) as pool:
        assert all(pool.map(bill, range(50)))
        assert pool.submit(scope.get).result() is None


@pytest.mark.anyio
async def test_tasks_do_not_see_each_other_s_payer() -> None:
    """Concurrent tasks keep their own payer across awaits."""
    scope = Scope("payer", "nobody")

    async def bill(name: str) -> bool:
        with scope.set(name):
            await asyncio.sleep(0)
            return scope.get() == name

    assert all(await asyncio.gather(*(bill(f"biz_{n}") for n in range(50))))
    assert scope.get() == "nobody"


def test_a_block_may_end_in_another_context() -> None:
    """Leaving a block in another context than it was entered in, as web frameworks do, is no crash."""
    scope = Scope("payer", "nobody")
    block = scope.set("biz_7")
    contextvars.copy_context().run(block.__enter__)
    contextvars.copy_context().run(block.__exit__, None, None, None)
    assert scope.get() == "nobody"
