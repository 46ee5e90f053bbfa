"""`ai-addons prices`: what is on sale."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from ai_addons.cli import show
from ai_addons.cli.modules import MODULES, import_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_addons.addons import PriceList
    from ai_addons.billing.packs import CustomPack
    from ai_addons.billing.policy import AddonPlan
    from ai_addons.billing.storefronts import StorefrontPlan


@click.command()
@MODULES
@click.option("--business", help="For whom: the features that are on for it, the packs of its policy.")
@show.as_json
def prices(modules: tuple[str, ...], business: str | None, *, json_out: bool) -> None:
    """Show what is on sale: features, packs of credits, the monthly add-on, the storefront plan."""
    import_all(modules)
    with closing(show.open_addons()) as addons:
        listed = addons.price_list(business)
    if json_out:
        show.print_json(show.price_list(listed))
    else:
        _print_prices(listed)


def _print_prices(listed: PriceList) -> None:
    out = show.console()
    features = ((item.name, item.category, item.credits.short, item.description) for item in listed.features)
    out.print(show.table("Features", ("feature", "shelf", "credits", "what it does"), features, right=("credits",)))
    packs = (
        (pack.type + (" (recommended)" if pack.recommended else ""), str(pack.price), pack.credits.short)
        for pack in listed.packs
    )
    rows = (*packs, *(_custom_rows(listed.custom) if listed.custom is not None else ()))
    out.print(show.table("Packs", ("pack", "price", "credits"), rows, right=("price", "credits")))
    if listed.addon is not None:
        click.echo(_told_addon(listed.addon))
    click.echo(_told_plan(listed.storefronts))


def _custom_rows(custom: CustomPack) -> Iterator[tuple[str, str, str]]:
    """The pack of any size: a row for each price per credit."""
    further = [start for start, _ in custom.tiers[1:]]
    ends = [*(f"to below {start}" for start in further), f"to {custom.most}"]
    for start, end, (_, micro) in zip([custom.least, *further], ends, custom.tiers, strict=True):
        yield "CUSTOM", f"{start} {end}", f"one for GHS {show.cedis(micro)}"


def _told_addon(addon: AddonPlan) -> str:
    return (
        f"Monthly add-on: {addon.price} for {addon.credits.short} credits a month; "
        f"up to {addon.rollover_cap.short} unused ones live on for one more"
    )


def _told_plan(plan: StorefrontPlan) -> str:
    """The price of the point-of-sale system itself, which is quoted and never collected."""
    listed = ", ".join(f"{count}: {price}" for count, price in enumerate(plan.prices, start=1))
    return f"Point-of-sale system a month, by storefronts: {listed}, each further one {plan.further}"
