"""Listens as sittings and as plays of artists."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from backend.models.listening import Listen
from backend.repositories.album_store import AlbumRepository
from backend.repositories.database import Database
from backend.repositories.listens import ListenRepository
from backend.repositories.sittings import Sittings
from bench.albums import made_up

BEGIN = datetime(2021, 5, 1, 20, tzinfo=UTC)


def heard(
    minute: float, track: str, spotify_id: str | None = None, *, artist: str = "Ada", ms: int | None = None
) -> Listen:
    return Listen(
        source="spotify", listened_at=BEGIN + timedelta(minutes=minute), track=track, artist=artist, track_key=track,
        artist_key=artist.casefold(), spotify_id=spotify_id, ms_played=ms,
    )  # fmt: skip


async def test_half_an_hour_ends_a_sitting_and_skipped_tracks_are_none(database: Database) -> None:
    await AlbumRepository(database).save_many(made_up(12))
    async with database.transaction() as connection:
        ids = [row["id"] for row in await connection.fetch("SELECT id FROM enhanced_tracks ORDER BY id LIMIT 4")]
        for number, track in enumerate(ids):
            await connection.execute("UPDATE enhanced_tracks SET spotify_id = $1 WHERE id = $2", f"s{number}", track)
    listens = ListenRepository(database)
    for listener in ("me", "you"):
        await listens.consent(listener)
    await listens.add(
        "me",
        [
            heard(0, "a", "s0"), heard(10, "b", "s1"), heard(25, "unknown"), heard(40, "a", "s0"),  # one sitting
            heard(71, "c", "s2", artist="ADA"), heard(80, "d", "s3", ms=29_000),  # after a break; the last one was broken off
        ],
    )  # fmt: skip
    await listens.add("you", [heard(5, "d", "s3", artist="Bo")])
    await listens.resolve()
    sittings = Sittings(database)
    assert [(s.name, s.tracks) for s in await sittings.sittings()] == [
        ("me 0", (ids[0], ids[1])),
        ("me 1", (ids[2],)),
        ("you 0", (ids[3],)),
    ]
    assert await sittings.plays() == [("me", "Ada", 5), ("you", "Bo", 1)]
