from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backend.features.discovery.choosing import Taste
from backend.features.discovery.weights import DEFAULT
from backend.models.results import TrackFilter
from backend.repositories.album_moments import AlbumMoments
from backend.repositories.database import Database
from backend.repositories.listens import ListenRepository
from backend.repositories.sittings import Sittings
from backend.repositories.track_reader import TrackReader
from backend.services.discovery_service import DiscoveryService
from backend.services.index_keeper import IndexKeeper
from backend.services.listening_service import ListeningService
from backend.services.worker_threads import WorkerThreads
from backend.utils.errors import InvalidInputError, NotFoundError
from tests.integration.catalogue import fill


def keeper_of(database: Database, folder: Path | None = None, heard: Sittings | None = None) -> IndexKeeper:
    return IndexKeeper(
        TrackReader(database), AlbumMoments(database), threads=WorkerThreads(), folder=folder, heard=heard, look=0.0
    )


def discovery(database: Database, keeper: IndexKeeper | None = None) -> DiscoveryService:
    return DiscoveryService(keeper or keeper_of(database), TrackReader(database), threads=WorkerThreads())


async def test_recommendations_of_stored_tracks(database: Database) -> None:
    await fill(database, albums=40)
    reader = TrackReader(database)
    service = discovery(database)
    start = (await reader.page(TrackFilter(genres=("rock",)), limit=1)).items[0]
    found = await service.recommendations(start["id"], k=12)
    assert len(found) == 12
    assert all(item["because"]["id"] == start["id"] for item in found)
    assert [item["score"] for item in found] == sorted((item["score"] for item in found), reverse=True)
    for item in found:
        assert item["id"] != start["id"]
        assert item["reasons"]
        assert sum(item["contributions"].values()) == pytest.approx(item["score"], abs=1e-9)
        stored = await reader.track(item["id"])
        assert (stored["title"], stored["album_id"]) == (item["title"], item["album_id"])
        assert set(item["shared_genres"]) == set(start["genres"] or ()) & set(stored["genres"] or ())
    assert await service.recommendations(start["id"], k=12) == found

    jazz = await service.recommendations(start["id"], k=30, track_filter=TrackFilter(genres=("jazz",)))
    for item in jazz:
        assert "jazz" in (await reader.track(item["id"]))["genres"]


async def test_new_tracks_are_found_and_removed_ones_are_not(database: Database) -> None:
    await fill(database, albums=5)
    reader = TrackReader(database)
    service = discovery(database)
    start = (await reader.page(TrackFilter(), limit=1)).items[0]
    before = {item["id"] for item in await service.recommendations(start["id"], k=100, per_artist=None)}
    await fill(database, albums=30)
    after = {item["id"] for item in await service.recommendations(start["id"], k=100, per_artist=None)}
    assert after - before
    async with database.transaction() as connection:
        await connection.execute("DELETE FROM albums WHERE id <> $1", start["album_id"])
    left = await service.recommendations(start["id"], k=100, per_artist=None)
    assert {item["album_id"] for item in left} <= {start["album_id"]}
    gone = next(iter(before - {item["id"] for item in left}))
    with pytest.raises(NotFoundError):
        await service.recommendations(gone)


async def test_many_at_once_share_one_index(database: Database) -> None:
    await fill(database, albums=20)
    reader = TrackReader(database)
    service = discovery(database)
    ids = [row["id"] for row in (await reader.page(TrackFilter(), limit=20)).items]
    answers = await asyncio.gather(*(service.recommendations(track_id, k=3) for track_id in ids))
    assert len(answers) == 20


async def test_an_index_follows_single_albums_without_being_built_again(database: Database) -> None:
    await fill(database, albums=300)
    keeper = keeper_of(database)
    first = await keeper.index()
    assert len(first) > 2_000
    assert await keeper.index() is first
    async with database.transaction() as connection:
        album = await connection.fetchval("SELECT id FROM albums ORDER BY id LIMIT 1")
        gone = await connection.fetchval("SELECT id FROM albums ORDER BY id DESC LIMIT 1")
        await connection.execute("UPDATE enhanced_tracks SET genres = ARRAY['zeuhl'] WHERE album_id = $1", album)
        await connection.execute("UPDATE albums SET updated_at = clock_timestamp() WHERE id = $1", album)
        lost = [r["id"] for r in await connection.fetch("SELECT id FROM enhanced_tracks WHERE album_id = $1", gone)]
        kept = [r["id"] for r in await connection.fetch("SELECT id FROM enhanced_tracks WHERE album_id = $1", album)]
        await connection.execute("DELETE FROM albums WHERE id = $1", gone)
    second = await keeper.index()
    assert second is not first
    assert second.base is first.base  # followed, not built
    assert len(second.tail) == len(kept)
    assert len(second) == len(first) - len(lost)
    with pytest.raises(NotFoundError):
        second.rows.find(lost[0])
    row = second.rows.find(kept[0])
    assert second.rows.table.column("genres")[row].as_py() == ["zeuhl"]


