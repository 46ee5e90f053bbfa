"""Writes the reference tables, and pictures of screens, from the code they describe.

Run ``python docs/generate.py`` after a change to an error, a setting, a command, an event, a metric, a table,
an entry point or a feature;
the tests fail while a table is out of date.
"""

from __future__ import annotations

import ast
import inspect
import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, Union, get_args, get_origin

import cli_reference
import environment_reference
import feature_costs
import http_access
import ports_reference
import tables_reference
from markdown_parts import prose, table
from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined, to_jsonable_python
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

import ai_addons
from ai_addons import errors, events, settings
from ai_addons.cli.mask import Found, highlighted, legend
from ai_addons.contrib import _genai
from ai_addons.contrib._metrics import METRICS
from ai_addons.errors import AddOnsError
from ai_addons.privacy.markers import Pii
from ai_addons.privacy.mask import from_settings
from ai_addons.privacy.masked import mask_once
from ai_addons.settings import ENV_PREFIX, PrivacySettings, Settings
from ai_addons.testing import FakeLlm, FundedPayer, ManualClock, contracts, plugin
from ai_addons.testing.gateway import FakeGateway, GatewaySide
from ai_addons.testing.options import DEFAULT_BUDGET, MARKERS, OPTIONS
from ai_addons.testing.script import Script
from ai_addons.web.endpoints import ENDPOINTS
from ai_addons.web.openapi import all_errors, is_told

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pydantic.fields import FieldInfo

    from ai_addons.web.base import Endpoint

FOLDER: Final = Path(__file__).parent / "reference"
PICTURES: Final = Path(__file__).parent / "pictures"
_NOTE_TEXT: Final = Path(__file__).parent.parent / "examples" / "note.txt"
_NOTE: Final = "<!-- Written by docs/generate.py; change the code, not this page. -->"


def tables() -> dict[str, str]:
    """Every generated page by its file name."""
    return {
        "api.md": _api(),
        "errors.md": _errors(),
        "settings.md": _settings(),
        "cli.md": _page("Command line", *cli_reference.page()),
        "environment.md": _page("Environment variables", *environment_reference.page(_paths())),
        "entry-points.md": _page("Entry points", *ports_reference.page()),
        "tables.md": _page("Tables", *tables_reference.page()),
        "events.md": _events(),
        "metrics.md": _metrics(),
        "testing.md": _testing(),
        "http.md": _http(),
    }


def _api() -> str:
    """Every public name, for the site to fill in from its docstring; errors have a page of their own."""
    names = [name for name in ai_addons.__all__ if name not in errors.__all__]
    groups = {
        "The object that everything is reached through": ("AddOns", "Settings", "install"),
        "Write a feature": tuple(name for name in names if name not in {"AddOns", "Settings", "install"}),
    }
    reached = {
        "addons.aio": "ai_addons.aio.AsyncAddOns",
        "addons.orders": "ai_addons.billing.payments.Payments",
        "addons.subscriptions": "ai_addons.billing.subscriptions.Subscriptions",
        "addons.limits": "ai_addons.billing.limiting.Limits",
        "addons.prices": "ai_addons.price_desk.Prices",
        "addons.rates": "ai_addons.billing.fx.desk.RateDesk",
        "addons.answers": "ai_addons.answers.Answers",
        "addons.billing": "ai_addons.billing.service.BillingService",
    }
    parts = [
        "Names that are imported from `ai_addons`, and what is reached through them. [Errors](errors.md): a page apart."
    ]
    for heading, members in groups.items():
        parts += [f"## {heading}", *(f"::: ai_addons.{name}\n    options: {{heading_level: 3}}" for name in members)]
    parts += ["## Reached through an `AddOns`"]
    parts += [f"### `{name}`\n\n::: {path}\n    options: {{heading_level: 4}}" for name, path in reached.items()]
    return _page("The Python API", *parts)


def costs(calls: Sequence[feature_costs.CallCost]) -> str:
    """The page of what features cost; apart from the others, because every example is built for it."""
    return _page("What features cost", *feature_costs.page(calls))


def access() -> str:
    """The page of who gets what over HTTP; apart from the others, because every endpoint is asked for it."""
    return _page("Who gets what over HTTP", *http_access.page())


def pictures() -> dict[str, str]:
    """Every drawn screen by its file name."""
    return {"mask.svg": _mask_screen(), "tables.svg": tables_reference.picture()} | _charts()


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([_NOTE, f"# {title}", *parts]) + "\n"


