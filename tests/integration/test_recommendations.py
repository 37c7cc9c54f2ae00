from __future__ import annotations

import asyncio

import pytest

from backend.config.settings import MlSettings
from backend.models.results import TrackFilter
from backend.repositories.database import Database
from backend.repositories.track_reader import TrackReader
from backend.services.ml_service import MlService
from backend.utils.errors import NotFoundError
from tests.integration.catalogue import fill


async def test_recommendations_of_stored_tracks(database: Database) -> None:
    await fill(database, albums=40)
    reader = TrackReader(database)
    ml = MlService(reader, MlSettings())
    start = (await reader.page(TrackFilter(genres=("rock",)), limit=1)).items[0]
    found = await ml.recommendations(start["id"], k=12)
    assert len(found) == 12
    assert [item["score"] for item in found] == sorted((item["score"] for item in found), reverse=True)
    for item in found:
        assert item["id"] != start["id"]
        assert item["reasons"]
        assert sum(item["contributions"].values()) == pytest.approx(item["score"], abs=1e-9)
        stored = await reader.track(item["id"])
        assert (stored["title"], stored["album_id"]) == (item["title"], item["album_id"])
        assert set(item["shared_genres"]) == set(start["genres"] or ()) & set(stored["genres"] or ())
    assert await ml.recommendations(start["id"], k=12) == found

    jazz = await ml.recommendations(start["id"], k=30, track_filter=TrackFilter(genres=("jazz",)))
    for item in jazz:
        assert "jazz" in (await reader.track(item["id"]))["genres"]


async def test_new_tracks_are_found_and_removed_ones_are_not(database: Database) -> None:
    await fill(database, albums=5)
    reader = TrackReader(database)
    ml = MlService(reader, MlSettings())
    start = (await reader.page(TrackFilter(), limit=1)).items[0]
    before = {item["id"] for item in await ml.recommendations(start["id"], k=100)}
    await fill(database, albums=30)
    after = {item["id"] for item in await ml.recommendations(start["id"], k=100)}
    assert after - before
    async with database.transaction() as connection:
        await connection.execute("DELETE FROM albums WHERE id <> $1", start["album_id"])
    left = await ml.recommendations(start["id"], k=100)
    assert {item["album_id"] for item in left} <= {start["album_id"]}
    gone = next(iter(before - {item["id"] for item in left}))
    with pytest.raises(NotFoundError):
        await ml.recommendations(gone)


async def test_many_at_once_share_one_index(database: Database) -> None:
    await fill(database, albums=20)
    reader = TrackReader(database)
    ml = MlService(reader, MlSettings())
    ids = [row["id"] for row in (await reader.page(TrackFilter(), limit=20)).items]
    answers = await asyncio.gather(*(ml.recommendations(track_id, k=3) for track_id in ids))
    assert len(answers) == 20
