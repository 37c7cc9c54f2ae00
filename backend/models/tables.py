"""All tables in one import, for migrations: importing a table is what makes its metadata known."""

from backend.models.access import ApiKeyRow, DeedRow
from backend.models.album import AlbumIdentifierRow, AlbumRow, NoncommercialAlbumRow, OpenAlbumRow
from backend.models.artist import ArtistRow
from backend.models.bulk_import import BulkImportRow
from backend.models.database import (
    Base,
    CatalogueStateRow,
    FeatureModelRow,
    SourceMemoryRow,
    SourceRecordRow,
    UnmatchedAlbumRow,
)
from backend.models.ingest_jobs import IngestItemRow, IngestJobRow, IngestStepRow, SourceBudgetRow, SourceCallsRow
from backend.models.listen import ListenerConsentRow, ListenRow
from backend.models.track import NoncommercialTrackRow, OpenTrackRow, TrackRow

__all__ = [
    "AlbumIdentifierRow",
    "AlbumRow",
    "ApiKeyRow",
    "ArtistRow",
    "Base",
    "BulkImportRow",
    "CatalogueStateRow",
    "DeedRow",
    "FeatureModelRow",
    "IngestItemRow",
    "IngestJobRow",
    "IngestStepRow",
    "ListenRow",
    "ListenerConsentRow",
    "NoncommercialAlbumRow",
    "NoncommercialTrackRow",
    "OpenAlbumRow",
    "OpenTrackRow",
    "SourceBudgetRow",
    "SourceCallsRow",
    "SourceMemoryRow",
    "SourceRecordRow",
    "TrackRow",
    "UnmatchedAlbumRow",
]
