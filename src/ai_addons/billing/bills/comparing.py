"""A provider's bill beside our call log, by day and model, with what may explain a difference. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from ai_addons.money import MicroGhs, PicoUsd, ghs, usd

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from ai_addons.billing.bills.parsing import BillLine
    from ai_addons.billing.fx_used import FxUsed

TOLERANCE: Final = Decimal("0.02")
"""Share by which a bill may differ before somebody has to look."""

LEAST_USD: Final = PicoUsd(10**10)
"""A cent: a difference below it is rounding."""

WHOLE_DAY: Final = ""
"""Model of what is compared for a whole day, where the bill names no model."""


@dataclass(slots=True, kw_only=True)
class Side:
    """What one side says of a model on a day; None is unknown.

    Attributes:
        input_tokens: All that went in.
        output_tokens: All that came out.
        cost: Pico-USD.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: PicoUsd | None = None


@dataclass(slots=True, kw_only=True)
class Ours:
    """What our log has of a model on a day.

    Attributes:
        side: Tokens and cost, as far as they are known.
        cost_ghs: The cost in micro-GHS, at the booked rates.
        calls: Calls.
        maybe_billed: Attempts that failed so that nobody knows whether they were billed.
        uncounted: Calls whose tokens are unknown.
        unpriced: Calls with tokens whose price is unknown.
        over_midnight: Calls in flight at the end of the provider's day.
        mixed: Calls that asked other models too: their tokens all stand here.
    """

    side: Side = field(default_factory=Side)
    cost_ghs: int = 0
    calls: int = 0
    maybe_billed: int = 0
    uncounted: int = 0
    unpriced: int = 0
    over_midnight: int = 0
    mixed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BillDifference:
    """One model on one day, both sides.

    Attributes:
        day: In the provider's zone.
        model: The model; empty for the whole day.
        billed: What the provider says.
        logged: What our log says.
        cost_ghs: Our cost in micro-GHS, at the booked rates.
        calls: Calls in our log.
        off: Cost billed less cost logged, pico-USD; None where one is unknown.
        above: Whether it is more than is tolerated.
        reasons: What may explain it; not that it does.
    """

    day: date
    model: str
    billed: Side
    logged: Side
    cost_ghs: MicroGhs
    calls: int
    off: int | None
    above: bool
    reasons: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            "day": self.day.isoformat(),
            "model": self.model,
            "billed": _plain(self.billed),
            "logged": {**_plain(self.logged), "cost_ghs": str(ghs(self.cost_ghs)), "calls": self.calls},
            "off_usd": None if self.off is None else f"{usd(PicoUsd(self.off)):f}",
            "above_tolerance": self.above,
            "reasons": list(self.reasons),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class BillComparison:
    """A bill beside our log. For operators only.

    Attributes:
        provider: Whose bill.
        tz: Zone of its days.
        verified: How sure it is that the file was read as it was meant.
        tolerance: Share that was tolerated.
        differences: Every day and model that either side knows, by day.
        billed: Cost of the whole bill, pico-USD, as far as it names one.
        logged: Cost of our log in the same days.
        fx: The exchange rates that our cost was booked at.
    """

    provider: str
    tz: str
    verified: str
    tolerance: Decimal
    differences: tuple[BillDifference, ...]
    billed: PicoUsd
    logged: PicoUsd
    fx: tuple[FxUsed, ...] = ()

    @property
    def above(self) -> tuple[BillDifference, ...]:
        """What differs by more than is tolerated."""
        return tuple(one for one in self.differences if one.above)

    @property
    def ok(self) -> bool:
        """Whether nothing does."""
        return not self.above

    def for_operator(self) -> dict[str, Any]:
        """All of it as plain data for JSON; amounts are decimal strings."""
        return {
            "provider": self.provider,
            "tz": self.tz,
            "verified": self.verified,
            "tolerance": f"{self.tolerance:f}",
            "billed_usd": f"{usd(self.billed):f}",
            "logged_usd": f"{usd(self.logged):f}",
            "ok": self.ok,
            "differences": [one.plain() for one in self.differences],
            "fx": [one.plain() for one in self.fx],
        }


def compare(
    billed: Iterable[BillLine], logged: Mapping[tuple[date, str], Ours], *, tolerance: Decimal = TOLERANCE
) -> tuple[BillDifference, ...]:
    """Compare by day and model; a day of which the bill names no model is compared as a whole.

    Args:
        billed: The bill.
        logged: Our log by day and model, the model without its provider.
        tolerance: Share of the larger side that a difference may have.
    """
    bill = _summed(billed)
    whole = {day for day, model in bill if model == WHOLE_DAY}
    bill = _folded(bill, whole)
    ours = _matched(logged, bill, whole)
    keys = sorted(bill.keys() | ours.keys())
    return tuple(_difference(key, bill.get(key), ours.get(key), tolerance) for key in keys)


def _summed(billed: Iterable[BillLine]) -> dict[tuple[date, str], Side]:
    sums = defaultdict[tuple["date", str], Side](Side)
    for line in billed:
        add(sums[line.day, line.model], line.input_tokens, line.output_tokens, line.cost)
    return dict(sums)


