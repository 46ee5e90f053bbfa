"""Speed of the features on large input: from a host's rows to the finished result, in CPU time.

Three steps are timed apart. *read* is the validation of plain rows, *work out* all that a feature does with them up to
the result without a model, *hash* the keyed hashes of the arguments, by which a call is recognised. The yardstick is
one plain Python pass over the same rows, which adds one number of each to a dictionary by name: what anybody would
have to do at the least. Everything is generated.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from inspect import isgenerator
from random import Random
from typing import TYPE_CHECKING, Any, Final

from ai_addons.cache.keys import Keys
from ai_addons.features.collection_analysis import Receivables, collection_analysis
from ai_addons.features.collection_analysis.example import example as receivables
from ai_addons.features.customer_insight import CustomerQuestion, customer_insight
from ai_addons.features.customer_insight.example import example as question
from ai_addons.features.inventory_forecast import StockRequest, inventory_forecast
from ai_addons.features.report_summary import SalesReport, report_summary
from ai_addons.features.report_summary.example import example as report
from benchmarks._report import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from pydantic import BaseModel

_SEED: Final = 3
_AS_OF: Final = date(2026, 11, 20)
_ROUNDS: Final = 3
_PURCHASES_EACH: Final = 6.9
_OWING: Final = 0.6
_WEEKS, _DAYS = 104, 728


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A feature with large input.

    Attributes:
        what: Feature and size.
        feature: The prompt builder.
        model: Its input model.
        given: The input as a host has it: dictionaries, lists, built-in values.
        rows: Name and number of each row, for the yardstick.
    """

    what: str
    feature: Callable[[Any], Any]
    model: type[BaseModel]
    given: Mapping[str, Any]
    rows: tuple[tuple[str, Decimal], ...]


def purchases(count: int) -> Case:
    """`customer_insight` with about so many purchases."""
    given = question(max(round(count / _PURCHASES_EACH), 30)).model_dump()
    rows = tuple((row["customer_ref"], row["amount"]) for row in given["purchases"])
    return _case("customer_insight", "purchases", customer_insight, CustomerQuestion, given, rows)


def invoices(count: int) -> Case:
    """`collection_analysis` with about so many open invoices."""
    given = receivables(max(round(count / _OWING), 30)).model_dump()
    rows = tuple((row["customer_ref"], row["amount"]) for row in given["open_invoices"])
    return _case("collection_analysis", "open invoices", collection_analysis, Receivables, given, rows)


def products(count: int) -> Case:
    """`report_summary` with so many products."""
    draw, base = Random(_SEED), report().model_dump()  # noqa: S311  # invented sales, not secrets
    names = [row["category"] for row in base["products"]]
    given: dict[str, Any] = base | {
        "products": [_product(draw, number, names[number % len(names)]) for number in range(count)]
    }
    rows = tuple((row["ref"], row["current"]["sales"]) for row in given["products"])
    return _case("report_summary", "products", report_summary, SalesReport, given, rows)


def _product(draw: Random, number: int, category: str) -> dict[str, Any]:
    return {"ref": f"P{number}", "category": category, "current": _sold(draw), "prior": _sold(draw)}


def _sold(draw: Random) -> dict[str, Decimal]:
    """One in twenty is not sold in a period."""
    units = draw.randrange(1, 300) if draw.random() < 0.95 else 0  # noqa: PLR2004  # one in twenty
    return {
        "units": Decimal(units),
        "sales": Decimal(units * draw.randrange(200, 900)) / 100,
        "cost": Decimal(units * 150) / 100,
    }


def items(count: int, period: str) -> Case:
    """`inventory_forecast` with so many items, two years of each: 104 weeks or 728 days."""
    draw = Random(_SEED)  # noqa: S311  # invented sales, not secrets
    given: dict[str, Any] = {"as_of": _AS_OF, "items": [_item(draw, number, period) for number in range(count)]}
    rows = tuple((item["ref"], sold) for item in given["items"] for sold in item["sales"])
    return _case("inventory_forecast", f"items by {period}", inventory_forecast, StockRequest, given, rows, count)


def _item(draw: Random, number: int, period: str) -> dict[str, Any]:
    """Many sell now and then, some every day; out of stock on one day in thirty."""
    periods, out = (_DAYS, 1) if period == "day" else (_WEEKS, 3)
    often = draw.choice((0.2, 1, 3, 8))
    return {
        "ref": f"I{number}",
        "period": period,
        "sales": [Decimal(int(draw.expovariate(1 / often))) for _ in range(periods)],
        "oos_days": [out if draw.random() < 1 / 30 else 0 for _ in range(periods)],
        "stock": Decimal(draw.randrange(50)),
        "lead_days": 7,
        "review_days": 7,
        "unit_cost": Decimal("3.20"),
        "unit_price": Decimal(5),
    }


def _case(
    name: str,
    unit: str,
    feature: Callable[[Any], Any],
    model: type[BaseModel],
    given: Mapping[str, Any],
    rows: tuple[tuple[str, Decimal], ...],
    count: int | None = None,
) -> Case:
    what = f"{name}, {len(rows) if count is None else count:,} {unit} (generated)"
    # The decorated feature keeps the plain builder, as functools.wraps does.
    return Case(what=what, feature=feature.__wrapped__, model=model, given=given, rows=rows)  # type: ignore[attr-defined]


def result_of(built: Any) -> Any:  # noqa: ANN401  # each feature has a result of its own
    """The finished result of a builder, without a model; a builder with steps is run to its first question."""
    prompt: Any = built
    if isgenerator(built):
        try:
            prompt = next(built)
        except StopIteration as ended:
            prompt = ended.value
    return prompt if prompt.fallback is None else prompt.fallback()


def least(work: Callable[[], object], rounds: int) -> float:
    """CPU seconds of the quickest round."""
    taken: list[float] = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return min(taken)


def one_pass(rows: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    """The yardstick: what each name adds up to."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for name, number in rows:
        sums[name] += number
    return sums


def measured(case: Case, rounds: int = _ROUNDS) -> Result:
    """One line: the three steps, and how many plain passes they take together.

    Args:
        case: What to measure.
        rounds: How often; the quickest counts.
    """
    keys, request = Keys(b"k" * 32), case.model.model_validate(case.given)
    read = least(lambda: case.model.model_validate(case.given), rounds)
    work = least(lambda: result_of(case.feature(request)), rounds)
    hashed = least(lambda: keys.request_hashes("f", "1", {"asked": request}, [{}, {"model": None}]), rounds)
    plain = least(lambda: one_pass(case.rows), rounds)
    together = read + work + hashed
    return Result(
        what=case.what,
        ours=f"{together:.3g} s CPU: read {read:.3g}, work out {work:.3g}, hash {hashed:.3g}",
        yardstick=f"one plain pass {1_000 * plain:.3g} ms; all of it {together / plain:,.0f} passes",
        figure=hashed / work,
        goal="hash <= work out",
        met=hashed <= work,
    )


def speed(_folder: Path, *, full: bool) -> list[Result]:
    """The largest inputs; items by day are 2,000 in the full size only."""
    cases: tuple[Callable[[], Case], ...] = (
        lambda: purchases(100_000),
        lambda: invoices(5_000),
        lambda: items(2_000, "week"),
        lambda: items(2_000 if full else 200, "day"),
        lambda: products(2_000),
    )
    # One after the other: all of them together are hundreds of megabytes.
    return [measured(make()) for make in cases]
