"""A call's arguments by name: the short way gives what Python's own binding gives."""

from __future__ import annotations

import inspect
from collections.abc import Callable  # an annotation that is looked up at run time
from functools import wraps
from typing import Any

import pytest

from ai_addons import Prompt
from ai_addons.definition import Definition
from tests.features import opinion

Builder = Callable[..., Any]


def nothing() -> Prompt:
    """No argument."""
    return Prompt(user="?")


def plain(first: int, second: int = 2) -> Prompt:
    """By place or by name, one with a default."""
    return Prompt(user=f"{first}{second}")


def by_place(first: int, /, second: int = 2) -> Prompt:
    """One by place only."""
    return Prompt(user=f"{first}{second}")


def by_name(first: int, *, second: int = 2) -> Prompt:
    """One by name only."""
    return Prompt(user=f"{first}{second}")


def several(first: int, *others: int) -> Prompt:
    """Any number by place."""
    return Prompt(user=f"{first}{others}")


def whatever(first: int, **others: int) -> Prompt:
    """Any name, that of a parameter by place among them."""
    return Prompt(user=f"{first}{others}")


def by_place_and_whatever(first: int, /, **others: int) -> Prompt:
    """A name that is by place only may come again."""
    return Prompt(user=f"{first}{others}")


@wraps(plain)
def wrapped(*args: Any, **kwargs: Any) -> Prompt:
    """What looks like another function."""
    return plain(*args, **kwargs)


CALLS: list[tuple[tuple[int, ...], dict[str, int]]] = [
    *(((), {}), ((1,), {}), ((1, 2), {}), ((1, 2, 3), {}), ((1,), {"second": 3}), ((), {"first": 1, "second": 3})),
    *(((1, 2), {"second": 3}), ((1,), {"first": 2}), ((1,), {"third": 4})),
]


@pytest.mark.parametrize(
    "builder", [nothing, plain, by_place, by_name, several, whatever, by_place_and_whatever, wrapped]
)
@pytest.mark.parametrize(("args", "kwargs"), CALLS)
def test_arguments_are_bound_as_python_binds_them(
    builder: Builder, args: tuple[int, ...], kwargs: dict[str, int]
) -> None:
    """Names, order, defaults, and what is refused: equal calls have equal hashes however they were written."""
    definition: Definition[str] = Definition(opinion.spec, builder, str)
    ways: tuple[Callable[[], dict[str, Any]], ...] = (
        lambda: _by_python(builder, args, kwargs),
        lambda: dict(definition.invocation(*args, **kwargs).arguments),
    )
    theirs, ours = (_outcome(way) for way in ways)
    assert ours == theirs


def _by_python(builder: Builder, args: tuple[int, ...], kwargs: dict[str, int]) -> dict[str, Any]:
    bound = inspect.signature(builder).bind(*args, **kwargs)
    bound.apply_defaults()
    return dict(bound.arguments)


def _outcome(way: Callable[[], dict[str, Any]]) -> list[tuple[str, Any]] | str:
    """The arguments in their order, or what is said of them."""
    try:
        return [*way().items()]
    except TypeError as error:
        return str(error)
