"""How far long work has come, as whoever asks is told; on both databases."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from ai_addons import WorkProgress
from ai_addons.billing import doctor
from ai_addons.billing.doctor import examine
from ai_addons.billing.progress import Stage
from tests.books import DAY, Books
from tests.scripted_gateway import PageGateway, Till

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("each_database")


def told(work: Callable[[Callable[[WorkProgress], None]], object]) -> list[tuple[str, int, int | None]]:
    """What some work told: stage, done, total."""
    heard = list[WorkProgress]()
    work(heard.append)
    return [(one.what, one.done, one.total) for one in heard]


@pytest.mark.parametrize("each_database", ["sqlite"], indirect=True)
def test_a_stage_tells_its_begin_and_every_step() -> None:
    """Some at a time, and what is left at the end; its total is found once."""
    found = told(lambda tell: list(Stage(tell, "rows", lambda: 5).over("abcde", every=2)))
    assert found == [("rows", 0, 5), ("rows", 2, 5), ("rows", 4, 5), ("rows", 5, 5)]
    assert told(lambda tell: list(Stage(tell, "rows").over("ab", every=2))) == [("rows", 0, None), ("rows", 2, None)]


@pytest.mark.parametrize("each_database", ["sqlite"], indirect=True)
def test_for_nobody_nothing_is_counted_beforehand() -> None:
    """A count of a large table takes time."""
    stage = Stage(None, "rows", lambda: 1 // 0)
    assert list(stage.over("abc")) == ["a", "b", "c"]


def test_the_doctor_tells_of_every_wallet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of how many, where all are checked; a page is no stage."""
    monkeypatch.setattr(doctor, "_PAGE", 2)
    with closing(Books("1")) as books:
        for number in range(2):
            books.buy("1", "o", business=f"b{number}")
        assert told(lambda tell: examine(books.database, on_progress=tell)) == [
            ("wallets checked", done, 3) for done in range(4)
        ]
        assert told(lambda tell: examine(books.database, "b0", tell)) == [
            *(("wallets checked", 0, None), ("wallets checked", 1, None)),
        ]


def test_a_sweep_tells_of_every_wallet_that_has_something_due() -> None:
    """Holds whose time is over; a wallet with nothing due is not counted."""
    with closing(Books("9")) as books:
        books.buy("1", "o", business="b8")
        books.hold("1")
        books.clock.advance(DAY // 1_000_000)
        assert told(books.store.sweep) == [("wallets looked at", 0, 1), ("wallets looked at", 1, 1)]


def test_a_reconciliation_tells_of_what_it_asks_and_of_what_is_listed() -> None:
    """The open payments are counted beforehand; how long a gateway's list is nobody knows."""
    till = Till()
    for number in range(2):
        till.gateway.pay(till.start(key=str(number)).attempt.reference)
    found = told(lambda tell: till.orders.reconcile(on_progress=tell))
    asked, listed = "payments without an end asked about", f"payments listed by {till.gateway.name} compared"
    assert found[:3] == [(asked, 0, 2), (asked, 1, 2), (asked, 2, 2)]
    assert [one for one in found if one[0] == listed] == [(listed, 0, None), (listed, 1, None), (listed, 2, None)]


def test_renewing_tells_of_every_add_on() -> None:
    """Also of those that are not to be paid yet; then of the top-ups."""
    till = Till(PageGateway(), policy="hybrid")
    payment = till.start(None, addon=True, key="first")
    till.gateway.pay(payment.attempt.reference)
    till.orders.verify(till.business, payment.attempt.reference)
    assert told(lambda tell: till.orders.renew(on_progress=tell)) == [
        ("monthly add-ons looked at", 0, 1),
        ("monthly add-ons looked at", 1, 1),
        ("automatic top-ups looked at", 0, None),
    ]
