"""What is on sale: features with their prices, and packs of credits.

All numbers here are list prices, data that settings override; nothing else in
the package repeats them.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from ai_addons.errors import FeatureExists, UnpricedFeature
from ai_addons.money import Credits, Money

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from datetime import timedelta

    from ai_addons.settings import FeaturePrivacySettings, Thinking

Tier: TypeAlias = Literal["small", "large"]
Category: TypeAlias = Literal["basic", "premium"]
CacheScope: TypeAlias = Literal["business", "shared"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A feature as the price list shows it."""

    key: str
    name: str
    category: Category
    credits: Credits
    description: str
    popular: bool = False


BUILT_IN: Final[Mapping[str, Listing]] = {
    listing.key: listing
    for listing in (
        Listing(
            key="product_description",
            name="Product Description Generator",
            category="basic",
            credits=Credits("0.1"),
            description="Generate compelling product descriptions",
        ),
        Listing(
            key="report_summary",
            name="AI Report Summary",
            category="basic",
            credits=Credits("0.2"),
            description="Get AI insights from your reports",
        ),
        Listing(
            key="customer_insight",
            name="Customer Insight Query",
            category="basic",
            credits=Credits("0.5"),
            description="Ask questions about your customers",
        ),
        Listing(
            key="collection_message",
            name="Smart Collection Message",
            category="basic",
            credits=Credits("0.5"),
            description="AI-powered collection reminders",
            popular=True,
        ),
        Listing(
            key="credit_assessment",
            name="Credit Risk Assessment",
            category="premium",
            credits=Credits("3"),
            description="Analyze customer credit risk",
            popular=True,
        ),
        Listing(
            key="collection_analysis",
            name="Collection Priority Analysis",
            category="premium",
            credits=Credits("5"),
            description="Prioritize collections automatically",
        ),
        Listing(
            key="inventory_forecast",
            name="Inventory Forecast",
            category="premium",
            credits=Credits("4"),
            description="Predict inventory needs",
        ),
        Listing(
            key="portfolio_dashboard",
            name="Portfolio Health Dashboard",
            category="premium",
            credits=Credits("5"),
            description="See the health of your whole credit portfolio",
        ),
    )
}
"""The eight keys with a price of their own; a host may put its own builder behind any of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """Credits sold together.

    Attributes:
        type: Stable name, e.g. ``VALUE``.
        price: What the shop owner pays.
        credits: Credits received, bonus included.
        bonus: How many of them are a bonus.
        recommended: Whether the price page points to it.
    """

    type: str
    price: Money
    credits: Credits
    bonus: Credits = field(default_factory=Credits)
    recommended: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """A pack as an answer to "too few credits"."""

    type: str
    price: Money
    credits: Credits
    recommended: bool = False


MOST_FOLDED: Final = 20
"""The most calls that one request carries: a longer list is answered worse, and lost as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSpec:
    """All that billing and routing need to know of a feature.

    Attributes:
        key: Stable name.
        name: Name for people.
        description: One line for the price list.
        category: Shelf of the price list.
        credits: Price given in code, None to take the catalogue's.
        tier: Which models answer.
        cache: How long answers are kept, None for not at all.
        version: Prompt version; part of every cache and request key.
        max_tokens: Output cap sent with every request.
        tokens: Expected input and output tokens of a call, measured; None if unknown.
        cache_scope: Who shares stored answers: the business, or all of them where the prompt says nothing of it.
        variants: How many different answers may be kept for one masked prompt.
        popular: Flag of the price list.
        loss_leader: Whether a price below cost is meant.
        privacy: What happens to personal data in it, None for what the settings say.
        fold: How many calls of it one request may carry in a batch; 1 for each alone.
        thinking: How much the model thinks before it answers; room for it is added to the cap.
        built_in: Whether the SDK ships it.
    """

    key: str
    name: str
    description: str
    category: Category
    credits: Credits | None
    tier: Tier
    cache: timedelta | None
    version: str
    max_tokens: int
    tokens: tuple[int, int] | None = None
    cache_scope: CacheScope = "business"
    variants: int = 1
    popular: bool = False
    loss_leader: bool = False
    privacy: FeaturePrivacySettings | None = None
    fold: int = 1
    thinking: Thinking = "off"
    built_in: bool = False

    def listing(self, prices: Mapping[str, Credits]) -> Listing:
        """This feature as the price list shows it.

        A built-in key keeps its catalogue name and shelf whoever builds it.

        Args:
            prices: Credits by feature key from the settings; they win.

        Raises:
            UnpricedFeature: If neither settings, code nor catalogue has a price.
        """
        known = BUILT_IN.get(self.key)
        return Listing(
            key=self.key,
            name=known.name if known else self.name,
            category=known.category if known else self.category,
            credits=self.price(prices),
            description=known.description if known else self.description,
            popular=known.popular if known else self.popular,
        )

    def price(self, prices: Mapping[str, Credits]) -> Credits:
        """What one call costs.

        Args:
            prices: Credits by feature key from the settings; they win.

        Raises:
            UnpricedFeature: If neither settings, code nor catalogue has a price.
        """
        price = prices.get(self.key)
        if price is None:
            price = self.credits
        if price is None and self.key in BUILT_IN:
            price = BUILT_IN[self.key].credits
        if price is None:
            msg = (
                f"Feature {self.key!r} has no price, so it was not called and nothing was charged. "
                f"Give credits= to @billed_feature, or set prices.features.{self.key}."
            )
            raise UnpricedFeature(msg)
        return price


class Registry:
    """The features this process has declared, by key.

    A host's own builder replaces a built-in of the same key; two different host
    functions under one key are an error, found at import rather than at the till.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._specs: dict[str, tuple[FeatureSpec, str]] = {}

    def add(self, spec: FeatureSpec, origin: str) -> None:
        """Declare a feature.

        Args:
            spec: The feature.
            origin: Module and qualified name of its builder; the same origin may
                declare again (a module was reloaded).

        Raises:
            FeatureExists: If another host function has this key.
        """
        with self._lock:
            known = self._specs.get(spec.key)
            if known is not None and known[1] != origin:
                if spec.built_in:
                    return
                if not known[0].built_in:
                    msg = (
                        f"Feature key {spec.key!r} is used by {known[1]} and by {origin}; nothing was charged. "
                        f"Give one of them another key."
                    )
                    raise FeatureExists(msg)
            self._specs[spec.key] = (spec, origin)

    def specs(self) -> tuple[FeatureSpec, ...]:
        """All features: the built-in order first, then the host's by key."""
        order = list(BUILT_IN)
        with self._lock:
            found = [spec for spec, _ in self._specs.values()]
        return tuple(sorted(found, key=lambda s: (order.index(s.key) if s.key in BUILT_IN else len(order), s.key)))

    @contextmanager
    def isolated(self) -> Generator[None, None, None]:
        """Forget inside-the-block declarations afterwards; tests declare freely."""
        with self._lock:
            before = dict(self._specs)
        try:
            yield
        finally:
            with self._lock:
                self._specs = before


declared: Final = Registry()
"""The features of this process, as a web framework keeps one list of routes."""
