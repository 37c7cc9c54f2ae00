"""One recording on several albums: linked, told apart again, whatever the order in which the albums came in."""

from __future__ import annotations

import asyncio
import random
from itertools import permutations
from typing import Any

import pytest

from backend.models.ingestion_models import MergedAlbum, RightsLevel
from backend.repositories.album_removal import AlbumRemoval
from backend.repositories.album_store import AlbumRepository
from backend.repositories.database import Database
from backend.repositories.recordings import Appearance, group
from tests.integration.repositories.albums import album, track


def one(title: str, **more: Any) -> MergedAlbum:
    """An album with one track, which has no identifier unless given."""
    own = {"isrc": None, "recording_mbid": None, "recording_key": None, "duration_ms": 200_000, **more}
    made = album(title=title)
    return album(title=title, tracks=(track(made.id, 1, **own),))


async def save(database: Database, *albums: MergedAlbum, level: RightsLevel = RightsLevel.ANY) -> None:
    repository = AlbumRepository(database)
    for given in albums:
        async with repository.transaction([given.id]) as transaction:
            await transaction.save([({RightsLevel.ANY: given} | {level: given}, [])])


async def recordings(database: Database, table: str = "enhanced_tracks") -> dict[str, str]:
    async with database.connection() as connection:
        rows = await connection.fetch(f"SELECT album_id, recording_id FROM {table}")
    return {row["album_id"]: row["recording_id"] for row in rows}


async def together(database: Database, *albums: MergedAlbum) -> bool:
    found = await recordings(database)
    return len({found[a.id] for a in albums}) == 1


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ({"isrc": "X"}, {"isrc": "X", "duration_ms": 209_000}, True),
        ({"isrc": "X"}, {"isrc": "X", "duration_ms": 211_000}, False),
        ({"isrc": "X"}, {"isrc": "X", "duration_ms": None}, True),
        ({"recording_mbid": "m"}, {"recording_mbid": "m", "duration_ms": 300_000}, True),
        ({"recording_key": "a/b"}, {"recording_key": "a/b", "duration_ms": 203_000}, True),
        ({"recording_key": "a/b"}, {"recording_key": "a/b", "duration_ms": 203_001}, False),
        ({"recording_key": "a/b"}, {"recording_key": "a/b", "duration_ms": None}, False),
        ({"recording_key": "a/b"}, {"recording_key": "a/c"}, False),
        ({}, {}, False),
    ],
)
async def test_what_links_two_tracks(
    database: Database, first: dict[str, Any], second: dict[str, Any], same: bool
) -> None:
    a, b = one("A", **first), one("B", **second)
    await save(database, a, b)
    assert await together(database, a, b) is same


async def test_a_third_album_joins_two_and_leaving_parts_them(database: Database) -> None:
    a, b = one("A", isrc="X", duration_ms=100_000), one("B", recording_mbid="m", duration_ms=300_000)
    bridge = one("C", isrc="X", recording_mbid="m", duration_ms=None)
    await save(database, a, b)
    assert not await together(database, a, b)
    await save(database, bridge)
    assert await together(database, a, b, bridge)
    await AlbumRemoval(database).album(bridge.id)
    assert not await together(database, a, b)
    assert await recordings(database) == {x.id: x.tracks[0].id for x in (a, b)}


async def test_a_corrected_identifier_parts_what_a_wrong_one_joined(database: Database) -> None:
    a, wrong = one("A", isrc="X"), one("B", isrc="X")
    await save(database, a, wrong)
    assert await together(database, a, wrong)
    await save(database, one("B", isrc="Y"))
    assert not await together(database, a, wrong)


async def test_the_order_in_which_albums_come_in_does_not_matter(database: Database) -> None:
    albums = [
        one("A", isrc="X"), one("B", isrc="X", recording_key="k"), one("C", recording_key="k"), one("D", recording_key="z"),
    ]  # fmt: skip
    seen = []
    for order in permutations(albums):
        for given in albums:
            async with database.transaction() as connection:
                await connection.execute("DELETE FROM albums WHERE id = $1", given.id)
        await save(database, *order)
        seen.append(await recordings(database))
    assert all(found == seen[0] for found in seen)
    assert len(set(seen[0].values())) == 2


async def test_many_at_once_find_each_other(database: Database) -> None:
    albums = [one(f"Album {n}", isrc="X") for n in range(8)]
    await asyncio.gather(*(save(database, a) for a in albums))
    assert await together(database, *albums)


async def test_bulk_and_single_writes_give_the_same(database: Database) -> None:
    albums = [one(f"Album {n}", recording_key=f"k{n % 3}") for n in range(9)]
    assert await AlbumRepository(database).save_many(({RightsLevel.ANY: a}, []) for a in albums) == 9
    bulk = await recordings(database)
    await save(database, *albums)
    assert await recordings(database) == bulk
    assert len(set(bulk.values())) == 3


async def test_at_a_level_links_are_those_of_the_values_there(database: Database) -> None:
    linked = [one("A", isrc="X"), one("B", isrc="X")]
    unlinked = [one("A"), one("B")]
    repository = AlbumRepository(database)
    for whole, free in zip(linked, unlinked, strict=True):
        async with repository.transaction([whole.id]) as transaction:
            await transaction.save([({RightsLevel.ANY: whole, RightsLevel.OPEN: free}, [])])
    assert len(set((await recordings(database)).values())) == 1
    assert len(set((await recordings(database, "tracks_open")).values())) == 2


async def test_storing_again_touches_nothing(database: Database) -> None:
    a, b = one("A", isrc="X"), one("B", isrc="X")
    await save(database, a, b)
    async with database.connection() as connection:
        before = await connection.fetch("SELECT xmin::text, id, recording_id FROM enhanced_tracks ORDER BY id")
        await save(database, a, b)
        assert await connection.fetch("SELECT xmin::text, id, recording_id FROM enhanced_tracks ORDER BY id") == before


def test_thousands_of_one_name_are_grouped_in_no_time() -> None:
    tracks = [Appearance(f"{n:06}", None, None, "intro", 100_000 + 4_000 * (n % 50)) for n in range(50_000)]
    random.Random(1).shuffle(tracks)
    found = group(tracks)
    assert len(set(found.values())) == 50
    assert found["000051"] == "000001"
