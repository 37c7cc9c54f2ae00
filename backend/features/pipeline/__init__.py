"""Features of tracks: blocks of Ibis expressions behind one transformer of scikit-learn."""

from backend.features.pipeline.artists import ArtistFigures
from backend.features.pipeline.audio import Audio
from backend.features.pipeline.block import Block
from backend.features.pipeline.engine import DuckEngine, Engine
from backend.features.pipeline.numbers import Flag, Numbers
from backend.features.pipeline.tags import MultiHot
from backend.features.pipeline.terms import Terms
from backend.features.pipeline.times import Times
from backend.features.pipeline.titles import TitleForm
from backend.features.pipeline.track_features import TrackFeatures

__all__ = [
    "ArtistFigures", "Audio", "Block", "DuckEngine", "Engine", "Flag", "MultiHot", "Numbers", "Terms", "Times", "TitleForm",
    "TrackFeatures",
]  # fmt: skip
