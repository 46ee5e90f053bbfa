"""`ai-addons feedback`: how users rate each feature, and what they wrote last."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from ai_addons.billing.ratings import MOST_COMMENTS
from ai_addons.cli import choices, show
from ai_addons.cli.options import TIME, utc

if TYPE_CHECKING:
    from datetime import datetime

    from ai_addons.billing.ratings import Comment, FeatureRatings, RatingsReport


@click.command()
@click.option("--business", help="One business; without it all.")
@click.option("--feature", shell_complete=choices.features, help="One feature; without it all.")
@click.option("--since", type=TIME, metavar="DATE", help="First day or moment, UTC; without it all that is kept.")
@click.option(
    "--comments",
    type=click.IntRange(0, MOST_COMMENTS),
    default=10,
    show_default=True,
    help="How many of the newest comments.",
)
@show.as_json
def feedback(
    business: str | None, feature: str | None, since: datetime | None, comments: int, *, json_out: bool
) -> None:
    """Show the stars of each feature and the newest comments; not for a shop's eyes.

    Comments are masked, and nobody is told who wrote them. Good are four and five stars; how sure that share is,
    a 95 % Wilson interval says. Nothing is changed.
    """
    with closing(show.open_addons()) as addons:
        found = addons.ratings(since=utc(since), business=business, feature=feature, comments=comments)
    if json_out:
        show.print_json(found)
    else:
        _print(found)


def _print(found: RatingsReport) -> None:
    if found.features:
        columns = ("feature", "ratings", "mean", "good", "95 %", "5", "4", "3", "2", "1")
        shown = show.table("Ratings of those who rated", columns, map(_row, found.features), right=columns[1:])
        show.console().print(shown)
    else:
        click.echo("nobody rated anything")
    for one in found.comments:
        click.echo(_line(one))


def _row(one: FeatureRatings) -> tuple[str, ...]:
    low, high = one.interval
    numbers = (str(one.ratings), f"{one.mean:.2f}", f"{one.good_share:.1%}", f"{low:.1%} to {high:.1%}")
    return (show.literal(one.feature), *numbers, *map(str, reversed(one.stars)))


def _line(one: Comment) -> str:
    """A comment on one line; signs that steer a terminal become blanks, because a user may have typed them."""
    stars = "no stars" if one.rating is None else f"{one.rating} stars"
    text = f"{show.when(one.at)} UTC, {one.business}, {one.feature}, {stars}: {one.comment}"
    return "".join(sign if sign.isprintable() else " " for sign in text)
