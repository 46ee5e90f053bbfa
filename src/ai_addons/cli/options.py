"""Options that several commands take."""

from __future__ import annotations

from datetime import UTC
from getpass import getuser
from typing import TYPE_CHECKING, Final

import click

from ai_addons.billing.usage import MOST_DAYS

if TYPE_CHECKING:
    from datetime import datetime

TIME: Final = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])
DAYS: Final = click.option(
    "--days", type=click.IntRange(1, MOST_DAYS), default=30, show_default=True, help="How many days, with today."
)
ACTOR: Final = click.option("--actor", required=True, help="Who decided; kept in the audit log.")
REASON: Final = click.option("--reason", required=True, help="Why; kept in the audit log.")
WHO: Final = click.option(
    "--actor", default=getuser, show_default="your login name", help="Who does it; kept in the audit log."
)


def utc(at: datetime | None) -> datetime | None:
    """A time of the command line, which is of UTC."""
    return None if at is None else at.replace(tzinfo=UTC)
