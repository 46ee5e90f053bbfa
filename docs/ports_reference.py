"""The page of the entry points: which ports there are, what is built in, and which contract tests a plug-in."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import entry_points
from pkgutil import resolve_name
from typing import Final

from ai_addons.testing import contracts

_GROUP: Final = "ai_addons."


@dataclass(frozen=True, slots=True)
class _Port:
    """What the page says of a port.

    Attributes:
        loads: What an entry point names.
        protocol: The protocol it answers, as a path; empty for none.
        setting: Where it is chosen by name; empty where all that are installed count.
        contract: The contract that tests one; empty for none.
    """

    loads: str
    protocol: str
    setting: str = ""
    contract: str = ""


PORTS: Final = {
    "policies": _Port(
        "a class without arguments", "ai_addons.billing.policy.Policy", "`billing.policy`", "PolicyContract"
    ),
    "gateways": _Port(
        "a factory: `(settings, *, environ, clock, rate)`",
        "ai_addons.billing.gateways.base.Gateway",
        "`payments.gateways`",
        "GatewayContract",
    ),
    "rates": _Port("a factory: `(fx)`", "ai_addons.billing.fx.base.RateSource", "`fx.sources`", "RateContract"),
    "llms": _Port(
        "a class: `(*, providers, environ)`",
        "ai_addons.llm.base.Llm",
        "the route: `offline/…`, else LiteLLM",
        "LlmContract",
    ),
    "caches": _Port(
        "a factory: `(cache, clock)`", "ai_addons.cache.base.AnswerCache", "`cache.backend`", "CacheContract"
    ),
    "maskers": _Port(
        "a factory: `(privacy, clock)`",
        "ai_addons.privacy.base.Masker",
        "`privacy.masker`",
        "MaskerContract",
    ),
    "recognizers": _Port(
        "a class without arguments, or with `from_settings(privacy)`",
        "ai_addons.privacy.base.Recognizer",
        "`privacy.recognizers`",
        "RecognizerContract",
    ),
    "hooks": _Port("a class without arguments", "ai_addons.events.EventHook", "`events.hooks`"),
    "features": _Port("a function made with `billed_feature`", "ai_addons.feature.Feature"),
    "forecasters": _Port(
        "a factory: `(policy)`",
        "ai_addons.features.inventory_forecast.methods.Forecaster",
        "`forecaster` of its policy",
    ),
}


def page() -> list[str]:
    """The parts of the page, in order.

    Raises:
        ValueError: If the package registers a group that is not described here, or a contract is not shipped.
    """
    registered = {name for name in entry_points().groups if name.startswith(_GROUP)}
    if registered != {_GROUP + name for name in PORTS}:
        msg = f"PORTS and pyproject.toml disagree: {sorted(registered ^ {_GROUP + name for name in PORTS})}"
        raise ValueError(msg)
    if {port.contract for port in PORTS.values() if port.contract} != {*contracts.__all__}:
        msg = "PORTS and ai_addons.testing.contracts disagree"
        raise ValueError(msg)
    return [
        (
            "A plug-in is what a package registers as an entry point of the group `ai_addons.PORT`. The built-ins come "
            "in by the same door. Where a setting names a plug-in, `package.module:attribute` names one that nobody "
            "registered."
        ),
        "\n".join(
            [
                "| port | an entry point is | chosen by | contract |",
                "| --- | --- | --- | --- |",
                *(_row(name, port) for name, port in PORTS.items()),
            ]
        ),
        (
            "A contract is a class of tests in `ai_addons.testing.contracts`: subclass it, say how yours is made, "
            "and pytest finds out whether it keeps what the SDK relies on "
            "([what you plug in](../how-to/test-your-feature.md#what-you-plug-in))."
        ),
        "## What is built in",
        *(_built_in(name) for name in PORTS),
    ]


def _row(name: str, port: _Port) -> str:
    contract = f"`{port.contract}`" if port.contract else "none"
    return f"| `{name}` | {port.loads} | {port.setting or 'all count'} | {contract} |"


def _built_in(name: str) -> str:
    """The entry points of this package, by name."""
    found = sorted(
        (entry.name, entry.value)
        for entry in entry_points(group=_GROUP + name)
        if entry.value.partition(":")[0].startswith("ai_addons.")
    )
    rows = [f"| `{key}` | `{value}` |" for key, value in found]
    resolve_name(PORTS[name].protocol)
    answers = f"It answers `{PORTS[name].protocol}`."
    return "\n".join([f"### `{_GROUP}{name}`", "", answers, "", "| name | is |", "| --- | --- |", *rows])
