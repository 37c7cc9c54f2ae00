"""What was fetched so long ago that it is worth asking again, and the job that does so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import orjson

from backend.repositories.database import Database
from backend.repositories.jobs import new_id

_KIND: Final = "refresh"
_LOCK: Final = 0x74656E736F67  # "tensog": one looks at a time
# The longest past comes first. What is on its way already is left out, and what was asked for again a few days ago: a source that
# did not answer then must not keep the others' turn.
_DUE: Final = """
SELECT r.album_id, a.title, a.artist, array_agg(r.source ORDER BY r.source) AS sources, a.ids::text AS ids
FROM source_records r JOIN albums a ON a.id = r.album_id
JOIN unnest($1::text[], $2::float8[]) AS f (source, days) ON f.source = r.source
WHERE r.valid_to IS NULL AND r.fetched_at < now() - make_interval(secs => f.days * 86400)
  AND r.album_id NOT IN (
      SELECT i.album_id FROM ingest_items i JOIN ingest_jobs j ON j.id = i.job_id
      WHERE i.album_id IS NOT NULL AND (i.state <> 'done' OR (j.kind = 'refresh' AND i.changed_at > now() - interval '3 days')))
GROUP BY r.album_id, a.title, a.artist, a.ids ORDER BY min(r.fetched_at), r.album_id LIMIT $3
"""
_COUNTS: Final = """
SELECT r.source, count(*) AS due, min(r.fetched_at) AS oldest
FROM source_records r JOIN unnest($1::text[], $2::float8[]) AS f (source, days) ON f.source = r.source
WHERE r.valid_to IS NULL AND r.fetched_at < now() - make_interval(secs => f.days * 86400) GROUP BY 1 ORDER BY 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueAlbum:
    """An album of which some sources are to be asked again.

    Attributes:
        album_id: as stored.
        title: as stored.
        artist: as stored.
        sources: whose records are no longer fresh.
        ids: what services call it.
    """

    album_id: str
    title: str
    artist: str
    sources: tuple[str, ...]
    ids: Mapping[str, str]


Hints = Callable[[DueAlbum], dict[str, str]]
"""By which hints an album is asked for again."""


class DueRepository:
    """Finds what is due and makes jobs of it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def counts(self, days: Mapping[str, float]) -> list[dict[str, object]]:
        """Per source how many albums are due, and since when the oldest was not asked for.

        Args:
            days: by source, for how long what it says is good.
        """
        async with self._database.connection() as connection:
            return [dict(row) for row in await connection.fetch(_COUNTS, list(days), list(days.values()))]

    async def submit(
        self, days: Mapping[str, float], *, most: int, priority: int, hints: Hints
    ) -> tuple[str, int] | None:
        """Make a job of what is due; its id and its number of albums.

        Args:
            days: by source, for how long what it says is good.
            most: albums.
            priority: of the job.
            hints: by which an album is asked for again.

        Returns:
            None when nothing is due, another refresh is not done yet, or another process is making one.
        """
        async with self._database.transaction() as connection:
            if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _LOCK):
                return None
            if await connection.fetchval(
                "SELECT EXISTS (SELECT FROM ingest_jobs WHERE kind = $1 AND finished_at IS NULL)", _KIND
            ):
                return None
            rows = await connection.fetch(_DUE, list(days), list(days.values()), most)
            if not rows:
                return None
            job_id = new_id()
            await connection.execute(
                "INSERT INTO ingest_jobs (id, total, kind, priority) VALUES ($1, $2, $3, $4)",
                job_id,
                len(rows),
                _KIND,
                priority,
            )
            items = [
                (job_id, n, d.title, d.artist, msgspec.json.encode(hints(d)).decode(), d.album_id)
                for n, d in enumerate(map(_read, rows), 1)
            ]
            columns = ("job_id", "position", "album", "artist", "hints", "album_id")
            await connection.copy_records_to_table("ingest_items", records=items, columns=columns)
        return job_id, len(rows)


def _read(row: Mapping[str, str]) -> DueAlbum:
    sources: Sequence[str] = row["sources"]
    return DueAlbum(
        album_id=row["album_id"],
        title=row["title"],
        artist=row["artist"],
        sources=tuple(sources),
        ids=orjson.loads(row["ids"]),
    )
