"""Filling in what nobody measured: while albums are merged, from the models that `tensoe features fit` learnt."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import structlog

from backend.ingestion.merger import Levels
from backend.ingestion.policy import ESTIMATE, MergePolicy
from backend.models.ingestion_models import AUDIO_FEATURES, MergedAlbum, MergedTrack, RightsLevel
from backend.repositories.feature_models import FeatureModels
from backend.utils.errors import InvalidInputError

if TYPE_CHECKING:
    from backend.features.estimate import Estimated, Estimator

log = structlog.get_logger(__name__)

_LOOK_SECONDS: Final = 10.0  # between looks for models that another process has fitted
# Whose model may estimate at a level, the best first: one that was learnt from fewer permitted values may always.
_MODELS: Final[Mapping[RightsLevel, tuple[RightsLevel, ...]]] = {
    RightsLevel.ANY: (RightsLevel.ANY, RightsLevel.NONCOMMERCIAL, RightsLevel.OPEN),
    RightsLevel.NONCOMMERCIAL: (RightsLevel.NONCOMMERCIAL, RightsLevel.OPEN),
    RightsLevel.OPEN: (RightsLevel.OPEN,),
}


class Estimates:
    """Estimates the audio features that merged tracks lack; without a model it does nothing.

    Args:
        models: where fitted models are kept.
        policy: says which features may be estimated.
    """

    def __init__(self, models: FeatureModels, policy: MergePolicy) -> None:
        self._models = models
        self._policy = policy
        self._features = frozenset(name for name in AUDIO_FEATURES if policy.estimates(name))
        self._loaded: dict[RightsLevel, tuple[str, Estimator]] = {}
        self._looked = float("-inf")
        self._looking = asyncio.Lock()

    async def prepare(self, *, now: bool = False) -> None:
        """Load models that are new, and forget those that are gone.

        Args:
            now: look, however short ago the last look was.
        """
        async with self._looking:
            if not now and time.monotonic() - self._looked < _LOOK_SECONDS:
                return
            digests = await self._models.digests()
            for level in [level for level in self._loaded if level not in digests]:
                del self._loaded[level]
            for level, digest in digests.items():
                if level in self._loaded and self._loaded[level][0] == digest:
                    continue
                self._loaded.pop(level, None)
                written = await self._models.load(level)
                if written is None:
                    continue
                try:
                    self._loaded[level] = digest, await asyncio.to_thread(_read, written)
                except InvalidInputError as problem:  # of another version: collecting goes on without estimates
                    log.warning("audio features are not estimated", rights=level.value, problem=str(problem))
                else:
                    log.info("a model that estimates audio features is loaded", rights=level.value, model=digest)
            self._looked = time.monotonic()

    async def at(self, moment: datetime, level: RightsLevel) -> tuple[Estimates, bool]:
        """What estimated at a level at a past moment, and whether it is what does so now.

        Raises:
            InvalidInputError: the model of then was purged with what it was learnt from, or cannot be read any more.
        """
        found = Estimates(self._models, self._policy)
        then, now = await self._models.at(moment), await self._models.digests()
        used = next((of for of in _MODELS[level] if of in then), None)
        used_now = next((of for of in _MODELS[level] if of in now), None)
        if used is None:
            return found, used_now is None
        model = then[used]
        if model.model is None:
            raise _gone(moment, "it was purged together with what it was learnt from")
        try:
            found._loaded[used] = model.digest, await asyncio.to_thread(_read, model.model)
        except InvalidInputError as problem:
            raise _gone(moment, str(problem)) from problem
        return found, used_now == used and now[used] == model.digest

    def __call__(self, levels: Levels) -> Levels:
        """The same albums, with estimates where features are missing; marked in `provenance`, with intervals."""
        if not self._loaded:
            return levels
        return {level: self._completed(album, level) for level, album in levels.items()}

    def _completed(self, album: MergedAlbum, level: RightsLevel) -> MergedAlbum:
        model = next((self._loaded[of][1] for of in _MODELS[level] if of in self._loaded), None)
        if model is None:
            return album
        wanted = self._features.intersection(model.features)
        if not any(wanted - track.audio_features.keys() for track in album.tracks):
            return album
        found = model.estimate(_table(album))
        tracks = tuple(_filled(track, row, wanted, found) for row, track in enumerate(album.tracks))
        return replace(album, tracks=tracks)


def _gone(moment: datetime, why: str) -> InvalidInputError:
    return InvalidInputError(
        f"the model that estimated audio features at {moment.isoformat()} cannot be used any more: {why}; with "
        "estimates = false in the recipe's filter the data set is made of what was measured"
    )


def _filled(track: MergedTrack, row: int, wanted: frozenset[str], found: Mapping[str, Estimated]) -> MergedTrack:
    missing = {
        name: found[name]
        for name in sorted(wanted - track.audio_features.keys())
        if not math.isnan(found[name].value[row])
    }
    if not missing:
        return track
    return replace(
        track,
        audio_features=track.audio_features | {name: float(e.value[row]) for name, e in missing.items()},
        estimates={name: (float(e.low[row]), float(e.high[row])) for name, e in missing.items()},
        provenance=dict(sorted((track.provenance | dict.fromkeys(missing, ESTIMATE)).items())),
    )


def _table(album: MergedAlbum) -> Any:
    """An album's tracks as the model reads them."""
    import pyarrow as pa  # late: only who has fitted a model needs it

    year = int(album.release_date[:4]) if album.release_date else None
    tracks = album.tracks
    columns: dict[str, Any] = {
        "artist": pa.array([t.artist for t in tracks], pa.string()),
        "genres": pa.array([list(t.genres) for t in tracks], pa.list_(pa.string())),
        "moods": pa.array([list(t.moods) for t in tracks], pa.list_(pa.string())),
        "release_year": pa.array([year] * len(tracks), pa.int16()),
        "duration_ms": pa.array([t.duration_ms for t in tracks], pa.int32()),
        "explicit": pa.array([t.explicit for t in tracks], pa.bool_()),
        "popularity": pa.array([t.popularity for t in tracks], pa.int32()),
    }
    for name in AUDIO_FEATURES:
        # As the tables' REAL columns hold them: a track gets the same estimate here and from there.
        columns[name] = pa.array([t.audio_features.get(name) for t in tracks], pa.float32())
    return pa.table(columns)


def _read(written: bytes) -> Estimator:
    from backend.features.estimate import Estimator  # late: NumPy and Arrow

    return Estimator.loads(written)
