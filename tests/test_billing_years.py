"""Four years of an add-on in the books: the last days of months, leap years, London's clock changes."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import pytest

from ai_addons.billing.profile import BusinessProfile
from ai_addons.billing.records import Hold
from ai_addons.money import Credits
from ai_addons.testing.fakes import ManualClock
from tests.books import DAY, FAILED, OK, SECOND, Books
from tests.sizes import FULL

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("each_database")

MONTHS: Final = 48
# Half past one at night is an hour that London skips once a year; 31 March 2030 is such a night.
ANCHORS: Final = [
    (day, zone) for day in ("2027-01-29", "2027-01-30", "2027-01-31") for zone in ("Africa/Accra", "Europe/London")
]
each_anchor: Final = pytest.mark.parametrize(("day", "zone"), ANCHORS)
# Four years of daily looks take half a second: each day and each zone once, but for the full size.
LOOKED_AT: Final = ANCHORS if FULL else [ANCHORS[1], ANCHORS[2], ANCHORS[5]]
each_looked_at: Final = pytest.mark.parametrize(("day", "zone"), LOOKED_AT)


def _us(at: datetime) -> int:
    return round(at.timestamp()) * SECOND


def _months(day: str, zone: str) -> list[int]:
    """When the months begin, by the calendar on the wall; a time that does not exist comes an hour later."""
    starts = []
    for n in range(MONTHS + 1):
        year, month = 2027 + n // 12, n % 12 + 1
        last = (datetime(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day  # noqa: DTZ001  # a date
        wall = datetime(year, month, min(int(day[-2:]), last), 1, 30, tzinfo=ZoneInfo(zone))
        starts.append(_us(wall))
    return starts


def _books(day: str, zone: str) -> Books:
    return Books(
        "0",
        policy="hybrid",
        clock=ManualClock(_months(day, zone)[0]),
        profile=lambda _: BusinessProfile(tz=zone),
    )


def _to(books: Books, at: int, *, every: int | None = None) -> None:
    """Let time pass until then; with a job that looks at everything every so often, or without."""
    now = books.clock.now()
    for visit in range(now + every, at, every) if every else ():
        books.clock.set(visit)
        books.store.sweep()
    books.clock.set(at)


def _ledger(books: Books) -> list[tuple[Any, ...]]:
    """The ledger without what differs by when somebody looked: its booking times, ids and seals."""
    return [
        (entry.seq, entry.kind, entry.debit, entry.credit, entry.amount, entry.balance_after, entry.effective_at)
        for entry in books.store.ledger("biz_7")
    ]


def _grants(books: Books) -> list[tuple[Any, ...]]:
    return books.sql(
        "SELECT source, amount, remaining, held, paid, effective_at, expires_at FROM ai_credit_grants"
        " ORDER BY effective_at, source, amount"
    )


def _pay_ahead(books: Books) -> None:
    books.subscriptions.subscribe("biz_7", paid=True)
    for period in range(1, MONTHS):
        books.subscriptions.pay("biz_7", period=period)


@each_looked_at
def test_four_years_without_a_look_are_four_years_of_daily_looks(day: str, zone: str) -> None:
    """No cron is needed: one look at the end finds the very ledger that a daily job wrote."""
    ledgers, grants = [], []
    for every in (None, DAY):
        books = _books(day, zone)
        _pay_ahead(books)
        _to(books, _months(day, zone)[MONTHS] + 8 * DAY, every=every)
        books.store.wallet("biz_7")
        assert books.report().findings == ()
        ledgers.append(_ledger(books))
        grants.append(_grants(books))
        books.close()
    assert ledgers[0] == ledgers[1]
    assert grants[0] == grants[1]


@each_anchor
def test_every_month_begins_when_the_calendar_says_and_none_is_missing(day: str, zone: str) -> None:
    """From the anchor, never from the month before: 31 January, 28 February, 31 March; each lasts until the next."""
    books = _books(day, zone)
    _pay_ahead(books)
    starts = _months(day, zone)
    _to(books, starts[MONTHS] - 1)
    books.store.wallet("biz_7")
    for source in ("addon", "free_monthly"):
        given = books.sql(
            "SELECT effective_at, expires_at FROM ai_credit_grants WHERE source = ? ORDER BY effective_at", (source,)
        )
        assert given == list(pairwise(starts))
    carried = books.sql("SELECT amount, effective_at FROM ai_credit_grants WHERE source = 'rollover' ORDER BY id")
    assert carried == [(50_000_000, start) for start in starts[1:-1]]
    assert books.balance() == ("155", "0")
    books.close()


def _pay_late(books: Books, boundary: int, every: int | None) -> None:
    """The renewal comes three days after the month began."""
    _to(books, boundary + 3 * DAY, every=every)
    books.subscriptions.pay("biz_7")


def _pay_early(books: Books, boundary: int, every: int | None) -> None:
    """The renewal comes a day before; a call in progress pins some credits over the month's end."""
    _to(books, boundary - DAY, every=every)
    books.subscriptions.pay("biz_7")
    _to(books, boundary - SECOND, every=every)
    hold = books.hold("7")
    _to(books, boundary + SECOND, every=every)
    books.store.capture(hold, OK, used=Credits(3))


