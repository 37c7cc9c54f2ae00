"""The catalogue at each level of rights: the same tables three times, each merged from the permitted sources alone.

Whoever reads takes the tables of the level asked for; there is no condition that could be forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from backend.models.ingestion_models import RightsLevel


@dataclass(frozen=True, slots=True)
class Layer:
    """The names of one level's tables."""

    level: RightsLevel
    albums: str
    tracks: str


LAYERS: Final[Mapping[RightsLevel, Layer]] = {
    layer.level: layer
    for layer in (
        Layer(RightsLevel.ANY, "albums", "enhanced_tracks"),
        Layer(RightsLevel.NONCOMMERCIAL, "albums_noncommercial", "tracks_noncommercial"),
        Layer(RightsLevel.OPEN, "albums_open", "tracks_open"),
    )
}
