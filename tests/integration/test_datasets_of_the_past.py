"""Data sets of a past moment, on a real PostgreSQL: the same bytes as were built then, whatever was stored since."""

from __future__ import annotations

import asyncio
import json
import random
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from backend.ingestion.insert_to_supabase import Merging, insert_album
from backend.ingestion.policy import MergePolicy
from backend.models.datasets import Manifest
from backend.models.ingestion_models import RightsLevel, SourceRecord, Tag, TrackRecord
from backend.models.results import TrackFilter
from backend.repositories.album_removal import AlbumRemoval
from backend.repositories.album_store import BULK_LOCK, AlbumRepository
from backend.repositories.catalogue_state import MERGED, CatalogueState
from backend.repositories.database import Database
from backend.repositories.track_columns import FLAT_COLUMNS
from backend.repositories.track_snapshots import Snapshot, TrackSnapshots
from backend.services.dataset_folders import DataSetFolders
from backend.services.dataset_service import DataSetService
from backend.services.knowledge import Knowledge
from backend.services.recipes import parse_recipe
from backend.utils.errors import InvalidInputError
from tests.integration.test_upkeep import NOON, PROFILES, said, upkeep

MERGING = Merging(profiles=PROFILES, policy=MergePolicy())
SPLIT = {"kind": "random", "parts": {"train": 0.8, "test": 0.2}}
ALBUMS = [f"Harbour {n}" for n in range(1, 9)]