# Errors.


def _errors() -> str:
    rows = [
        (
            f"`{error.__name__}`",
            f"`{error.__base__.__name__}`" if error.__base__ is not None else "",
            f"`{error.code}`",
            str(error.http_status),
            "yes" if error.retryable else "no",
            prose(error.__doc__),
        )
        for error in _tree(AddOnsError)
    ]
    return _page(
        "Errors",
        "Every failure of a call is an `AddOnsError` with `code`, `http_status`, `retryable` and `charged` "
        "(credits; zero). The last column is the message it has if nothing more is known.",
        table(("error", "is a", "code", "HTTP", "retry", "message"), rows),
    )


def _tree(error: type[AddOnsError]) -> Iterator[type[AddOnsError]]:
    """An error and those under it, in the order of the module."""
    yield error
    public = [child for child in error.__subclasses__() if child.__module__ == errors.__name__]
    for child in sorted(public, key=lambda kind: list(vars(errors)).index(kind.__name__)):
        yield from _tree(child)


# Settings.


def _settings() -> str:
    sources = (path.read_text(encoding="utf-8") for path in sorted(Path(settings.__path__[0]).glob("*.py")))
    texts = {name: said for source in sources for name, said in _attribute_texts(source).items()}
    sections = [_section(name, texts) for name in Settings.model_fields]
    return _page(
        "Settings",
        "Keyword arguments of `Settings` win over environment variables, those over `ai_addons.toml` in the "
        "working directory, that over `[tool.ai_addons]` in `pyproject.toml`, and those over the defaults. "
        "`NAME` stands for a key of your own. Durations are written `30s`, `15m`, `6h` or `7d`.",
        *sections,
    )


def _paths() -> list[str]:
    """Path of every setting."""
    return [path for name in Settings.model_fields for path, _, _ in _leaves(Settings, (name,), "", {})]


def _section(name: str, texts: dict[str, dict[str, str]]) -> str:
    """One section of the settings, or one setting that stands alone."""
    inner, _ = _inside(Settings.model_fields[name])
    rows = [
        (f"`{path}`", f"`{ENV_PREFIX + path.upper().replace('.', '__')}`", _default(field), text)
        for path, field, text in _leaves(Settings, (name,), "", texts)
    ]
    about = [prose(inner.__doc__)] if inner is not None else []
    return "\n\n".join([f"## {name}", *about, table(("setting", "environment", "default", "meaning"), rows)])


def _leaves(
    model: type[BaseModel], names: Iterable[str], prefix: str, texts: dict[str, dict[str, str]]
) -> Iterator[tuple[str, FieldInfo, str]]:
    """Path, field and text of every setting below a section, in order."""
    for name in names:
        field = model.model_fields[name]
        inner, keyed = _inside(field)
        path = f"{prefix}{name}.NAME" if keyed else f"{prefix}{name}"
        if inner is None:
            yield (
                path,
                field,
                next((texts[cls.__name__][name] for cls in model.__mro__ if name in texts.get(cls.__name__, {})), ""),
            )
        else:
            yield from _leaves(inner, inner.model_fields, f"{path}.", texts)


def _inside(field: FieldInfo) -> tuple[type[BaseModel] | None, bool]:
    """The section a field holds, and whether it holds one per key."""
    keyed = get_origin(field.annotation) is dict
    own = get_args(field.annotation)[1] if keyed else field.annotation
    return (own if isinstance(own, type) and issubclass(own, BaseModel) else None), keyed


def _default(field: FieldInfo) -> str:
    value: Any = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return "required"
    plain = to_jsonable_python(value)
    if isinstance(plain, str) and (duration := re.fullmatch(r"PT?(\d+)([DHMS])", plain)):
        plain = f"{duration[1]}{duration[2].lower()}"
    return "none" if plain in (None, {}, []) or isinstance(value, SecretStr) else f"`{plain}`"


def _attribute_texts(source: str) -> dict[str, dict[str, str]]:
    """The text under each attribute of each class, which Python itself does not keep."""
    classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    return {node.name: dict(_texts_of(node)) for node in classes}


