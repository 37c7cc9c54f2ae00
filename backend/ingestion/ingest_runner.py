"""From an album's name to a stored album, at once: ask every source, isolate what fails, merge, store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import structlog

from backend.ingestion.asking import Answer, Asked, ask, stages_of
from backend.ingestion.insert_to_supabase import Merging, Wanted, insert_albums
from backend.ingestion.known import lay_together
from backend.ingestion.results import report_of
from backend.ingestion.store import AlbumStore
from backend.models.ingestion_models import AlbumQuery, SourceOutcome, SourceRecord
from backend.models.results import IngestReport
from backend.utils.errors import InvalidInputError

log = structlog.get_logger(__name__)


class IngestRunner:
    """Runs one album at a time through all sources; safe to call many times at once.

    Two calls for the same album at the same time share one run.

    Args:
        asked: the sources in use, each with its transport.
        store: where albums are kept.
        merging: how records become rows.
        stored: awaited after an album was stored, to empty caches.
    """

    def __init__(
        self,
        asked: Sequence[Asked],
        store: AlbumStore,
        *,
        merging: Merging,
        stored: Callable[[], Awaitable[None]],
    ) -> None:
        self._asked = asked
        self._store = store
        self._merging = merging
        self._stored = stored
        self._under_way: dict[tuple[object, ...], asyncio.Task[IngestReport]] = {}

    async def run(self, query: AlbumQuery) -> IngestReport:
        """Ingest an album; never raises for what a source does, only for what the store does.

        Raises:
            InvalidInputError: a page or an address given for a source cannot be used; nothing was stored.
            DatabaseError: the album could not be stored; nothing of it was.
        """
        # Not folded: an artist may have two albums whose names differ by a bracket or a capital only. Other spellings of
        # one album run side by side and meet in the store.
        key = (query.artist, query.album, tuple(sorted(query.hints.items())))
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.create_task(self._run(query), name=f"ingest {query.artist} - {query.album}")
            self._under_way[key] = task
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        # One caller going away must not end the work that another waits for.
        return await asyncio.shield(task)

    async def close(self) -> None:
        """End what is under way; an album that is being stored is stored wholly or not at all."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, query: AlbumQuery) -> IngestReport:
        records: list[SourceRecord] = []
        outcomes: list[SourceOutcome] = []
        for stage in stages_of(self._asked, query):
            known = lay_together(records, self._merging.profiles, policy=self._merging.policy)
            for answer in await self._ask(stage, replace(query, known=known)):
                if answer.hint is not None:
                    raise InvalidInputError(str(answer.hint)) from answer.hint
                outcomes.append(answer.outcome)
                if answer.record is not None:
                    records.append(answer.record)
        (album_id,) = await store_records(
            self._store, [Wanted(records=records)], merging=self._merging, stored=self._stored
        )
        return report_of(query, outcomes, album_id=album_id)

    async def _ask(self, stage: Sequence[str], query: AlbumQuery) -> list[Answer]:
        return await asyncio.gather(*(ask(a, query) for a in self._asked if a.profile.name in stage))


async def store_records(
    store: AlbumStore, wanted: Sequence[Wanted], *, merging: Merging, stored: Callable[[], Awaitable[None]]
) -> list[str | None]:
    """Store what sources said of albums, and have caches forget them; answers their ids, None where nobody said anything.

    Args:
        store: where albums are kept.
        wanted: the albums; see `insert_albums`.
        merging: how they become rows.
        stored: awaited afterwards, to empty caches.
    """
    said = [each for each in wanted if each.records]
    if not said:
        return [None] * len(wanted)
    albums = iter(await insert_albums(store, said, merging=merging))
    try:
        await stored()
    except Exception:
        # The albums are stored; caches forget them by themselves a little later.
        log.exception("caches could not be emptied")
    return [next(albums).id if each.records else None for each in wanted]
