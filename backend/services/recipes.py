"""Recipes as people write them: TOML files and JSON bodies."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from backend.models.datasets import Recipe
from backend.models.results import TrackFilter
from backend.utils.errors import InvalidInputError

_LARGEST: Final = 1_000_000
_ZONELESS: Final = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?", re.ASCII)
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}", re.ASCII)


def read_recipe(path: Path) -> Recipe:
    """The recipe in a TOML file, or in the `recipe.json` of a data set.

    Raises:
        InvalidInputError: it cannot be read, or says something that no recipe can; the message says what.
    """
    try:
        text = path.read_text(encoding="utf-8")
        values = msgspec.json.decode(text, type=dict[str, Any]) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as problem:
        raise InvalidInputError(f"{path} cannot be read: {problem.strerror}") from problem
    except UnicodeDecodeError as problem:
        raise InvalidInputError(f"{path} is not UTF-8 text (byte {problem.start})") from problem
    except tomllib.TOMLDecodeError as problem:
        raise InvalidInputError(f"{path} is no TOML: {problem}") from problem
    except msgspec.DecodeError as problem:
        raise InvalidInputError(f"{path} is no JSON: {problem}") from problem
    except (ValueError, RecursionError) as problem:  # of a number of thousands of digits, of thousands of brackets
        raise InvalidInputError(f"{path} is no recipe: {problem}") from problem
    return parse_recipe({"name": path.stem.lower(), **values})


def parse_recipe(values: Mapping[str, Any]) -> Recipe:
    """The recipe that these values tell.

    Raises:
        InvalidInputError: a name is not known, or a value cannot be; the message names it.
    """
    _known(values, Recipe, "a recipe")
    _moment(values.get("as_of"))
    if isinstance(values.get("filter"), Mapping):
        _known(values["filter"], TrackFilter, "a recipe's filter")
    try:
        found = msgspec.convert(dict(values), Recipe)
    except msgspec.ValidationError as problem:
        raise InvalidInputError(f"the recipe cannot be followed: {problem}") from problem
    if not _NAME.fullmatch(found.name):
        raise InvalidInputError(
            f"name={found.name[:80]!r} is not allowed; use at most 80 small letters, digits, '-', '_' and '.', "
            "beginning with a letter or digit"
        )
    if found.filter.seen_by is not None:
        raise InvalidInputError(
            "seen_by has no place in a recipe: a data set would hold who listened to what, and keep it after he was forgotten"
        )
    _whole_numbers(found.filter)
    if found.min_features < 0:
        raise InvalidInputError(f"min_features={found.min_features} must not be negative")
    return found


def plain(recipe: Recipe) -> dict[str, Any]:
    """What `parse_recipe` takes: JSON values."""
    found: dict[str, Any] = msgspec.to_builtins(recipe)
    if recipe.as_of is None:
        del found["as_of"]
    return found


def ordered(recipe: Recipe) -> dict[str, Any]:
    """`plain`, always in the same order: by name, but for a split's parts, of which the first is learnt from."""
    found: dict[str, Any] = _by_name(plain(recipe))
    if isinstance(parts := recipe.split.get("parts"), Mapping):
        found["split"]["parts"] = dict(parts)
    return found


def _by_name(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _by_name(value[name]) for name in sorted(value)}
    return [_by_name(one) for one in value] if isinstance(value, list | tuple) else value


def read_moment(text: str) -> datetime:
    """A moment as people write it.

    Raises:
        InvalidInputError: it is none, or names no time zone.
    """
    _moment(text)
    try:
        return msgspec.convert(text, datetime)
    except msgspec.ValidationError as problem:
        raise InvalidInputError(
            f"as_of={text[:80]!r} is no moment; write it as 2026-01-31T12:00:00Z, or with your own offset"
        ) from problem


def _moment(value: object) -> None:
    """Refuse what has no time zone: it would be another moment here and there."""
    if isinstance(value, datetime):
        value = None if value.utcoffset() is not None else value.isoformat()
    elif isinstance(value, date):
        value = value.isoformat()
    if isinstance(value, str) and (found := _ZONELESS.fullmatch(value)):
        written = value if found[1] else f"{value}T00:00:00"
        raise InvalidInputError(f"as_of={value} names no time zone; write {written}Z, or with your own offset")


def _whole_numbers(asked: TrackFilter) -> None:
    """Refuse what PostgreSQL's integers do not hold: no track could fit it."""
    for name in ("year_from", "year_to", "min_popularity", "max_popularity"):
        value = getattr(asked, name)
        if value is not None and abs(value) > _LARGEST:
            raise InvalidInputError(f"{name}={value} is beyond any that a track has")


def _known(values: Mapping[str, Any], kind: Any, what: str) -> None:
    allowed = [f.name for f in fields(kind)]
    if strange := [str(name) for name in values if name not in allowed]:
        raise InvalidInputError(f"{what} has no {', '.join(strange)}; it may have {', '.join(allowed)}")
