"""What a shop and its host are told about a wallet: once, and when it is durable."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from ai_addons.billing.limits import Limit
from ai_addons.errors import InsufficientCreditsError, LimitReached
from ai_addons.money import Credits
from tests.books import DAY, FAILED, OK, Books
from tests.hands import at_once, examined

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("each_database")

LOW: Final = "wallet.low_balance"
MICRO: Final = "0.000001"


class Listener:
    """A hook that keeps what it was told."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def __call__(self, event: Any) -> None:
        """Keep an event."""
        self.events.append(event)

    def new(self) -> list[tuple[str, str]]:
        """Topic and balance of each event since the last look."""
        told = [(event.topic, event.facts.get("posted", "")) for event in self.events]
        self.events.clear()
        return told


def _spend(books: Books, amount: str) -> None:
    books.store.capture(books.hold(amount), OK)


def _give(books: Books, amount: str, **options: Any) -> None:
    ref = f"gift-{len(books.store.ledger('biz_7'))}"
    books.funding.grant("biz_7", Credits(amount), source="promo", ref=ref, **options)


# The level.


def test_the_alert_comes_once_per_crossing(tmp_path: Path) -> None:
    """12 to 9 tells; hovering at 11 and 9 stays silent; 39 after a purchase arms it; 9 tells again, the same hour."""
    listener = Listener()
    with examined(tmp_path, "12", hooks=[listener]) as books:
        _give(books, "3")
        _spend(books, "3")
        steps: list[tuple[Callable[[], None], str, list[tuple[str, str]]]] = [
            (lambda: _spend(books, "3"), "9", [(LOW, "9.00")]),
            (lambda: _give(books, "2"), "11", []),
            (lambda: _spend(books, "2"), "9", []),
            (lambda: books.buy("30", "order-2"), "39", []),
            (lambda: _spend(books, "30"), "9", [(LOW, "9.00")]),
            (lambda: _spend(books, "9"), "0", []),
        ]
        assert listener.new() == []
        for step, posted, told in steps:
            step()
            assert (books.balance()[0], listener.new()) == (posted, told)


def test_the_level_itself_is_not_low(tmp_path: Path) -> None:
    """Ten of ten are enough; a micro-credit less is told."""
    listener = Listener()
    with examined(tmp_path, "15", hooks=[listener]) as books:
        _spend(books, "5")
        assert listener.new() == []
        _spend(books, MICRO)
        assert listener.new() == [(LOW, "9.999999")]


def test_a_running_call_is_no_crossing(tmp_path: Path) -> None:
    """What is held may come back: the level is watched when credits are charged, for many calls at once too."""
    listener = Listener()
    with examined(tmp_path, "15", hooks=[listener]) as books:
        holds = [books.hold("1") for _ in range(12)]
        assert (books.store.wallet("biz_7").low, listener.new()) == (True, [])
        at_once(12, lambda number: books.store.void(holds[number], FAILED))
        assert listener.new() == []


def test_a_wallet_that_was_never_above_the_level_does_not_complain(tmp_path: Path) -> None:
    """Five trial credits, or ten of them bought: there was nothing to fall from."""
    listener = Listener()
    with examined(tmp_path, "0", hooks=[listener]) as books:
        books.funding.claim_trial("biz_7", Credits(5), {"hmac": "phone"})
        _spend(books, "5")
        books.buy("10", "order-1")
        _spend(books, "10")
        assert listener.new() == []
        books.buy("10.000001", "order-2")
        _spend(books, "1")
        assert listener.new() == [(LOW, "9.000001")]


@pytest.mark.parametrize(("gift", "told"), [("6", [(LOW, "9.00")]), ("5.999999", [])])
def test_free_credits_arm_it_at_one_and_a_half_times_the_level(
    tmp_path: Path, gift: str, told: list[tuple[str, str]]
) -> None:
    """Fifteen arm it, once a day has passed since it told; a micro-credit less is hovering."""
    listener = Listener()
    with examined(tmp_path, "15", hooks=[listener]) as books:
        _spend(books, "6")
        assert listener.new() == [(LOW, "9.00")]
        books.clock.advance(86_400)
        _give(books, gift)
        _spend(books, gift)
        assert listener.new() == told


