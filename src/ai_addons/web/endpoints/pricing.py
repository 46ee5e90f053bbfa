"""What is on sale."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ai_addons.billing.packs import saving, unit_price
from ai_addons.billing.storefronts import quote
from ai_addons.money import Credits
from ai_addons.web.base import Answer, Context, Endpoint

if TYPE_CHECKING:
    from ai_addons.billing.packs import CustomPack
    from ai_addons.billing.policy import AddonPlan
    from ai_addons.billing.storefronts import StorefrontPlan
    from ai_addons.catalog import Listing, Pack


class PackAnswer(Answer):
    """Credits sold together. ``savings`` is the share of the plain price of one cedi a credit."""

    type: str
    name: str
    price: Decimal
    credits: Credits
    bonus_credits: Credits
    total_credits: Credits
    cost_per_credit: Decimal
    savings: Decimal
    recommended: bool


class CustomTier(Answer):
    """From which amount on a credit costs how much."""

    starts_at: Decimal
    cost_per_credit: Decimal


class CustomAnswer(Answer):
    """The pack of any size."""

    type: str
    least: Decimal
    most: Decimal
    tiers: list[CustomTier]


class FeatureCost(Answer):
    """What a call of a feature costs."""

    feature: str
    name: str
    credits: Credits
    description: str
    category: str
    popular: bool


class AddonOffer(Answer):
    """The monthly add-on, if there is one."""

    available: bool
    price: Decimal | None
    credits: Credits | None
    description: str | None
    savings: Decimal | None


class StorefrontPrice(Answer):
    """What the point-of-sale system costs a month for so many storefronts."""

    storefronts: int
    monthly_price: Decimal


class StorefrontAnswer(Answer):
    """What the point-of-sale system itself costs; quoted, never collected."""

    prices: list[StorefrontPrice]
    each_further: Decimal
    yours: StorefrontPrice


class PricingAnswer(Answer):
    """The price list."""

    currency: str
    credit_packs: list[PackAnswer]
    custom_pack: CustomAnswer | None
    feature_costs: list[FeatureCost]
    monthly_addon: AddonOffer
    storefront_plan: StorefrontAnswer


def _pricing(context: Context) -> PricingAnswer:
    listed = context.addons.price_list(context.business)
    storefronts = max(1, context.addons.profile_of(context.business).storefronts)
    return PricingAnswer(
        currency="GHS",
        credit_packs=[_pack(pack) for pack in listed.packs],
        custom_pack=None if listed.custom is None else _custom(listed.custom),
        feature_costs=[_feature(listing) for listing in listed.features],
        monthly_addon=_addon(listed.addon),
        storefront_plan=_storefronts(listed.storefronts, storefronts),
    )


def _pack(pack: Pack) -> PackAnswer:
    return PackAnswer(
        type=pack.type,
        name=pack.type.capitalize(),
        price=pack.price.decimal,
        credits=pack.credits - pack.bonus,
        bonus_credits=pack.bonus,
        total_credits=pack.credits,
        cost_per_credit=_cedis(unit_price(pack)),
        savings=saving(pack),
        recommended=pack.recommended,
    )


def _custom(pack: CustomPack) -> CustomAnswer:
    return CustomAnswer(
        type="CUSTOM",
        least=pack.least.decimal,
        most=pack.most.decimal,
        tiers=[CustomTier(starts_at=start.decimal, cost_per_credit=_cedis(micro)) for start, micro in pack.tiers],
    )


def _feature(listing: Listing) -> FeatureCost:
    return FeatureCost(
        feature=listing.key,
        name=listing.name,
        credits=listing.credits,
        description=listing.description,
        category=listing.category,
        popular=listing.popular,
    )


def _addon(plan: AddonPlan | None) -> AddonOffer:
    if plan is None:
        return AddonOffer(available=False, price=None, credits=None, description=None, savings=None)
    return AddonOffer(
        available=True,
        price=plan.price.decimal,
        credits=plan.credits,
        description=f"{plan.credits.short} credits a month; up to {plan.rollover_cap.short} unused ones roll over",
        savings=saving(plan),
    )


def _storefronts(plan: StorefrontPlan, own: int) -> StorefrontAnswer:
    return StorefrontAnswer(
        prices=[
            StorefrontPrice(storefronts=number, monthly_price=price.decimal)
            for number, price in enumerate(plan.prices, start=1)
        ],
        each_further=plan.further.decimal,
        yours=StorefrontPrice(storefronts=own, monthly_price=quote(plan, own).decimal),
    )


def _cedis(micro: int) -> Decimal:
    """Micro-cedis with two decimals or as many as they need, as amounts of credits are written."""
    return Decimal(str(Credits.from_micro(micro)))


ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    Endpoint(
        method="GET",
        path="ai/pricing/",
        name="pricing",
        summary="What is on sale: packs, features, the monthly add-on.",
        handle=_pricing,
        action="credits:read",
        answer=PricingAnswer,
    ),
)
