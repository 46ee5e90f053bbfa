"""Processes that die in the middle of any trade, and many that work on one wallet at once."""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pytest

from ai_addons.billing.doctor import examine
from ai_addons.billing.sql import Database
from ai_addons.money import Credits
from ai_addons.testing.fakes import ManualClock
from tests import books_child
from tests.books import SECOND, TTL, new_url, open_books, run_sql
from tests.processes import Child
from tests.sizes import FULL

if TYPE_CHECKING:
    from pathlib import Path

    from tests.books_trade import Step

pytestmark = pytest.mark.usefixtures("each_database")

KILLS: Final = int(os.environ.get("AI_ADDONS_TEST_KILLS", "300" if FULL else "20"))
START: Final = 1_801_180_800_000_000
# A shop's books are read as a whole after each kill; so that they stay short, another shop takes over.
KILLS_A_SHOP: Final = 10
PROCESSES, ROUNDS = (8, 200) if FULL else (4, 20)


class Journal:
    """What the dead processes said of one shop: steps done, and one begun."""

    def __init__(self, shop: str) -> None:
        self.shop = shop
        self.done: list[tuple[Step, dict[str, Any]]] = []
        self.begun: Step | None = None
        self.known: list[Step] = []

    def read(self, line: str) -> None:
        """Take a line; the kill may have cut the last one short."""
        if not line.endswith("\n"):
            return
        told = json.loads(line)
        if "begun" in told:
            self.begun = told["begun"]
            self.known.append(told["begun"])
        else:
            self.begun = None
            self.done.append((told["done"], told["result"]))

    @property
    def now(self) -> int:
        """The clock of the last step."""
        return max((step["at"] for step in self.known), default=START)


