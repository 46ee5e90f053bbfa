"""``manage.py flush``, for the books too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ai_addons.contrib.django.tables import empty

if TYPE_CHECKING:
    from ai_addons.contrib.django._typed import FlushCommand
else:
    from django.core.management.commands.flush import Command as FlushCommand

_QUESTION: Final = (
    "You have requested a flush of the {alias!r} database, with all credits, orders and the ledger in it.\n"
    "This will IRREVERSIBLY DESTROY all data in it.\n"
    "Type 'yes' to continue, or 'no' to cancel: "
)


class Command(FlushCommand):
    """Django's own, which empties only tables that it made.

    A test with ``transaction=True`` ends with it, and would leave what it booked to the next one.
    """

    def handle(self, **options: Any) -> None:  # noqa: ANN401  # Django's
        """Empty the tables of the host and ours."""
        alias = str(options["database"])
        if options["interactive"] and input(_QUESTION.format(alias=alias)) != "yes":
            self.stdout.write("Flush cancelled.")
            return
        super().handle(**{**options, "interactive": False})
        empty(alias)
