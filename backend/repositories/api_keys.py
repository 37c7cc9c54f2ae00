"""`api_keys`: keys by their public part, and the sessions that were signed in with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from backend.models.access import Access, Caller, KeyShown
from backend.repositories.database import Database

_SHOWN: Final = "id, name, scopes, listener, rate, made_at, expires_at, revoked_at, last_used_at"
# A session has what the key has that was signed in with, and ends with it.
_FIND: Final = """
SELECT s.digest, coalesce(k.id, s.id) AS key, coalesce(k.name, s.name) AS name, coalesce(k.scopes, s.scopes) AS scopes,
    coalesce(k.listener, s.listener) AS listener, coalesce(k.rate, s.rate) AS rate, k.id IS NOT NULL AS signed_in,
    least(s.expires_at, k.expires_at) AS expires_at, coalesce(s.revoked_at, k.revoked_at) AS revoked_at
FROM api_keys s LEFT JOIN api_keys k ON k.id = s.session_of WHERE s.id = $1
"""


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key that is stored: whose it is, and what is needed to tell whether it is the right one and still holds."""

    digest: bytes
    caller: Caller
    expires_at: datetime | None
    revoked_at: datetime | None


class ApiKeys:
    """Keeps keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, key: KeyShown, digest: bytes, *, session_of: str | None = None) -> None:
        """Keep a key."""
        async with self._database.connection() as connection:
            await connection.execute(
                "INSERT INTO api_keys (id, digest, name, scopes, listener, rate, session_of, made_at, expires_at) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                key.id,
                digest,
                key.name,
                list(key.scopes),
                key.listener,
                key.rate,
                session_of,
                key.made_at,
                key.expires_at,
            )

    async def find(self, key_id: str) -> KnownKey | None:
        """The key with this public part."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(_FIND, key_id)
        if row is None:
            return None
        caller = Caller(
            key=row["key"],
            name=row["name"],
            scopes=frozenset(map(Access, row["scopes"])),
            listener=row["listener"],
            rate=row["rate"],
            signed_in=row["signed_in"],
        )
        return KnownKey(row["digest"], caller, row["expires_at"], row["revoked_at"])

    async def exist(self) -> bool:
        """Whether a key was ever made; one that was revoked counts."""
        async with self._database.connection() as connection:
            return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM api_keys WHERE session_of IS NULL)"))

    async def listed(self) -> list[KeyShown]:
        """All keys, the newest first; sessions are none."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"SELECT {_SHOWN} FROM api_keys WHERE session_of IS NULL ORDER BY made_at DESC, id"
            )
        return [KeyShown(**row) for row in rows]

    async def revoke(self, key_id: str, *, at: datetime) -> bool:
        """End a key, and the sessions signed in with it; False when there is none or it has ended before."""
        async with self._database.transaction() as connection:
            await connection.execute("DELETE FROM api_keys WHERE session_of = $1", key_id)
            return bool(
                await connection.fetchval(
                    "UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND session_of IS NULL AND revoked_at IS NULL "
                    "RETURNING true",
                    key_id,
                    at,
                )
            )

    async def forget_session(self, session_id: str, *, now: datetime) -> None:
        """End a session; those that ran out go, too."""
        async with self._database.connection() as connection:
            await connection.execute(
                "DELETE FROM api_keys WHERE session_of IS NOT NULL AND (id = $1 OR expires_at < $2)", session_id, now
            )

    async def used(self, key_id: str, *, at: datetime) -> None:
        """Note that a key is used."""
        async with self._database.connection() as connection:
            await connection.execute("UPDATE api_keys SET last_used_at = $2 WHERE id = $1", key_id, at)
