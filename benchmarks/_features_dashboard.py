"""How many tokens a dashboard sends for 500 and for 10,000 customers, beside sending the customers' rows instead.

The shop is the feature's own example, so it is invented. Tokens
are counted with the public tokeniser ``o200k_base``, whose table comes with LiteLLM; nothing goes to the network. A
provider's own count differs by some percent, so costs are shown with 10 % more, as in the price tables. The schema of
the answer, which many providers count too, is the same for all rows and left out.
"""

from __future__ import annotations

import json
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ai_addons.features.portfolio_dashboard import SPEC, SYSTEM, USER, portfolio_dashboard
from ai_addons.features.portfolio_dashboard.example import AS_OF, example, shop
from ai_addons.testing._prompts import tokens
from benchmarks._features_rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ai_addons.features.portfolio_dashboard.example import Shop

REFERENCE: Final = {(500, "facts"): 2_845, (10_000, "facts"): 2_862, (500, "rows"): 51_662, (10_000, "rows"): 1_050_000}
"""Tokens of an earlier draft, to compare with."""

# gpt-6-luna in USD a million tokens, a tokeniser's error, and GHS a USD, as in the tables of costs.
_INPUT, _OUTPUT, _MARGIN, _GHS = Decimal("0.10"), Decimal("0.50"), Decimal("1.10"), Decimal(16)
_MILLION: Final = 1_000_000


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


def measure(sizes: Sequence[int] = (500, 10_000)) -> list[Row]:
    """Facts and rows for each number of customers, after the static part; then what a call with the facts costs."""
    static = tokens(SYSTEM + USER)
    counted = [
        (customers, what, tokens(text(customers)))
        for customers in sizes
        for what, text in (("facts", facts), ("rows", rows))
    ]
    return [
        Row(what="tokens of the static part (generated)", figure=static, reference=631, digits=0),
        *(
            Row(what=sent(customers), method=what, figure=size, reference=REFERENCE.get((customers, what)), digits=0)
            for customers, what, size in counted
        ),
        *(
            Row(what=cost(customers), method=what, figure=_ghs(size + static), unit="GHS", digits=4)
            for customers, what, size in counted
        ),
    ]


def sent(customers: int) -> str:
    """The name of the tokens sent for so many customers."""
    return f"tokens for {customers:,} customers (generated)"


def cost(customers: int) -> str:
    """The name of what a call for so many customers costs."""
    return f"cost of a call for {customers:,} customers (generated)"


def _ghs(size: int) -> Decimal:
    """What a call with so many input tokens and an answer of the planned size costs, in GHS."""
    answer = SPEC.tokens[1] if SPEC.tokens else 0
    usd = (_INPUT * size + _OUTPUT * answer) * _MARGIN / _MILLION
    return usd * _GHS
