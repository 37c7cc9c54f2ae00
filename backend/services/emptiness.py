"""When nothing is left to answer: saying which condition empties the list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Self

import numpy as np

from backend.features.columns import Flags
from backend.features.discovery.index import DiscoveryIndex
from backend.models.results import TrackFilter
from backend.utils.errors import NotFoundError

Fitting = Callable[[DiscoveryIndex, TrackFilter], "Flags | None"]
"""Which rows of an index fit a filter; None when all do."""

_NO_CONDITIONS: Final = frozenset({"rights", "estimates", "after", "until"})
_NAMES: Final = {"genres": "genre", "moods": "mood"}


@dataclass(frozen=True, slots=True)
class Mask:
    """Which rows a condition lets through; found out when it is asked for."""

    flags: Callable[[], Flags]

    @classmethod
    def of(cls, flags: Flags) -> Self:
        """One that is known already."""
        return cls(lambda: flags)


def require_some(
    index: DiscoveryIndex, musts: Mapping[str, Mask], *, track_filter: TrackFilter, fitting: Fitting
) -> Flags:
    """The rows that a filter and further conditions leave.

    Args:
        index: all tracks.
        musts: further conditions, by what people call them.
        track_filter: see there.
        fitting: which rows fit a filter; None when all do.

    Raises:
        NotFoundError: the catalogue is empty or nothing is left; the message names the condition.
    """
    if not len(index):
        level = "" if track_filter.rights == "any" else f" at rights={track_filter.rights}"
        raise NotFoundError(f"The catalogue holds no track{level}; ingest albums first")
    fit = fitting(index, track_filter)
    left: Flags = index.rows.alive if fit is None else index.rows.alive & fit
    for mask in musts.values():
        left = left & mask.flags()
    if left.any():
        return left
    conditions = {**_conditions(index, track_filter, fitting), **musts}
    raise NotFoundError(f"No track is left: {_blamed(index, conditions)}")


def _conditions(index: DiscoveryIndex, track_filter: TrackFilter, fitting: Fitting) -> dict[str, Mask]:
    """Each condition of a filter by itself."""
    plain = TrackFilter(rights=track_filter.rights, estimates=track_filter.estimates)
    found: dict[str, Mask] = {}
    for field in fields(TrackFilter):
        value = getattr(track_filter, field.name)
        if field.name in _NO_CONDITIONS or value == getattr(plain, field.name):
            continue
        alone: Any = replace(plain, **{field.name: value})
        # mypy infers no type for a lambda whose default keeps the value of this turn.
        found[_words(field.name, value)] = Mask(lambda alone=alone: _fit(index, alone, fitting))  # type: ignore[misc]
    return found


def _fit(index: DiscoveryIndex, track_filter: TrackFilter, fitting: Fitting) -> Flags:
    found = fitting(index, track_filter)
    return index.rows.alive if found is None else found


def _words(name: str, value: object) -> str:
    said = " or ".join(map(str, value[:5])) if isinstance(value, tuple) else str(value).lower()
    return f"{_NAMES.get(name, name)}={said}"[:200]


def _blamed(index: DiscoveryIndex, conditions: Mapping[str, Mask]) -> str:
    """The conditions that nothing fits; else the first one after which nothing is left."""
    flags = {name: mask.flags() & index.rows.alive for name, mask in conditions.items()}
    alone = [name for name, found in flags.items() if not found.any()]
    if alone:
        return f"no track fits {' nor '.join(alone)}; leave that out or widen it"
    left, before = index.rows.alive, list[str]()
    for name, found in flags.items():
        if not (left & found).any():
            n = int(np.count_nonzero(left))
            return f"of the {n:,} tracks that fit {' and '.join(before)} none fits {name}; leave one out or widen it"
        left = left & found
        before.append(name)
    return "the catalogue changed meanwhile; ask again"
