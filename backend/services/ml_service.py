"""Data for training, matrices and recommendations: over HTTP by `MlService`, in scripts by `get_feature_matrix`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal

from backend.config.settings import AppSettings, DatabaseSettings, MlSettings
from backend.models.ingestion_models import RightsLevel
from backend.models.results import TrackFilter
from backend.repositories.database import open_columnar
from backend.services.forms import MEDIA_TYPES, Form, form_of
from backend.services.tracks import TextForm, Tracks
from backend.services.worker_threads import ChunkWriter, WorkerThreads, begun
from backend.utils.errors import InvalidInputError

if TYPE_CHECKING:
    import pandas as pd

    from backend.features.similarity import Neighbour, SimilarityIndex
# What imports Arrow is imported inside functions, in a thread: the server's start-up does not wait for it.

DEFAULT_TARGET: Final = "aoty_score"
FORMS: Final = (Form.JSON, Form.NDJSON, Form.CSV, Form.ARROW, Form.PARQUET)
EXPORT_FORMS: Final = (*FORMS, Form.ARROW_FILE)
MOST_NEIGHBOURS: Final = 100
_TEXT: Final[Mapping[Form, TextForm]] = {Form.JSON: "json", Form.NDJSON: "ndjson", Form.CSV: "csv"}

Answer = tuple[str, AsyncIterator[bytes]]
"""A media type, and the body in chunks; its first chunk is made already."""


class MlService:
    """What is served for training.

    Args:
        reader: reads tracks.
        settings: limits.
        threads: run what blocks; some of its own when None.
    """

    def __init__(self, reader: Tracks, settings: MlSettings, *, threads: WorkerThreads | None = None) -> None:
        self._reader = reader
        self._settings = settings
        self._threads = threads or WorkerThreads()
        self._indexes: dict[RightsLevel, SimilarityIndex] = {}
        self._building = asyncio.Lock()

    async def training_data(self, track_filter: TrackFilter, *, limit: int, form: str = Form.JSON) -> Answer:
        """Tracks with all their fields, ordered by id, streamed.

        Args:
            track_filter: which tracks.
            limit: at most so many rows, 1 to `ML_TRAINING_DATA_LIMIT`.
            form: json, ndjson, csv, arrow (IPC stream), arrow_file or parquet.

        Raises:
            InvalidInputError: the limit or the form is not allowed.
            BusyError: too many large answers are being made.
        """
        _check(limit, most=self._settings.ml_training_data_limit, setting="ML_TRAINING_DATA_LIMIT")
        chosen = form_of(form, EXPORT_FORMS)
        text = _TEXT.get(chosen)
        if text is not None:
            return MEDIA_TYPES[chosen], await begun(self._reader.stream(track_filter, limit=limit, form=text))

        def write(sink: ChunkWriter) -> None:
            from backend.services.table_writer import write_batches

            with self._reader.arrow_batches(track_filter, limit=limit) as batches:
                write_batches(batches, batches.schema, sink, form=chosen)

        return MEDIA_TYPES[chosen], await begun(self._threads.stream(write))

    async def feature_matrix(
        self,
        track_filter: TrackFilter,
        *,
        limit: int,
        target: str = DEFAULT_TARGET,
        form: str = Form.JSON,
        keep_unlabelled: bool = False,
        told: Callable[[Mapping[str, int]], None] = lambda _: None,
    ) -> Answer:
        """The matrix of the first tracks that can be used, and y (see `features.matrix`).

        Args:
            track_filter: which tracks.
            limit: at most so many rows, 1 to `ML_FEATURE_MATRIX_LIMIT`.
            target: what y is (see `features.target`).
            form: json, ndjson, csv, arrow (IPC stream), arrow_file or parquet.
            keep_unlabelled: also tracks of which the target is unknown; y is null there.
            told: is called with the provenance of the matrix's rows and how many have it, before anything is written.

        Raises:
            InvalidInputError: the limit, the target or the form is not allowed.
            BusyError: too many large answers are being made.
        """
        _check(limit, most=self._settings.ml_feature_matrix_limit, setting="ML_FEATURE_MATRIX_LIMIT")
        chosen = form_of(form, EXPORT_FORMS)

        def write(sink: ChunkWriter) -> None:
            from backend.features.matrix import MatrixOptions
            from backend.services.matrices import read_matrix
            from backend.services.table_writer import write_matrix

            least = self._settings.ml_min_features_per_track
            options = MatrixOptions(min_features=least, keep_unlabelled=keep_unlabelled)
            matrix = read_matrix(self._reader, track_filter, limit=limit, target=target, options=options)
            told(matrix.provenances)
            write_matrix(matrix, sink, form=chosen)

        return MEDIA_TYPES[chosen], await begun(self._threads.stream(write))

    async def recommendations(
        self, track_id: str, *, k: int = 10, track_filter: TrackFilter | None = None
    ) -> list[dict[str, Any]]:
        """The most similar tracks, best first, each with why.

        Args:
            track_id: of the track to start from.
            k: at most so many, 1 to 100.
            track_filter: which tracks may be answered; any when None.

        Returns:
            Per track: `id`, `title`, `artist`, `album`, `album_id`, `release_year`, `synthetic`; `score` (cosine, up to 1) and
            `contributions` by group (audio, year, genres, moods), which sum to it; `shared_genres`, `shared_moods`;
            `reasons` in words; `filled`: audio features unknown of one of the two, for which the mean was taken.

        Raises:
            NotFoundError: no track has this id.
            InvalidInputError: k is not allowed.
        """
        if not 1 <= k <= MOST_NEIGHBOURS:
            raise InvalidInputError(f"k={k} is not allowed; ask for 1 to {MOST_NEIGHBOURS} tracks")
        rights = RightsLevel.ANY if track_filter is None else track_filter.rights
        index = await self._current_index(rights)
        wanted = None if track_filter in {None, TrackFilter(rights=rights)} else track_filter

        def find() -> list[dict[str, Any]]:
            from backend.services.matrices import read_ids

            allowed = None if wanted is None else read_ids(self._reader, wanted)
            return [_shown(index, neighbour) for neighbour in index.neighbours(track_id, k, allowed=allowed)]

        return await self._threads.run(find)

    async def track(self, track_id: str, *, rights: RightsLevel = RightsLevel.ANY) -> dict[str, Any]:
        """One track with all its fields.

        Raises:
            NotFoundError: no track of this level has this id.
        """
        return await self._reader.track(track_id, rights=rights)

    async def ids(self, track_filter: TrackFilter, *, limit: int) -> list[str]:
        """The ids of the first tracks that fit."""

        def read() -> list[str]:
            found: list[str] = self._reader.arrow(track_filter, limit=limit, columns=["id"]).column("id").to_pylist()
            return found

        return await self._threads.run(read)

    async def similar_groups(
        self, track_ids: Sequence[str], *, by: Literal["album_id", "artist"], k: int, rights: RightsLevel
    ) -> list[dict[str, Any]]:
        """The albums, or artists, whose tracks are most like some tracks.

        Returns:
            The most similar first: `album_id`, `album` and `artist` of each; `score` (mean cosine, up to 1) and
            `contributions`, which sum to it; `example`, its track that is nearest, and `reasons` in words.

        Raises:
            NotFoundError: no track of this level has one of the ids.
            InvalidInputError: k is not allowed.
        """
        if not 1 <= k <= MOST_NEIGHBOURS:
            raise InvalidInputError(f"k={k} is not allowed; ask for 1 to {MOST_NEIGHBOURS}")
        index = await self._current_index(rights)

        def find() -> list[dict[str, Any]]:
            from backend.features.reasons import share_words
            from backend.features.similar_groups import similar_groups

            return [
                {
                    **{name: index.card(g.example)[name] for name in ("album_id", "album", "artist")},
                    "score": g.score,
                    "contributions": g.contributions,
                    "example": index.card(g.example),
                    "reasons": share_words(g.contributions),
                }
                for g in similar_groups(index, track_ids, by=by, k=k)
            ]

        return await self._threads.run(find)

    async def index(self, rights: RightsLevel) -> SimilarityIndex:
        """All tracks of a level as they are now, ready to be compared."""
        return await self._current_index(rights)

    async def _current_index(self, rights: RightsLevel) -> SimilarityIndex:
        """The index of a level's tracks as they are now; built anew when something changed."""
        version = await self._reader.version(rights)
        async with self._building:  # one builds, the others wait and find it
            index = self._indexes.get(rights)
            if index is None or index.version != version:

                def build() -> SimilarityIndex:
                    from backend.services.matrices import read_index

                    return read_index(self._reader, version=version, rights=rights)

                index = self._indexes[rights] = await self._threads.run(build)
            return index


