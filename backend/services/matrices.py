"""Reading what a matrix or an index is made of. Imports Arrow, so it is imported where it is used, not at start-up."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from backend.features import target as targets
from backend.features.matrix import READS, FeatureMatrix, MatrixOptions, build, usable
from backend.features.target import Target
from backend.models.ingestion_models import AUDIO_FEATURES, RightsLevel
from backend.models.results import TrackFilter
from backend.services.tracks import TrackTables

if TYPE_CHECKING:
    import pandas as pd

_SPARE: Final = 1.25  # times as many rows are read as seem to be needed, for some will be of no use
_FURTHER: Final = 8  # times as many rows at the most are read when too few were of use
EVERYTHING: Final = 2**31 - 1


def read_matrix(
    tracks: TrackTables, track_filter: TrackFilter, *, limit: int, target: str, options: MatrixOptions
) -> FeatureMatrix:
    """The matrix of the first `limit` tracks that can be used, in the order of their ids.

    Raises:
        InvalidInputError: the target is none of those there are.
    """
    aim = targets.parse(target, find_tag=_finder(tracks, track_filter.rights))
    if aim.field in AUDIO_FEATURES:
        # What a model made up of the other columns is nothing to be learnt.
        track_filter = replace(track_filter, estimates=False)
    asked = min(math.ceil(limit * _SPARE), EVERYTHING)
    while True:
        table, read = _read_usable(tracks, track_filter, limit=asked, target=aim, options=options)
        if table.num_rows >= limit or read < asked:
            return build(table.slice(0, limit), target=aim, options=options)
        needed = math.ceil(asked * limit / max(table.num_rows, 1) * _SPARE)
        asked = min(max(needed, 2 * asked), _FURTHER * asked, EVERYTHING)


def _read_usable(
    tracks: TrackTables, track_filter: TrackFilter, *, limit: int, target: Target, options: MatrixOptions
) -> tuple[pa.Table, int]:
    """The rows of use among the first `limit`, and how many were read; in memory are only those of use."""
    read, kept = 0, []
    with tracks.arrow_batches(track_filter, limit=limit, columns=READS) as reader:
        schema = reader.schema
        for batch in reader:
            read += batch.num_rows
            kept.append(usable(pa.Table.from_batches([batch]), target, options))
    return pa.concat_tables([schema.empty_table(), *kept]), read


def _finder(tracks: TrackTables, rights: RightsLevel) -> targets.FindTag:
    """Looks a tag up in the database: one track that has it shows how it is spelt."""

    def find(field: str, name: str) -> str | None:
        genres, moods = ((name,), ()) if field == "genres" else ((), (name,))
        having = TrackFilter(genres=genres, moods=moods, rights=rights)
        return targets.tags_of(tracks.arrow(having, limit=1, columns=[field]))(field, name)

    return find


def to_pandas(matrix: FeatureMatrix) -> tuple[pd.DataFrame, pd.Series[Any]]:
    """X and y, indexed by the tracks' ids; a sparse X has sparse columns."""
    import pandas as pd  # late: the server never needs it

    index = pd.Index(matrix.ids, name="id", dtype="str")
    kind = "str" if matrix.y.dtype == object else "float64"
    if isinstance(matrix.X, np.ndarray):
        frame = pd.DataFrame(matrix.X, index=index, columns=matrix.names)
    else:
        sparse: Any = pd.DataFrame.sparse  # an accessor, which pandas-stubs does not know
        frame = sparse.from_spmatrix(matrix.X, index=index, columns=matrix.names)
    return frame, pd.Series(matrix.y, index=index, name=matrix.target.name, dtype=kind)


def read_ids(tracks: TrackTables, track_filter: TrackFilter) -> list[str]:
    """The ids of all tracks that fit."""
    found: list[str] = tracks.arrow(track_filter, limit=EVERYTHING, columns=["id"]).column("id").to_pylist()
    return found
