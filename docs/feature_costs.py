"""What a call of each built-in feature costs and earns: the page ``reference/feature-costs.md``.

Counted, not measured at a provider: tokens of the feature's own example by a public
tokeniser, times a factor for each provider.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final

from ai_addons.billing.margin import PAYMENT_FEE, call_margin, expected_cost, loaded_margin
from ai_addons.catalog import BUILT_IN
from ai_addons.llm.costs import PriceBook
from ai_addons.llm.prices import AS_OF, PRICES
from ai_addons.llm.providers import split_route, title_of
from ai_addons.money import MicroGhs, PicoUsd, ghs, scaled_rate, to_micro_ghs, usd
from ai_addons.testing._prompts import FACTORS, asked_by, examples, on_model, size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ai_addons.catalog import FeatureSpec
    from ai_addons.testing._prompts import Size

CUSTOMERS: Final = (500, 10_000)
"""Sizes of the shops of the examples."""

RATES: Final = ("11.646", "16.00")
"""GHS per USD: the built-in rate, and a dear dollar. Gates use the first."""

CREDITS: Final = tuple(Decimal(price) for price in ("1.00", "0.80", "0.72", "0.50"))
"""GHS that a credit brought: the packs, and the monthly add-on."""

GOAL: Final = Decimal("0.90")
"""Loaded margin at the cheapest credit and the built-in rate."""

EXCEPTIONS: Final[Mapping[tuple[str, str], str]] = {}
"""Feature and provider that miss the goal on every model, each with its reason."""

_MICRO: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCost:
    """What a typical call of a feature costs on one model.

    Attributes:
        feature: Its key.
        customers: Size of the shop of the example.
        model: The route.
        input: Input tokens of that model, the schema of the answer included.
        output: Output tokens: of the sample answer, or what the feature is planned with if that is more.
        cost: Provider cost.
    """

    feature: str
    customers: int
    model: str
    input: int
    output: int
    cost: PicoUsd

    def in_ghs(self, rate: str) -> MicroGhs:
        """The cost at so many GHS per USD."""
        return to_micro_ghs(self.cost, scaled_rate(rate))

    def plain(self, rate: str, credit: Decimal) -> Decimal | None:
        """Margin without retries and fees."""
        revenue = MicroGhs(int(BUILT_IN[self.feature].credits.decimal * credit * _MICRO))
        return call_margin(revenue, self.in_ghs(rate), fee=Decimal(0))

    def loaded(self, rate: str, credit: Decimal) -> Decimal | None:
        """Margin with a quarter more attempts and the payment fee."""
        price = BUILT_IN[self.feature].credits
        return loaded_margin(price, self.in_ghs(rate), MicroGhs(int(credit * _MICRO)))


def call_cost(spec: FeatureSpec, customers: int, model: str, counted: Size) -> CallCost:
    """The cost of a call of the given size on a model.

    Args:
        spec: The feature.
        customers: Size of the shop.
        model: A route with a price.
        counted: Tokens by the public tokeniser.
    """
    planned = spec.tokens[1] if spec.tokens is not None else 0
    sent = on_model(model, counted.system + counted.user + counted.schema)
    said = on_model(model, max(counted.answer, planned))
    cost = expected_cost((sent, said), PRICES[model].input, PRICES[model].output)
    return CallCost(feature=spec.key, customers=customers, model=model, input=sent, output=said, cost=cost)


def fit_models(provider: str) -> tuple[str, ...]:
    """Models of a provider that are not about to be switched off on the day of the price list."""
    routes = [route for route in PRICES if split_route(route)[0] == provider]
    return tuple(route for route in routes if not PriceBook().findings([route], AS_OF))


def cheapest(spec: FeatureSpec, customers: int, provider: str, counted: Size) -> CallCost:
    """The cost on the provider's cheapest fit model; of equally cheap ones the first in the list."""
    return min(
        (call_cost(spec, customers, model, counted) for model in fit_models(provider)), key=lambda call: call.cost
    )


def costs() -> list[CallCost]:
    """What calls of all features with an example cost, by the order of the price list."""
    found = examples()
    return [
        cheapest(feature.spec, customers, provider, counted)
        for feature, example in (found[key] for key in BUILT_IN if key in found)
        for customers in CUSTOMERS
        for counted in [size(asked_by(feature, example(customers)))]
        for provider in FACTORS
    ]


def misses(calls: Iterable[CallCost]) -> set[tuple[str, str]]:
    """Feature and provider whose loaded margin falls short of the goal."""
    return {
        (call.feature, split_route(call.model)[0])
        for call in calls
        if (call.loaded(RATES[0], CREDITS[-1]) or Decimal(0)) < GOAL
    }


def page(calls: Sequence[CallCost]) -> Iterator[str]:
    """The parts of the page, as paragraphs and tables.

    Args:
        calls: What `costs` found.
    """
    yield (
        "What a call costs and what is left of its price. Counted from each feature's own example, for a shop of 500 "
        "and one of 10,000 customers, by OpenAI's public tokeniser (`o200k_base`), times "
        f"{', '.join(f'{factor} for {title_of(provider)}' for provider, factor in FACTORS.items())}; no provider was "
        "asked. Input holds instructions, facts and the schema of the answer. Output is the sample answer, or what the "
        f"feature is planned with if that is more. Prices are of {AS_OF}. Each row is the provider's cheapest model "
        "that is not about to be switched off."
    )
    yield _table(
        ("feature", "customers", "model", "tokens in", "tokens out", "USD", *(f"GHS at {rate}" for rate in RATES)),
        (
            (
                *(f"`{call.feature}`", f"{call.customers:,}", f"`{call.model}`", f"{call.input:,}", f"{call.output:,}"),
                *(f"{usd(call.cost):.6f}", *(f"{ghs(call.in_ghs(rate)):.4f}" for rate in RATES)),
            )
            for call in calls
        ),
    )
    yield "## Margins"
    prices = " / ".join(map(str, CREDITS))
    yield (
        f"In percent, where a credit brought GHS {prices}. *Loaded*: 25 % extra attempts and a payment fee of "
        f"{_percent(PAYMENT_FEE, '0.01')} %. No taxes."
    )
    yield _table(
        ("feature", "customers", "model", *(f"{kind} at {rate}" for rate in RATES for kind in ("plain", "loaded"))),
        (
            (
                *(f"`{call.feature}`", f"{call.customers:,}", f"`{call.model}`"),
                *(
                    " / ".join(_percent(margin(rate, credit)) for credit in CREDITS)
                    for rate in RATES
                    for margin in (call.plain, call.loaded)
                ),
            )
            for call in calls
        ),
    )
    yield (
        f"The goal is {_percent(GOAL, '1')} % loaded at GHS {CREDITS[-1]} a credit and {RATES[0]} GHS per USD, on a "
        "model of each provider. " + _exceptions(misses(calls))
    )


def _exceptions(missing: set[tuple[str, str]]) -> str:
    if not missing:
        return "Every feature above meets it."
    said = (f"`{key}` on {title_of(provider)}: {EXCEPTIONS[key, provider]}" for key, provider in sorted(missing))
    return f"These do not: {'; '.join(said)}"


def _percent(share: Decimal | None, step: str = "0.1") -> str:
    """A share in percent, rounded half up."""
    return "none" if share is None else str((share * 100).quantize(Decimal(step), ROUND_HALF_UP))


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = tuple(head)
    return "\n".join(f"| {' | '.join(line)} |" for line in (names, ("---",) * len(names), *rows))
