"""`ai-addons drift`: whether calls are booked with the prices that others know."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from ai_addons.cli import show
from ai_addons.cli.exits import Exit, finds
from ai_addons.errors import UnpricedModel
from ai_addons.llm.drift import drifts
from ai_addons.llm.litellm import LiteLlm
from ai_addons.llm.prices import PRICES
from ai_addons.llm.providers import is_offline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ai_addons.addons import AddOns
    from ai_addons.llm.prices import ModelPrice


@click.command(epilog=finds("if a price differs"))
@click.option("--all", "everything", is_flag=True, help="Every model of the price table, not only those configured.")
@show.as_json
def drift(*, everything: bool, json_out: bool) -> None:
    """Compare the prices that calls are booked with and those of LiteLLM's list.

    Nothing is sent: the list is the one that comes with the installed LiteLLM. Look at the provider's own page before
    you correct a price under [prices.models] in the settings.
    """
    with closing(show.open_addons()) as addons:
        models = sorted({*_configured(addons), *(PRICES if everything else ())})
        ours = {model: _booked(addons, model) for model in models}
    found = tuple(drifts(models, ours, LiteLlm().listed_prices(models)))
    if json_out:
        show.print_json({"models": models, "drifts": found})
    elif found:
        rows = ((one.model, one.pool, _usd(one.ours), _usd(one.listed)) for one in found)
        columns = ("model", "tokens", "booked with", "LiteLLM's list")
        title = "Prices that differ, USD a million tokens"
        show.console().print(show.table(title, columns, rows, right=columns[2:]))
    else:
        click.echo(f"The prices of {len(models)} models agree with LiteLLM's list.")
    if found:
        raise SystemExit(Exit.FINDINGS)


def _configured(addons: AddOns) -> Iterator[str]:
    """Every model that may be asked for some feature, for some business."""
    for spec in addons.features():
        for business in (None, *addons.settings.businesses):
            yield from (model for model in addons.route(spec, business=business) if not is_offline(model))


def _booked(addons: AddOns, model: str) -> ModelPrice | None:
    """The price that calls of a model are booked with; None where there is none."""
    try:
        return addons.model_prices.row(model)
    except UnpricedModel:
        return None


def _usd(price: int | None) -> str:
    """Pico-USD a token are micro-USD a million tokens."""
    return "unknown" if price is None else f"{price / 1_000_000:g}"