@pytest.fixture(params=[True, False], ids=["rows copied", "all merged anew"])
async def service(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> DataSetService:
    """Where it is noted by which policy the rows were made, those that nothing new was said of are copied."""
    if request.param:
        await CatalogueState(database).set(MERGED, MERGING.policy.fingerprint(PROFILES))
    return serve(database, tmp_path / "first")


def serve(database: Database, folder: Path, merging: Merging = MERGING) -> DataSetService:
    knowledge = Knowledge(TrackSnapshots(database), merging=merging)
    return DataSetService(knowledge, DataSetFolders(folder), exports=folder / "exports", profiles=PROFILES)


def recipe(**values: Any) -> Any:
    return parse_recipe(
        {"name": "songs", "naive_gain": False, "min_features": 0, "split": SPLIT, "features": [{"kind": "numbers"}]}
        | values
    )


async def store(database: Database, *records: SourceRecord) -> str:
    return (await insert_album(AlbumRepository(database), records, merging=MERGING)).id


def song(title: str, n: int, **values: Any) -> TrackRecord:
    return TrackRecord(title=title, track_number=n, duration_ms=200_000 + n * 10_000, **values)


def liked(title: str, popularity: int, *, at: datetime = NOON) -> SourceRecord:
    """What the fans say of the tracks of an album."""
    n = ALBUMS.index(title)
    tracks = (song("Tide", 1, popularity=popularity), song(f"Quay {n}", 2, popularity=popularity))
    return said("fans", title, tracks=tracks, at=at)


async def fill(database: Database) -> dict[str, str]:
    """Albums of a shop, some of fans and the commons too; ids by title."""
    found = {}
    for n, title in enumerate(ALBUMS):
        tracks = (
            song("Tide", 1, isrc=f"XX00000000{n // 2}", audio_features={"energy": 0.1 + n / 100, "tempo": 99.95}),
            song(f"Quay {n}", 2, tags=(Tag(name="rock", weight=1.0, level="track"),), explicit=n % 2 == 0),
        )
        more = [liked(title, n)] if n % 2 else []
        free = [said("commons", title, release_date=f"{1990 + n}-05")] if n % 3 else []
        found[title] = await store(database, said("shop", title, tracks=tracks, release_date="2001"), *more, *free)
    return found


async def build(service: DataSetService, **values: Any) -> Manifest:
    return (await service.build(recipe(**values))).manifest


async def then(database: Database, first: Manifest, folder: Path, **values: Any) -> Manifest:
    """The same built again, elsewhere, as of the first one's moment."""
    found = await build(serve(database, folder), as_of=first.watermark, **values)
    assert found.watermark == first.watermark
    return found


FILTERS: list[dict[str, Any]] = [
    {"rights": "any", "one_per_recording": True},
    {"rights": "open", "artist": "the amber lanterns", "year_from": 1990, "q": "harbour", "estimates": False},
]


@pytest.mark.parametrize("asked", FILTERS, ids=lambda f: str(f["rights"]))
async def test_after_a_refresh_the_past_is_as_it_was_to_the_byte(
    database: Database, service: DataSetService, tmp_path: Path, asked: dict[str, Any]
) -> None:
    await fill(database)
    first = await build(service, filter=asked)
    await store(database, said("shop", ALBUMS[0], tracks=(song("Tide", 1, isrc="XX999"), song("New song", 2))))
    await store(database, liked(ALBUMS[1], 99))
    await store(database, said("commons", ALBUMS[2], release_date="1950"))
    await store(database, said("commons", "Another album"), said("shop", "Another album"))
    after = await build(service, filter=asked)
    assert after.fingerprint != first.fingerprint
    again = await then(database, first, tmp_path / "again", filter=asked)
    assert (again.fingerprint, again.files) == (first.fingerprint, first.files)
    assert (await then(database, after, tmp_path / "after", filter=asked)).fingerprint == after.fingerprint
    kept = json.loads((tmp_path / "again" / again.fingerprint / "recipe.json").read_text())
    assert "as_of" not in kept
    assert again.lost == ()
    assert again.policy == MERGING.policy.fingerprint(PROFILES)


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_stored_every_earlier_moment_can_be_read_again(database: Database, seed: int) -> None:
    """Tables of all columns, not data sets: recordings that merge and part, tracks that come and go, at all levels."""
    chance = random.Random(seed)
    snapshots = TrackSnapshots(database)
    policy = MERGING.policy.fingerprint(PROFILES)
    await CatalogueState(database).set(MERGED, policy)
    filters = [TrackFilter(rights=level) for level in RightsLevel] + [TrackFilter(one_per_recording=True)]
    seen: list[tuple[TrackFilter, Snapshot]] = []
    for _ in range(6):
        for _ in range(5):
            await store(database, anything(chance))
        seen += [(f, await asyncio.to_thread(partial(snapshots.now, f, columns=FLAT_COLUMNS))) for f in filters]
    for f, before in seen:
        for copy in (True, False):
            found = await asyncio.to_thread(
                partial(
                    snapshots.at, f, moment=before.moment, merge=lambda i, r: MERGING.levels(r, album_id=i), policy=policy,
                    is_same_model=copy, columns=FLAT_COLUMNS,
                )
            )  # fmt: skip
            assert found.tracks.equals(before.tracks)
    whole = seen[-4][1].tracks
    assert any(a != b for a, b in zip(*(whole.column(c).to_pylist() for c in ("id", "recording_id")), strict=True))


def anything(chance: random.Random) -> SourceRecord:
    """Something that somebody may say of one of few albums."""
    tracks = tuple(
        TrackRecord(
            title=chance.choice(("Tide", "Quay", "Pier", "Mole")), track_number=n,
            duration_ms=chance.choice((None, 200_000, 202_000, 204_000, 215_000)),
            isrc=chance.choice((None, "XXA012600001", "XXA012600002")), popularity=chance.choice((None, 5, 50)),
            audio_features={"energy": chance.random(), "tempo": chance.uniform(60, 200)} if chance.random() < 0.7 else {},
            tags=tuple(Tag(name=t, weight=chance.random(), level="track") for t in ("rock", "mellow") if chance.random() < 0.5),
        )
        for n in range(1, chance.randint(2, 5))
    )  # fmt: skip
    source = chance.choice(("shop", "fans", "commons"))
    return said(
        source, chance.choice(ALBUMS[:5]), tracks=tracks, at=datetime.now(UTC),
        release_date=chance.choice((None, "1999", "2004-02", "2004-02-29")),
    )  # fmt: skip


async def test_what_was_asked_for_before_and_stored_after_was_not_known(
    database: Database, service: DataSetService, tmp_path: Path
) -> None:
    await fill(database)
    asked_at = datetime.now(UTC)
    first = await build(service)
    await store(database, liked(ALBUMS[1], 77, at=asked_at - timedelta(hours=1)))
    assert (await build(service)).fingerprint != first.fingerprint
    assert (await then(database, first, tmp_path / "again")).fingerprint == first.fingerprint


async def test_who_is_storing_is_waited_for_and_is_in_it(database: Database, service: DataSetService) -> None:
    await fill(database)
    async with database.transaction() as storing:
        await storing.execute("SELECT pg_advisory_xact_lock_shared($1)", BULK_LOCK)
        building = asyncio.create_task(build(service))
        async with asyncio.timeout(60):
            while not await waiting(database):
                await asyncio.sleep(0.01)
        moment = await storing.fetchval("SELECT clock_timestamp()")
    assert (await building).watermark > moment


async def waiting(database: Database) -> bool:
    async with database.connection() as connection:
        return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"))


async def test_moments_that_cannot_be_read_say_why(database: Database, service: DataSetService, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="nothing is kept at all"):
        await build(service, as_of="2026-01-01T00:00:00Z")
    await fill(database)
    with pytest.raises(InvalidInputError, match=r"is to come, it is .* give a past moment"):
        await build(service, as_of="2999-01-01T00:00:00Z")
    with pytest.raises(InvalidInputError, match=r"nothing of what was known then is there: what is kept begins at 20"):
        await build(service, as_of="1999-01-01T00:00:00+02:00")
    assert not (tmp_path / "first").exists() or not list((tmp_path / "first").iterdir())


@pytest.mark.parametrize(
    ("moment", "says"),
    [
        ("2026-01-05", "as_of=2026-01-05 names no time zone; write 2026-01-05T00:00:00Z"),
        ("2026-01-05T10:00:00", "as_of=2026-01-05T10:00:00 names no time zone; write 2026-01-05T10:00:00Z"),
        (datetime(2026, 1, 5), "as_of=2026-01-05T00:00:00 names no time zone"),  # noqa: DTZ001 - the point of it
        (date(2026, 1, 5), "as_of=2026-01-05 names no time zone; write 2026-01-05T00:00:00Z"),
        ("yesterday", "the recipe cannot be followed: Invalid RFC3339 encoded datetime"),
        (5, "the recipe cannot be followed: Expected `datetime | null`, got `int`"),
    ],
)
def test_a_moment_has_a_time_zone(moment: Any, says: str) -> None:
    with pytest.raises(InvalidInputError, match=re.escape(says)):
        recipe(as_of=moment)


async def test_what_was_removed_since_is_gone_and_said_to_be(
    database: Database, service: DataSetService, tmp_path: Path
) -> None:
    albums = await fill(database)
    first = await build(service)
    late = await store(database, said("shop", "Added later"))
    await AlbumRemoval(database).album(late)
    assert (await then(database, first, tmp_path / "before")).lost == ()
    await AlbumRemoval(database).album(albums[ALBUMS[3]])
    again = await then(database, first, tmp_path / "again")
    (lost,) = again.lost
    assert (lost.source, lost.albums, lost.records) == (None, 1, 2)
    assert sum(again.parts.values()) == sum(first.parts.values()) - 2
    assert "1 albums that may have been known were removed since" in lost.said


async def test_what_was_purged_since_is_gone_and_said_to_be(
    database: Database, service: DataSetService, tmp_path: Path
) -> None:
    await fill(database)
    first = await build(service)
    await upkeep(database).purge("fans")
    again = await then(database, first, tmp_path / "again")
    (lost,) = again.lost
    assert (lost.source, lost.albums, lost.records) == ("fans", 4, 4)
    free = await then(database, first, tmp_path / "free", filter={"rights": "open"})
    assert free.lost == ()
    tracks = pq.read_table(tmp_path / "again" / again.fingerprint / "tracks/train.parquet")
    assert not [p for p in tracks.column("provenance").to_pylist() if "fans" in p]
    for source in ("shop", "commons"):
        await upkeep(database).purge(source)
    with pytest.raises(
        InvalidInputError, match=r"nothing is kept at all; what commons said of \d albums was purged since"
    ):
        await build(service, as_of=first.watermark)


async def test_the_policy_and_the_rights_of_now_count_and_are_named(
    database: Database, service: DataSetService, tmp_path: Path
) -> None:
    await fill(database)
    first = await build(service)
    believed = replace(MERGING, policy=MergePolicy(order={"popularity": ("-fans",)}))
    then_ = serve(database, tmp_path / "other", believed)
    again = await build(then_, as_of=first.watermark)
    assert again.policy == believed.policy.fingerprint(PROFILES) != MERGING.policy.fingerprint(PROFILES)

    def known(folder: str, manifest: Manifest) -> int:
        path = tmp_path / folder / manifest.fingerprint / "tracks/train.parquet"
        return int(pc.count(pq.read_table(path).column("popularity")).as_py())

    assert known("first", first) > 0
    assert known("other", again) == 0
