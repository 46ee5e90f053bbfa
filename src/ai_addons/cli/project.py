"""`ai-addons project`: what a number of subscribers would bring."""

from __future__ import annotations

import tomllib
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Final

import click
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ai_addons.billing.packs import ADDON, HYBRID_PACKS, PREPAID_PACKS
from ai_addons.billing.projection import Projection, Scenario, Share, plan_scenarios, project
from ai_addons.cli import show
from ai_addons.money import Money

_PRICES: Final = {**{pack.type: pack.price for pack in (*PREPAID_PACKS, *HYBRID_PACKS)}, "ADDON": ADDON.price}
_PERCENT: Final = Decimal("0.01")


def _decimal(value: object) -> Decimal:
    """A number or a percentage, as people write it."""
    text = str(value).strip()
    try:
        return Decimal(text.removesuffix("%")) * (_PERCENT if text.endswith("%") else 1)
    except InvalidOperation:
        msg = f"{text!r} is no number such as 0.10 or 10%"
        raise ValueError(msg) from None


_Number = Annotated[Decimal, BeforeValidator(_decimal)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Bought(_Table):
    """One thing that is bought, of a file."""

    what: str
    price: _Number | None = None
    weight: _Number = Decimal(1)
    margin: _Number | None = None


class _Supposed(_Table):
    """A scenario of a file."""

    name: str = "scenario"
    subscribers: int
    adoption: _Number
    margin: _Number = Decimal("0.70")
    fee: _Number = Decimal(0)
    mix: tuple[_Bought, ...]

    def scenario(self) -> Scenario:
        """What is supposed, with list prices where none is given."""
        mix = tuple(
            Share(
                what=one.what,
                price=price_of(one.what) if one.price is None else Money(one.price),
                weight=one.weight,
                margin=self.margin if one.margin is None else one.margin,
            )
            for one in self.mix
        )
        return Scenario(name=self.name, subscribers=self.subscribers, adoption=self.adoption, mix=mix, fee=self.fee)


class _File(_Table):
    """A file of scenarios."""

    scenario: tuple[_Supposed, ...] = Field(min_length=1)


def price_of(what: str) -> Money:
    """The list price of a pack or of the add-on.

    Raises:
        ValueError: If there is none of that name.
    """
    if what not in _PRICES:
        msg = f"{what!r} has no list price; known are {', '.join(_PRICES)}. Give its price in a file."
        raise ValueError(msg)
    return _PRICES[what]


@click.command("project")
@click.option("--subscribers", type=click.IntRange(min=0), default=100, show_default=True, help="How many there are.")
@click.option("--adoption", default="10%", show_default=True, help="Share of them that buys each month.")
@click.option(
    "--mix",
    multiple=True,
    metavar="WHAT=WEIGHT[@MARGIN]",
    help="What they buy, e.g. VALUE=20 or ADDON=10@65%; may be given several times.",
)
@click.option("--margin", default="70%", show_default=True, help="Share of a price left after the providers' cost.")
@click.option("--fee", default="0", show_default=True, help="Share of a payment that the gateway keeps, e.g. 1.95%.")
@click.option(
    "--file",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="TOML with [[scenario]] tables.",
)
@show.as_json
def project_command(  # as many as a scenario has sides
    subscribers: int,
    adoption: str,
    mix: tuple[str, ...],
    margin: str,
    fee: str,
    path: Path | None,
    *,
    json_out: bool,
) -> None:
    """Show what subscribers would bring a month and a year; without --mix and --file the first plan's two scenarios."""
    if path is not None:
        scenarios = read_scenarios(path)
    elif mix:
        supposed = _Supposed(
            subscribers=subscribers,
            adoption=_decimal(adoption),
            margin=_decimal(margin),
            fee=_decimal(fee),
            mix=tuple(map(_bought, mix)),
        )
        scenarios = (supposed.scenario(),)
    else:
        scenarios = plan_scenarios([(what, price_of(what)) for what in ("VALUE", "ADDON")])
    made = tuple(map(project, scenarios))
    if json_out:
        show.print_json([one.plain() for one in made])
    else:
        for one in made:
            _print(one)


def read_scenarios(path: Path) -> tuple[Scenario, ...]:
    """The scenarios of a file.

    Raises:
        ValueError: If it is no such file.
    """
    try:
        with path.open("rb") as file:
            read = _File.model_validate(tomllib.load(file))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"{path} is not valid TOML: {error}"
        raise ValueError(msg) from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        msg = f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise ValueError(msg) from None
    return tuple(one.scenario() for one in read.scenario)


def _bought(text: str) -> _Bought:
    what, equals, rest = text.partition("=")
    weight, _, margin = rest.partition("@")
    if not equals:
        msg = f"{text!r} is not WHAT=WEIGHT, such as VALUE=20"
        raise ValueError(msg)
    return _Bought(what=what, weight=_decimal(weight), margin=_decimal(margin) if margin else None)


def _print(one: Projection) -> None:
    supposed = one.scenario
    fee = f", {supposed.fee:.2%} payment fee in the cost" if supposed.fee else ""
    title = f"{supposed.name}: {supposed.subscribers} subscribers, {supposed.adoption:.1%} buy each month{fee}"
    rows = [(line.what, f"{line.buyers:f}", str(line.revenue), str(line.cost)) for line in one.lines]
    rows.append(("a month", "", str(one.revenue), str(one.cost)))
    columns = ("what", "buyers", "revenue", "cost")
    show.console().print(show.table(title, columns, rows, right=columns[1:]))
    margin = "-" if one.margin is None else f"{one.margin:.1%}"
    click.echo(f"profit {one.profit} a month ({margin}), {one.yearly_profit} a year")
