"""Tracks are found as they are typed, on a real PostgreSQL."""

from __future__ import annotations

import pytest

from backend.models.ingestion_models import AlbumRecord, Rights, RightsLevel, SourceRecord, TrackRecord
from backend.repositories.database import Database
from backend.repositories.track_search import TrackSearch
from backend.utils.errors import InvalidInputError
from tests.integration.test_upkeep import NOON, insert

_CATALOGUE = (
    ("Abbey Road", "The Beatles", ("Come Together", "Something", "Here Comes the Sun")),
    ("Post", "Björk", ("Army of Me", "Hyperballad", "÷")),
    ("Together", "S Club", ("Together", "Coming Home")),
)


@pytest.fixture
async def search(database: Database) -> TrackSearch:
    for title, artist, songs in _CATALOGUE:
        tracks = tuple(
            TrackRecord(title=song, track_number=n, popularity=10 * n, duration_ms=200_000)
            for n, song in enumerate(songs, 1)
        )
        record = AlbumRecord(title=title, artist=artist, release_date="1969", tracks=tracks, ids={"commons": title})
        await insert(database, SourceRecord(source="commons", rights=Rights.OPEN, fetched_at=NOON, album=record))
    return TrackSearch(database)


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("come together", "Come Together"), ("COME TOGEHTER", "Come Together"), ("beatles come together", "Come Together"),
        ("come together the beatles", "Come Together"), ("together", "Together"), ("hyper", "Hyperballad"),
        ("hiperbalad", "Hyperballad"), ("comes the", "Here Comes the Sun"), ("÷", "÷"),
    ],
)  # fmt: skip
async def test_what_is_meant_comes_first(search: TrackSearch, typed: str, first: str) -> None:
    found = await search.find(typed, limit=5)
    assert found[0]["title"] == first
    assert len({row["id"] for row in found}) == len(found)


async def test_few_letters_find_beginnings_alone(search: TrackSearch) -> None:
    assert {row["title"] for row in await search.find("co", limit=9)} == {"Come Together", "Coming Home"}
    assert await search.find("%", limit=9) == []


async def test_what_is_like_nothing_finds_nothing(search: TrackSearch) -> None:
    assert await search.find("xylophone quartet", limit=5) == []
    assert len(await search.find("together", limit=1)) == 1


async def test_each_level_of_rights_is_searched_by_itself(search: TrackSearch, database: Database) -> None:
    closed = AlbumRecord(
        title="Closed", artist="Nobody", tracks=(TrackRecord(title="Locked Door", track_number=1),), ids={"shop": "1"}
    )
    await insert(database, SourceRecord(source="shop", rights=Rights.RESTRICTED, fetched_at=NOON, album=closed))
    assert [row["title"] for row in await search.find("locked door", limit=5)] == ["Locked Door"]
    assert await search.find("locked door", limit=5, rights=RightsLevel.OPEN) == []
    assert await search.find("something", limit=5, rights=RightsLevel.OPEN)


async def test_half_a_character_is_refused_in_words(search: TrackSearch) -> None:
    with pytest.raises(InvalidInputError, match="half a character"):
        await search.find("\ud800bc", limit=5)
