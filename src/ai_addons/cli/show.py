"""How the command line talks: tables and lines for people, JSON for machines, errors in one message."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, ParamSpec, Protocol, cast

import click
from pydantic_core import to_jsonable_python
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ai_addons.addons import AddOns
from ai_addons.errors import AddOnsError, ConfigError
from ai_addons.money import Credits, MicroGhs, Money, ghs
from ai_addons.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ai_addons.addons import PriceList
    from ai_addons.billing.packs import CustomPack
    from ai_addons.billing.policy import AddonPlan
    from ai_addons.billing.records import Wallet

P = ParamSpec("P")

_EXIT_CONFIG: Final = 2
_EXIT_FAILED: Final = 1
_EXIT_INTERRUPTED: Final = 130

_DAY_US: Final = 86_400_000_000
_PESEWA_MICRO: Final = 10_000
_PESEWA: Final = Decimal("0.01")

as_json: Final = click.option("--json", "json_out", is_flag=True, help="Print JSON for machines.")


class Host(Protocol):
    """A host that runs the commands within itself, as ``manage.py`` does; it is the ``obj`` of the call."""

    def addons(self) -> AddOns:
        """An object of its own, which the command closes."""
        ...

    def settings(self) -> Settings:
        """What it is made with; ``store.url`` is where the books are."""
        ...


def open_addons() -> AddOns:
    """What a command works with: the host's, else what environment and files say."""
    host = _host()
    return AddOns.from_env() if host is None else host.addons()


def open_settings() -> Settings:
    """The settings of the host, else of environment and files."""
    host = _host()
    return Settings() if host is None else host.settings()


def _host() -> Host | None:
    host: Host | None = click.get_current_context().find_root().obj
    return host


def console(*, stderr: bool = False) -> Console:
    """Where people read; wide enough for a table when the output is piped."""
    made = Console(stderr=stderr, highlight=False, soft_wrap=False)
    return made if made.is_terminal else Console(stderr=stderr, highlight=False, width=100)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()) -> Table:
    """A table; the columns named in ``right`` hold numbers."""
    made = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        made.add_row(*row)
    return made


def when(micros: int) -> str:
    """A booking time for people, UTC."""
    return datetime.fromtimestamp(micros / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def print_json(value: object) -> None:
    """Print a value as JSON; amounts are decimal strings."""
    click.echo(json.dumps(plain(value), indent=2, ensure_ascii=False))


def plain(value: object) -> Any:  # noqa: ANN401  # JSON of any shape
    """A value of ours as plain JSON data."""
    if isinstance(value, (Credits, Decimal)):
        # Never 0E-12: not everyone who reads JSON knows exponents.
        return str(value) if isinstance(value, Credits) else f"{value:f}"
    if isinstance(value, Money):
        return {"amount": str(value.decimal), "currency": value.currency}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in cast("dict[object, object]", value).items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in cast("Sequence[object]", value)]
    return to_jsonable_python(value)


def wallet(found: Wallet) -> dict[str, Any]:
    """A wallet as plain JSON data, with what can be spent."""
    return {**plain(found), "available": str(found.available)}


def price_list(listed: PriceList) -> dict[str, Any]:
    """What is on sale as plain JSON data."""
    return {
        **plain(listed),
        "custom": None if listed.custom is None else _custom(listed.custom),
        "addon": None if listed.addon is None else _addon(listed.addon),
    }


def _custom(pack: CustomPack) -> dict[str, Any]:
    tiers = [{"from": plain(start), "ghs_per_credit": str(cedis(price))} for start, price in pack.tiers]
    return {"least": plain(pack.least), "most": plain(pack.most), "tiers": tiers, "quantum": str(pack.quantum)}


def _addon(plan: AddonPlan) -> dict[str, Any]:
    known = {name: plain(getattr(plan, name)) for name in ("price", "credits", "rollover_cap")}
    return {**known, "grace_days": plan.grace_us // _DAY_US}


def cedis(micro: int) -> Decimal:
    """Micro-GHS as cedis with two places, with six where some would be lost."""
    exact = ghs(MicroGhs(micro))
    return exact if micro % _PESEWA_MICRO else exact.quantize(_PESEWA)


def literal(text: str) -> str:
    """A text whose square brackets are no markup to a console."""
    return escape(text)


def told(command: Callable[P, None]) -> Callable[P, None]:
    """End a command's errors in one message: what happened, whether it cost anything, what to do."""
    return told_with(_EXIT_FAILED)(command)


def told_with(failed: int) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """The same, for a command whose exit code 1 says something else.

    Args:
        failed: Its exit code after an error that is not one of configuration (those exit with 2).
    """

    def decorate(command: Callable[P, None]) -> Callable[P, None]:
        @wraps(command)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                command(*args, **kwargs)
            except AddOnsError as error:
                _say(error.code, str(error), as_json=bool(kwargs.get("json_out")))
                raise SystemExit(_EXIT_CONFIG if isinstance(error, ConfigError) else failed) from None
            except (ValueError, OverflowError) as error:
                _say("bad_value", str(error), as_json=bool(kwargs.get("json_out")))
                raise SystemExit(_EXIT_CONFIG) from None
            except KeyboardInterrupt:
                click.echo("Stopped. The call in progress was not charged.", err=True)
                raise SystemExit(_EXIT_INTERRUPTED) from None

        return wrapped

    return decorate


def _say(code: str, message: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"error": code, "message": message, "charged": Credits(0)})
    else:
        console(stderr=True).print(f"[bold red]error[/] {code}: ", end="")
        click.echo(message, err=True)
