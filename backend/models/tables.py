"""All tables in one import, for migrations: importing a table is what makes its metadata known."""

from backend.models.album import AlbumIdentifierRow, AlbumRow
from backend.models.artist import ArtistRow
from backend.models.database import Base, IngestItemRow, IngestJobRow, SourceOutcomeRow, SourceRecordRow
from backend.models.track import TrackRow

__all__ = [
    "AlbumIdentifierRow",
    "AlbumRow",
    "ArtistRow",
    "Base",
    "IngestItemRow",
    "IngestJobRow",
    "SourceOutcomeRow",
    "SourceRecordRow",
    "TrackRow",
]
