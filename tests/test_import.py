"""Importing the package is cheap: hosts import it in every worker, also where no AI is ever used."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

import ai_addons

HEAVY: Final = (
    "litellm",
    "sqlalchemy",
    "alembic",
    "psycopg",
    "httpx",
    "diskcache",
    "tenacity",
    "rich",
    "click",
    "pydantic_settings",
    "openai",
)


MODEL_CLIENT: Final = ("litellm", "openai", "httpx", "respx", "pytest")
OTHER_STORES: Final = ("alembic", "psycopg", "psycopg_pool")

IN_MEMORY: Final = "addons = ai_addons.AddOns(ai_addons.Settings(store={'url': 'sqlite://'}))"
STEPS: Final = (
    ("import ai_addons", (*HEAVY, "pydantic")),
    ("from ai_addons import AddOnsError, Credits, Money", (*HEAVY, "pydantic")),
    ("from ai_addons import Credits, Prompt, billed_feature", (*MODEL_CLIENT, *OTHER_STORES)),
    ("from ai_addons import AddOns; AddOns().price_list()", (*MODEL_CLIENT, *OTHER_STORES)),
    ("from ai_addons import AddOns, Settings; AddOns(Settings())", (*MODEL_CLIENT, *OTHER_STORES)),
    (f"{IN_MEMORY}; addons.grant('biz_7', 5, source='promo', ref='r')", (*MODEL_CLIENT, *OTHER_STORES)),
    (f"{IN_MEMORY}; addons.aio, addons.billing, addons.limits, addons.prices", (*MODEL_CLIENT, *OTHER_STORES)),
    ("import ai_addons.cli", (*MODEL_CLIENT, *OTHER_STORES)),
)
"""What a host does, the lightest first, and what it must not load."""

# Run by a fresh interpreter; each line it prints are the top-level packages that are loaded after one more step.
TELL: Final = """
import sys
for step in sys.stdin.read().splitlines():
    exec(step)
    print(*{name.partition(".")[0] for name in sys.modules})
"""


def child(script: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """What a fresh interpreter says."""
    return subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, **more)


def test_every_step_loads_only_what_it_needs(tmp_path: Path) -> None:
    """Importing and amounts load nothing heavy, wiring and booking in SQLite no model client and no other database.

    A worker that never uses AI does not pay for LiteLLM, which costs seconds and more than 100 MB: it comes with the
    first real call. Alembic and psycopg are for upgrades and for PostgreSQL. What one step loads stays for the next,
    so each holds what comes before it to its own list too.
    """
    told = child(TELL, input="\n".join(step for step, _ in STEPS), cwd=tmp_path).stdout.splitlines()
    loaded = [{*line.split()} for line in told]

    assert [(step, sorted(found & {*barred})) for (step, barred), found in zip(STEPS, loaded, strict=True)] == [
        (step, []) for step, _ in STEPS
    ]
    # What is counted would be seen.
    assert {"pydantic", "sqlalchemy", "click"} <= loaded[-1]


WATCHED: Final = """
import sys
seen = []
sys.addaudithook(lambda name, _: name.startswith("socket.") and seen.append(name))
import ai_addons.privacy.mask
from ai_addons import AddOns
AddOns().mask("Call 024 412 3456, ama@x.com", data={"a": ["GHA-123456789-0"]})
from ai_addons.cli import main
main(["mask", "note.txt"], standalone_mode=False)
print(seen, file=sys.stderr)
import socket
socket.socket().close()
print(seen, file=sys.stderr)
"""


def test_neither_importing_nor_masking_opens_a_socket(tmp_path: Path) -> None:
    """Python itself reports every socket that is made and every name that is looked up: there is none."""
    (tmp_path / "note.txt").write_text("Call 024 412 3456", encoding="utf-8")
    *_, ours, then = child(WATCHED, cwd=tmp_path).stderr.splitlines()
    assert ours == "[]"
    assert "socket.__new__" in then


def test_an_unknown_public_name_is_an_ordinary_attribute_error() -> None:
    """A misspelt import fails like that of any module, whatever is loaded on demand."""
    with pytest.raises(AttributeError, match="'ai_addons' has no attribute 'Credit'"):
        _ = ai_addons.Credit


@pytest.mark.parametrize(
    ("name", "home"),
    [
        ("litellm", "llm/litellm.py"),
        ("numpy", "features/inventory_forecast/library.py"),
        ("presidio_analyzer", "privacy/presidio.py"),
        ("pyarrow", "billing/parquet.py"),
        ("regex", "privacy/presidio.py"),
        ("spacy", "privacy/presidio.py"),
        ("statsforecast", "features/inventory_forecast/library.py"),
        ("tldextract", "privacy/presidio.py"),
    ],
)
def test_only_the_adapter_loads_a_heavy_part_by_name(name: str, home: str) -> None:
    """The import rules see import statements; a module loaded by name is found here."""
    package = Path(ai_addons.__file__).parent
    loads = re.compile(rf"import_module\(\s*\"{name}|= \"{name}\"$", re.MULTILINE)
    loaders = [path for path in package.rglob("*.py") if loads.search(path.read_text())]

    assert [path.relative_to(package).as_posix() for path in loaders] == [home]
