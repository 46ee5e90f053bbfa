"""Importing the package is cheap: hosts import it in every worker, also where no AI is ever used."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

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


def loaded_after(statements: str) -> set[str]:
    """The top-level packages a fresh interpreter holds after running some statements."""
    script = f"{statements}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_importing_the_package_loads_none_of_its_heavy_parts() -> None:
    """A worker that never uses AI does not pay for LiteLLM, SQLAlchemy and the like."""
    assert loaded_after("import ai_addons").isdisjoint([*HEAVY, "pydantic"])


@pytest.mark.parametrize(
    "statement",
    [
        "from ai_addons import Credits, Prompt, billed_feature",
        "from ai_addons import AddOns, Settings; AddOns(Settings())",
        "from ai_addons import AddOns; AddOns().price_list()",
    ],
)
def test_declaring_features_and_wiring_loads_no_model_client(statement: str) -> None:
    """LiteLLM costs seconds and more than 100 MB: it comes with the first real call, not with the wiring."""
    assert loaded_after(statement).isdisjoint(["litellm", "openai", "httpx", "respx", "pytest"])


IN_MEMORY: Final = "from ai_addons import AddOns, Settings; addons = AddOns(Settings(store={'url': 'sqlite://'}))"


@pytest.mark.parametrize(
    "statement",
    [
        f"{IN_MEMORY}; addons.grant('biz_7', 5, source='promo', ref='r')",
        f"{IN_MEMORY}; addons.aio, addons.billing, addons.limits, addons.prices",
        "import ai_addons.cli",
    ],
)
def test_books_in_sqlite_load_neither_migrations_nor_another_database(statement: str) -> None:
    """Alembic and psycopg are for upgrades and for PostgreSQL; booking in SQLite and the command line need neither."""
    assert loaded_after(statement).isdisjoint(["alembic", "psycopg", "psycopg_pool", "litellm", "httpx"])


def test_amounts_and_errors_alone_need_no_other_package() -> None:
    """A module that only computes with credits, or catches errors, stays as light as the package."""
    assert loaded_after("from ai_addons import AddOnsError, Credits, Money").isdisjoint([*HEAVY, "pydantic"])


@pytest.mark.parametrize(
    "statement",
    [
        "import ai_addons.privacy.mask",
        "from ai_addons import AddOns; AddOns().mask('Call 024 412 3456, ama@x.com', data={'a': ['GHA-123456789-0']})",
        "from ai_addons.cli import main; main(['mask', 'note.txt'], standalone_mode=False)",
    ],
)
def test_neither_importing_nor_masking_opens_a_socket(statement: str, tmp_path: Path) -> None:
    """Python itself reports every socket that is made and every name that is looked up: there is none."""
    (tmp_path / "note.txt").write_text("Call 024 412 3456", encoding="utf-8")
    watch = "import sys\nseen = []\nsys.addaudithook(lambda name, _: name.startswith('socket.') and seen.append(name))"
    script = f"{watch}\n{statement}\nprint(seen, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=tmp_path)
    assert done.stderr.splitlines()[-1] == "[]"
    seen = f"{watch}\nimport socket; socket.socket().close(); print(seen)"
    assert (
        "socket.__new__"
        in subprocess.run([sys.executable, "-c", seen], check=True, capture_output=True, text=True).stdout
    )


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
