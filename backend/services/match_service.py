"""What a person decides: which of the albums that a source offered is the one asked for, or none."""

from __future__ import annotations

from backend.models.ingestion_models import AlbumQuery, MatchCandidate
from backend.models.results import IngestReport, Page, Unmatched
from backend.repositories.unmatched import UnmatchedRepository
from backend.services.ingestion_service import IngestionService
from backend.utils.errors import InvalidInputError


class MatchService:
    """Shows what is open and carries out what was decided.

    Args:
        entries: where it is kept.
        ingestion: what ingests an album again, by the candidate decided for.
    """

    def __init__(self, entries: UnmatchedRepository, ingestion: IngestionService) -> None:
        self._entries = entries
        self._ingestion = ingestion

    async def page(self, *, limit: int = 50, cursor: str | None = None) -> Page:
        """What is open, the latest first.

        Raises:
            InvalidInputError: the cursor is none of ours.
        """
        return await self._entries.page(limit=limit, cursor=cursor)

    async def get(self, entry_id: int) -> Unmatched:
        """One entry with its candidates, nearest first.

        Raises:
            NotFoundError: none has this id.
        """
        return await self._entries.get(entry_id)

    async def match(self, entry_id: int, *, source: str, candidate_id: str) -> IngestReport:
        """Ingest the album again, with the candidate taken as it was decided; when it is stored, the entry goes.

        Raises:
            NotFoundError: no entry has this id.
            InvalidInputError: it has no such candidate, or the source cannot be told which one to take.
        """
        entry = await self._entries.get(entry_id)
        chosen = _chosen(entry, source=source, candidate_id=candidate_id)
        query = AlbumQuery(album=entry.album, artist=entry.artist, hints={chosen.hint: chosen.id})
        return await self._ingestion.ingest(query)

    async def dismiss(self, entry_id: int) -> None:
        """None of the candidates is it.

        Raises:
            NotFoundError: no entry has this id.
        """
        await self._entries.dismiss(entry_id)


def _chosen(entry: Unmatched, *, source: str, candidate_id: str) -> MatchCandidate:
    found = next((c for c in entry.candidates if c.source == source and c.id == candidate_id), None)
    if found is None:
        offered = ", ".join(f"{c.source} {c.id}" for c in entry.candidates[:5])
        raise InvalidInputError(
            f"{source[:40]} {candidate_id[:100]!r} is no candidate of entry {entry.id}; it has: {offered}"
        )
    if not found.hint or not found.id:
        raise InvalidInputError(
            f"{source} cannot be told which album to take; ingest the album under the name it has there: "
            f"{found.title!r} by {found.artist!r}, or dismiss the entry"
        )
    return found
