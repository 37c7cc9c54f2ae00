"""`listens`: what listeners heard. Copied in, resolved set by set, and gone without a trace when a listener is forgotten."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from backend.models.listening import HeardArtist, Listen, ListenerSummary
from backend.repositories.database import Connection, Database
from backend.repositories.staging import Stage
from backend.repositories.unlearning import unlearn
from backend.utils.errors import ConflictError

_PLAYED_MS: Final = 30_000
"""What counts as a play, where it is said how long it was heard: the same as the services count."""

_ROWS_LOCK: Final = 0x6C697374656E73  # "listens"
_ATTEMPTS: Final = 3

_COLUMNS: Final = (
    ("source", "text"), ("listened_at", "timestamptz"), ("track", "text"), ("artist", "text"), ("album", "text"),
    ("track_key", "text"), ("artist_key", "text"), ("album_key", "text"), ("spotify_id", "text"),
    ("recording_mbid", "text"), ("isrc", "text"), ("ms_played", "integer"), ("skipped", "boolean"),
    ("to_the_minute", "boolean"),
)  # fmt: skip
_STAGE: Final = Stage("listens", _COLUMNS)
_NAMES: Final = ", ".join(_STAGE.names)

# The same listen, said once to the minute (m) and once to the second (s).
_SAME: Final = """m.to_the_minute AND NOT s.to_the_minute AND m.source = s.source AND m.track_key = s.track_key
    AND m.ms_played = s.ms_played AND s.listened_at >= m.listened_at
    AND s.listened_at < m.listened_at + interval '1 minute'"""
_REPLACE: Final = f"DELETE FROM listens m USING {_STAGE.table} s WHERE m.listener = $1 AND {_SAME}"
_KNOWN_BETTER: Final = f"DELETE FROM {_STAGE.table} m USING listens s WHERE s.listener = $1 AND {_SAME}"
_INSERT: Final = f"""INSERT INTO listens (listener, {_NAMES}) SELECT $1, {_NAMES} FROM {_STAGE.table}
    WHERE to_the_minute = $2 ORDER BY source, listened_at, track_key ON CONFLICT DO NOTHING"""


_CONSENT: Final = """
INSERT INTO listener_consents (listener, given_at) VALUES ($1, now())
ON CONFLICT (listener) DO UPDATE SET given_at = excluded.given_at WHERE listener_consents.given_at IS NULL
"""
_IS_KEPT: Final = "SELECT EXISTS (SELECT FROM listener_consents WHERE listener = $1)"

_NEAR: Final = "interval '2 minutes'"
_HEARD: Final = f"(%s.ms_played IS NULL OR %s.ms_played >= {_PLAYED_MS})"
_FROM_ELSEWHERE: Final = "SELECT EXISTS (SELECT FROM listens WHERE listener = $1 AND source <> $2)"
# Another export says it too: the same recording, begun at about the same time. Each is the nearest of the other, so that one
# stored listen stands for one that is said, also when a short track ran several times. Scrobblers leave out what was broken off.
_KNOWN_ELSEWHERE: Final = f"""
WITH near AS (
    SELECT s.id, s.source, i.ctid AS row, abs(extract(epoch FROM s.listened_at - i.listened_at)) AS apart,
           s.listened_at AS stored_at, i.listened_at AS said_at
    FROM {_STAGE.table} i JOIN listens s ON s.listener = $1 AND s.source <> i.source AND s.track_key = i.track_key
         AND s.listened_at BETWEEN i.listened_at - {_NEAR} AND i.listened_at + {_NEAR}
    WHERE {_HEARD % ("i", "i")} AND {_HEARD % ("s", "s")}
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY row ORDER BY apart, stored_at, id) AS of_said,
           row_number() OVER (PARTITION BY id ORDER BY apart, said_at, row) AS of_stored FROM near
), pairs AS (
    SELECT id, source, row FROM ranked WHERE of_said = 1 AND of_stored = 1
), filled AS (
    UPDATE listens s SET album = coalesce(s.album, i.album), spotify_id = coalesce(s.spotify_id, i.spotify_id),
           album_key = CASE WHEN s.album IS NULL THEN i.album_key ELSE s.album_key END,
           recording_mbid = coalesce(s.recording_mbid, i.recording_mbid), isrc = coalesce(s.isrc, i.isrc),
           ms_played = coalesce(s.ms_played, i.ms_played), skipped = coalesce(s.skipped, i.skipped)
    FROM pairs p JOIN {_STAGE.table} i ON i.ctid = p.row WHERE s.id = p.id
), gone AS (
    DELETE FROM {_STAGE.table} i USING pairs p WHERE i.ctid = p.row
)
SELECT source, count(*) AS n FROM pairs GROUP BY source ORDER BY source
"""


def _resolution(column: str, of_track: str) -> str:
    """Lay listens that have no track yet onto the tracks with the same value; of several the one on the album that was said.

    Then the earliest release counts, for that is what compilations repeat, and the id, so that it is always the same.
    """
    open_ = f"l.track_id IS NULL AND l.{column} IS NOT NULL AND ($1::text IS NULL OR l.listener = $1)"
    return f"""
