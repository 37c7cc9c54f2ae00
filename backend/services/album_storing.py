"""Storing albums whose sources have been asked, several in a transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from backend.ingestion.ingest_runner import store_records
from backend.ingestion.insert_to_supabase import Merging, Wanted
from backend.ingestion.results import report_of
from backend.ingestion.store import AlbumStore
from backend.models.ingestion_models import AlbumQuery
from backend.models.results import IngestReport, IngestResult
from backend.models.steps import Gathered
from backend.utils.errors import BusyError, DatabaseError, InvalidInputError
from backend.utils.together import Together

log = structlog.get_logger(__name__)

_PAUSE: Final = 0.1  # seconds from one transaction to the next
_MOST: Final = 20  # albums in one: they are merged in the process that asks sources, which must not wait for long
_MOST_ATTEMPTS: Final = 10  # of an album in all, those included whose process died or was stopped
_MOST_BROKEN: Final = 3  # of an album that breaks


class AlbumStoring:
    """Stores albums.

    Args:
        store: where they are kept.
        merging: how records become rows.
        stored: awaited after albums were stored, to empty caches.
    """

    def __init__(self, store: AlbumStore, merging: Merging, *, stored: Callable[[], Awaitable[None]]) -> None:
        self._store = store
        self._merging = merging
        self._stored = stored
        self._together = Together(self._store_all, most=_MOST, pause=_PAUSE, shared=(DatabaseError, BusyError))

    async def _store_all(self, wanted: Sequence[Wanted]) -> list[str | None]:
        return await store_records(self._store, wanted, merging=self._merging, stored=self._stored)

    async def report(self, gathered: Gathered) -> IngestReport:
        """Store an album; answers what became of it.

        Raises:
            DatabaseError, BusyError: the database cannot be used; it says nothing of the album.
            Exception: it cannot be stored, and is to be tried again.
        """
        query = gathered.query
        if gathered.attempts > _MOST_ATTEMPTS:
            return _failed(query, f"given up after {gathered.attempts - 1} tries that ended with their process")
        try:
            album_id = await self._together(Wanted(records=gathered.records, album_id=gathered.album_id))
        except (DatabaseError, BusyError):
            raise
        except InvalidInputError as problem:
            return _failed(query, str(problem))
        except Exception as problem:
            log.exception("album could not be stored", job=gathered.job_id, album=query.album, artist=query.artist)
            if gathered.attempts < _MOST_BROKEN:
                raise
            kind = type(problem).__name__
            return _failed(
                query, f"could not be stored after {gathered.attempts} tries ({kind}); the log has the details"
            )
        return report_of(query, gathered.outcomes, album_id=album_id or gathered.album_id)


def _failed(query: AlbumQuery, detail: str) -> IngestReport:
    return IngestReport(album=query.album, artist=query.artist, result=IngestResult.FAILED, detail=detail)
