"""Reading albums from a real PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest

from backend.models.results import AlbumFilter
from backend.repositories.album_reader import AlbumReader
from backend.repositories.album_store import AlbumRepository
from backend.repositories.database import Database
from backend.utils.errors import InvalidInputError, NotFoundError
from tests.integration.repositories.albums import NOW, album, record
from tests.levels import whole

ALBUMS = (
    album(title="Abbey Road", tracks=3),
    album(title="Homogenic", artist="Björk", release_date="1997", genres=("art pop", "trip hop"), synthetic=True),
    album(title="100% _Pure_", artist="Ænima", release_date=None, genres=()),
    album(title="Post", artist="Björk", release_date="1995-06-13", genres=("art pop",)),
)


@pytest.fixture
async def reader(database: Database) -> AlbumReader:
    await AlbumRepository(database).save_many((whole(a), [record(title=a.title, artist=a.artist)]) for a in ALBUMS)
    return AlbumReader(database)


@pytest.mark.parametrize(
    ("wanted", "titles"),
    [
        ({}, ["100% _Pure_", "Abbey Road", "Homogenic", "Post"]),
        ({"artist": "bjork"}, ["Homogenic", "Post"]),
        ({"artist": "The BEATLES"}, ["Abbey Road"]),
        ({"genre": "Trip-Hop"}, ["Homogenic"]),
        ({"year_from": 1969, "year_to": 1995}, ["Abbey Road", "Post"]),
        ({"year_from": 10**6}, []),
        ({"year_to": 1969}, ["Abbey Road"]),
        ({"synthetic": True}, ["Homogenic"]),
        ({"synthetic": False, "artist": "björk"}, ["Post"]),
        ({"q": "BJORK"}, ["Homogenic", "Post"]),
        ({"q": "_"}, ["100% _Pure_"]),
        ({"q": "100%"}, ["100% _Pure_"]),
        ({"q": "' OR 1=1 --"}, []),
        ({"q": "road", "artist": "Björk"}, []),
    ],
)
async def test_filters(reader: AlbumReader, wanted: dict[str, Any], titles: list[str]) -> None:
    page = await reader.page(AlbumFilter(**wanted))
    assert [a["title"] for a in page.items] == titles
    assert (page.total, page.next_cursor) == (len(titles), None)


async def test_pages_give_each_album_once_while_albums_are_added(reader: AlbumReader, database: Database) -> None:
    seen, cursor = [], None
    for turn in range(50):
        page = await reader.page(AlbumFilter(), limit=1, cursor=cursor)
        seen += [a["id"] for a in page.items]
        if turn < 5:
            await AlbumRepository(database).save_many([(whole(album(title=f"New {turn}", artist="AAA")), [])])
        if (cursor := page.next_cursor) is None:
            break
    assert len(seen) == len(set(seen))
    assert {a.id for a in ALBUMS} <= set(seen)


@pytest.mark.parametrize("bad", ["x", "AAAA", "Zm9vYmFyYmF6", "é", "%"])
async def test_cursors_that_are_none(reader: AlbumReader, bad: str) -> None:
    with pytest.raises(InvalidInputError, match="cursor"):
        await reader.page(AlbumFilter(), cursor=bad)


async def test_a_cursor_belongs_to_its_filters(reader: AlbumReader) -> None:
    cursor = (await reader.page(AlbumFilter(), limit=1)).next_cursor
    with pytest.raises(InvalidInputError, match="same filters"):
        await reader.page(AlbumFilter(synthetic=True), limit=1, cursor=cursor)


@pytest.mark.parametrize("bad", ["a\x00b", "a\ud800b"])
@pytest.mark.parametrize("field", ["q", "artist", "genre"])
async def test_text_that_postgresql_cannot_hold_is_refused(reader: AlbumReader, field: str, bad: str) -> None:
    wanted: dict[str, Any] = {field: bad}
    with pytest.raises(InvalidInputError):
        await reader.page(AlbumFilter(**wanted))


async def test_an_album_in_full(reader: AlbumReader) -> None:
    given = ALBUMS[0]
    found = await reader.album(given.id)
    assert [t["title"] for t in found["tracks"]] == [t.title for t in given.tracks]
    assert (found["release_date"], found["release_precision"]) == ("1969-09-26", "day")
    assert found["provenance"] == given.provenance
    (source,) = found["sources"]
    assert (source["source"], source["rights"], source["fetched_at"]) == ("spotify", "restricted", NOW)
    assert (source["match_method"], source["match_score"]) == ("name", 1.0)


async def test_an_album_is_removed_with_all_that_hangs_on_it(reader: AlbumReader, database: Database) -> None:
    await reader.delete(ALBUMS[0].id)
    for ask in (reader.album, reader.delete):
        with pytest.raises(NotFoundError, match="No album"):
            await ask(ALBUMS[0].id)
    async with database.connection() as connection:
        for table in ("enhanced_tracks", "album_identifiers", "source_records"):
            assert await connection.fetchval(f"SELECT count(*) FROM {table} WHERE album_id = $1", ALBUMS[0].id) == 0
