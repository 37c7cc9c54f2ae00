"""What services of training data need of the reader of tracks; `repositories` has it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from backend.models.ingestion_models import RightsLevel
from backend.models.results import TrackFilter

if TYPE_CHECKING:
    import pyarrow as pa


TextForm: TypeAlias = Literal["json", "ndjson", "csv"]


class TrackTables(Protocol):
    """Tracks as Arrow; blocking."""

    def arrow(self, track_filter: TrackFilter, /, *, limit: int, columns: Sequence[str] | None = None) -> pa.Table:
        """Tracks that fit, ordered by id."""
        ...

    def arrow_batches(
        self, track_filter: TrackFilter, /, *, limit: int, columns: Sequence[str] | None = None
    ) -> AbstractContextManager[pa.RecordBatchReader]:
        """The same, batch by batch."""
        ...


class Tracks(TrackTables, Protocol):
    """Tracks in every form."""

    def stream(self, track_filter: TrackFilter, /, *, limit: int, form: TextForm) -> AsyncIterator[bytes]:
        """The same as text, in chunks."""
        ...

    async def track(self, track_id: str, *, rights: RightsLevel = RightsLevel.ANY) -> dict[str, Any]:
        """One track.

        Raises:
            NotFoundError: no track of this level has this id.
        """
        ...

    async def version(self, rights: RightsLevel = RightsLevel.ANY) -> str:
        """A word that changes whenever tracks of a level do."""
        ...
