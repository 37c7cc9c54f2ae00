"""Finding names as people type them, and rows that only some data sets have, on a real PostgreSQL."""

from __future__ import annotations

import pytest

from backend.models.ingestion_models import AlbumRecord, Rights, RightsLevel, SourceRecord, TrackRecord
from backend.models.results import AlbumFilter, TrackFilter
from backend.repositories import name_search
from backend.repositories.album_reader import AlbumReader
from backend.repositories.artist_reader import ArtistReader
from backend.repositories.database import Database
from backend.repositories.track_reader import TrackReader
from tests.integration.catalogue import fill
from tests.integration.test_upkeep import NOON, insert, said

_NAMES = ("title_key", "artist_key")


def album(title: str, artist: str, *, date: str = "1969", recording: str | None = None) -> SourceRecord:
    ids = {"musicbrainz": recording} if recording else {}
    tracks = (TrackRecord(title="Tide", track_number=1, duration_ms=200_000, ids=ids, audio_features={"energy": 0.4}),)
    record = AlbumRecord(title=title, artist=artist, release_date=date, tracks=tracks, ids={"commons": title})
    return SourceRecord(source="commons", rights=Rights.OPEN, fetched_at=NOON, album=record)


@pytest.mark.parametrize("typed", ["abbey road", "Abey Raod", "abbey", "bey roa", "Abbey Rode", "ABBEY RÓAD"])
async def test_an_album_is_found_as_it_is_typed(database: Database, typed: str) -> None:
    for title, artist in (("Abbey Road", "The Beatles"), ("Country Roads", "John D."), ("Kid A", "Radiohead")):
        await insert(database, album(title, artist))
    page = await AlbumReader(database).page(AlbumFilter(q=typed))
    assert page.items[0]["title"] == "Abbey Road"
    assert "Kid A" not in {item["title"] for item in page.items}


async def test_the_exact_name_comes_before_beginnings_parts_and_near_spellings(database: Database) -> None:
    for title in ("The Long Harbour", "Harbour Lights", "Harbor", "Harbour", "Unlike"):
        await insert(database, album(title, f"Artist of {title}"))
    reader = AlbumReader(database)
    page = await reader.page(AlbumFilter(q="harbour"), limit=2)
    rest = await reader.page(AlbumFilter(q="harbour"), limit=10, cursor=page.next_cursor)
    titles = [item["title"] for item in (*page.items, *rest.items)]
    assert titles[:2] == ["Harbour", "Harbour Lights"]
    assert len(titles) == len(set(titles)) == page.total
    assert "Unlike" not in titles


async def test_an_artist_is_found_misspelt(database: Database) -> None:
    await insert(database, album("Kid A", "Radiohead"))
    await insert(database, album("Homogenic", "Björk"))
    reader = ArtistReader(database)
    assert [a["name"] for a in (await reader.page(q="radiohaed")).items] == ["Radiohead"]
    assert [a["name"] for a in (await reader.page(q="bjork")).items] == ["Björk"]


async def test_a_search_goes_by_the_index(database: Database) -> None:
    await fill(database, albums=3_000)
    async with database.connection() as connection:
        # As autovacuum does: rows just written wait in a list of the index, which makes it dear.
        await connection.execute("VACUUM ANALYZE albums")
        async with connection.transaction():
            await connection.execute(name_search.SET_THRESHOLD)
            rows = await connection.fetch(
                f"EXPLAIN SELECT id FROM albums WHERE {name_search.fitting(_NAMES, 1)}",
                *name_search.parameters("abey raod"),
            )
    plan = "\n".join(row[0] for row in rows)
    assert "ix_albums_names" in plan, plan
    assert "Seq Scan" not in plan, plan


async def test_of_a_recording_only_the_earliest_appearance(database: Database) -> None:
    await insert(database, album("First", "Ann", date="1969", recording="mbid-1"))
    await insert(database, album("Best Of", "Ann", date="1999", recording="mbid-1"))
    async with database.connection() as connection:
        for table in ("enhanced_tracks", "tracks_open"):
            await connection.execute(f"UPDATE {table} SET recording_id = 'one'")
    reader = TrackReader(database)
    for level in (RightsLevel.ANY, RightsLevel.OPEN):
        every = await reader.page(TrackFilter(rights=level), limit=10)
        once = await reader.page(TrackFilter(rights=level, one_per_recording=True), limit=10)
        assert len(every.items) == 2
        assert [t["album"] for t in once.items] == ["First"]


async def test_estimates_can_be_left_out(database: Database) -> None:
    await insert(database, said("shop"))
    async with database.connection() as connection:
        await connection.execute(
            "UPDATE enhanced_tracks SET estimates = '{\"energy\": [0.1, 0.9]}' WHERE title = 'Tide'"
        )
    reader = TrackReader(database)
    measured = {t["title"]: t for t in (await reader.page(TrackFilter(estimates=False), limit=9)).items}
    taken = {t["title"]: t for t in (await reader.page(TrackFilter(), limit=9)).items}
    assert "energy" in taken["Tide"]["audio_features"]
    assert "energy" not in measured["Tide"]["audio_features"]
    assert measured["Tide"]["estimates"] == {}
    assert "energy" in measured["Quay"]["audio_features"]