@pytest.mark.parametrize(("off", "told"), [(-1, []), (0, [(LOW, "8.00")])])
def test_within_a_day_it_stays_silent_unless_credits_were_bought(
    tmp_path: Path, off: int, told: list[tuple[str, str]]
) -> None:
    """A crossing in that day is told with the first charge after it."""
    listener = Listener()
    with examined(tmp_path, "15", hooks=[listener]) as books:
        start = books.clock.now()
        _spend(books, "6")
        assert listener.new() == [(LOW, "9.00")]
        _give(books, "6")
        _spend(books, "6")
        assert listener.new() == []
        books.clock.set(start + DAY + off)
        _spend(books, "1")
        assert listener.new() == told


@pytest.mark.parametrize(
    "fall",
    [
        lambda books: books.funding.adjust("biz_7", Credits(-6), ref="x", actor="ama", reason="r"),
        lambda books: books.funding.reverse("biz_7", 1, actor="ama", reason="r"),
        lambda books: books.clock.advance(86_400),
    ],
)
def test_whatever_lowers_the_balance_is_told(tmp_path: Path, fall: Callable[[Books], object]) -> None:
    """An operator's correction and credits that expire, with whoever touches the wallet first."""
    listener = Listener()
    with examined(tmp_path, "0", hooks=[listener]) as books:
        books.buy("6", "order-1")
        books.buy("3", "order-2")
        _give(books, "6", expires_at=books.clock.now() + DAY)
        fall(books)
        books.store.sweep()
        assert listener.new() == [(LOW, "9.00")]
        books.store.sweep()
        assert listener.new() == []


# When and to whom.


def test_a_hook_is_told_what_is_durable(tmp_path: Path) -> None:
    """It finds the charge booked and nothing locked: it can read, and even buy credits, in the thread of the call."""
    seen = list[tuple[str, int]]()

    def top_up(event: Any) -> None:
        seen.append((event.topic, len(books.store.transactions("biz_7"))))
        books.buy("30", "auto-1")

    with examined(tmp_path, "15", hooks=[top_up]) as books:
        _spend(books, "6")
        assert seen == [(LOW, 1)]
        assert books.balance() == ("39", "0")


def test_nobody_is_told_of_what_was_not_booked(tmp_path: Path) -> None:
    """A correction that fails after it crossed the level leaves no event, in process or outside."""
    listener = Listener()
    with examined(tmp_path, "15", hooks=[listener], outbox=True) as books:
        with pytest.raises(ValueError, match="the actor"):
            books.funding.adjust("biz_7", Credits(-9), ref="x", actor="", reason="r")
        assert (listener.new(), books.sql("SELECT * FROM ai_outbox")) == ([], [])
        _spend(books, "6")
        assert listener.new() == [(LOW, "9.00")]


def test_a_hook_that_fails_changes_nothing(tmp_path: Path) -> None:
    """The charge stands, and the hooks after it are told all the same."""
    listener = Listener()

    def broken(event: Any) -> None:
        raise RuntimeError(event)

    with examined(tmp_path, "15", hooks=[broken, listener]) as books:
        assert books.store.capture(books.hold("6"), OK).charged == Credits(6)
        assert listener.new() == [(LOW, "9.00")]


def test_a_refused_call_tells_what_it_found(tmp_path: Path) -> None:
    """Both the limit that was reached, and the level that time had passed when nobody looked."""
    listener = Listener()
    limit = Limit(scope="business", window="day", amount=Credits(5))
    with examined(tmp_path, "6", hooks=[listener], limits=(limit,)) as books:
        _give(books, "9", expires_at=books.clock.now() + DAY)
        books.clock.advance(86_400)
        with pytest.raises(LimitReached):
            books.hold("5.5")
        assert sorted(listener.new()) == [("limit.reached", ""), (LOW, "6.00")]


