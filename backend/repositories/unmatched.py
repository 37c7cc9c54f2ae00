"""`unmatched_albums`: what sources offered and nobody took, until a person decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from backend.models.ingestion_models import AlbumQuery, MatchCandidate, Outcome, SourceOutcome
from backend.models.results import IngestReport, Page, Unmatched
from backend.repositories import cursor as cursors
from backend.repositories.database import Database
from backend.utils.errors import NotFoundError
from backend.utils.identifiers import derive

_UNDECIDED: Final = frozenset({Outcome.AMBIGUOUS, Outcome.NOT_FOUND})
# What a person has dismissed stays dismissed while the same is offered.
_KEEP: Final = """
INSERT INTO unmatched_albums AS u (asked, album, artist, source, outcome, detail, candidates, album_id)
VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, (SELECT id FROM albums WHERE id = $8))
ON CONFLICT (asked, source) DO UPDATE SET
    outcome = excluded.outcome, detail = excluded.detail, candidates = excluded.candidates, asked_at = now(),
    album_id = coalesce(excluded.album_id, u.album_id),
    dismissed_at = CASE WHEN jsonb_path_query_array(u.candidates, '$[*].id')
                             @> jsonb_path_query_array(excluded.candidates, '$[*].id') THEN u.dismissed_at END
"""
_SETTLE: Final = "DELETE FROM unmatched_albums WHERE asked = $1 AND source = ANY($2)"
_COLUMNS: Final = "id, album, artist, source, outcome, detail, candidates::text AS candidates, album_id, asked_at"
_LISTING: Final = "unmatched"


class UnmatchedRepository:
    """Keeps and shows what a person must decide."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, query: AlbumQuery, report: IngestReport) -> None:
        """Keep what sources offered for an album and was not taken; what is taken by now is settled and goes."""
        asked = derive("asked", query.album, query.artist)
        settled = [o.source for o in report.sources if o.outcome is Outcome.OK]
        open_ = [(o, offered) for o in report.sources if (offered := _helpful(o))]
        if not settled and not open_:
            return
        if not open_:
            async with self._database.connection() as connection:
                await connection.execute(_SETTLE, asked, settled)
            return
        async with self._database.transaction() as connection:
            await connection.execute(_SETTLE, asked, settled)
            for o, offered in open_:
                held = msgspec.json.encode(offered).decode()
                await connection.execute(
                    _KEEP, asked, query.album, query.artist, o.source, o.outcome.value, o.detail, held, report.album_id
                )

    async def page(self, *, limit: int, cursor: str | None = None) -> Page:
        """What is open, the latest asked for first.

        Raises:
            InvalidInputError: the cursor is none of ours.
        """
        after = int(cursors.decode(cursor, of=_LISTING, parts=1)[0]) if cursor else None
        async with self._database.transaction() as connection:
            total = await connection.fetchval("SELECT count(*) FROM unmatched_albums WHERE dismissed_at IS NULL")
            rows = await connection.fetch(
                f"SELECT {_COLUMNS} FROM unmatched_albums WHERE dismissed_at IS NULL AND ($1::bigint IS NULL OR id < $1) "
                "ORDER BY id DESC LIMIT $2",
                after,
                limit + 1,
            )
        found = [msgspec.to_builtins(_read(row)) for row in rows[:limit]]
        more = cursors.encode([str(found[-1]["id"])], of=_LISTING) if len(rows) > limit else None
        return Page(items=found, next_cursor=more, total=total)

    async def get(self, entry_id: int) -> Unmatched:
        """One entry.

        Raises:
            NotFoundError: none has this id, or it was settled meanwhile.
        """
        async with self._database.connection() as connection:
            row = await connection.fetchrow(f"SELECT {_COLUMNS} FROM unmatched_albums WHERE id = $1", entry_id)
        if row is None:
            raise NotFoundError(
                f"No unmatched album has the id {entry_id}; `tensoe unmatched` (GET /albums/unmatched) lists what is open"
            )
        return _read(row)

    async def dismiss(self, entry_id: int) -> None:
        """None of the candidates is the album: don't show the entry again while the same is offered.

        Raises:
            NotFoundError: none has this id.
        """
        async with self._database.connection() as connection:
            done = await connection.execute(
                "UPDATE unmatched_albums SET dismissed_at = coalesce(dismissed_at, now()) WHERE id = $1", entry_id
            )
        if str(done) != "UPDATE 1":
            raise NotFoundError(
                f"No unmatched album has the id {entry_id}; `tensoe unmatched` (GET /albums/unmatched) lists what is open"
            )


def _helpful(outcome: SourceOutcome) -> Sequence[MatchCandidate]:
    """The candidates worth a person's look: those that share something with what was asked for."""
    if outcome.outcome not in _UNDECIDED:
        return ()
    return tuple(c for c in outcome.candidates if c.score > 0 or not {"artist", "title"} <= c.penalties.keys())


def _read(row: Any) -> Unmatched:
    return Unmatched(
        **{name: row[name] for name in ("id", "album", "artist", "source", "detail", "album_id", "asked_at")},
        outcome=Outcome(row["outcome"]),
        candidates=msgspec.json.decode(row["candidates"], type=tuple[MatchCandidate, ...]),
    )
