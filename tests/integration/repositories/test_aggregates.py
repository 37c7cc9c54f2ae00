"""Figures over the catalogue, counted by hand beside them."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from backend.models.ingestion_models import AUDIO_FEATURES, Rights
from backend.repositories.aggregates import Aggregates
from backend.repositories.album_store import AlbumRepository
from backend.repositories.database import Database
from tests.integration.repositories.albums import album, record, track
from tests.levels import whole


@pytest.fixture
async def figures(database: Database) -> Aggregates:
    loud = album(title="Loud", artist="A", release_date="1990", aoty_user_score=100.0, tracks=0)
    loud = replace(
        loud,
        tracks=(
            track("l", 1, popularity=0, genres=("rock", "pop"), audio_features={"energy": 0.2, "tempo": 100.0}),
            track("l", 2, popularity=100, genres=("rock",), moods=(), audio_features={"energy": 0.6}),
        ),
    )
    quiet = album(title="Quiet", artist="B", release_date=None, synthetic=True, tracks=0)
    quiet = replace(
        quiet,
        tracks=(track("q", 1, popularity=None, genres=(), audio_features={}, provenance={"genres": "lastfm+aoty"}),),
    )
    said = replace(record(source="lastfm"), rights=Rights.NONCOMMERCIAL)
    await AlbumRepository(database).save_many([(whole(loud), [record(), said]), (whole(quiet), [said])])
    return Aggregates(database)


async def test_the_summary(figures: Aggregates) -> None:
    summary = await figures.summary()
    counted = {name: summary[name] for name in ("tracks", "albums", "artists", "genres", "moods", "synthetic_tracks")}
    assert counted == {"tracks": 3, "albums": 2, "artists": 2, "genres": 1, "moods": 1, "synthetic_tracks": 1}
    assert (summary["first_year"], summary["last_year"]) == (1990, 1990)


async def test_tags_are_counted_by_track(figures: Aggregates) -> None:
    genres = await figures.genre_distribution(1)
    assert genres["distinct"] == 2
    assert [(g["name"], g["tracks"], g["share"]) for g in genres["data"]] == [
        ("rock", 2, pytest.approx(2 / 3, abs=1e-6))
    ]
    moods = await figures.mood_distribution(10)
    assert [(m["name"], m["tracks"], m["synthetic"]) for m in moods["data"]] == [("mellow", 2, True)]


async def test_histograms_hold_both_ends(figures: Aggregates) -> None:
    tenths = await figures.histogram("popularity")
    assert [t["low"] for t in tenths] == list(range(0, 100, 10))
    assert [t["tracks"] for t in tenths] == [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert sum(t["tracks"] for t in await figures.histogram("aoty_score")) == 2
    with pytest.raises(ValueError, match="no column"):
        await figures.histogram("id")


async def test_years(figures: Aggregates) -> None:
    (year,) = await figures.years()
    assert (year["year"], year["tracks"], year["albums"], year["popularity"]) == (1990, 2, 1, 50.0)
    assert year["energy"] == pytest.approx(0.4)


async def test_audio_features(figures: Aggregates) -> None:
    found = await figures.audio_features()
    assert found.keys() == set(AUDIO_FEATURES)
    energy = found["energy"]
    assert energy["known"] == 2
    assert energy["mean"] == pytest.approx(0.4)
    assert energy["deviation"] == pytest.approx(0.2)
    assert energy["quartiles"] == pytest.approx([0.3, 0.4, 0.5])
    assert found["valence"]["mean"] is None


async def test_coverage(figures: Aggregates) -> None:
    coverage = await figures.coverage()
    fields = {name: field["known"] for name, field in coverage["fields"].items()}
    assert coverage["tracks"] == 3
    assert (fields["genres"], fields["moods"], fields["popularity"], fields["energy"], fields["tempo"]) == (
        2,
        2,
        2,
        2,
        1,
    )
    assert (fields["release_date"], fields["audio_features"], fields["rating"]) == (2, 2, 0)
    assert coverage["fields"]["tempo"]["share"] == pytest.approx(1 / 3, abs=1e-6)
    sources = {s["source"]: s for s in coverage["sources"]}
    assert {name: (s["tracks"], s["albums"], s["rights"]) for name, s in sources.items()} == {
        "aoty": (1, 0, None),
        "lastfm": (1, 2, "noncommercial"),
        "spotify": (3, 1, "restricted"),
    }


async def test_of_nothing(database: Database) -> None:
    figures = Aggregates(database)
    assert (await figures.summary())["tracks"] == 0
    assert (await figures.coverage())["fields"]["genres"] == {"known": 0, "share": 0.0}
    assert (await figures.genre_distribution(5))["data"] == []
    assert await figures.years() == []
    assert sum(t["tracks"] for t in await figures.histogram("popularity")) == 0
    assert (await figures.audio_features())["energy"]["known"] == 0


async def test_everything_can_be_sent_as_json(figures: Aggregates) -> None:
    for answer in (
        await figures.summary(), await figures.coverage(), await figures.years(), await figures.audio_features(),
        await figures.genre_distribution(3), await figures.histogram("aoty_score"), await figures.sizes(),
    ):  # fmt: skip
        assert orjson.dumps(answer)


async def test_sizes(figures: Aggregates) -> None:
    sizes = await figures.sizes()
    assert sizes["database_bytes"] > sum(t["bytes"] for t in sizes["tables"]) > 0
    assert {"albums", "enhanced_tracks"} <= {t["name"] for t in sizes["tables"]}