@pytest.mark.parametrize("outbox", [False, True])
def test_every_event_is_a_row_of_the_outbox(tmp_path: Path, outbox: bool) -> None:
    """Waiting to be sent where somebody outside listens, else kept as told; its facts are plain text."""
    with examined(tmp_path, "15", outbox=outbox) as books:
        now = books.clock.now()
        _spend(books, "6")
        ((business, topic, facts, at, attempts, sent_at),) = books.sql(
            "SELECT business_id, topic, facts, at, attempts, sent_at FROM ai_outbox"
        )
        assert (business, topic, at, attempts, sent_at) == ("biz_7", LOW, now, 0, None if outbox else now)
        told = json.loads(facts)
        assert [one["type"] for one in told.pop("offers")] == ["STARTER", "VALUE", "PRO"]
        assert told == {"posted": "9.00", "threshold": "10.00", "suggested": "VALUE"}


def test_an_event_is_told_once_per_key(tmp_path: Path) -> None:
    """The same refusal by many at once is one row and one word to the hooks; another business has its own."""
    listener = Listener()
    limit = Limit(scope="business", window="day", amount=Credits(1))
    with examined(tmp_path, "20", hooks=[listener], limits=(limit,), outbox=True) as books:
        books.buy("20", "order-1", business="biz_8")

        def refused(number: int) -> None:
            with pytest.raises(LimitReached):
                books.store.hold(books.call(business=f"biz_{7 + number % 2}"), Credits(2))

        at_once(8, refused)
        assert sorted((event.topic, event.business) for event in listener.events) == [
            ("limit.reached", "biz_7"),
            ("limit.reached", "biz_8"),
        ]
        rows = books.sql("SELECT topic, business_id FROM ai_outbox ORDER BY business_id")
        assert [tuple(row) for row in rows] == [("limit.reached", "biz_7"), ("limit.reached", "biz_8")]


def test_each_crossing_is_an_event_of_its_own(tmp_path: Path) -> None:
    """A second one is not taken for a repeat of the first."""
    with examined(tmp_path, "15", outbox=True) as books:
        _spend(books, "6")
        books.buy("6", "order-2")
        _spend(books, "6")
        keys = books.sql("SELECT dedupe_key FROM ai_outbox ORDER BY dedupe_key")
        assert [key for (key,) in keys] == ["low_balance:2", "low_balance:4"]


def test_a_renewal_that_is_due_is_called_to_mind(tmp_path: Path) -> None:
    """With the number of the month, the day and the price, which is what a message to the owner needs."""
    listener = Listener()
    with examined(tmp_path, "0", policy="hybrid", hooks=[listener], outbox=True) as books:
        taken = books.subscriptions.subscribe("biz_7", paid=True).subscription
        books.clock.advance(29 * 86_400)
        books.store.sweep()
        books.store.sweep()
        (event,) = listener.events
        assert (event.topic, event.business) == ("addon.renewal_due", "biz_7")
        (ends,) = [grant.expires_at for grant in books.store.wallet("biz_7").grants if grant.source == "addon"]
        assert event.facts == {
            "subscription": taken.id,
            "period": "1",
            "due_at": str(ends),
            "price": str(taken.plan.price),
        }
        assert len(books.sql("SELECT id FROM ai_outbox")) == 1


def test_a_refusal_for_want_of_credits_tells_nobody(tmp_path: Path) -> None:
    """The caller has its answer; the balance did not move."""
    listener = Listener()
    with examined(tmp_path, "15", hooks=[listener]) as books:
        with pytest.raises(InsufficientCreditsError):
            books.hold("16")
        assert listener.new() == []
