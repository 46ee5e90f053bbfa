"""The public surface says what it holds: names, errors and the tables that describe them."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

import ai_addons
from ai_addons import errors
from ai_addons.errors import AddOnsError, InsufficientCreditsError
from ai_addons.money import Credits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DOCS: Final = Path(__file__).parent.parent / "docs"
SAYS_WHAT_IT_COST: Final = re.compile(r"nothing was (charged|granted|booked|spent)", re.IGNORECASE)


def written_names() -> dict[str, str]:
    """The home of each public name as type checkers read it, from the ``if TYPE_CHECKING`` block."""
    tree = ast.parse(inspect.getsource(ai_addons))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    return {str(alias.asname): str(node.module) for node in imports for alias in node.names}


def error_types(base: type[AddOnsError] = AddOnsError) -> Iterator[type[AddOnsError]]:
    """Every error of the tree, those that other modules add included."""
    yield base
    for child in base.__subclasses__():
        if child.__module__.startswith("ai_addons"):
            yield from error_types(child)


def an_error(kind: type[AddOnsError]) -> AddOnsError:
    """An error as the SDK raises it when nothing more is known."""
    if issubclass(kind, InsufficientCreditsError):
        return kind(required=Credits(3), available=Credits(1))
    return kind()


def constants_first(name: str) -> tuple[bool, str]:
    """The order that the linter keeps: constants, then classes, then functions."""
    return not name.isupper(), name


def test_all_lists_every_public_name_in_order() -> None:
    """What ``dir`` shows, ``__all__`` exports and nothing else."""
    assert ai_addons.__all__ == sorted(ai_addons.__all__, key=constants_first)
    assert dir(ai_addons) == sorted(ai_addons.__all__)


@pytest.fixture(scope="module")
def homes() -> Mapping[str, str]:
    """The home of each public name."""
    return written_names()


@pytest.mark.parametrize("name", ai_addons.__all__)
def test_a_public_name_is_the_object_that_type_checkers_see(homes: Mapping[str, str], name: str) -> None:
    """The lazy import gives what the type checker was told."""
    home = importlib.import_module(homes[name])

    assert getattr(ai_addons, name) is getattr(home, name)


def test_type_checkers_see_no_name_that_is_not_there() -> None:
    """The names written for type checkers are those that can be imported."""
    assert sorted(written_names(), key=constants_first) == ai_addons.__all__


def test_every_error_can_be_imported_from_the_package() -> None:
    """A host catches errors by names from the front door."""
    assert set(errors.__all__) <= set(ai_addons.__all__)
    assert {kind.__name__ for kind in error_types() if kind.__module__ == errors.__name__} == set(errors.__all__)


@pytest.mark.parametrize("kind", list(error_types()), ids=lambda kind: kind.__name__)
def test_an_error_tells_machines_and_people_what_to_do(kind: type[AddOnsError]) -> None:
    """Each has a stable code and status, and a message that says whether anything was charged."""
    error = an_error(kind)

    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", error.code)
    assert 400 <= error.http_status < 600
    assert isinstance(error.retryable, bool)
    assert error.charged == Credits(0)
    assert SAYS_WHAT_IT_COST.search(str(error)), str(error)
    assert "\n" not in str(error)


def test_error_codes_are_unique() -> None:
    """A client can tell errors apart by their code."""
    codes = [kind.code for kind in error_types()]

    assert len(codes) == len(set(codes))


@pytest.fixture(scope="module")
def generated() -> Iterator[Mapping[str, str]]:
    """All that is generated, by file name."""
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS)
        spec.loader.exec_module(generate)
        yield generate.pictures() | generate.tables()


@pytest.mark.parametrize(
    "page",
    [
        *("reference/api.md", "reference/errors.md", "reference/settings.md", "reference/cli.md"),
        *("reference/events.md", "reference/metrics.md", "reference/testing.md", "reference/http.md"),
        *("reference/tables.md", "reference/entry-points.md", "reference/environment.md"),
        *("pictures/mask.svg", "pictures/tables.svg"),
        *("pictures/forecast.svg", "pictures/ageing.svg", "pictures/health.svg"),
    ],
)
def test_what_is_generated_is_what_the_code_says(generated: Mapping[str, str], page: str) -> None:
    """The tables and pictures in the docs are generated; a change to the code that forgets them fails here."""
    written = (DOCS / page).read_text(encoding="utf-8")
    assert written == generated[Path(page).name], "run: uv run python docs/generate.py"


@pytest.mark.parametrize(
    "names",
    [
        "wallet grant claim_trial adjust reverse set_policy set_status pause resume erase",
        "usage usage_by_day margins answers statement billing operator_billing",
        "ledger transactions audit sweep deliver doctor heads compare_heads rebuild_usage",
        "price_list prices limits subscriptions mask warm_up close aio",
    ],
)
def test_the_names_that_hosts_rely_on_are_there_and_explained(names: str) -> None:
    """Each is on `AddOns` and says what it is for; renaming one breaks every host."""
    for part in names.split():
        member = inspect.getattr_static(ai_addons.AddOns, part, None)
        if part == "aio":  # an object's own
            assert member is None
        else:
            assert inspect.getdoc(member), part


@pytest.mark.parametrize("name", sorted({*ai_addons.__all__} - {"Steps"}))  # Steps is a type alias
def test_every_public_name_says_what_it_is(name: str) -> None:
    """`help(…)` on any of them is of use."""
    assert inspect.getdoc(getattr(ai_addons, name))