UPDATE listens l SET track_id = c.track_id
FROM (
    SELECT DISTINCT ON (w.value, w.album_key) w.value, w.album_key, t.id AS track_id
    FROM (SELECT DISTINCT l.{column} AS value, l.album_key FROM listens l WHERE {open_}) w
    JOIN enhanced_tracks t ON t.{of_track} = w.value LEFT JOIN albums a ON a.id = t.album_id
    ORDER BY w.value, w.album_key, (a.title_key = w.album_key) DESC NULLS LAST, t.release_date NULLS LAST, t.id
) c
WHERE {open_} AND l.{column} = c.value AND l.album_key = c.album_key
"""


# From the surest on.
_RESOLVE: Final = tuple(
    _resolution(*pair)
    for pair in (
        ("spotify_id", "spotify_id"),
        ("recording_mbid", "recording_mbid"),
        ("isrc", "isrc"),
        ("track_key", "recording_key"),
    )
)

PLAYED: Final = f"(ms_played IS NULL OR ms_played >= {_PLAYED_MS})"
_SUMMARIES: Final = f"""
SELECT listener, count(*) AS listens, count(*) FILTER (WHERE {PLAYED}) AS plays, count(DISTINCT track_key) AS tracks,
       count(DISTINCT artist_key) AS artists, count(track_id) AS resolved, coalesce(sum(ms_played), 0)::bigint AS ms_played,
       min(listened_at) AS first, max(listened_at) AS last,
       (SELECT jsonb_object_agg(source, n)::text FROM
            (SELECT source, count(*) AS n FROM listens i WHERE i.listener = l.listener GROUP BY source) s) AS sources,
       (SELECT given_at FROM listener_consents c WHERE c.listener = l.listener) AS consented_at
