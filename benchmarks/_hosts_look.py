"""What came of a load: the journals of all clients beside the books."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks._hosts_child import open_calls, read_journal
from benchmarks._hosts_servers import fetch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ai_addons import AddOns
    from ai_addons.billing.gateways.fake.desk import Desk
    from benchmarks._hosts_child import Orders
    from benchmarks._hosts_months import Months

_PRICE: Final = 1_000_000
"""Micro-credits of a call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it.

    Attributes:
        answered: Calls that a client was told an answer to.
        charged: Micro-credits that clients were told for them.
        booked: Micro-credits that the call log has.
        lost: Keys that a client was told a charge for and the log has not, or not that much.
        doubled: Keys with more than one charge in the log.
        stray: Charges in the log under a key that nobody used.
        unanswered: Keys that stayed open after everything.
        unpaid: Pesewas that the gateway took, less those of the orders that were granted.
        orders: Payments at the gateway.
        months: What became of add-ons whose month fell due.
        findings: What the doctor found.
        refusals: How often clients were refused, by error code.
        logged: How many lines the hosts logged as warnings or worse, by what they say.
        jobs: How often each job was done.
        renewed: Months that the job of each host noted as paid by it; one that was killed may have noted less.
        seconds: What each answered call took.
        deaths: How often something was killed, crashed or emptied.
        lasted: Seconds of load.
    """

    answered: int
    charged: int
    booked: int
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    stray: tuple[str, ...]
    unanswered: tuple[str, ...]
    unpaid: int
    orders: int
    months: Months
    findings: tuple[str, ...]
    refusals: Counter[str]
    logged: Counter[str]
    jobs: Counter[str]
    renewed: Counter[int]
    seconds: tuple[float, ...]
    deaths: Counter[str]
    lasted: float

    @property
    def whole(self) -> bool:
        """Whether nothing is lost, double or wrong."""
        faults = (
            *(self.lost, self.doubled, self.stray, self.unanswered, self.findings, self.unpaid),
            self.months.faults,
        )
        return not any(faults) and self.charged == self.booked


def look(addons: AddOns, orders: Orders, desk: Desk, months: Months, deaths: Counter[str], lasted: float) -> Outcome:
    """The journals of all clients beside the books, and the gateway's beside both.

    Args:
        addons: A host.
        orders: As hosts are told.
        desk: The gateway's side.
        months: What became of add-ons.
        deaths: How often something was killed, crashed or emptied.
        lasted: Seconds of load.
    """
    url = orders.url
    lines = [line for path in Path(orders.folder).glob("host_*.jsonl") for line in read_journal(path)]
    begun = {line["key"] for line in lines if line["what"] == "begin"}
    rows = fetch(url, "SELECT id, charged FROM ai_transactions WHERE charged > 0")
    log = Counter(key for key, _ in rows)
    booked = {key: int(charged) for key, charged in rows}
    told = told_charges(lines, booked)
    granted = fetch(url, "SELECT COALESCE(SUM(price_minor), 0) FROM ai_credit_purchases WHERE state = 'successful'")
    with desk.lock:
        taken = [one.amount for one in desk.payments.all() if one.paid_at is not None]
    report = addons.doctor()
    return Outcome(
        answered=len({line["key"] for line in lines if line["what"] == "ok"}),
        charged=sum(told.values()),
        booked=sum(int(charged) for _, charged in rows),
        lost=tuple(key for key, charged in told.items() if booked.get(key, 0) != charged),
        doubled=tuple(key for key, times in log.items() if times > 1),
        stray=tuple(key for key in log if key not in begun),
        unanswered=tuple(call.key for call in open_calls(lines)),
        unpaid=sum(taken) - int(granted[0][0]),
        orders=len(taken),
        months=months,
        findings=tuple(f"{one.business}: {one.rule}: {one.detail}" for one in report.findings),
        refusals=Counter(line["code"] for line in lines if line["what"] == "refused"),
        logged=Counter(line["line"] for line in lines if line["what"] == "logged"),
        renewed=renewed_by(lines),
        jobs=Counter(line["job"] for line in lines if line["what"] == "job"),
        seconds=tuple(line["seconds"] for line in lines if line["what"] == "ok"),
        deaths=deaths,
        lasted=lasted,
    )


def told_charges(lines: Sequence[dict[str, Any]], booked: Mapping[str, int]) -> dict[str, int]:
    """Micro-credits that each answered call should have in the log.

    A replay costs nothing more: its first answer was charged, and a kill kept that from being noted. So it should have
    what is booked; but a text like no other was never free, so without a booking it is lost.

    Args:
        lines: Of all journals.
        booked: Micro-credits in the log, by key.
    """
    fresh = {line["key"] for line in lines if line["what"] == "begin" and line["feature"] == "hosts_fresh"}
    told = dict[str, int]()
    for line in lines:
        if line["what"] == "ok":
            key = line["key"]
            told[key] = booked.get(key, _PRICE if key in fresh else 0) if line["replayed"] else line["charged"]
    return told


def renewed_by(lines: Iterable[Mapping[str, Any]]) -> Counter[int]:
    """Months that the job of each host noted as paid, by the host's number.

    Args:
        lines: Of all journals.
    """
    done = Counter[int]()
    for line in lines:
        if line["what"] == "job" and line.get("paid"):
            done[line["host"]] += line["paid"]
    return done