async def test_a_large_index_answers_as_it_is_and_follows_by_itself(database: Database) -> None:
    await fill(database, albums=300)
    tracks, threads = TrackReader(database), WorkerThreads()
    keeper = IndexKeeper(tracks, AlbumMoments(database), threads=threads, look=3600.0, large=100)
    first = await keeper.index()
    seen = {first.version}
    for turn in range(5):
        async with database.transaction() as connection:
            album = await connection.fetchval("SELECT id FROM albums ORDER BY id OFFSET $1 LIMIT 1", turn)
            await connection.execute("DELETE FROM albums WHERE id = $1", album)
        keeper.moved()
        seen.add((await keeper.index()).version)  # at once: nobody waits for what is being followed
        if turn == 0:
            assert seen == {first.version}
    left = [row["id"] for row in (await tracks.page(TrackFilter(), limit=20)).items]
    async with database.connection() as connection:
        stored = await connection.fetchval("SELECT count(*) FROM enhanced_tracks")
    async with asyncio.timeout(60):  # it needs about two; nobody asks for a look meanwhile
        while len(now := await keeper.index()) != stored:
            seen.add(now.version)
            await asyncio.sleep(0.05)
    assert now.base is first.base
    assert all(now.rows.find(track) >= 0 for track in left)
    assert len({*seen, now.version}) <= 4, "five changes in a row are followed together"
    await keeper.close()


async def test_who_is_heard_together_counts_until_the_listener_is_forgotten(database: Database, tmp_path: Path) -> None:
    await fill(database, albums=600)
    async with database.connection() as connection:
        tracks = await connection.fetch("SELECT id, artist FROM enhanced_tracks ORDER BY id")
    heard = Sittings(database)
    keeper = keeper_of(database, tmp_path, heard)
    before = await keeper.index()
    assert before.space.listening.width == 0
    assert before.space.weights == DEFAULT
    by_artist: dict[str, list[str]] = {}
    for row in tracks:
        by_artist.setdefault(row["artist"], []).append(row["id"])
    friends = [ids[0] for ids in by_artist.values()][:12]
    begin = datetime(2024, 1, 1, tzinfo=UTC)
    dice = random.Random(4)
    rows = [
        ("anna", begin + timedelta(hours=5 * sitting, minutes=4 * i), track)
        for sitting in range(120)
        for i, track in enumerate(dice.sample(friends, 9))
    ]
    async with database.transaction() as connection:
        await connection.execute("INSERT INTO listener_consents VALUES ('anna', now())")
        await connection.executemany(
            "INSERT INTO listens (listener, source, listened_at, track, artist, track_key, artist_key, track_id) "
            "VALUES ($1, 'lastfm', $2, $3, 'x', $3, 'x', $3)",
            rows,
        )
    after = await keeper.index()
    assert after.space.listening.width > 0
    assert after.space.weights != DEFAULT
    assert after.space.weights.of["listening"] > 0
    best = after.ask(after.like([after.rows.find(friends[0])]), Taste(k=200))
    told = {pick.id: pick.contributions["listening"] for pick in best}
    assert max(told, key=lambda track: told[track]) in {
        t["id"] for t in tracks if t["artist"] in {a for a, ids in by_artist.items() if ids[0] in friends}
    }
    reopened = await keeper_of(database, tmp_path, heard).index()
    assert reopened.version == after.version
    service = ListeningService(ListenRepository(database), gone=keeper.renew)
    await service.forget("anna")
    assert list(tmp_path.rglob("*.*")) == []
    assert (await keeper.index()).space.listening.width == 0
    # Another process has its own index still, and notices by itself.
    assert (await keeper_of(database, tmp_path, heard).index()).space.listening.width == 0


async def test_a_restart_opens_the_stored_index_and_follows_from_there(database: Database, tmp_path: Path) -> None:
    await fill(database, albums=600)
    built = await keeper_of(database, tmp_path).index()
    assert len(built) >= 5_000
    opened = await keeper_of(database, tmp_path).index()
    assert opened.version == built.version  # no other build has it
    query = built.like([17])
    assert opened.ask(opened.like([17]), Taste(k=20)) == built.ask(query, Taste(k=20))
    async with database.transaction() as connection:
        gone = await connection.fetchval("SELECT id FROM albums ORDER BY id LIMIT 1")
        await connection.execute("DELETE FROM albums WHERE id = $1", gone)
    followed = await keeper_of(database, tmp_path).index()
    assert followed.version != built.version
    assert len(followed) < len(built)
    keeper = keeper_of(database, tmp_path)
    await keeper.renew()
    assert list(tmp_path.rglob("*.*")) == []
    (tmp_path / "any").mkdir(parents=True)
    (tmp_path / "any" / "index.json").write_text("{")
    assert len(await keeper_of(database, tmp_path).index()) == len(followed)  # a broken one costs time, no answer


async def test_unknown_tracks_and_impossible_numbers_are_refused(database: Database) -> None:
    await fill(database, albums=3)
    service = discovery(database)
    start = (await TrackReader(database).page(TrackFilter(), limit=1)).items[0]["id"]
    with pytest.raises(NotFoundError, match="nobody"):
        await service.recommendations("nobody")
    with pytest.raises(InvalidInputError, match="1 to 100"):
        await service.recommendations(start, k=101)
    with pytest.raises(InvalidInputError, match="per_artist=0"):
        await service.recommendations(start, per_artist=0)
    with pytest.raises(InvalidInputError, match=r"diversity=1\.5"):
        await service.recommendations(start, diversity=1.5)
