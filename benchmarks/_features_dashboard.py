"""How many tokens a dashboard sends for 500 and for 10,000 customers, beside sending the customers' rows instead.

Run with ``python -m benchmarks._features_dashboard``. The shop is the feature's own example, so it is invented. Tokens
are counted with the public tokeniser ``o200k_base``, whose table comes with LiteLLM; nothing goes to the network. A
provider's own count differs by some percent, so costs are shown with 10 % more, as in the price tables. The schema of
the answer, which many providers count too, is the same for all rows and left out.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ai_addons.features.portfolio_dashboard import SPEC, SYSTEM, USER, portfolio_dashboard
from ai_addons.features.portfolio_dashboard.example import AS_OF, example, shop
from ai_addons.testing._prompts import tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_addons.features.portfolio_dashboard.example import Shop

REFERENCE: Final = {(500, "facts"): 2_845, (10_000, "facts"): 2_862, (500, "rows"): 51_662, (10_000, "rows"): 1_050_000}
"""Tokens of an earlier draft, to compare with."""

# gpt-6-luna in USD a million tokens, a tokeniser's error, and GHS a USD, as in the tables of costs.
_INPUT, _OUTPUT, _MARGIN, _GHS = Decimal("0.10"), Decimal("0.50"), Decimal("1.10"), Decimal(16)
_MILLION: Final = 1_000_000
_CREDITS, _LEAST_PRICE = Decimal(5), Decimal("0.50")


@dataclass(frozen=True, slots=True)
class Row:
    """One figure beside the reference's.

    Attributes:
        what: What was counted.
        tokens: Ours.
        reference: The reference's, None where it has none.
        ghs: Cost of a call with as many input tokens and an answer of the planned size, in GHS.
        margin: What is left of 5 credits at GHS 0.50, before payment fees.
    """

    what: str
    tokens: int
    reference: int | None
    ghs: Decimal
    margin: Decimal


def facts(customers: int) -> str:
    """What a dashboard sends of a shop."""
    prompt = portfolio_dashboard.__wrapped__(example(customers))
    return prompt.data.model_dump_json()  # type: ignore[attr-defined, no-any-return]  # typed as any object


def rows(customers: int) -> str:
    """What many would send instead: a JSON row for each customer."""
    return json.dumps(list(_customer_rows(shop(customers))), separators=(",", ":"))


def _customer_rows(rows_of: Shop) -> Iterator[dict[str, object]]:
    spent: dict[str, list[tuple[int, Decimal]]] = defaultdict(list)
    for row in rows_of.purchases:
        spent[row.customer_ref].append(((AS_OF - row.day).days, row.amount))
    owed: dict[str, list[tuple[int, Decimal]]] = defaultdict(list)
    for bill in rows_of.bills:
        owed[bill.customer_ref].append(((AS_OF - bill.due).days, bill.amount - bill.paid_so_far))
    for who in rows_of.names:
        bought, bills = spent[who], owed[who]
        yield {
            "customer": who,
            "orders": len(bought),
            "spend_ghs": f"{sum((amount for _, amount in bought), Decimal(0)):.2f}",
            "last_purchase_days": min((days for days, _ in bought), default=None),
            "first_purchase_days": max((days for days, _ in bought), default=None),
            "owed_ghs": f"{sum((amount for _, amount in bills), Decimal(0)):.2f}",
            "open_bills": [{"days_overdue": days, "amount_ghs": f"{amount:.2f}"} for days, amount in bills],
        }


def measure(sizes: tuple[int, ...] = (500, 10_000)) -> list[Row]:
    """Facts and rows for each number of customers, after the static part."""
    static = tokens(SYSTEM + USER)
    counted = [
        (f"{what}, {customers:,} customers", tokens(text(customers)), REFERENCE.get((customers, what)))
        for what, text in (("facts", facts), ("rows", rows))
        for customers in sizes
    ]
    return [_row("static part", static, 631, 0), *(_row(what, size, there, static) for what, size, there in counted)]


def _row(what: str, size: int, there: int | None, static: int) -> Row:
    answer = SPEC.tokens[1] if SPEC.tokens else 0
    usd = (_INPUT * (size + static) + _OUTPUT * answer) * _MARGIN / _MILLION
    ghs = usd * _GHS
    return Row(what, size, there, ghs.quantize(Decimal("0.0001")), 1 - ghs / (_CREDITS * _LEAST_PRICE))


def main() -> None:
    """Print the figures as a Markdown table."""
    print("| what | tokens | reference | GHS a call | margin at 0.50 |\n|---|---|---|---|---|")
    for row in measure():
        there = "" if row.reference is None else f"{row.reference:,}"
        print(f"| {row.what} | {row.tokens:,} | {there} | {row.ghs} | {row.margin:.1%} |")


if __name__ == "__main__":
    main()
