"""What sources say differently, in the quality reports of data sets, on a real PostgreSQL."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from backend.ingestion.insert_to_supabase import Merging, insert_album
from backend.ingestion.policy import MergePolicy
from backend.ingestion.source import SourceProfile
from backend.models.datasets import Manifest
from backend.models.ingestion_models import AlbumRecord, Rights, SourceRecord, TrackRecord
from backend.repositories.album_store import AlbumRepository
from backend.repositories.catalogue_state import MERGED, CatalogueState
from backend.repositories.database import Database
from backend.repositories.track_snapshots import TrackSnapshots
from backend.services.dataset_folders import DataSetFolders
from backend.services.dataset_service import DataSetService
from backend.services.knowledge import Knowledge
from backend.services.recipes import parse_recipe

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
GIVES = dict.fromkeys(
    ("title", "artist", "tracks", "release_date", "label", "duration_ms", "explicit", "isrc", "audio_features"), 0.5
)
PROFILES = {
    p.name: p
    for p in (
        SourceProfile(name="shop", rights=Rights.RESTRICTED, gives=dict.fromkeys(GIVES, 1.0), defines=True),
        SourceProfile(name="fans", rights=Rights.NONCOMMERCIAL, gives=GIVES),
        SourceProfile(name="commons", rights=Rights.OPEN, gives=GIVES, defines=True),
        SourceProfile(name="library", rights=Rights.OPEN, gives=dict.fromkeys(GIVES, 0.4), defines=True),
        SourceProfile(name="toy", rights=Rights.SYNTHETIC, gives=GIVES, stand_in=True),
    )
}
MERGING = Merging(profiles=PROFILES, policy=MergePolicy())
SOUND = {"tempo": 120.0, "key": 5.0, "mode": 1.0}
SONG = TrackRecord(
    title="Tide", track_number=1, duration_ms=200_000, explicit=False, isrc="XXA012600001", audio_features=SOUND
)
QUAY = TrackRecord(title="Quay", track_number=2, duration_ms=100_000)


def serve(database: Database, folder: Path) -> DataSetService:
    knowledge = Knowledge(TrackSnapshots(database), merging=MERGING)
    return DataSetService(knowledge, DataSetFolders(folder), exports=folder / "exports", profiles=PROFILES)


def said(source: str, *songs: TrackRecord, title: str = "Harbour", **album: Any) -> SourceRecord:
    record = AlbumRecord(title=title, artist="The Amber Lanterns", tracks=songs or (SONG, QUAY), **album)
    return SourceRecord(source=source, rights=PROFILES[source].rights, fetched_at=NOON, album=record)


async def store(database: Database, *records: SourceRecord) -> str:
    return (await insert_album(AlbumRepository(database), records, merging=MERGING)).id


async def fill(database: Database) -> None:
    """Albums that nobody contradicts, for the parts of the split."""
    for n in range(8):
        await store(database, *(said(s, title=f"Quiet {n}", release_date="2001") for s in ("shop", "commons")))


async def build(database: Database, folder: Path, **values: Any) -> Manifest:
    asked = {
        "name": "songs", "naive_gain": False, "min_features": 0, "features": [{"kind": "numbers"}],
        "split": {"kind": "random", "parts": {"train": 0.8, "test": 0.2}},
    }  # fmt: skip
    return (await serve(database, folder).build(parse_recipe(asked | values))).manifest


async def told(database: Database, folder: Path, **values: Any) -> dict[str, Any]:
    """By field: how many differ, who, and the values of the first."""
    manifest = await build(database, folder, **values)
    report = json.loads((folder / manifest.fingerprint / "quality.json").read_text())
    return {
        c["field"]: (c["subjects"], {(a, b): n for a, b, n in c["pairs"]}, dict(c["examples"][0][1]))
        for c in report["contradictions"]
    }


async def test_both_values_are_told(database: Database, tmp_path: Path) -> None:
    await fill(database)
    other = replace(
        SONG, title="TIDE!", duration_ms=204_000, explicit=True, isrc="XX-A01-26-00002",
        audio_features={"tempo": 150.0, "key": 7.0, "mode": 0.0},
    )  # fmt: skip
    await store(
        database, said("shop", release_date="1969-09-26", label="Apple"), said("commons", other, release_date="2009", label="EMI")
    )  # fmt: skip
    found = await told(database, tmp_path)
    both = {("commons", "shop"): 1}
    assert found == {
        "release_year": (1, both, {"shop": "1969", "commons": "2009"}),
        "label": (1, both, {"shop": "Apple", "commons": "EMI"}),
        "tracks": (1, both, {"shop": "2", "commons": "1"}),
        "duration_ms": (1, both, {"shop": "200000", "commons": "204000"}),
        "explicit": (1, both, {"shop": "false", "commons": "true"}),
        "isrc": (1, both, {"shop": "XXA012600001", "commons": "XXA012600002"}),
        "tempo": (1, both, {"shop": "120", "commons": "150"}),
        "key": (1, both, {"shop": "5", "commons": "7"}),
        "mode": (1, both, {"shop": "1", "commons": "0"}),
    }


@pytest.mark.parametrize(
    "other",
    [
        replace(SONG, duration_ms=203_000, isrc="xx-a01-26-00001", audio_features={"tempo": 122.0}),
        replace(SONG, audio_features={"tempo": 60.5}),
        replace(SONG, audio_features={"tempo": 480.0, "key": -1.0}),
        TrackRecord(title="Tide", track_number=1),
        TrackRecord(title="Ebb", track_number=1, duration_ms=300_000),
        TrackRecord(title="Tide", disc_number=2, track_number=1, duration_ms=300_000),
    ],
    ids=["near", "half the tempo", "four times the tempo", "says nothing", "another title", "another disc"],
)
async def test_what_is_near_or_of_another_track_is_no_contradiction(
    database: Database, tmp_path: Path, other: TrackRecord
) -> None:
    await fill(database)
    await store(
        database, said("shop", release_date="1969-09", label="Café  Records"),
        said("commons", other, QUAY, release_date="1969-12-31", label="CAFE RECORDS"),
    )  # fmt: skip
    assert await told(database, tmp_path) == {}


async def test_titles_of_every_script_are_their_own(database: Database, tmp_path: Path) -> None:
    await fill(database)
    await store(
        database,
        *(
            said(s, *(TrackRecord(title=t, track_number=n, duration_ms=ms) for n, t in enumerate(titles, 1)))
            for s, ms, titles in (
                ("shop", 100_000, ("Кино", "さくら")),
                ("commons", 200_000, ("Кино", "つばさ")),
            )
        ),
    )
    assert (await told(database, tmp_path))["duration_ms"][0] == 1


async def test_of_three_those_that_are_near_each_other_do_not_differ(database: Database, tmp_path: Path) -> None:
    await fill(database)
    late = replace(SONG, duration_ms=201_000), QUAY
    far = replace(SONG, duration_ms=210_000), QUAY
    await store(database, said("shop"), said("commons", *late), said("library", *far))
    pairs = {("commons", "library"): 1, ("library", "shop"): 1}
    values = {"commons": "201000", "library": "210000", "shop": "200000"}
    assert await told(database, tmp_path) == {"duration_ms": (1, pairs, values)}


async def test_what_rights_exclude_is_not_told(database: Database, tmp_path: Path) -> None:
    await fill(database)
    await store(
        database, said("shop", release_date="1969"), said("fans", release_date="1979"),
        said("commons", release_date="1989"), said("library", release_date="1999"),
    )  # fmt: skip
    seen = {
        level: (await told(database, tmp_path / level, filter={"rights": level}))["release_year"][2]
        for level in ("any", "noncommercial", "open")
    }
    years = {"shop": "1969", "fans": "1979", "commons": "1989", "library": "1999"}
    assert seen["any"] == years
    assert seen["noncommercial"] == {s: y for s, y in years.items() if s != "shop"}
    assert seen["open"] == {s: years[s] for s in ("commons", "library")}


async def test_what_is_made_up_contradicts_nobody(database: Database, tmp_path: Path) -> None:
    await fill(database)
    await store(database, said("shop", release_date="1969"), said("toy", release_date="2009"))
    assert await told(database, tmp_path) == {}


async def test_only_what_is_in_the_data_set_is_told(database: Database, tmp_path: Path) -> None:
    await fill(database)
    for title in ("Harbour", "Pier"):
        await store(
            database, said("shop", title=title, release_date="1969"),
            said("commons", replace(SONG, duration_ms=1000), QUAY, title=title, release_date="2009"),
        )  # fmt: skip
    assert (await told(database, tmp_path / "all"))["duration_ms"][0] == 2
    found = await told(database, tmp_path / "one", filter={"q": "ie"})  # Quiet, Pier
    assert (found["duration_ms"][0], found["release_year"][0]) == (1, 1)
    # Of which three features are known: the tracks called Tide. What the recipe drops after reading is not told of either.
    short = TrackRecord(title="Quay", track_number=2, duration_ms=300_000)
    await store(database, said("shop", title="Mole"), said("commons", SONG, short, title="Mole"))
    assert (await told(database, tmp_path / "whole"))["duration_ms"][0] == 3
    assert (await told(database, tmp_path / "known", min_features=3))["duration_ms"][0] == 2


@pytest.mark.parametrize("copied", [True, False])
async def test_the_past_is_contradicted_as_it_was(database: Database, tmp_path: Path, *, copied: bool) -> None:
    if copied:
        await CatalogueState(database).set(MERGED, MERGING.policy.fingerprint(PROFILES))
    await fill(database)
    for title in ("Harbour", "Pier"):
        await store(
            database, said("shop", title=title, release_date="1969"), said("commons", title=title, release_date="2009")
        )
    first = await build(database, tmp_path / "first")
    await store(database, said("commons", release_date="1969"))
    await store(database, said("library", title="Pier", release_date="1999"))
    assert (await told(database, tmp_path / "after"))["release_year"][1] == {
        ("commons", "library"): 1, ("commons", "shop"): 1, ("library", "shop"): 1,
    }  # fmt: skip
    again = await build(database, tmp_path / "again", as_of=first.watermark)
    assert (again.fingerprint, again.files) == (first.fingerprint, first.files)
    page = (tmp_path / "again" / again.fingerprint / "quality.html").read_text()
    assert "commons and shop: 2" in page


async def test_a_source_whose_value_was_told_alone_is_found_in_it(database: Database, tmp_path: Path) -> None:
    await fill(database)
    toll = AlbumRecord(title="Harbour", artist="The Amber Lanterns", release_date="1979")
    fans = SourceRecord(source="fans", rights=Rights.NONCOMMERCIAL, fetched_at=NOON, album=toll)
    await store(database, said("shop", release_date="1969"), fans)
    manifest = await build(database, tmp_path)
    rights = json.loads((tmp_path / manifest.fingerprint / "rights.json").read_text())
    assert "fans" not in {s["source"] for s in rights["sources"]}
    assert await serve(database, tmp_path).holding("fans") == [manifest]
    assert await serve(database, tmp_path).holding("library") == []
