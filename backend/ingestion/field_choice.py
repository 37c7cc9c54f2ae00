"""Choosing one truth per field among what several sources say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from backend.ingestion.said import Said, voices

Tidy = Callable[[Any], Any]
"""Makes a value fit for its column, and None of what cannot be used."""


def choose(
    said: Sequence[Said], names: Mapping[str, Tidy], of: Callable[[Said], object]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The winning value of each field, and whose it is."""
    said = voices(said)
    values: dict[str, Any] = {}
    provenance: dict[str, str] = {}
    for name, tidy_value in names.items():
        values[name], giver = choose_one(said, name, of, tidy_value)
        if giver:
            provenance[name] = giver
    return values, provenance


Ranked = Sequence[tuple[str, Tidy, tuple[str, ...]]]
"""Fields, each with the names of those who are believed on it, the most trusted first."""


def ranked(said: Sequence[Said], names: Mapping[str, Tidy]) -> Ranked:
    """Who is asked for which field, worked out once for many tracks."""
    asked = voices(said)
    return [(name, tidy_value, tuple(s.source for s in asked.believed(name))) for name, tidy_value in names.items()]


def choose_among(of_sources: Mapping[str, object], asked: Ranked) -> tuple[dict[str, Any], dict[str, str]]:
    """As `choose`, from what each source has of one thing."""
    values: dict[str, Any] = {}
    provenance: dict[str, str] = {}
    for name, tidy_value, sources in asked:
        values[name] = None
        for source in sources:
            thing = of_sources.get(source)
            value = tidy_value(getattr(thing, name)) if thing is not None else None
            if value is not None:
                values[name], provenance[name] = value, source
                break
    return values, provenance


def choose_one(
    said: Sequence[Said], name: str, of: Callable[[Said], object], tidy_value: Tidy, *, anybody: bool = False
) -> tuple[Any, str]:
    """The first usable value by trust, and whose it is.

    Args:
        said: who says something.
        name: the field.
        of: the record of a source that has it.
        tidy_value: makes None of what cannot be used.
        anybody: also take it from those who are not believed on it, if it may be shown.
    """
    asked = voices(said)
    for s in asked.by_trust(name) if anybody else asked.believed(name):
        if anybody and s.trust(name) <= 0 and not s.permits(name):
            continue
        thing = of(s)
        value = tidy_value(getattr(thing, name)) if thing is not None else None
        if value is not None:
            return value, s.source
    return None, ""
