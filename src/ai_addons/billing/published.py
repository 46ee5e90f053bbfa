"""What publishing a price or a pack goes by: its floor, what stands already, and its row. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeVar

from ai_addons.billing.margin import CHEAPEST_CREDIT
from ai_addons.billing.packs import cheapest_unit_price, unit_price
from ai_addons.billing.prices import PackVersion, PriceVersion, check_floor, in_force, packs_in_force
from ai_addons.catalog import Pack
from ai_addons.errors import IdempotencyConflict, PriceBelowFloor
from ai_addons.money import Credits, MicroGhs, Money, ghs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ai_addons.billing.policy import Policy
    from ai_addons.billing.prices import FloorVerdict
    from ai_addons.billing.sql import Row

BUILT_IN_TARGET: Final = Decimal("0.90")
"""Share of the revenue that every built-in feature should keep, whatever the settings ask of the others."""

_Version = TypeVar("_Version", PriceVersion, PackVersion)


@dataclass(frozen=True, slots=True, kw_only=True)
class Costing:
    """A feature on sale, as its floor is checked when a pack gets cheaper.

    Attributes:
        feature: Key of the feature.
        credits: What a call costs where no price is published.
        expected_cost: Provider cost of a typical call in micro-GHS, without retries; None if unknown.
        built_in: Whether the SDK ships it.
        loss_leader: Whether a price below cost is meant where none is published.
    """

    feature: str
    credits: Credits
    expected_cost: MicroGhs | None
    built_in: bool = False
    loss_leader: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A price that was published.

    Attributes:
        version: What holds from when.
        verdict: How it stands to its floor; a warning is for the operator to see.
        replayed: Whether it stood so already and nothing was changed.
    """

    version: PriceVersion
    verdict: FloorVerdict
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedPack:
    """A pack that was published or withdrawn.

    Attributes:
        version: What holds from when.
        verdicts: Where its credits are cheaper than all others: each price with its feature, measured anew.
        replayed: Whether it stood so already and nothing was changed.
    """

    version: PackVersion
    verdicts: tuple[tuple[str, FloorVerdict], ...]
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Floors:
    """The margins that prices are held to, as shares of the revenue.

    Attributes:
        floor: Below it a price is refused.
        target: Below it a price is published with a warning; built-in features are held to `BUILT_IN_TARGET` at least.
    """

    floor: Decimal
    target: Decimal

    def verdict(
        self, price: Credits, cost: MicroGhs | None, unit: MicroGhs, *, built_in: bool, loss_leader: bool
    ) -> FloorVerdict:
        """Measure one price.

        Args:
            price: Credits a call.
            cost: Provider cost of a typical call in micro-GHS, None if unknown.
            unit: The least that a credit is sold for, in micro-GHS.
            built_in: Whether the SDK ships the feature.
            loss_leader: Whether a price below its floor is meant.
        """
        return check_floor(
            price,
            cost,
            cheapest_unit_price=unit,
            floor_margin=self.floor,
            target_margin=max(self.target, BUILT_IN_TARGET) if built_in else self.target,
            loss_leader=loss_leader,
        )

    def measured_at(
        self, unit: MicroGhs, features: Iterable[Costing], prices: Sequence[PriceVersion], at: int
    ) -> Iterator[tuple[str, FloorVerdict]]:
        """Measure every price that holds from a time on: the one of then, and those that follow.

        Args:
            unit: The least that a credit is sold for, in micro-GHS.
            features: All features on sale.
            prices: Versions of any features.
            at: UTC microseconds.
        """
        for one in features:
            own = [version for version in prices if version.feature == one.feature]
            first = in_force(own, at) or one
            for priced in (first, *(version for version in own if version.effective_from > at)):
                yield (
                    one.feature,
                    self.verdict(
                        priced.credits,
                        one.expected_cost,
                        unit,
                        built_in=one.built_in,
                        loss_leader=priced.loss_leader,
                    ),
                )


def cheapest_from(policies: Iterable[Policy], versions: Sequence[PackVersion], at: int) -> MicroGhs:
    """The least that any credit is sold for from a time on, in micro-GHS; `CHEAPEST_CREDIT` if nothing is sold.

    Args:
        policies: Every policy that credits may be sold by.
        versions: Published packs, those yet to begin among them.
        at: UTC microseconds.
    """
    later = [version.pack for version in versions if version.effective_from > at and not version.withdrawn]
    found = [
        cheapest_unit_price(
            (*packs_in_force(policy.packs(), versions, at), *later, *([policy.addon] if policy.addon else [])),
            policy.custom,
        )
        for policy in policies
    ]
    return MicroGhs(min((price for price in found if price is not None), default=CHEAPEST_CREDIT))


