"""Sittings of listening: what a listener heard without a long break, and who played which artist how often."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from backend.repositories.database import Database

BREAK: Final = "interval '30 minutes'"
"""Between two beginnings: longer ends a sitting."""
_PLAYED: Final = "(ms_played IS NULL OR ms_played >= 30000)"

_SITTINGS: Final = f"""
WITH marked AS (
    SELECT listener, listened_at, track_id, (listened_at - lag(listened_at) OVER w > {BREAK})::int AS begins
    FROM listens WHERE {_PLAYED} WINDOW w AS (PARTITION BY listener ORDER BY listened_at, track_key)
), numbered AS (
    SELECT listener, track_id, sum(begins) OVER (PARTITION BY listener ORDER BY listened_at) AS number FROM marked
)
SELECT listener, coalesce(number, 0)::bigint AS number, array_agg(DISTINCT track_id ORDER BY track_id) AS tracks
FROM numbered WHERE track_id IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2
"""
_VERSION: Final = r"""
SELECT coalesce(string_agg(listener || ' ' || given_at::text, E'\n' ORDER BY listener), '') || E'\n'
    || (SELECT floor(log(2, greatest(reltuples, 1)::numeric)) FROM pg_class WHERE oid = 'listens'::regclass) AS version
FROM listener_consents WHERE given_at IS NOT NULL
"""
_PLAYS: Final = f"""
SELECT listener, mode() WITHIN GROUP (ORDER BY artist) AS artist, count(*) AS plays
FROM listens WHERE {_PLAYED} GROUP BY listener, artist_key ORDER BY listener, artist_key
"""


@dataclass(frozen=True, slots=True)
class Sitting:
    """One sitting.

    Attributes:
        name: of the listener with a number: unique.
        tracks: ids of the catalogue's tracks that were heard, once each.
    """

    name: str
    tracks: tuple[str, ...]


class Sittings:
    """Reads listens as sittings and as plays of artists."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sittings(self) -> list[Sitting]:
        """Everybody's, of tracks that the catalogue has."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(_SITTINGS)
        return [Sitting(f"{row['listener']} {row['number']}", tuple(row["tracks"])) for row in rows]

    async def tracks(self) -> list[tuple[str, ...]]:
        """The same without saying whose."""
        return [sitting.tracks for sitting in await self.sittings()]

    async def version(self) -> str:
        """A word that changes when a listener comes or goes, or when there are twice as many listens as PostgreSQL knew of."""
        async with self._database.connection() as connection:
            said = await connection.fetchval(_VERSION)
        return blake2b(said.encode(), digest_size=16).hexdigest()

    async def plays(self) -> list[tuple[str, str, int]]:
        """Listener, artist as he is most often written, and how often he was played."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(_PLAYS)
        return [(row["listener"], row["artist"], row["plays"]) for row in rows]