class Tables:
    """What the books hold of a shop, to be asked for traces of steps."""

    def __init__(self, database: Database, shop: str) -> None:
        def ask(statement: str) -> list[Any]:
            return run_sql(database, statement, (shop,))

        of = "WHERE business_id = ?"  # the same in all
        self.ledger = {(k, r): a for k, r, a in ask(f"SELECT kind, ref, amount FROM ai_ledger {of}")}  # noqa: S608  # ours
        self.grants = {(s, r): a for s, r, a in ask(f"SELECT source, source_ref, amount FROM ai_credit_grants {of}")}  # noqa: S608  # ours
        self.planned = {(s, r) for s, r in ask(f"SELECT source, source_ref FROM ai_planned_grants {of}")}  # noqa: S608  # ours
        self.holds = {(i, n): (s, e) for i, n, s, e in ask(f"SELECT id, attempt, state, expires_at FROM ai_credit_holds {of}")}  # fmt: skip  # noqa: S608, E501  # ours
        self.rows = {(i, n): (o, c) for i, n, o, c in ask(f"SELECT id, attempt, outcome, charged FROM ai_transactions {of}")}  # fmt: skip  # noqa: S608, E501  # ours
        self.shares = Counter(i for (i,) in ask(f"SELECT hold_id FROM ai_hold_allocations {of}"))  # noqa: S608  # ours
        self.subs = dict(ask(f"SELECT id, paid_through FROM ai_monthly_addons {of}"))  # noqa: S608  # ours
        self.limits = {(k, a) for k, a in ask(f"SELECT key, amount FROM ai_limits {of}")}  # noqa: S608  # ours
        audit = ask(f"SELECT action, detail FROM ai_audit {of}")  # noqa: S608  # ours
        self.audit = Counter((action, _named(json.loads(detail))) for action, detail in audit)
        self.open = sum(state == "open" for state, _ in self.holds.values())

    def traces(self, step: Step) -> list[bool]:
        """What a step leaves behind, piece by piece; all of it or nothing may be there."""
        ways = {
            "grant": self._grant,
            "adjust": self._adjust,
            "hold": self._hold,
            "charge": self._charge,
            "limit": self._limit,
            "reverse": self._reverse,
        }
        return ways[step["do"]](step) if step["do"] in ways else []

    def _grant(self, step: Step) -> list[bool]:
        source, ref, amount = step["source"], step["ref"], step["amount"]
        if (source, ref) in self.planned:
            return [("grant", f"{source}:{ref}") not in self.ledger, (source, ref) not in self.grants]
        return [self.ledger.get(("grant", f"{source}:{ref}")) == amount, self.grants.get((source, ref)) == amount]

    def _adjust(self, step: Step) -> list[bool]:
        ref, given = step["ref"], step["amount"] > 0
        row = ("grant", f"adjustment:{ref}") if given else ("adjust", ref)
        booked = [self.ledger.get(row) == abs(step["amount"]), self.audit["adjust", ref] == 1]
        return [*booked, self.grants.get(("adjustment", ref)) == step["amount"]] if given else booked

    def _hold(self, step: Step) -> list[bool]:
        return [any(key == step["key"] for key, _ in self.holds), self.shares[step["key"]] > 0]

    def _charge(self, step: Step) -> list[bool]:
        paid = [key for (key, _), (outcome, _) in self.rows.items() if (key, outcome) == (step["key"], "ok")]
        held = [key for (key, _), (state, _) in self.holds.items() if (key, state) == (step["key"], "captured")]
        booked = self.ledger.get(("usage", step["key"])) == step["amount"]
        return [len(paid) == 1, len(held) == 1, self.shares[step["key"]] > 0, booked]

    def _limit(self, step: Step) -> list[bool]:
        # Each setting is noted: what a killed process had sent may be booked after the kill, and then be set again.
        return [(step["ref"], step["amount"] * SECOND) in self.limits, self.audit["set_limit", step["ref"]] >= 1]

    def _reverse(self, step: Step) -> list[bool]:
        seq = str(step["seq"])
        return [("reverse", seq) in self.ledger, self.audit["reverse", seq] == 1]

    def shows(self, step: Step, result: dict[str, Any]) -> bool:
        """Whether a step that was said to be done is there."""
        key = (step.get("key"), step.get("attempt"))
        if "refused" in result:
            return True
        if step["do"] in ("capture", "void"):
            paid = step["do"] == "void" or self.ledger.get(("usage", step["key"]), 0) == result["charged"]
            return paid and self.rows[key][0] in ("ok", "failed") and self.holds[key][0] != "open"
        if step["do"] == "renew":
            return bool(self.holds[key][1] >= result["until"])
        if step["do"] in ("subscribe", "pay"):
            return bool(self.subs[result["id"]] >= (step["period"] if step["do"] == "pay" else 0))
        return all(self.traces(step))

    def surplus(self, known: list[Step]) -> list[Any]:
        """Rows that nobody ever asked for."""
        refs, keys = {step["ref"] for step in known}, {step.get("key") for step in known}
        sold = [(source, ref) for source, ref in self.grants if source in ("purchase", "promo", "bonus", "adjustment")]
        used = [ref for kind, ref in self.ledger if kind in ("usage", "bad_debt")]
        return [grant for grant in sold if grant[1] not in refs] + [key for key in used if key not in keys]


def _named(detail: dict[str, Any]) -> str:
    """What an operator's decision was about."""
    return str(detail.get("ref") or detail.get("seq") or detail.get("key") or "")


