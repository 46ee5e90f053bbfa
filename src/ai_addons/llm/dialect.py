"""The strict dialect of JSON Schema that OpenAI, Anthropic and Gemini all take.

OpenAI's strict mode is the narrowest (``developers.openai.com``, "Structured
outputs", supported schemas): an object root, all properties required,
``additionalProperties: false``, no ``oneOf``, no siblings of ``$ref``, no
lengths of strings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from ai_addons.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_KEPT: Final = frozenset(
    {
        "description",
        "enum",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "maxItems",
        "maxLength",
        "maximum",
        "minItems",
        "minLength",
        "minimum",
        "multipleOf",
        "type",
        "uniqueItems",
    }
)
_FORMATS: Final = frozenset({"date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uuid"})
_REF: Final = "#/$defs/"
# Kept for the offline model, not sent: strict mode has no tuples.
_PLACES: Final = "prefixItems"
# Not taken by strict mode; said in words instead, and checked by us afterwards.
_NOTES: Final = {
    "minLength": "At least {} characters.",
    "maxLength": "At most {} characters.",
    "uniqueItems": "No item twice.",
}


def strict(schema: Mapping[str, Any], *, wrapper: str) -> tuple[dict[str, Any], bool]:
    """Bring a schema made by pydantic into the strict dialect.

    Args:
        schema: Schema of the answer.
        wrapper: Key that holds the answer where it is no object itself.

    Returns:
        The strict schema, and whether the answer is wrapped.

    Raises:
        ConfigError: If the dialect cannot say it: free keys, values of any kind.
    """
    defs = {name: _node(inner, name) for name, inner in schema.get("$defs", {}).items()}
    root = _node({key: value for key, value in schema.items() if key != "$defs"}, "")
    if "$ref" in root:
        root = dict(defs[root["$ref"].removeprefix(_REF)])
    wrapped = root.get("type") != "object"
    if wrapped:
        root = _object({wrapper: root})
    used = _reachable(root, defs)
    return (root | {"$defs": {name: defs[name] for name in used}} if used else root), wrapped


def for_wire(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A strict schema as it is sent: bounds that strict mode refuses become words.

    >>> for_wire({"type": "string", "maxLength": 5})
    {'type': 'string', 'description': 'At most 5 characters.'}
    """
    plain = {key: _sent(key, value) for key, value in schema.items() if key not in _NOTES and key != _PLACES}
    notes = [note.format(schema[key]) for key, note in _NOTES.items() if schema.get(key)]
    if notes:
        plain["description"] = " ".join([*filter(None, [schema.get("description")]), *notes])
    return plain


def words_of(schema: Mapping[str, Any]) -> frozenset[str]:
    """Every property name in a schema: the words a fault may name."""
    return frozenset(_words(schema))


def _words(schema: Mapping[str, Any]) -> Iterator[str]:
    yield from schema.get("properties", {})
    for child in _children(schema):
        yield from _words(child)


def _children(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for keyed in ("properties", "$defs"):
        yield from schema.get(keyed, {}).values()
    yield from schema.get("anyOf", ())
    if "items" in schema:
        yield schema["items"]


def _sent(key: str, value: Any) -> object:  # noqa: ANN401  # a part of a JSON schema
    if key in ("properties", "$defs"):
        return {name: for_wire(inner) for name, inner in value.items()}
    if key == "anyOf":
        return [for_wire(inner) for inner in value]
    return for_wire(value) if key == "items" else value


def _node(schema: Mapping[str, Any], place: str) -> dict[str, Any]:
    """One node in the dialect; ``place`` is its path, for the error message."""
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return _described(schema, {"anyOf": [_node(choice, place) for choice in choices]})
    if "const" in schema:
        return _node(
            {key: value for key, value in schema.items() if key != "const"} | {"enum": [schema["const"]]}, place
        )
    match schema.get("type"):
        case "object":
            return _described(schema, _object_node(schema, place))
        case "array":
            return _scalar(schema) | _array(schema, place)
        case None if "enum" not in schema:
            raise _unsayable(place, "values of any kind; name the types")
        case _:
            return _scalar(schema)


def _object_node(schema: Mapping[str, Any], place: str) -> dict[str, Any]:
    properties = cast("Mapping[str, Any]", schema.get("properties", {}))
    if not properties and (schema.get("additionalProperties") or "patternProperties" in schema):
        raise _unsayable(place, "free keys; use a list of a model with the key as a field")
    return _object({name: _node(inner, f"{place}.{name}".lstrip(".")) for name, inner in properties.items()})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


def _array(schema: Mapping[str, Any], place: str) -> dict[str, Any]:
    """The items of an array; a tuple's places are sent as a choice, their order is checked by us."""
    places = [_node(inner, place) for inner in schema.get(_PLACES, ())]
    if not places:
        return {"items": _node(schema.get("items", {}), place)}
    kinds = [kind for index, kind in enumerate(places) if kind not in places[:index]]
    return {_PLACES: places, "items": kinds[0] if len(kinds) == 1 else {"anyOf": kinds}}


def _scalar(schema: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in schema.items() if key in _KEPT}
    if schema.get("format") in _FORMATS:
        kept["format"] = schema["format"]
    # Strict mode compiles patterns without look-around.
    if "(?" not in schema.get("pattern", "(?"):
        kept["pattern"] = schema["pattern"]
    return kept


def _described(schema: Mapping[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    return node | ({"description": schema["description"]} if "description" in schema else {})


def _reachable(root: Mapping[str, Any], defs: Mapping[str, Any]) -> list[str]:
    """Names of the definitions that are still referred to, in their order."""
    found: set[str] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        name = node.get("$ref", "").removeprefix(_REF)
        if name and name not in found:
            found.add(name)
            waiting.append(defs[name])
        waiting.extend(_children(node))
    return [name for name in defs if name in found]


def _unsayable(place: str, what: str) -> ConfigError:
    return ConfigError(
        f"A model cannot be held to this answer type: {place or 'the answer'} allows {what}. Nothing was charged."
    )
