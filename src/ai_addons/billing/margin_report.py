"""Margins by feature, by the pack that paid, and by business. Pure.

A call that several grants paid is shared out among them: its revenue by what was
paid for the credits each gave, its provider cost by how many it gave. Both are
split to the last micro-cedi, so the lines add up to the whole. A call that no
credit paid (a failure, a free repeat) stands under no pack, with its cost.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ai_addons.billing.fx_used import SHOWN_AT, at_rate
from ai_addons.billing.margin import PAYMENT_FEE, left_of, payment_fee
from ai_addons.money import Credits, MicroGhs, PicoUsd, ghs, usd

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from ai_addons.billing.fx_used import FxUsed

NO_PACK: Final = ""
"""Pack of calls that no credit paid."""

_ADDON: Final = frozenset({"addon", "rollover"})
_BOUGHT: Final = frozenset({"purchase", "bonus"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Payer:
    """What one grant gave for a call.

    Attributes:
        pack: What the grant was sold as, see `pack_of`.
        used: Micro-credits of it.
        worth: What was paid for the whole grant, micro-GHS.
        size: All its micro-credits.
    """

    pack: str
    used: int
    worth: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidCall:
    """A call with what paid for it.

    Attributes:
        feature: Key of the feature.
        charged: Micro-credits it was charged.
        revenue: What was paid for them, micro-GHS, as booked.
        cost: Provider cost in pico-USD; None if unknown.
        cost_ghs: The same in micro-GHS, at the booked rate.
        payers: The grants; none for a call that no credit paid.
    """

    feature: str
    charged: int
    revenue: int
    cost: int | None
    cost_ghs: int | None
    payers: tuple[Payer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginRow:
    """What one feature earned with one pack from one business. For operators only.

    Attributes:
        feature: Key of the feature; empty for all.
        pack: What was sold: a pack, ``ADDON``, or a source such as ``trial``; empty for calls no credit paid, and
            in a total.
        business: Whose calls; empty for all.
        calls: Calls it paid a part of; in a total a call is counted once for each pack.
        credits: Credits used.
        revenue: Micro-GHS that were paid for them.
        fee: Micro-GHS of it that the gateway kept.
        cost: Provider cost in micro-GHS, at the booked rates.
        cost_usd: The same in pico-USD.
        unpriced: Calls whose cost is unknown.
        margin: Share of the revenue that is left after fee and cost; None where there is no revenue or some cost
            is unknown.
    """

    feature: str
    pack: str
    business: str
    calls: int
    credits: Credits
    revenue: MicroGhs
    fee: MicroGhs
    cost: MicroGhs
    cost_usd: PicoUsd
    unpriced: int
    margin: Decimal | None

    @property
    def profit(self) -> int:
        """Micro-GHS that are left after fee and cost; less than zero for a loss."""
        return self.revenue - self.fee - self.cost

    def margin_at(self, rate: Decimal) -> Decimal | None:
        """The margin had its cost been booked at another rate, cedis for one US dollar."""
        return None if self.unpriced else left_of(self.revenue, self.fee + at_rate(self.cost_usd, rate))

    def plain(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            "feature": self.feature,
            "pack": self.pack,
            "business": self.business,
            "calls": self.calls,
            "credits": str(self.credits),
            "revenue_ghs": str(ghs(self.revenue)),
            "fee_ghs": str(ghs(self.fee)),
            "cost_ghs": str(ghs(self.cost)),
            "cost_usd": f"{usd(self.cost_usd):f}",
            "profit_ghs": str(ghs(MicroGhs(self.profit))),
            "unpriced": self.unpriced,
            "margin": _text(self.margin),
            "margin_at": {f"{rate:f}": _text(self.margin_at(rate)) for rate in SHOWN_AT},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginReport:
    """Margins of a window. For operators only.

    Attributes:
        days: Length of the window, today included.
        rows: By feature, pack and business.
        total: All of them.
        fx: The exchange rates that costs were booked at.
    """

    days: int
    rows: tuple[MarginRow, ...]
    total: MarginRow
    fx: tuple[FxUsed, ...] = ()

    def by(self, *names: str) -> tuple[MarginRow, ...]:
        """The rows added up by some of ``feature``, ``pack`` and ``business``.

        Raises:
            ValueError: For another name.
        """
        return _grouped(self.rows, names)

    def losers(self, most: int = 10) -> tuple[MarginRow, ...]:
        """Rows that lost money, the largest loss first."""
        return tuple(sorted((row for row in self.rows if row.profit < 0), key=lambda row: row.profit)[:most])

    def for_operator(self) -> dict[str, Any]:
        """All of it as plain data for JSON: amounts and shares are decimal strings."""
        return {
            "days": self.days,
            "rows": [row.plain() for row in self.rows],
            "by_feature": [row.plain() for row in self.by("feature")],
            "by_pack": [row.plain() for row in self.by("pack")],
            "losers": [row.plain() for row in self.losers()],
            "total": self.total.plain(),
            "fx": [one.plain() for one in self.fx],
        }


Sums: TypeAlias = "dict[tuple[str, str, str], Counter[str]]"
"""Sums by feature, pack and business."""


def add_calls(sums: Sums, business: str, calls: Iterable[PaidCall]) -> None:
    """Add a business's calls to sums that a report is made from."""
    for call in calls:
        for pack, part in _parts(call):
            sums.setdefault((call.feature, pack, business), Counter()).update(part)


