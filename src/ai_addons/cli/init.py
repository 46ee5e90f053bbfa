"""`ai-addons init`: a first feature with its test and settings, to begin with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from ai_addons.addons import DEFAULT_MODELS
from ai_addons.cli import show
from ai_addons.llm.providers import KNOWN

NO_PROVIDER: Final = "none"
_POLICIES: Final = ("prepaid", "hybrid")
_STORE: Final = "sqlite:///ai_addons.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What the settings begin with.

    Attributes:
        policy: The billing policy.
        provider: Whose model answers; `NO_PROVIDER` for the offline model.
        store: URL of the books.
    """

    policy: str
    provider: str
    store: str


@click.command()
@click.argument("folder", default=".", type=click.Path(file_okay=False, path_type=Path))
@click.option("--policy", type=click.Choice(_POLICIES), help="How credits are sold.  [default: prepaid]")
@click.option(
    "--provider", type=click.Choice((*KNOWN, NO_PROVIDER)), help="Whose model answers.  [default: none, samples only]"
)
@click.option("--store", metavar="URL", help=f"Where the books are.  [default: {_STORE}]")
@show.as_json
def init(folder: Path, policy: str | None, provider: str | None, store: str | None, *, json_out: bool) -> None:
    """Write ai_addons.toml, a first feature and its test to FOLDER, by default this one.

    What no option says is asked on a terminal; without one, or with --json, nothing is asked. A file that is there
    already is never written over: then nothing is written at all.
    """
    asks = not json_out and show.is_answered()
    chosen = Chosen(
        policy=policy or _asked("How credits are sold", _POLICIES, "prepaid", asks=asks),
        provider=provider or _asked("Whose model answers", (*KNOWN, NO_PROVIDER), NO_PROVIDER, asks=asks),
        store=store or (click.prompt("Where the books are", default=_STORE) if asks else _STORE),
    )
    written = write(folder, chosen)
    steps = next_steps(folder, chosen)
    if json_out:
        show.print_json({"written": [str(path) for path in written], "next": steps})
        return
    for path in written:
        click.echo(f"wrote {path}")
    click.echo("Next:")
    for step in steps:
        click.echo(f"  {step}")


def write(folder: Path, chosen: Chosen) -> tuple[Path, ...]:
    """Write all files, or none.

    Args:
        folder: Where; made if it is not there.
        chosen: What the settings begin with.

    Returns:
        The files written.

    Raises:
        click.UsageError: If one of them is there already.
        OSError: If the folder cannot be written to.
    """
    texts = {"ai_addons.toml": settings(chosen), "ai_features.py": _FEATURE, "test_ai_features.py": _TEST}
    paths = {folder / name: text for name, text in texts.items()}
    there = [str(path) for path in paths if path.exists()]
    if there:
        msg = f"Nothing was written: {', '.join(there)} would be overwritten. Name another FOLDER."
        raise click.UsageError(msg)
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in paths.items():
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    return tuple(paths)


def settings(chosen: Chosen) -> str:
    """The text of ai_addons.toml."""
    real = chosen.provider != NO_PROVIDER
    model = DEFAULT_MODELS[chosen.provider if real else "openai"]
    escaped = chosen.store.replace("\\", "\\\\").replace('"', '\\"')
    return _SETTINGS.format(
        store=escaped,
        policy=chosen.policy,
        model=f'small = "{model}"' if real else f'# small = "{model}"',
        key=KNOWN[chosen.provider if real else "openai"].variables[0],
    )


def next_steps(folder: Path, chosen: Chosen) -> tuple[str, ...]:
    """What to run now."""
    enter = () if folder == Path() else (f"cd {folder}",)
    key = () if chosen.provider == NO_PROVIDER else (f"export {KNOWN[chosen.provider].variables[0]}=…",)
    return (*enter, *key, "ai-addons check -m ai_features", "pip install 'ai-addons[testing]'", "python -m pytest")


def _asked(question: str, answers: tuple[str, ...], usual: str, *, asks: bool) -> str:
    if not asks:
        return usual
    answer: str = click.prompt(question, type=click.Choice(answers), default=usual)
    return answer


_SETTINGS: Final = """\
# Settings of the AI add-on. An environment variable wins over this file: AI_ADDONS_STORE__URL is store.url.
# See what is missing:  ai-addons check -m ai_features

[store]
# Where credits and calls are booked: SQLite to begin with, PostgreSQL when several machines sell.
url = "{store}"

[models]
# A model, or a list of fallbacks that are tried in order. Without one, the first provider whose key is set answers;
# without a key the offline model does, with samples: good for tests, not for sale.
# The key never stands here: set {key} in the environment of the host.
{model}

[billing]
# prepaid: packs of credits that never expire. hybrid: a monthly add-on, and packs.
policy = "{policy}"

[budget]
# What all models together may cost you, in US dollars. Set a limit at the provider, too.
usd_month = 50
"""

_FEATURE: Final = '''\
"""AI features that this shop system sells."""

from __future__ import annotations

from typing import Annotated

from ai_addons import Pii, Prompt, billed_feature
from pydantic import BaseModel


class Order(BaseModel):
    """What the model is told of an order."""

    customer: Annotated[str, Pii.NAME]  # replaced before it leaves, restored in the answer
    items: list[str]


class Thanks(BaseModel):
    """What the model answers."""

    message: str


@billed_feature("thank_you_note", credits="0.2", cache="6h")
def thank_you_note(order: Order) -> Prompt[Thanks]:
    """Thank a customer for an order."""
    return Prompt(system="You write for a shop in Ghana. Be short and warm.", user="Thank the customer.", data=order)
'''

_TEST: Final = '''\
"""The note costs what it should, and no name leaves the shop. No key and no network are needed."""

from ai_features import Order, Thanks, thank_you_note

ORDER = Order(customer="Ama Serwaa", items=["rice", "milk"])


def test_a_note_costs_a_fifth_of_a_credit(ai_llm, ai_payer):
    ai_llm.reply(thank_you_note, Thanks(message="Medaase, Ama Serwaa!"))
    assert thank_you_note(ORDER).message == "Medaase, Ama Serwaa!"
    ai_payer.assert_charged("0.2")
    ai_llm.assert_masked("Ama Serwaa")
'''
