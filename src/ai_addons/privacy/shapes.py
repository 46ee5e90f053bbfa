"""Reading annotations: which mark holds for which part of a value.

An annotation becomes a `Shape` once per class; walking a value is then only a
matter of following it. Where an annotation leaves open which mark applies (a
union, a generic of somebody else's), the one that hides most is taken.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import (
    Annotated,
    Any,
    ClassVar,
    Final,
    ForwardRef,
    NotRequired,
    Required,
    TypeAlias,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
)

from pydantic import BaseModel

# Those of typing_extensions also know the typed dicts it makes on older Pythons.
from typing_extensions import ReadOnly, get_type_hints, is_typeddict

from ai_addons.errors import PrivacyRefused
from ai_addons.privacy.markers import FreeText, Mark, Public, mark_in, strictest

_NOTHING: Final[Mapping[str, Any]] = types.MappingProxyType({})
MOST_CLASSES: Final = 1_024
"""Of how many classes the reading is remembered. A host may make some while it runs; they must be free to go."""

_KEY_AND_VALUE: Final = 2
_WRAPPERS: Final = frozenset({Required, NotRequired, ReadOnly, Final, ClassVar})


@dataclass(frozen=True, slots=True)
class Arm:
    """One possibility of an annotation.

    Attributes:
        cls: What a value must be an instance of; None fits everything.
        mark: The mark on it.
        parts: Shapes of its parts: key and value of a mapping, items of a tuple,
            or one shape for all items.
        record: The typed dict it is, or the model or dataclass: a dict in its place has its fields.
    """

    cls: type | None
    mark: Mark | None
    parts: tuple[Shape, ...] = ()
    record: type | None = None

    def part(self, index: int) -> Shape:
        """The shape of one part; the last one stands for all further."""
        return self.parts[min(index, len(self.parts) - 1)] if self.parts else (Arm(None, self.mark),)


Shape: TypeAlias = tuple[Arm, ...]
"""An annotation: its possibilities, one for each arm of a union."""

UNMARKED: Final[Shape] = (Arm(None, None),)
"""Nothing is known."""


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """A field of a class, under its name."""

    name: str
    shape: Shape


def fitting(shape: Shape, value: object) -> Shape:
    """The arms a value fits; all of them if it fits none, so that no mark is lost."""
    if len(shape) == 1:
        return shape
    return tuple(arm for arm in shape if arm.cls is None or isinstance(value, arm.cls)) or shape


def mark_of(shape: Shape) -> Mark | None:
    """The mark that holds for a value of this shape as a whole."""
    if len(shape) == 1:
        return shape[0].mark
    mark = strictest(arm.mark for arm in shape)
    # Where one arm says public and another says nothing, it is not known to be public.
    return FreeText if mark is Public and any(arm.mark is None for arm in shape) else mark


def part_of(shape: Shape, index: int) -> Shape:
    """The shape of one part, whichever arm it is."""
    return tuple(arm for whole in shape for arm in whole.part(index))


@lru_cache(maxsize=MOST_CLASSES)
def fields_of(cls: type) -> tuple[FieldPlan, ...]:
    """What is sent of a model, dataclass, named tuple or typed dict, and how it is marked.

    Fields that pydantic would not dump (``exclude=True``) are left out; computed
    fields are in.

    Raises:
        PrivacyRefused: If the annotations cannot be read, so that marks could be missed.
    """
    # Pydantic's dataclasses keep the resolved annotations in the same place as its models.
    known = cast("Mapping[str, Any] | None", getattr(cls, "__pydantic_fields__", None))
    if known is None:
        return tuple(FieldPlan(name, shape_of(hint)) for name, hint in _hints(cls).items())
    fields = [
        FieldPlan(name, shape_of(info.annotation, mark_in(info.metadata)))
        for name, info in known.items()
        if not info.exclude
    ]
    if issubclass(cls, BaseModel):
        computed = cls.model_computed_fields
        fields += [FieldPlan(name, shape_of(info.return_type)) for name, info in computed.items()]
    return tuple(fields)


@lru_cache(maxsize=MOST_CLASSES)
def extra_of(cls: type) -> Shape:
    """The shape of fields that a model takes along without declaring them, as a free dict."""
    for base in cls.__mro__:
        if base is not BaseModel and "__pydantic_extra__" in inspect.get_annotations(base):
            return shape_of(get_type_hints(base, include_extras=True)["__pydantic_extra__"])
    return UNMARKED


def _hints(cls: type) -> dict[str, object]:
    try:
        hints: dict[str, object] = get_type_hints(cls, include_extras=True)
    except NameError:
        raise PrivacyRefused(_unreadable(f"An annotation of {cls.__name__}")) from None
    if not dataclasses.is_dataclass(cls):
        return hints
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


def _unreadable(what: str) -> str:
    return (
        f"{what} cannot be read at run time, so marks in it could be missed. Nothing was sent and nothing was charged. "
        "Import what it names outside TYPE_CHECKING."
    )


def shape_of(annotation: object, mark: Mark | None = None, seen: Mapping[str, Mark | None] = _NOTHING) -> Shape:
    """Read an annotation.

    Args:
        annotation: Any annotation, resolved.
        mark: The mark from outside; it holds where there is none inside.
        seen: Type aliases being read, since one may name itself, and the mark that then holds.

    Raises:
        PrivacyRefused: If a part of it is a name that cannot be resolved.
    """
    annotation, mark = _unwrapped(annotation, mark)
    origin, args = get_origin(annotation), get_args(annotation)
    alias = origin if hasattr(origin, "__value__") else annotation
    if hasattr(alias, "__value__"):
        return _alias_shape(cast("Any", alias), args, mark, seen)
    if isinstance(annotation, (str, ForwardRef)):
        return _named_shape(annotation, seen)
    if isinstance(annotation, TypeVar):
        options = annotation.__constraints__ or (annotation.__bound__ or Any,)
        return tuple(arm for option in options for arm in shape_of(option, mark, seen))
    if origin in {Union, types.UnionType}:
        return tuple(arm for option in args for arm in shape_of(option, mark, seen))
    return (_generic_arm(origin, args, mark, seen) if isinstance(origin, type) else _plain_arm(annotation, mark),)


def _unwrapped(annotation: object, mark: Mark | None) -> tuple[object, Mark | None]:
    """Take off `Annotated`, `Final` and the like, and `NewType`; an inner mark replaces the outer one."""
    if hasattr(annotation, "__supertype__"):
        return _unwrapped(cast("Any", annotation).__supertype__, mark)
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _unwrapped(args[0], mark_in(args[1:]) or mark)
    return _unwrapped(args[0], mark) if origin in _WRAPPERS else (annotation, mark)


def _plain_arm(annotation: object, mark: Mark | None) -> Arm:
    if is_typeddict(annotation):
        return Arm(dict, mark, record=cast("type", annotation))
    if not isinstance(annotation, type) or getattr(annotation, "_is_protocol", False):
        return Arm(None, mark)
    cls = cast("type[object]", annotation)
    return Arm(cls, mark, record=cls if issubclass(cls, BaseModel) or dataclasses.is_dataclass(cls) else None)


def _alias_shape(alias: Any, args: tuple[object, ...], mark: Mark | None, seen: Mapping[str, Mark | None]) -> Shape:  # noqa: ANN401  # there is no one type for aliases on all Pythons
    """A type alias; where it names itself, the mark that hides most in it holds."""
    name: str = alias.__name__
    if name in seen:
        return (Arm(None, seen[name]),)
    target = alias.__value__[args] if args else alias.__value__
    shape = shape_of(target, mark, {**seen, name: mark})
    hidden = deepest(shape)
    return shape if hidden is mark else shape_of(target, mark, {**seen, name: hidden})


def _named_shape(name: str | ForwardRef, seen: Mapping[str, Mark | None]) -> Shape:
    """A name in quotes: an alias inside itself, or something nobody can read."""
    text = name.__forward_arg__ if isinstance(name, ForwardRef) else name
    if text not in seen:
        raise PrivacyRefused(_unreadable(f"The annotation {text!r}"))
    return (Arm(None, seen[text]),)


def _generic_arm(
    origin: type[Any], args: tuple[object, ...], mark: Mark | None, seen: Mapping[str, Mark | None]
) -> Arm:
    parts = tuple(shape_of(arg, mark, seen) for arg in args if arg is not Ellipsis and not isinstance(arg, list))
    table = issubclass(origin, Mapping) and len(parts) == _KEY_AND_VALUE
    if table or issubclass(origin, tuple) or (issubclass(origin, Iterable) and len(parts) == 1):
        return Arm(cast("type", origin), mark, parts)
    # Somebody else's generic: what its arguments mark could be anywhere in it.
    everything = tuple(arm for part in parts for arm in part)
    return Arm(cast("type", origin), strictest((mark, deepest(everything))), (everything,) if everything else ())


def deepest(shape: Shape) -> Mark | None:
    """The mark that hides most, anywhere in a shape."""
    inner = (deepest(part) for arm in shape for part in arm.parts)
    return strictest((*(arm.mark for arm in shape), *inner))
