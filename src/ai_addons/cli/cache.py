"""`ai-addons cache`: how useful stored answers are, and how to be rid of them."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import click

from ai_addons.cli import choices, show
from ai_addons.cli.options import DAYS, WHO
from ai_addons.errors import ConfigError

if TYPE_CHECKING:
    from decimal import Decimal

    from ai_addons.answers import CacheStats
    from ai_addons.billing.hits import CacheUse

_ELSEWHERE: Final = "The cache in memory belongs to each running process and cannot be reached from here."


@click.group()
def cache() -> None:
    """Look at stored answers, and drop them."""


@cache.command()
@click.option("--business", help="Count the calls of this one only.")
@DAYS
@show.as_json
def stats(business: str | None, days: int, *, json_out: bool) -> None:
    """Show how many answers are stored and what they saved."""
    with closing(show.open_addons()) as addons:
        found = addons.answers.stats(business, days)
    if json_out:
        show.print_json({**show.plain(found), "features": [_plain(use) for use in found.features]})
    else:
        _print(found)


@cache.command()
@click.option("--feature", shell_complete=choices.features, help="Only the answers of this feature.")
@click.option("--business", help="Only the answers of this business.")
@WHO
@show.as_json
def clear(feature: str | None, business: str | None, actor: str, *, json_out: bool) -> None:
    """Drop stored answers: the next call asks a model, at its price."""
    with closing(show.open_addons()) as addons:
        if addons.settings.cache.backend == "memory":
            msg = f"{_ELSEWHERE} Nothing was dropped. Restart the processes, or use another cache.backend."
            raise ConfigError(msg)
        gone = addons.answers.clear(feature=feature, business=business)
        addons.note_action(actor, "clear_cache", business=business or "", feature=feature, dropped=gone)
    if json_out:
        show.print_json({"dropped": gone})
    else:
        click.echo(f"{gone} stored answers dropped")


def _print(found: CacheStats) -> None:
    stored = (
        "cannot say" if found.entries is None else f"{show.counted(found.entries, 'answer')}, {found.size_bytes} bytes"
    )
    click.echo(f"Stored ({found.backend}): {stored}")
    if found.backend == "memory":
        click.echo(_ELSEWHERE)
    columns = ("feature", "cacheable calls", "hits", "misses", "hit rate", "saved USD")
    rows = [_row(use.feature, use) for use in found.features]
    title = f"Answers from the cache, last {found.period_days} days"
    show.console().print(show.table(title, columns, [*rows, _row("all", found)], right=columns[1:]))


def _row(name: str, use: CacheUse | CacheStats) -> tuple[str, ...]:
    counts = (str(use.cacheable), str(use.hits), str(use.misses))
    return (name, *counts, _percent(use.hit_rate), f"{use.saved_usd:f}")


def _percent(rate: Decimal | None) -> str:
    return "-" if rate is None else f"{rate * 100:.1f} %"


def _plain(use: CacheUse) -> dict[str, Any]:
    derived = {"misses": use.misses, "hit_rate": use.hit_rate, "saved_usd": use.saved_usd}
    kept = {"feature": use.feature, "cacheable": use.cacheable, "hits": use.hits}
    return {name: show.plain(value) for name, value in (kept | derived).items()}