def _texts_of(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for attribute, after in zip(node.body, node.body[1:], strict=False):
        match attribute, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, prose(text)
            case _:
                pass


# Screens.


def _mask_screen() -> str:
    """What `ai-addons mask` shows of the example note on a terminal."""
    note = _NOTE_TEXT.read_text(encoding="utf-8")
    masked = mask_once(from_settings(PrivacySettings()), note, data=None, known={Pii.NAME: ["Ama Mensah"]})
    found = [Found(line=1, placeholder=item.token, type=item.kind, value=None) for item in masked.placeholders]
    screen = Console(record=True, file=StringIO(), force_terminal=True, color_system="truecolor", width=96)
    screen.print('[dim]$[/] ai-addons mask examples/note.txt --declare [green]"NAME=Ama Mensah"[/]', highlight=False)
    screen.print(highlighted(masked.text), end="")
    screen.print(legend(found, reveal=False, lines=False))
    # Without the fonts that rich would have the reader's browser fetch from elsewhere.
    frame = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    return screen.export_svg(title="ai-addons mask", code_format=frame, unique_id="mask")


def _charts() -> dict[str, str]:
    """What the page on charts draws: its own blocks of code are run."""
    page = (Path(__file__).parent / "how-to" / "draw-a-chart.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    with redirect_stdout(StringIO()):
        for block in re.findall(r"^```python\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE):
            exec(block, names)  # noqa: S102  # our own page
    return {f"{name}.svg": names[name] for name in ("forecast", "ageing", "health")}


# Events.


def _events() -> str:
    kinds = [*get_args(events.Event), events.CallTimes, events.StepTaken]
    return _page(
        "Events",
        "Every hook is called with each of these, in the thread or task where it happened; see "
        "[Observe in production](../how-to/observe-in-production.md). They are frozen dataclasses in "
        "`ai_addons.events`. None holds a prompt, an answer, a person or a key.",
        *[f"## {kind.__name__}\n\n{prose(kind.__doc__)}\n\n{_fields(kind)}" for kind in kinds],
    )


def _fields(kind: type) -> str:
    """The attributes of a dataclass, with what its docstring says of each."""
    _, _, section = inspect.cleandoc(kind.__doc__ or "").partition("Attributes:\n")
    said = dict(re.findall(r"^    (\w+): (.*(?:\n {8}.*)*)", section, flags=re.MULTILINE))
    types = inspect.get_annotations(kind)
    return table(("field", "type", "meaning"), [(f"`{name}`", f"`{types[name]}`", prose(said[name])) for name in types])


# Metrics.


def _metrics() -> str:
    rows = [
        (
            f"`{metric.name}{'_total' if metric.kind == 'counter' else ''}`",
            f"`{metric.otel}`",
            metric.kind,
            f"`{metric.unit}`",
            ", ".join(f"`{label}`" for label in metric.labels),
            metric.help,
        )
        for metric in METRICS
    ]
    return _page(
        "Metrics",
        "The same for both adapters; see [Observe in production](../how-to/observe-in-production.md). No label holds a "
        "business, a user or a call. An empty `code` means no error. OpenTelemetry gets `code` as "
        f"`{_genai.ERROR_TYPE}`, `type` as `{_genai.TOKEN_TYPE}`, `model` as `{_genai.PROVIDER_NAME}` and "
        f"`{_genai.REQUEST_MODEL}`, and every other label as `ai_addons.LABEL`, but `reason` as `{_genai.REASON}`. "
        f"Names that begin with `gen_ai.` are those of release {_genai.CONVENTIONS} of OpenTelemetry's GenAI "
        "conventions.",
        table(("Prometheus", "OpenTelemetry", "kind", "unit", "labels", "meaning"), rows),
    )


# HTTP.


def _http() -> str:
    return _page(
        "HTTP endpoints",
        "Paths are below the place where a host mounts them. `ai-addons openapi` prints the same as an OpenAPI 3.1 "
        "document, which is also served at `ai/openapi.json`. [Who gets what](http-access.md) is a page of its own.",
        "An **action** is what the host's `authorize` must allow; *none* needs nobody. **Keyed** endpoints take an "
        "`Idempotency-Key`: the same request under it gets the same answer, another one is 409. **Counted** ones "
        "answer 429 with `Retry-After` after too many requests (settings `web.user_requests`, `web.business_requests`, "
        "`web.window`). Times are UTC. Credits are decimal text with 2 to 6 decimals, money with 2.",
        "Errors are `application/problem+json` (RFC 9457) with `type`, `title`, `status`, a stable `code` and "
        "`detail`; 422 adds `errors` (`type`, `loc`, `msg`), 402 adds `required`, `available`, `shortfall`, `offers`, "
        "`recommended` and `packs_url`. `HEAD` is answered like `GET`; other methods get 405.",
        *[_endpoint(endpoint) for endpoint in ENDPOINTS if is_told(endpoint)],
    )


def _endpoint(endpoint: Endpoint) -> str:
    marks = [f"action `{endpoint.action}`" if endpoint.action else "action *none*"]
    marks += [name for name, on in (("keyed", endpoint.keyed), ("counted", endpoint.costly)) if on]
    parts = [
        f"## {endpoint.method} {endpoint.path}",
        f"{endpoint.summary}\n\n{', '.join(marks).capitalize()}. Success is {endpoint.status}.",
    ]
    for name, model in (("query", endpoint.query), ("body", endpoint.body), ("answer", endpoint.answer)):
        if model is not None and model.model_fields:
            parts.append(_model(name, model))
    errors_ = [
        f"{status} {', '.join(f'`{one.code}`' for one in kinds)}" for status, kinds in all_errors(endpoint).items()
    ]
    return "\n\n".join([*parts, f"Errors: {'; '.join(errors_)}."])


def _model(name: str, model: type[BaseModel]) -> str:
    rows = [
        (f"`{field}`", f"`{_kind(about.annotation)}`", about.description or "")
        for field, about in model.model_fields.items()
    ]
    said = prose(model.__doc__)
    return f"{said}\n\n{table((name, 'type', 'meaning'), rows)}"


def _kind(annotation: object) -> str:
    """A type as people read it, without where it is from and what is done to it on the way out."""
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kind(inside[0])
    if origin in {Union, UnionType}:
        return " | ".join(map(_kind, inside))
    if annotation is NoneType:
        return "None"
    named = annotation.__name__ if isinstance(annotation, type) and not inside else str(annotation)
    return re.sub(r"\b(?:\w+\.)+(?=\w)", "", named)


# The test kit.


def _testing() -> str:
    return _page(
        "Test kit",
        "What `ai-addons[testing]` adds to pytest. "
        "[Test your feature](../how-to/test-your-feature.md) shows it by example.",
        "## Fixtures",
        table(("fixture", "is"), [(f"`{name}`", text) for name, text in _fixtures()]),
        "## Markers",
        table(("marker", "meaning"), [(f"`{name}`", text) for name, text in MARKERS.items()]),
        "## Options",
        table(("option", "meaning"), [(f"`{name}`", text) for name, text in OPTIONS.items()]),
        f"`--ai-budget` is {DEFAULT_BUDGET} if nothing is said; processes of pytest-xdist share it.",
        *(_methods(title, kind) for title, kind in _KIT.items()),
        "## Contracts",
        table(
            ("contract", "of"), [(f"`{name}`", prose(getattr(contracts, name).__doc__)) for name in contracts.__all__]
        ),
    )


_KIT: Final = {
    "`ai_llm`": FakeLlm,
    "`ai_payer`": FundedPayer,
    "`ai_routes`, `ai_loopback`": Script,
    "`ai_clock`": ManualClock,
    "`ai_gateway`": FakeGateway,
    "`ai_gateway`, and a `FakeGatewayServer`": GatewaySide,
}


def _fixtures() -> Iterator[tuple[str, str]]:
    """Name and text of every public fixture of the plugin."""
    for node in ast.parse(inspect.getsource(plugin)).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("ai_"):
            yield node.name, prose(ast.get_docstring(node))


def _methods(title: str, kind: type) -> str:
    """What a fixture's object can be asked, in the order of its class."""
    rows = [
        (f"`{name}`", prose(member.__doc__))
        for name, member in vars(kind).items()
        if not name.startswith("_") and (callable(member) or isinstance(member, property))
    ]
    return "\n\n".join([f"## {title}", prose(kind.__doc__), table(("name", "does"), rows)])


if __name__ == "__main__":
    for _folder, _files in (
        (FOLDER, tables() | {"feature-costs.md": costs(feature_costs.costs()), "http-access.md": access()}),
        (PICTURES, pictures()),
    ):
        _folder.mkdir(exist_ok=True)
        for _name, _text in _files.items():
            (_folder / _name).write_text(_text, encoding="utf-8")