def make_report(sums: Sums, *, days: int, fx: tuple[FxUsed, ...] = (), fee: Decimal = PAYMENT_FEE) -> MarginReport:
    """The report of summed calls.

    Args:
        sums: What `add_calls` filled.
        days: Of how many days.
        fx: The exchange rates that costs were booked at.
        fee: Share of every payment that the gateway keeps.
    """
    rows = tuple(_row(key, sums[key], fee) for key in sorted(sums))
    whole = _grouped(rows, ())
    return MarginReport(days=days, rows=rows, total=whole[0] if whole else _row(("", "", ""), Counter(), fee), fx=fx)


def pack_of(source: str, pack: str | None) -> str:
    """What a grant was sold as.

    Args:
        source: Its source.
        pack: Type of the pack of its order, None without one.

    Returns:
        The pack, ``ADDON`` for the monthly add-on and what was carried over from it, else the source.
    """
    if source in _ADDON:
        return "ADDON"
    return pack if pack is not None and source in _BOUGHT else source


def _parts(call: PaidCall) -> list[tuple[str, dict[str, int]]]:
    """What each pack is booked for of a call."""
    if not call.payers:
        # Its revenue is zero: nobody paid.
        return [(NO_PACK, _amounts(call, call.charged, call.revenue, call.cost, call.cost_ghs))]
    if len(call.payers) == 1:
        # Nearly every call: nothing is to be shared out.
        (one,) = call.payers
        return [(one.pack, _amounts(call, one.used, call.revenue, call.cost, call.cost_ghs))]
    used = [payer.used for payer in call.payers]
    revenue = split(call.revenue, [Fraction(one.used * one.worth, one.size) for one in call.payers])
    costs = [None] * len(used) if call.cost is None else split(call.cost, used)
    in_ghs = [None] * len(used) if call.cost_ghs is None else split(call.cost_ghs, used)
    shares = zip(call.payers, revenue, costs, in_ghs, strict=True)
    return [(one.pack, _amounts(call, one.used, earned, cost, paid)) for one, earned, cost, paid in shares]


def _amounts(call: PaidCall, charged: int, revenue: int, cost: int | None, cost_ghs: int | None) -> dict[str, int]:
    return {
        "calls": 1,
        "charged": charged,
        "revenue": revenue,
        "cost_usd": cost or 0,
        "cost": cost_ghs or 0,
        "unpriced": int(call.cost is None),
    }


def split(whole: int, weights: Sequence[int | Fraction]) -> list[int]:
    """Share a whole number out in proportion; the parts add up to it (cumulative rounding down).

    Args:
        whole: What is shared, not negative.
        weights: At least one; with none above zero all of it goes to the last.
    """
    total, so_far, parts, given = sum(weights), Fraction(0), list[int](), 0
    for weight in weights[:-1]:
        so_far += weight
        upto = int(whole * so_far / total) if total else 0
        parts.append(upto - given)
        given = upto
    return [*parts, whole - given]


_NAMES: Final = ("feature", "pack", "business")
_SUMMED: Final = ("calls", "revenue", "fee", "cost", "cost_usd", "unpriced")


def _row(key: tuple[str, str, str], sums: Counter[str], fee: Decimal) -> MarginRow:
    kept = payment_fee(sums["revenue"], fee)
    return _made(key, Counter({**sums, "fee": kept}))


def _grouped(rows: Sequence[MarginRow], names: Sequence[str]) -> tuple[MarginRow, ...]:
    if not set(names) <= set(_NAMES):
        msg = f"margins are added up by {', '.join(_NAMES)}, not by {', '.join(names)}"
        raise ValueError(msg)
    found: Sums = {}
    for row in rows:
        feature, pack, business = (getattr(row, name) if name in names else "" for name in _NAMES)
        sums = found.setdefault((feature, pack, business), Counter())
        sums.update({name: getattr(row, name) for name in _SUMMED} | {"charged": row.credits.micro})
    return tuple(_made(key, found[key]) for key in sorted(found))


def _made(key: tuple[str, str, str], sums: Counter[str]) -> MarginRow:
    feature, pack, business = key
    return MarginRow(
        feature=feature,
        pack=pack,
        business=business,
        calls=sums["calls"],
        credits=Credits.from_micro(sums["charged"]),
        revenue=MicroGhs(sums["revenue"]),
        fee=MicroGhs(sums["fee"]),
        cost=MicroGhs(sums["cost"]),
        cost_usd=PicoUsd(sums["cost_usd"]),
        unpriced=sums["unpriced"],
        margin=None if sums["unpriced"] else left_of(sums["revenue"], sums["fee"] + sums["cost"]),
    )


def _text(margin: Decimal | None) -> str | None:
    return None if margin is None else f"{margin:f}"