def _shown(index: SimilarityIndex, neighbour: Neighbour) -> dict[str, Any]:
    from backend.features.reasons import reasons

    return {
        **index.card(neighbour.id),
        "score": neighbour.score,
        "contributions": neighbour.contributions,
        "shared_genres": neighbour.shared["genres"],
        "shared_moods": neighbour.shared["moods"],
        "reasons": reasons(neighbour),
        "filled": list(neighbour.filled),
    }


def _check(limit: int, *, most: int, setting: str) -> None:
    if not 1 <= limit <= most:
        raise InvalidInputError(f"limit={limit:,} is not allowed; ask for 1 to {most:,} rows ({setting})")


def get_feature_matrix(
    limit: int = 10_000,
    *,
    target: str = DEFAULT_TARGET,
    genres: int = 50,
    moods: int = 30,
    track_filter: TrackFilter | None = None,
    rights: RightsLevel | str | None = None,
    estimates: bool | None = None,
    keep_unlabelled: bool = False,
    sparse: bool = False,
) -> tuple[pd.DataFrame, pd.Series[Any]]:
    """The feature matrix for a script or a notebook; blocking, with or without a running event loop.

    Settings are read from the environment and `.env`, as by the server.

    Args:
        limit: at most so many tracks, 1 to `ML_FEATURE_MATRIX_LIMIT`.
        target: what y is: `aoty_score`, `popularity`, `tempo`, `genre:rock`, `mood:mellow`, `genre`, …
        genres: how many of the most frequent genres become columns.
        moods: how many of the most frequent moods become columns.
        track_filter: which tracks; any when None.
        rights: "any", "noncommercial" or "open": values of other sources are replaced by the best permitted ones or left out.
        estimates: False leaves out audio features that nobody measured.
        keep_unlabelled: also tracks of which the target is unknown; y is NaN there.
        sparse: X has sparse columns, for `X.sparse.to_coo()`; it was never dense as a whole.

    Returns:
        X (n_tracks × n_features, float32, nothing missing) and y, both indexed by the tracks' ids.

    Raises:
        InvalidInputError: the limit or the target is not allowed.
        DatabaseError: the database cannot be used, or has no tables yet.
    """
    from backend.features.matrix import MatrixOptions
    from backend.repositories.track_tables import TrackTables
    from backend.services.matrices import read_matrix, to_pandas

    wanted = track_filter or TrackFilter()
    if rights is not None:
        wanted = replace(wanted, rights=_level(rights))
    if estimates is not None:
        wanted = replace(wanted, estimates=estimates)
    settings = MlSettings.read()
    _check(limit, most=settings.ml_feature_matrix_limit, setting="ML_FEATURE_MATRIX_LIMIT")
    options = MatrixOptions(
        genres=genres, moods=moods, min_features=settings.ml_min_features_per_track, keep_unlabelled=keep_unlabelled,
        sparse=sparse,
    )  # fmt: skip
    with open_columnar(DatabaseSettings.read(), home=AppSettings.read().tensoe_home) as connection:
        tracks = TrackTables(connection)
        matrix = read_matrix(tracks, wanted, limit=limit, target=target, options=options)
    return to_pandas(matrix)


def _level(rights: RightsLevel | str) -> RightsLevel:
    try:
        return RightsLevel(rights)
    except ValueError:
        raise InvalidInputError(f"rights={rights!r} is none of {', '.join(RightsLevel)}") from None