def add(side: Side, input_tokens: int | None, output_tokens: int | None, cost: int | None) -> None:
    """Add what is known to a side."""
    if input_tokens is not None:
        side.input_tokens = (side.input_tokens or 0) + input_tokens
    if output_tokens is not None:
        side.output_tokens = (side.output_tokens or 0) + output_tokens
    if cost is not None:
        side.cost = PicoUsd((side.cost or 0) + cost)


def _folded(bill: dict[tuple[date, str], Side], whole: set[date]) -> dict[tuple[date, str], Side]:
    """All models of a day together where one of its lines names none."""
    folded = defaultdict[tuple["date", str], Side](Side)
    for (day, model), side in bill.items():
        key = day, WHOLE_DAY if day in whole else model
        add(folded[key], side.input_tokens, side.output_tokens, side.cost)
    return dict(folded)


def _matched(
    logged: Mapping[tuple[date, str], Ours], bill: Mapping[tuple[date, str], Side], whole: set[date]
) -> dict[tuple[date, str], Ours]:
    """Our log under the names of the bill: ``gpt-6-luna`` is billed as ``gpt-6-luna-2026-08-01`` too."""
    ours = defaultdict[tuple["date", str], Ours](Ours)
    for (day, model), one in logged.items():
        names = [name for at, name in bill if at == day and same_model(model, name)]
        key = day, WHOLE_DAY if day in whole else names[0] if len(names) == 1 else model
        _merge(ours[key], one)
    return dict(ours)


def same_model(ours: str, theirs: str) -> bool:
    """Whether a bill's name means a model of ours: the same, or the same with a date behind it."""
    left, right = ours.lower(), theirs.lower()
    rest = right.removeprefix(left) if right.startswith(left) else None
    return rest is not None and (not rest or rest.strip("-@").replace("-", "").isdigit())


def _merge(into: Ours, one: Ours) -> None:
    add(into.side, one.side.input_tokens, one.side.output_tokens, one.side.cost)
    for name in ("cost_ghs", "calls", "maybe_billed", "uncounted", "unpriced", "over_midnight", "mixed"):
        setattr(into, name, getattr(into, name) + getattr(one, name))


def _difference(key: tuple[date, str], bill: Side | None, log: Ours | None, tolerance: Decimal) -> BillDifference:
    billed, ours = bill or Side(), log or Ours()
    # A side without a line says zero; one whose line names no cost says nothing.
    theirs = 0 if bill is None else billed.cost
    own = 0 if log is None else ours.side.cost
    off = None if theirs is None or own is None else theirs - own
    above = _costs_differ(theirs, own, tolerance) or _tokens_differ(billed, ours, bill is not None, tolerance)
    return BillDifference(
        day=key[0],
        model=key[1],
        billed=billed,
        logged=ours.side,
        cost_ghs=MicroGhs(ours.cost_ghs),
        calls=ours.calls,
        off=off,
        above=above,
        reasons=_reasons(billed, ours, bill is not None, off) if above or off else (),
    )


def _costs_differ(theirs: int | None, own: int | None, tolerance: Decimal) -> bool:
    if theirs is None or own is None:
        return False
    return abs(theirs - own) >= LEAST_USD and beyond(theirs, own, tolerance)


def _tokens_differ(billed: Side, ours: Ours, on_bill: bool, tolerance: Decimal) -> bool:  # noqa: FBT001  # private
    """Where the bill counts tokens, they are compared; where it costs nothing, tokens are all there is."""
    if not on_bill or billed.cost is not None:
        return False
    pairs = (
        (billed.input_tokens, ours.side.input_tokens or 0),
        (billed.output_tokens, ours.side.output_tokens or 0),
    )
    return any(theirs is not None and beyond(theirs, own, tolerance) for theirs, own in pairs)


def beyond(one: int, other: int, tolerance: Decimal) -> bool:
    """Whether two amounts differ by more than a share of the larger one."""
    return abs(one - other) > Fraction(tolerance) * max(abs(one), abs(other))


def _reasons(billed: Side, ours: Ours, on_bill: bool, off: int | None) -> tuple[str, ...]:  # noqa: FBT001  # private
    """What may explain a difference, as far as our log tells."""
    more_billed = (off is not None and off > 0) or (billed.input_tokens or 0) > (ours.side.input_tokens or 0)
    found = (
        (ours.maybe_billed, f"{ours.maybe_billed} attempts failed and may have been billed"),
        (ours.uncounted, f"{ours.uncounted} calls without known tokens"),
        (ours.unpriced, f"{ours.unpriced} calls of unknown price"),
        (ours.over_midnight, f"{ours.over_midnight} calls in flight at the end of the provider's day"),
        (ours.mixed, f"{ours.mixed} calls asked several models; their tokens stand under the one that answered"),
        (on_bill and not ours.calls, "no call of ours: another key or another program of the same account"),
        (on_bill and ours.calls and more_billed, "other keys or programs of the same account"),
        (not on_bill, "not on the bill: another account, days the file does not cover, or not billed yet"),
    )
    return tuple(why for applies, why in found if applies)


def _plain(side: Side) -> dict[str, Any]:
    return {
        "input_tokens": side.input_tokens,
        "output_tokens": side.output_tokens,
        "cost_usd": None if side.cost is None else f"{usd(side.cost):f}",
    }