def version_name(version: PriceVersion) -> str:
    """How holds and the call log name a published price: when it began, which with the feature is its key."""
    return str(version.effective_from)


def already(own: Sequence[_Version], version: _Version, *, now: bool) -> _Version | None:
    """The version that says the same already, None if none does.

    Args:
        own: Versions of this feature or pack.
        version: The one to publish.
        now: Whether no time was named, so that one which holds already will do.

    Raises:
        IdempotencyConflict: If another begins at that very instant.
    """
    at = version.effective_from
    known = in_force(own, at)
    if known is None or (known.effective_from < at and not now):
        return None
    same = replace(version, effective_from=known.effective_from, published_at=known.published_at, actor=known.actor)
    if same == known:
        return known
    if known.effective_from < at:
        return None
    msg = (
        "Another version begins at that very instant already. Nothing was changed, nothing was charged. "
        "Look at it in the history, and choose another time."
    )
    raise IdempotencyConflict(msg)


def refuse_past(version: PriceVersion | PackVersion, what: str, now: int) -> None:
    """Keep history as it was.

    Args:
        version: The one to publish.
        what: What it is, for the message.
        now: UTC microseconds.

    Raises:
        ValueError: If it would begin in the past.
    """
    if version.effective_from < now:
        msg = (
            f"{what} was not changed: it would begin in the past, where calls were made. Name a time to come, or none."
        )
        raise ValueError(msg)


def refuse_losses(pack: Pack, verdicts: Iterable[tuple[str, FloorVerdict]]) -> None:
    """Keep a pack off sale whose credits some feature would lose money on.

    Raises:
        PriceBelowFloor: If there is one.
    """
    below = dict.fromkeys(feature for feature, verdict in verdicts if verdict.outcome == "refuse")
    if below:
        msg = (
            f"Pack {pack.type!r} sells a credit for GHS {ghs(MicroGhs(unit_price(pack)))}, and these features would "
            f"fall below their floor: {', '.join(below)}. It was not published; nothing was charged. Raise their "
            f"prices first, or make the pack dearer."
        )
        raise PriceBelowFloor(msg)


def read_price(row: Row) -> PriceVersion:
    """A price from its row."""
    return PriceVersion(
        feature=row.feature,
        credits=Credits.from_micro(row.credits),
        effective_from=row.effective_from,
        quantum=Credits.from_micro(row.quantum),
        expected_cost=row.expected_cost,
        loss_leader=bool(row.loss_leader),
        published_at=row.published_at,
        actor=row.actor,
    )


def price_values(version: PriceVersion) -> dict[str, object]:
    """A price's row."""
    return {
        "feature": version.feature,
        "effective_from": version.effective_from,
        "credits": version.credits.micro,
        "quantum": version.quantum.micro,
        "expected_cost": version.expected_cost,
        "loss_leader": int(version.loss_leader),
        "published_at": version.published_at,
        "actor": version.actor,
    }


def read_pack(row: Row) -> PackVersion:
    """A pack from its row."""
    pack = Pack(
        type=row.type,
        price=Money.from_minor(row.price_minor, row.currency),
        credits=Credits.from_micro(row.credits),
        bonus=Credits.from_micro(row.bonus),
        recommended=bool(row.recommended),
    )
    return PackVersion(
        pack=pack,
        effective_from=row.effective_from,
        withdrawn=bool(row.withdrawn),
        published_at=row.published_at,
        actor=row.actor,
    )


def pack_values(version: PackVersion) -> dict[str, object]:
    """A pack's row."""
    pack = version.pack
    return {
        "type": pack.type,
        "effective_from": version.effective_from,
        "price_minor": pack.price.minor,
        "currency": pack.price.currency,
        "credits": pack.credits.micro,
        "bonus": pack.bonus.micro,
        "recommended": int(pack.recommended),
        "withdrawn": int(version.withdrawn),
        "published_at": version.published_at,
        "actor": version.actor,
    }
