"""A fitted pipeline that serves single tracks. Imports Arrow, so it is imported where it is used."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

import pyarrow as pa

from backend.features.columns import FLAGS, TAGS
from backend.features.pipeline import DuckEngine, TrackFeatures
from backend.repositories.track_columns import READABLE
from backend.utils.errors import InvalidInputError

_TEXTS: Final = frozenset({"title", "artist", "album"})
_MOST_SHOWN: Final = 60


class ServedPipeline:
    """A data set's pipeline.

    Args:
        values: what `TrackFeatures.to_json` wrote.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        # A handful of rows is computed quicker by one thread than by handing it on.
        self._features = TrackFeatures.from_json(values, engine=DuckEngine(threads=1))
        self.names: list[str] = [column.name for column in self._features.columns_]
        self._lock = threading.Lock()

    def rows(self, tracks: Sequence[Mapping[str, Any]]) -> list[list[float]]:
        """The features of tracks; what one does not name is unknown, other fields of a track are not looked at.

        Raises:
            InvalidInputError: a field is none of a track's, or its value cannot be.
        """
        known = self._features.reads
        for number, track in enumerate(tracks, 1):
            if strange := [str(name) for name in track if name not in known and name not in READABLE]:
                raise InvalidInputError(
                    f"track {number} names {', '.join(strange)[:_MOST_SHOWN]}; this data set's features are computed from "
                    f"{', '.join(known)}"
                )
        columns = {name: self._column(name, [track.get(name) for track in tracks]) for name in known}
        with self._lock:
            found: list[list[float]] = self._features.transform(pa.table(columns)).tolist()
        return found

    def _column(self, name: str, values: list[Any]) -> Any:
        try:
            if name == "release_date":
                return pa.array([date.fromisoformat(v) if isinstance(v, str) else v for v in values], pa.date32())
            return pa.array(values, _type(name))
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, ValueError, TypeError) as problem:
            raise InvalidInputError(f"{name} cannot be of such a value: {problem}") from problem


def _type(name: str) -> pa.DataType:
    if name in TAGS:
        return pa.list_(pa.string())
    if name in _TEXTS:
        return pa.string()
    return pa.bool_() if name in FLAGS else pa.float64()
