"""``manage.py ai_addons …``: the commands of ``ai-addons``, with the host's settings."""

from __future__ import annotations

from argparse import REMAINDER
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from ai_addons.contrib.django.conf import host_settings
from ai_addons.contrib.django.wiring import make_addons

if TYPE_CHECKING:
    from ai_addons import AddOns, Settings
    from ai_addons.contrib.django._typed import BaseCommand
else:
    from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Every command of ``ai-addons``, on the books of this host."""

    help: str = "Everything that ai-addons does, on the books of this host: manage.py ai_addons doctor"
    requires_system_checks: tuple[str, ...] = ()

    def run_from_argv(self, argv: list[str]) -> None:
        """Hand what follows over; Django's own options would get in the way of ours."""
        self._run(argv[2:], prog_name=f"{argv[0]} {argv[1]}")

    def handle(self, *args: Any, **_options: object) -> None:  # noqa: ANN401  # Django's
        """For ``call_command("ai_addons", "doctor")``."""
        self._run(list(args), prog_name="manage.py ai_addons")

    def add_arguments(self, parser: Any) -> None:  # noqa: ANN401  # Django's
        """What ``call_command`` takes."""
        parser.add_argument("args", nargs=REMAINDER)

    def _run(self, arguments: list[str], *, prog_name: str) -> None:
        # By its entry point: the command line stands above the adapters and imports them.
        (found,) = entry_points(group="console_scripts", name="ai-addons")
        found.load().main(arguments, prog_name=prog_name, obj=_Host())


class _Host:
    """What the commands work with here."""

    def addons(self) -> AddOns:
        """The host's, made anew: each command closes the one it works with."""
        return make_addons(host_settings())

    def settings(self) -> Settings:
        """The host's, with the address of its database."""
        host = host_settings()
        return make_addons(host.model_copy(update={"CONNECTION": "own"})).settings
