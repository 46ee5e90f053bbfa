"""The page of the environment: every variable that the SDK reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from markdown_parts import table

from ai_addons.billing.gateways import paystack, stripe
from ai_addons.llm.providers import KNOWN
from ai_addons.settings import ENV_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterable

_TESTS: Final = (
    ("AI_ADDONS_TEST_SIZE", "`full` runs all values of tests that run a share of them."),
    ("AI_ADDONS_TEST_PG", "Address of a PostgreSQL server; none: the tests start one."),
    ("AI_ADDONS_TEST_REDIS", "Address of a Redis server; none: the tests start one."),
    ("AI_ADDONS_TEST_CHROMIUM", "A browser; none: the system's."),
    ("AI_ADDONS_TEST_EVAL_MODEL", "The model that `pytest evals --ai-live` asks."),
    ("AI_ADDONS_TEST_UPDATE_PROMPTS", "`1` writes the recorded prompts anew."),
)


def page(settings: Iterable[str]) -> list[str]:
    """The parts of the page, in order.

    Args:
        settings: Path of every setting, e.g. ``store.url``.
    """
    keys = [
        *((name, f"API key of {provider.title}") for provider in KNOWN.values() for name in provider.variables),
        ("PROVIDER_API_KEY", "API key of any other provider that a route names, its name in capitals"),
        (paystack.KEY_VARIABLE, "Secret key of Paystack"),
        (stripe.KEY_VARIABLE, "Secret key of Stripe"),
        (stripe.WEBHOOK_VARIABLE, "What Stripe signs its webhooks with"),
    ]
    paths = sorted(settings)
    return [
        (
            "Secrets belong here, or in your host's store of secrets; never in a file that is committed. "
            "A `.env` file is not read."
        ),
        "## Keys",
        (
            "The same key in the settings (`providers.NAME.api_key`, `gateways.NAME.keys`) wins. "
            "Where two variables name one provider, the first that is set counts."
        ),
        table(("variable", "is"), [(f"`{name}`", said) for name, said in keys]),
        "## Settings",
        (
            f"Every [setting](settings.md) has a variable: `{ENV_PREFIX}`, then its path in capitals with two "
            "underscores for each dot. Lists and tables are written as JSON. `NAME` is a key of your own, in lower "
            "case. A variable with this prefix that is no setting is refused, with a guess at what was meant."
        ),
        table(("variable", "setting"), [(f"`{ENV_PREFIX}{_variable(path)}`", f"`{path}`") for path in paths]),
        "## Tests of this project",
        "No host needs these.",
        table(("variable", "means"), [(f"`{name}`", said) for name, said in _TESTS]),
    ]


def _variable(path: str) -> str:
    return path.upper().replace(".", "__")
