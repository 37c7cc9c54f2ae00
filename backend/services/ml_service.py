"""Data for training and matrices: over HTTP by `MlService`, in scripts by `get_feature_matrix`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

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

# What imports Arrow is imported inside functions, in a thread: the server's start-up does not wait for it.

DEFAULT_TARGET: Final = "aoty_score"
FORMS: Final = (Form.JSON, Form.NDJSON, Form.CSV, Form.ARROW, Form.PARQUET)
EXPORT_FORMS: Final = (*FORMS, Form.ARROW_FILE)
TEXT: Final[Mapping[Form, TextForm]] = {Form.JSON: "json", Form.NDJSON: "ndjson", Form.CSV: "csv"}

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
        self.check_rows(limit)
        chosen = form_of(form, EXPORT_FORMS)
        text = TEXT.get(chosen)
        if text is not None:
            return MEDIA_TYPES[chosen], await begun(self._reader.stream(track_filter, limit=limit, form=text))

        def write(sink: ChunkWriter) -> None:
            from backend.services.table_writer import write_batches

            with self._reader.arrow_batches(track_filter, limit=limit) as batches:
                write_batches(batches, batches.schema, sink, form=chosen)

        return MEDIA_TYPES[chosen], await begun(self._threads.stream(write))

    def check_rows(self, limit: int) -> None:
        """Whether so many rows of training data may be asked for.

        Raises:
            InvalidInputError: they are too many, or none.
        """
        _check(limit, most=self._settings.ml_training_data_limit, setting="ML_TRAINING_DATA_LIMIT")

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
