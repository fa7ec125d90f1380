"""Strict TOML: files become frozen dataclasses, and every mistake names its key.

Field types understood: `str`, `int`, `float`, `bool`, `Literal[...]`, `tuple[T, ...]`, `tuple[T, U]`, `dict[str, T]`,
`T | None`, `object`, dataclasses.
A field with a default is optional; an integer is accepted where a float is asked for.
"""

import dataclasses
import difflib
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, TypeVar

from edgetx.errors import ConfigError, EdgetxError

T = TypeVar("T")


def load_toml(path: Path, error: type[EdgetxError] = ConfigError) -> dict[str, object]:
    """Read a TOML file.

    Raises:
        ConfigError: If the file cannot be read or is not TOML (as the subclass given by `error`).
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise error(f"cannot read: {problem.strerror}", where=str(path)) from problem
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise error(f"not valid TOML: {problem}", where=str(path)) from problem


def parse(data: Mapping[str, object], cls: type[T], where: str, error: type[EdgetxError] = ConfigError) -> T:
    """Turn a table into the dataclass `cls`, checking keys and types all the way down.

    Args:
        data: The table as `tomllib` gives it.
        cls: A dataclass.
        where: Name of the table, used in messages.
        error: The error class to raise.

    Raises:
        ConfigError: On an unknown key (with the nearest known one), a missing key or a wrong type.
    """
    hints = typing.get_type_hints(cls)
    fields = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    for key in data:
        if key not in fields:
            raise error(f"unknown key '{key}'", where=where, hint=did_you_mean(key, fields))
    values: dict[str, object] = {}
    for name, field in fields.items():
        if name in data:
            values[name] = _convert(data[name], hints[name], f"{where}.{name}", error)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise error(f"missing key '{name}'", where=where)
    return cls(**values)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known word, or all of them when none is near."""
    names = list(known)
    near = difflib.get_close_matches(word, names, n=1)
    return f"did you mean '{near[0]}'?" if near else f"known: {', '.join(sorted(names))}"


def _convert(value: object, hint: object, where: str, error: type[EdgetxError]) -> object:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is object:
        return value
    if origin in (types.UnionType, typing.Union):
        (inner,) = (a for a in args if a is not type(None))
        return None if value is None else _convert(value, inner, where, error)
    if origin is Literal and value in args:
        return value
    if dataclasses.is_dataclass(hint) and isinstance(value, Mapping):
        return parse(value, typing.cast(type[object], hint), where, error)
    if origin is tuple and isinstance(value, list):
        kinds = args[:1] * len(value) if args[1:] == (...,) else args
        if len(kinds) == len(value):
            pairs = enumerate(zip(value, kinds, strict=True))
            return tuple(_convert(v, kind, f"{where}[{i}]", error) for i, (v, kind) in pairs)
    if origin is dict and isinstance(value, Mapping):
        return {k: _convert(v, args[1], f"{where}.{k}", error) for k, v in value.items()}
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(hint, type) and isinstance(value, hint) and isinstance(value, bool) == (hint is bool):
        return value
    raise error(f"expected {_spell(hint)}, got {value!r}", where=where)


def _spell(hint: object) -> str:
    if typing.get_origin(hint) is tuple or hint is tuple:
        return "an array"
    if typing.get_origin(hint) is dict or dataclasses.is_dataclass(hint):
        return "a table"
    if typing.get_origin(hint) is Literal:
        return f"one of {', '.join(map(str, typing.get_args(hint)))}"
    names = {str: "a string", int: "an integer", float: "a number", bool: "true or false"}
    return names.get(hint, str(hint)) if isinstance(hint, type) else str(hint)
