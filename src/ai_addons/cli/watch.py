"""Commands by which operators watch the business: the same figures as on their page."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from ai_addons.cli import show
from ai_addons.web.pages.admin.filters import money, number, percent, took, when, words
from ai_addons.web.reports import reading
from ai_addons.web.reports.figures import WAITS

if TYPE_CHECKING:
    from ai_addons.web.base import Answer
    from ai_addons.web.reports.answers import CallsAnswer, PaymentsAnswer, StatusAnswer

_DAYS = click.option(
    "--days", type=click.IntRange(1, 366), default=30, show_default=True, help="Days back, today included."
)


@click.command()
@show.as_json
def status(*, json_out: bool) -> None:
    """Show what needs somebody: cost beside the budget, kill switches, what waits, the exchange rate."""
    with closing(show.open_addons()) as addons:
        found = reading.status(addons)
    if json_out:
        _print_json(found)
    else:
        _print_status(found)


@click.command()
@_DAYS
@show.as_json
def calls(days: int, *, json_out: bool) -> None:
    """Show how long calls took, what went wrong and what the cache saved."""
    with closing(show.open_addons()) as addons:
        found = reading.calls(addons, days)
    if json_out:
        _print_json(found)
    else:
        _print_calls(found)


@click.command()
@_DAYS
@show.as_json
def payments(days: int, *, json_out: bool) -> None:
    """Show what became of orders, attempts to pay, refunds and disputes."""
    with closing(show.open_addons()) as addons:
        found = reading.payments(addons, days)
    if json_out:
        _print_json(found)
    else:
        _print_payments(found)


def _print_json(found: Answer) -> None:
    show.print_json(found.model_dump(mode="json"))


def _print_status(found: StatusAnswer) -> None:
    out = show.console()
    for alert in found.alerts:
        click.echo(alert)
    if not found.alerts:
        click.echo("nothing needs anybody now")
    columns = ("window", "used USD", "used GHS", "in progress USD", "budget USD", "share")
    rows = (
        (
            one.window,
            money(one.used_usd),
            money(one.used_ghs),
            money(one.held_usd),
            money(one.budget_usd),
            percent(one.share),
        )
        for one in found.spending
    )
    out.print(show.table("Cost of the models", columns, rows, right=columns[1:]))
    waits = ((WAITS[one.what], number(one.several), when(one.oldest)) for one in found.backlog)
    out.print(show.table("What waits", ("what", "number", "oldest"), waits, right=("number",)))
    rate = found.rate
    click.echo(f"GHS {number(rate.ghs_per_usd)} per USD from {rate.source}, as of {rate.as_of}: {rate.state}")


def _print_calls(found: CallsAnswer) -> None:
    out = show.console()
    if found.missing_days:
        click.echo(f"missing: {show.counted(found.missing_days, 'day')} that no sweep has counted yet")
    columns = ("feature", "answered by", "calls", "within 3 s", "p50", "p95", "p99")
    times = (
        (
            one.feature or "all",
            "cache" if one.cached else "model, rules",
            number(one.calls),
            number(one.in_3_s),
            took(one.p50_ms),
            took(one.p95_ms),
            took(one.p99_ms),
        )
        for one in found.latency
    )
    out.print(show.table(f"Times of {found.days} days", columns, times, right=columns[2:]))
    wrong = (
        (one.error, number(one.calls), ", ".join(f"{key} {several}" for key, several in one.features.items()))
        for one in found.errors
    )
    out.print(show.table("Errors", ("error", "calls", "features"), wrong, right=("calls",)))
    saved = (
        (
            one.feature or "all",
            number(one.cacheable),
            number(one.hits),
            percent(one.hit_rate),
            money(one.saved_ghs),
            money(one.saved_usd),
        )
        for one in found.cache
    )
    kept = ("feature", "cacheable", "hits", "rate", "saved GHS", "saved USD")
    out.print(show.table("Cache", kept, saved, right=kept[1:]))


def _print_payments(found: PaymentsAnswer) -> None:
    out = show.console()
    orders = (
        (words(one.state), number(one.orders), number(one.businesses), f"{one.currency} {money(one.amount)}")
        for one in found.orders
    )
    columns: tuple[str, ...] = ("state", "orders", "businesses", "amount")
    out.print(show.table(f"Orders of {found.days} days", columns, orders, right=columns[1:]))
    tries = (
        (one.gateway, words(one.method) or "any", one.state, one.outcome or "nothing yet", number(one.tries))
        for one in found.attempts
    )
    columns = ("gateway", "method", "state", "the gateway says", "attempts")
    out.print(show.table("Attempts to pay", columns, tries, right=("attempts",)))
    back = (
        (one.what, words(one.state), number(one.several), f"{one.currency} {money(one.amount)}")
        for one in found.money_back
    )
    columns = ("what", "state", "number", "amount")
    out.print(show.table("Money that goes back, of all time", columns, back, right=columns[2:]))
    if found.quarantine:
        click.echo(f"{len(found.quarantine)} payments do not fit their order: see `ai-addons orders quarantine`")
