"""What the map answers besides its points."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class MapProgress:
    """A map that is being drawn.

    Attributes:
        done: the share that is done, 0 to 1.
    """

    done: float


class MapState(StrEnum):
    """What there is of a map."""

    READY = "ready"
    EMPTY = "empty"  # the catalogue holds no track
    FEW = "few"  # so few tracks that where they stand tells nothing
    DRAWING = "drawing"  # none yet; it is being drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class MapOverview:
    """What there is of a map, and how old it is.

    Attributes:
        state: see `MapState`.
        version: of the points; None while there are none.
        layout: a name that changes only when the map is drawn anew.
        points: how many tracks stand on it.
        drawn: of how many tracks it was drawn; the others were placed by their neighbours.
        grid: places are whole numbers from 0 to this.
        progress: the share that is done of a map that is being drawn, also while an old one answers.
    """

    state: MapState
    version: str | None
    layout: str | None
    points: int
    drawn: int
    grid: int
    progress: float | None