FROM listens l WHERE $1::text IS NULL OR listener = $1 GROUP BY listener ORDER BY listener
"""
# Under the spelling that is said most.
_TOP_ARTISTS: Final = f"""
SELECT mode() WITHIN GROUP (ORDER BY artist) AS name, count(*) AS plays, count(track_id) AS resolved
FROM listens WHERE listener = $1 AND {PLAYED} GROUP BY artist_key ORDER BY plays DESC, artist_key LIMIT $2
"""


@dataclass(frozen=True, slots=True)
class Added:
    """What became of listens that were given."""

    new: int
    replaced: int
    elsewhere: dict[str, int]  # known from these other sources


class ListenRepository:
    """Keeps listens."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def has_consent(self, listener: str) -> bool:
        """Whether the listener has agreed to his history being kept."""
        async with self._database.connection() as connection:
            asked = "SELECT EXISTS (SELECT FROM listener_consents WHERE listener = $1 AND given_at IS NOT NULL)"
            return bool(await connection.fetchval(asked, listener))

    async def consent(self, listener: str) -> None:
        """Note that the listener agrees; the first time counts."""
        async with self._database.connection() as connection:
            await connection.execute(_CONSENT, listener)

    async def add(self, listener: str, listens: Sequence[Listen]) -> Added:
        """Store those that are not there; of one said to the minute and to the second, the latter.

        One that another source has said already fills what that left out, and is not stored beside it.

        Raises:
            ConflictError: the listener has not agreed, or was forgotten meanwhile.
        """
        new, replaced, elsewhere = 0, 0, Counter[str]()
        # One after the other, so that what two exports say in one part is compared too.
        for source in dict.fromkeys(listen.source for listen in listens):
            added = await self._add(listener, [listen for listen in listens if listen.source == source], source=source)
            new, replaced = new + added.new, replaced + added.replaced
            elsewhere.update(added.elsewhere)
        return Added(new=new, replaced=replaced, elsewhere=dict(elsewhere))

    async def _add(self, listener: str, listens: Sequence[Listen], *, source: str) -> Added:
        rows = [tuple(getattr(listen, name) for name in _STAGE.names) for listen in listens]
        roughly = any(listen.to_the_minute for listen in listens)
        async with self._database.connection() as connection:
            others = await connection.fetchval(_FROM_ELSEWHERE, listener, source)
        if roughly or others:
            await self._count_anew()
        async with self._database.transaction() as connection:
            await _lock(connection, listener)
            if not await connection.fetchval(_IS_KEPT, listener):
                raise ConflictError(
                    f"Nothing of {listener!r} may be kept: he has not agreed, or was forgotten while this was being taken in; "
                    "no more of it is stored"
                )
            await connection.execute(_STAGE.definition)
            await connection.copy_records_to_table(_STAGE.table, records=rows, columns=_STAGE.names)
            await connection.execute(f"ANALYZE {_STAGE.table}")
            elsewhere = {row["source"]: row["n"] for row in await connection.fetch(_KNOWN_ELSEWHERE, listener)}
            replaced = _count(await connection.execute(_REPLACE, listener))
            added = _count(await connection.execute(_INSERT, listener, False))
            if roughly:
                await connection.execute(_KNOWN_BETTER, listener)
                added += _count(await connection.execute(_INSERT, listener, True))
            # It would stay with the connection, and PostgreSQL's samples of it too.
            await connection.execute(f"DROP TABLE {_STAGE.table}")
        return Added(new=added - replaced, replaced=replaced, elsewhere=elsewhere)

    async def resolve(self, listener: str | None = None) -> int:
        """Lay listens without a track onto the catalogue's tracks; None: everybody's.

        By the Spotify id, the MusicBrainz recording, the ISRC, then by first artist and title.

        Returns:
            How many got a track.
        """
        await self._count_anew()
        for _ in range(_ATTEMPTS - 1):
            # Albums may leave the catalogue at the same time, and their tracks with them.
            with contextlib.suppress(asyncpg.ForeignKeyViolationError, asyncpg.DeadlockDetectedError):
                return await self._resolve(listener)
        return await self._resolve(listener)

    async def _resolve(self, listener: str | None) -> int:
        async with self._database.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _ROWS_LOCK)
            return sum([_count(await connection.execute(statement, listener)) for statement in _RESOLVE])

    async def _count_anew(self) -> None:
        # Without figures of what an import has just added, joins are planned for a handful of rows and never end.
        # In a transaction of its own, for the lock it takes would be held to the end of another.
        async with self._database.connection() as connection:
            await connection.execute("ANALYZE listens")

    async def forget(self, listener: str) -> int | None:
        """Delete all of a listener, also from what PostgreSQL has learnt of the tables' values.

        Returns:
            How many listens that were; None when there was nobody of this name.
        """
        async with self._database.transaction() as connection:
            await _lock(connection, listener)
            gone = _count(await connection.execute("DELETE FROM listens WHERE listener = $1", listener))
            known = _count(await connection.execute("DELETE FROM listener_consents WHERE listener = $1", listener))
        # Also for a name that is not known: asked again after it was cut short, it is brought to its end.
        await unlearn(self._database)
        return gone if known else None

    async def summaries(self, listener: str | None = None, *, top: int) -> list[ListenerSummary]:
        """What is stored of a listener, or of each; none when nothing is.

        Args:
            listener: None: everybody, by name.
            top: how many of the most played artists.
        """
        async with self._database.transaction() as connection:
            found = await connection.fetch(_SUMMARIES, listener)
            return [
                ListenerSummary(
                    **{**row, "sources": json.loads(row["sources"])},
                    top_artists=[
                        HeardArtist(**artist) for artist in await connection.fetch(_TOP_ARTISTS, row["listener"], top)
                    ],
                )
                for row in found
            ]


async def _lock(connection: Connection, listener: str) -> None:
    # Who resolves has all rows to himself: two that change the same rows in another order would wait for each other. For the
    # same reason imports of one listener wait, whose new rows would meet.
    await connection.execute("SELECT pg_advisory_xact_lock_shared($1)", _ROWS_LOCK)
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('tensoe listens ' || $1, 0))", listener)


def _count(status: Any) -> int:
    return int(str(status).rpartition(" ")[2])
