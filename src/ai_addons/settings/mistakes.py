"""What is wrong with settings, in words: what nobody knows, what was probably meant."""

from __future__ import annotations

from difflib import get_close_matches
from itertools import zip_longest
from typing import TYPE_CHECKING, Final, TypeAlias

from ai_addons.settings.base import ENV_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pydantic import ValidationError

SettingPath: TypeAlias = tuple[str, ...]
"""The names on the way to a setting; ``*`` stands for a key of the user's own."""

# Read by the project's own tests, not settings of the SDK.
_TEST_PREFIX: Final = "AI_ADDONS_TEST_"


def unknown_variables(environ: Mapping[str, str], known: Sequence[SettingPath]) -> Iterator[tuple[SettingPath, str]]:
    """Variables of ours that name none of the known settings, as path and message."""
    for name in sorted(environ):
        upper = name.upper()
        if upper.startswith(ENV_PREFIX) and not upper.startswith(_TEST_PREFIX):
            path = tuple(upper.removeprefix(ENV_PREFIX).lower().split("__"))
            if not any(_fits(path, shape) for shape in known):
                names = [ENV_PREFIX + "__".join(_like(shape, path)).upper() for shape in known]
                yield path, f"unknown environment variable {name}{did_you_mean(upper, names)}"


def _fits(path: SettingPath, shape: SettingPath) -> bool:
    return len(path) == len(shape) and all(want in ("*", got) for got, want in zip(path, shape, strict=True))


def _like(shape: SettingPath, path: SettingPath) -> Iterator[str]:
    """A known path, with the user's own keys where it leaves them open."""
    for want, got in zip_longest(shape, path[: len(shape)]):
        yield got if want == "*" and got else want


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A suggestion for a name nobody knows, in brackets; nothing if none is like it."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" (did you mean {close[0]}?)" if close else ""


def explain(error: ValidationError, known: Sequence[SettingPath], told: set[SettingPath]) -> list[str]:
    """What is wrong, a sentence for each setting; without those ``told`` already."""
    found: dict[SettingPath, str] = {}
    for issue in error.errors(include_input=False, include_url=False, include_context=False):
        path = tuple(str(part) for part in issue["loc"])
        if issue["type"] == "extra_forbidden":
            found[path] = f"unknown setting '{'.'.join(path)}'{did_you_mean(path[-1], _siblings(path, known))}"
        else:
            setting, message = _setting(path, known), issue["msg"].removeprefix("Value error, ")
            before = found.get(setting)
            found[setting] = f"{before}, or {message}" if before else f"setting '{'.'.join(setting)}': {message}"
    return [message for path, message in found.items() if path not in told]


def _siblings(path: SettingPath, known: Sequence[SettingPath]) -> list[str]:
    return [shape[-1] for shape in known if _fits((*path[:-1], shape[-1]), shape)]


def _setting(path: SettingPath, known: Sequence[SettingPath]) -> SettingPath:
    """The setting an issue is about; pydantic adds which alternative of its type was tried."""
    return next((path[:end] for end in range(len(path), 0, -1) if any(_fits(path[:end], s) for s in known)), path)
