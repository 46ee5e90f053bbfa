"""Options that several commands take."""

from __future__ import annotations

from getpass import getuser
from typing import Final

import click

from ai_addons.billing.usage import MOST_DAYS

DAYS: Final = click.option(
    "--days", type=click.IntRange(1, MOST_DAYS), default=30, show_default=True, help="How many days, with today."
)
ACTOR: Final = click.option("--actor", required=True, help="Who decided; kept in the audit log.")
REASON: Final = click.option("--reason", required=True, help="Why; kept in the audit log.")
WHO: Final = click.option(
    "--actor", default=getuser, show_default="your login name", help="Who does it; kept in the audit log."
)