def _pay_on_the_dot(books: Books, boundary: int, every: int | None) -> None:
    """The renewal comes at the very moment; a call in progress fails after it."""
    _to(books, boundary - SECOND, every=every)
    hold = books.hold("9")
    _to(books, boundary, every=every)
    books.subscriptions.pay("biz_7")
    books.store.void(hold, FAILED)


def _never_pay(books: Books, boundary: int, every: int | None) -> None:
    """Nobody pays, the add-on ends, and ten days later it is taken anew."""
    _to(books, boundary + 10 * DAY, every=every)
    books.subscriptions.subscribe("biz_7", paid=True)


def _cancel(books: Books, boundary: int, every: int | None) -> None:
    """It ends with its month; the last rollover lives on, and it is taken anew."""
    _to(books, boundary - DAY, every=every)
    books.subscriptions.cancel("biz_7")
    _to(books, boundary + 20 * DAY, every=every)
    books.subscriptions.subscribe("biz_7", paid=True)


WAYS: Final[tuple[Callable[[Books, int, int | None], None], ...]] = (
    _pay_early,
    _pay_late,
    _pay_on_the_dot,
    _pay_early,
    _never_pay,
    _pay_late,
    _pay_early,
    _cancel,
)


def _live(books: Books, every: int | None) -> None:
    """Four years of paid, late and unpaid months, with some use, an orphan and a pack in each."""
    books.subscriptions.subscribe("biz_7", paid=True)
    for month in range(MONTHS):
        now = books.clock.now()
        _to(books, now + 2 * DAY, every=every)
        books.buy("1.5", f"order-{month}")
        books.store.capture(books.hold(str(20 + 7 * month % 60)), OK)
        orphan = books.store.hold(books.call(), Credits(2))
        assert isinstance(orphan, Hold)
        WAYS[month % len(WAYS)](books, _ends(books), every)
    _to(books, books.clock.now() + 70 * DAY, every=every)
    books.store.wallet("biz_7")


def _ends(books: Books) -> int:
    """The end of the month that the add-on is in."""
    ((at,),) = books.sql("SELECT max(expires_at) FROM ai_credit_grants WHERE source = 'addon'")
    assert isinstance(at, int)
    return at


@each_looked_at
def test_paid_late_and_unpaid_months_come_out_the_same_however_often_somebody_looks(day: str, zone: str) -> None:
    """Four years of an add-on's life: ledger and grants do not depend on a sweep."""
    lives = []
    for every in (None, DAY):
        books = _books(day, zone)
        _live(books, every)
        assert books.report().findings == ()
        lives.append((_ledger(books), _grants(books)))
        books.close()
    assert lives[0] == lives[1]
    kinds = {(entry[1], entry[2], entry[3]) for entry in lives[0][0]}
    assert kinds >= {
        ("void", "wallet", "rollover"),
        ("grant", "rollover", "wallet"),
        ("expire", "rollover", "breakage"),
        ("expire", "wallet", "breakage"),
    }


@pytest.mark.parametrize("sweeps", [0, 1, 2, 10])
@pytest.mark.parametrize(("off", "given", "posted"), [(-1, 1, 105), (0, 2, 155), (1, 2, 155)])
@pytest.mark.parametrize("zone", ["Africa/Accra", "Europe/London"])
def test_a_month_begins_at_its_microsecond_however_often_the_job_runs(
    zone: str, off: int, given: int, posted: int, sweeps: int
) -> None:
    """One grant per month, not a microsecond early; a job that never runs or runs ten times changes nothing."""
    books = _books("2027-01-31", zone)
    _pay_ahead(books)
    books.clock.set(_months("2027-01-31", zone)[1] + off)
    for _ in range(sweeps):
        books.store.sweep()
    assert books.store.wallet("biz_7").posted == Credits(posted)
    assert books.sql("SELECT count(*) FROM ai_credit_grants WHERE source = 'addon'") == [(given,)]
    books.close()
