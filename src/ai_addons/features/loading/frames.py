"""DataFrames of pandas, Polars, PyArrow and others, read through narwhals."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from ai_addons.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class _Frame(Protocol):
    """What we use of a DataFrame."""

    @property
    def columns(self) -> list[str]: ...

    def iter_rows(self) -> Iterable[tuple[object, ...]]: ...


def is_frame(source: object) -> bool:
    """Whether a source has columns, as the DataFrames of every library do."""
    # Asked of its class: a lazy frame would work out its columns, and warn of the cost.
    return hasattr(type(source), "columns") or hasattr(type(source), "column_names")


def frame_rows(source: object) -> tuple[list[str], Iterator[list[object]]]:
    """Headings and rows of a DataFrame; what stands for a missing value becomes None.

    Raises:
        ConfigError: If narwhals is not installed.
        TypeError: If it is no DataFrame, or one that was not computed yet.
    """
    try:
        narwhals = import_module("narwhals")
    except ModuleNotFoundError:
        msg = "DataFrames are read with narwhals. Run: pip install 'ai-addons[dataframe]'"
        raise ConfigError(msg) from None
    frame = cast("_Frame", narwhals.from_native(source, eager_only=True))
    return [*frame.columns], ([_known(value) for value in row] for row in frame.iter_rows())


def _known(value: object) -> object:
    """A value, or None for NaN, NaT and NA: none of them is equal to itself, and NA does not even say so."""
    try:
        return value if value == value else None  # noqa: PLR0124
    except TypeError:
        return None
