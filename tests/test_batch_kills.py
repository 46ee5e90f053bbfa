"""A process that is killed in the middle of a batch: nothing is charged twice, nothing stays held."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ai_addons.money import Credits
from ai_addons.testing import FakeLlm, ManualClock
from tests import batch_child
from tests.batch_child import BUSINESS, CALLS, make, opened
from tests.books import new_url
from tests.features import slogan
from tests.processes import Child

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("each_database")


def test_a_killed_batch_is_made_again_under_its_keys(tmp_path: Path) -> None:
    """Two calls had ended, one was in flight, three were held: the sweep frees four, and each is charged once."""
    url, clock, llm = new_url(tmp_path), ManualClock(), FakeLlm()
    addons = opened(url, llm, clock)
    addons.grant(BUSINESS, 100, source="adjustment", ref="start")
    with Child(batch_child.main, url) as child:
        assert [child.stdout.readline() for _ in range(3)] == ["asked\n"] * 3
        child.kill()
    wallet = addons.wallet(BUSINESS)
    assert (wallet.posted, wallet.held) == (Credits(90), Credits(20))
    assert addons.doctor().ok
    clock.advance(659)
    addons.sweep()
    assert addons.wallet(BUSINESS).held == Credits(20)
    clock.advance(2)
    addons.sweep()
    assert addons.wallet(BUSINESS).held == Credits(0)
    llm.reply(slogan, "Buy again")
    result = make(addons)
    assert [item.value for item in result] == ["Buy more", "Buy less"] + ["Buy again"] * (CALLS - 2)
    assert [receipt.replayed for receipt in result.receipts] == [True] * 2 + [False] * (CALLS - 2)
    wallet = addons.wallet(BUSINESS)
    assert (wallet.posted, wallet.held) == (Credits(70), Credits(0))
    assert addons.doctor().ok
    addons.close()