class Children:
    """Processes that are ended whatever becomes of the test; the next one starts while its forerunner works."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._started = 0
        self._next = self._start()

    def _start(self) -> Child:
        self._started += 1
        return Child(books_child.main, "trade", self._url, self._started, 0)

    def take(self) -> Child:
        """A process that waits for its first line."""
        taken, self._next = self._next, self._start()
        return taken

    def close(self) -> None:
        """End the one that nobody took."""
        with self._next:
            pass


def _kill(child: Child, journal: Journal, start: dict[str, Any], dice: random.Random) -> None:
    """Let a process work for a while, kill it the hard way, and take down all it said."""
    with child:
        child.stdin.write(json.dumps(start) + "\n")
        child.stdin.flush()
        for _ in range(dice.randrange(2, 80)):
            journal.read(child.stdout.readline())
        time.sleep(dice.uniform(0, 0.01))
        child.kill()
        rest = child.rest()
        assert (child.returncode or 0) < 0, "it ended by itself"
    for line in rest.splitlines(keepends=True):
        journal.read(line)


@dataclass
class Hits:
    """What the kills hit."""

    orphans: int = 0
    cut: Counter[str] = field(default_factory=Counter)
    whole: int = 0


def _check(database: Database, journal: Journal, hits: Hits) -> None:
    """What the dead processes reported is booked; what was only begun is whole or absent; nothing else is there."""
    tables = Tables(database, journal.shop)
    assert examine(database, journal.shop).findings == ()
    assert [step for step, result in journal.done if not tables.shows(step, result)] == []
    assert tables.surplus(journal.known) == []
    settings = ("set_policy", "set_limit")  # setting one thing twice has one effect and two notes
    assert [what for what, times in tables.audit.items() if times > 1 and what[0] not in settings] == []
    if journal.begun is not None:
        traces = tables.traces(journal.begun)
        assert len(set(traces)) <= 1, (journal.begun, traces)
        hits.cut[journal.begun["do"]] += 1
        hits.whole += bool(traces) and all(traces)
    hits.orphans += bool(tables.open)


@pytest.mark.timeout(180 + 10 * KILLS)
def test_whatever_a_killed_process_did_is_there_once_or_not_at_all(tmp_path: Path) -> None:
    """What it reported as done is booked, what it had only begun is whole or absent; the next one repeats it safely."""
    dice = random.Random(20260929)  # noqa: S311  # dice, not secrets
    url, hits, journal = new_url(tmp_path), Hits(), Journal("")
    with closing(Database(url)) as database, closing(Children(url)) as children:
        for kill in range(KILLS):
            if kill % KILLS_A_SHOP == 0:
                journal = Journal(f"biz_{kill}")
            start = {"shop": journal.shop, "name": f"p{kill}", "now": journal.now + 2 * TTL, "again": journal.begun}
            _kill(children.take(), journal, start, dice)
            _check(database, journal, hits)
            store = open_books(database, ManualClock(journal.now + 2 * TTL), policy="hybrid").store
            store.sweep()
            assert store.wallet(journal.shop).held == Credits(0)
            assert examine(database, journal.shop).findings == ()
        assert examine(database).findings == ()
    assert hits.orphans >= KILLS // 10, f"too few kills hit an open hold: {hits}"
    assert hits.cut.total() >= KILLS // 5, f"too few steps were cut short: {hits}"
    assert not FULL or (hits.whole and len(hits.cut) >= 10), f"too few kinds of steps were cut: {hits}"


@pytest.mark.timeout(120 + PROCESSES * ROUNDS)
def test_a_hot_wallet_is_exact(tmp_path: Path) -> None:
    """Processes of four threads grant, charge, hold and capture parts on one wallet; not a micro-credit is off."""
    url = new_url(tmp_path)
    opened = open_books(Database(url))
    opened.funding.grant("biz_7", Credits(20), source="purchase", ref="order-1")
    with ExitStack() as ended:
        children = [ended.enter_context(Child(books_child.main, "mix", url, seed, ROUNDS)) for seed in range(PROCESSES)]
        done = sum(int(child.rest()) for child in children)
    assert done == PROCESSES * ROUNDS
    wallet = opened.store.wallet("biz_7")
    assert (wallet.posted, wallet.held) == (Credits(20 + done // 2), Credits(0))
    assert (wallet.lifetime_in, wallet.lifetime_used) == (Credits(20 + done), Credits(done // 2))
    assert len(opened.store.ledger("biz_7")) == 1 + 3 * done
    assert examine(opened.books.database).findings == ()
    opened.books.database.close()
