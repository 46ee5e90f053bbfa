"""Canaries: thousands of invented calls, and not one declared value where it does not belong.

Calls go through the public API and down to httpx; what is searched is every request,
log record, event, receipt, error with its chain and frames, row, and byte on disk.

There are 2,000 calls, with those whose books are in PostgreSQL and whose libraries log all they can.
Set ``AI_ADDONS_TEST_SIZE=full`` for 100,000.
"""

from __future__ import annotations

import os
import random
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import pytest

from ai_addons import AddOns, bill_to
from ai_addons.billing.schema import metadata
from ai_addons.billing.sql import Database
from ai_addons.privacy.mask import MaskingSession
from ai_addons.testing import ManualClock
from ai_addons.testing.loopback import Loopback
from tests.books import run_sql
from tests.canaries import canary
from tests.fuzz_shop import API_KEY, PLACEHOLDER, ROUTES, SECRET, Shop, asked, shop_features, shop_settings
from tests.leaks import Net
from tests.postgres import emptied_url
from tests.sizes import FULL

if TYPE_CHECKING:
    from pathlib import Path

    from ai_addons.testing.wire import Provider, WireCall

CALLS: Final = int(os.environ.get("AI_ADDONS_TEST_CANARIES", "100000" if FULL else "1500"))
BATCH: Final = 250
# What the calls of a batch must have come to, or it proves little.
ENDS: Final = {
    "answer",
    "BadOutput",
    "CancelledError",
    "ContentBlocked",
    "HostsOwn",
    "IdempotencyConflict",
    "InsufficientCreditsError",
    "PrivacyRefused",
    "ProviderRejected",
    "ProviderTimeout",
    "ProviderUnavailable",
}


def dice(seed: int) -> random.Random:
    """Dice that fall the same way each time."""
    return random.Random(seed)  # noqa: S311  # dice, not secrets


def check_secrets(shop: Shop) -> None:
    """The provider's key goes out in a header and is nowhere else; the installation's secret is nowhere."""
    told = "\n".join([*shop.diary.lines, *shop.told])
    assert (API_KEY in told, SECRET in told) == (False, False)
    bodies = "\n".join(request.partition("\n\n")[2] for request in shop.wire.seen)
    assert (API_KEY in bodies, SECRET in "\n".join(shop.wire.seen)) == (False, False)
    assert not any(API_KEY.encode() in file.read_bytes() for file in shop.folder.rglob("*") if file.is_file())


@pytest.mark.timeout(600)
@pytest.mark.parametrize("batch", range(-(-CALLS // BATCH)))
def test_nothing_declared_is_seen_anywhere(tmp_path: Path, batch: int) -> None:
    """Names, phones, e-mails, addresses, ids, accounts, firms and birth dates, in every promised spelling."""
    shop = Shop(tmp_path, seed=1_000 + batch)
    assert shop.run(min(BATCH, CALLS)) == {}
    check_secrets(shop)
    # Most calls reach a provider, and most of those show personal data again: the search has something to find.
    assert len(shop.wire.seen) > min(BATCH, CALLS) * 2 // 3
    assert shop.restored > 0
    assert shop.wire.restorable > len(shop.wire.seen) // 2


@pytest.mark.timeout(600)
def test_a_batch_ends_in_every_way(tmp_path: Path) -> None:
    """Also where LiteLLM and the providers' clients log all they can: they are only ever given masked text."""
    shop = Shop(tmp_path, seed=7, loud=True)
    assert shop.run(BATCH) == {}
    assert set(shop.ends) >= ENDS
    assert any("fuzz_letter" in line or "[PERSON_1]" in line for line in shop.diary.lines)
    assert SECRET not in "\n".join([*shop.diary.lines, *shop.told])


@pytest.mark.timeout(600)
def test_nothing_declared_is_seen_in_postgresql(tmp_path: Path) -> None:
    """Every column of every row, as text."""
    url = emptied_url()
    shop = Shop(tmp_path, seed=11, url=url)
    assert shop.run(BATCH) == {}
    with closing(Database(url)) as database:
        rows = {name: run_sql(database, f"SELECT t.*::text FROM {name} AS t") for name in metadata.tables}  # noqa: S608  # ours
    assert len(rows["ai_transactions"]) > BATCH // 2
    assert shop.net.catch("\n".join(map(repr, rows.values()))) == set()
    check_secrets(shop)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("provider", ["openai", "anthropic", "gemini"])
def test_nothing_declared_goes_through_a_real_socket(tmp_path: Path, provider: Provider) -> None:
    """A server on this machine reads the bytes: head and body of every request, repairs included."""

    def echo(call: WireCall) -> str:
        return " ".join(["Dear", *dict.fromkeys(PLACEHOLDER.findall(call.messages[0].content))])

    net, rolls, route = Net(), dice(13), next(route for route in ROUTES if route.startswith(provider))
    feature: Any = shop_features()["text"]
    with Loopback() as server:
        settings = shop_settings(tmp_path, None, api_base=(provider, server.api_base(provider)))
        server.answer(provider, "an invented [PERSON_999]")
        server.fail(provider, 500)
        server.answer(provider, echo)
        with closing(AddOns(settings, clock=ManualClock(), environ={})) as addons, bill_to("biz_1"):
            addons.grant("biz_1", 100, source="adjustment", ref="start")
            for _ in range(40):
                call = asked(rolls)
                for one in call.people:
                    net.add(one)
                feature.options(addons=addons, model=route)(call.customers, call.system, call.user)
    assert len(server.calls) > 40
    sent = [f"{call.path}\n{call.headers}\n{call.body.decode()}" for call in server.calls]
    assert net.catch("\n".join(sent)) == set()


# The proof is worth what the oracle sees.


@pytest.mark.parametrize("seed", range(40))
def test_the_oracle_sees_every_spelling(seed: int) -> None:
    """Whatever the fuzz plants would be noticed, wherever it stood and however it was escaped."""
    rolls = dice(seed)
    one = canary(rolls)
    net = Net()
    net.add(one)
    for value in one.values * 10:
        written = value.spell(rolls)
        assert net.catch(f"before {written} after"), (value.text, written)
        assert net.catch(f'{{"a": "{written.encode("unicode_escape").decode()}"}}'.replace("\\x", "\\u00")), written


@pytest.mark.parametrize("seed", range(20))
def test_the_oracle_sees_everybody_in_an_unmasked_call(seed: int) -> None:
    """Were nothing masked, every declared value of the call would be caught."""
    call = asked(dice(seed))
    net = Net()
    for one in call.people:
        net.add(one)
    must = {value.text for one in call.people for value in (one.name, one.address, one.card, one.account, one.firm)}
    assert must <= net.catch(call.raw)


def test_masking_that_forgets_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With declared values hidden in their own fields only, the same batch shows what leaks, and where."""
    monkeypatch.setattr(MaskingSession, "_learn", lambda *_: None)
    shop = Shop(tmp_path, seed=1_000)
    found = shop.run(20)
    assert len(found["requests"]) > 10


def test_the_oracle_is_not_alarmed_by_others() -> None:
    """Somebody else's call, and the engine's own words, are not taken for a leak."""
    rolls = dice(5)
    net = Net()
    net.add(canary(rolls))
    assert net.catch("Placeholders such as [PERSON_1] stand for real values. openai/gpt-6-luna 0191f6a8-7c2e") == set()
