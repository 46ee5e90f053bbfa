"""``manage.py flush``, for the books too."""

from __future__ import annotations

from typing import Final

from django.core.management.commands import flush

from ai_addons.contrib.django.tables import empty

_QUESTION: Final = (
    "You have requested a flush of the {alias!r} database, with all credits, orders and the ledger in it.\n"
    "This will IRREVERSIBLY DESTROY all data in it.\n"
    "Type 'yes' to continue, or 'no' to cancel: "
)


class Command(flush.Command):  # type: ignore[misc]  # Django has no types
    """Django's own, which empties only tables that it made.

    A test with ``transaction=True`` ends with it, and would leave what it booked to the next one.
    """

    def handle(self, **options: object) -> None:
        """Empty the tables of the host and ours."""
        alias = str(options["database"])
        if options["interactive"] and input(_QUESTION.format(alias=alias)) != "yes":
            self.stdout.write("Flush cancelled.")
            return
        super().handle(**{**options, "interactive": False})
        empty(alias)
