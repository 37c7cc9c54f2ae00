"""Learning from what is stored: measured and permitted values alone, one model per level, estimates put in place at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from backend.features.estimate import Estimator
from backend.ingestion.insert_to_supabase import Merging
from backend.ingestion.merger import merge_levels
from backend.ingestion.policy import MergePolicy
from backend.ingestion.source import SourceProfile
from backend.models.ingestion_models import (
    AUDIO_FEATURES,
    AlbumRecord,
    RightsLevel,
    SourceRecord,
    Tag,
    TrackRecord,
)
from backend.repositories.album_store import AlbumRepository
from backend.repositories.catalogue_state import CatalogueState
from backend.repositories.database import Database
from backend.repositories.feature_models import FeatureModels
from backend.repositories.measured_tracks import MeasuredTracks
from backend.repositories.remerging import Remerging
from backend.repositories.storage import Storage
from backend.services.estimates import Estimates
from backend.services.feature_service import FeatureService
from backend.services.upkeep_service import UpkeepService
from backend.utils.errors import InvalidInputError
from tests.integration import catalogue
from tests.integration.test_upkeep import NOON, PROFILES
from tests.unit.features.songs import songs

ANY, NONCOMMERCIAL, OPEN = RightsLevel.ANY, RightsLevel.NONCOMMERCIAL, RightsLevel.OPEN
GIVES = {**PROFILES["shop"].gives, "explicit": 1.0}
SOURCES = {name: replace(profile, gives=GIVES) for name, profile in PROFILES.items()}


def records(table: pa.Table, *, source: str) -> list[SourceRecord]:
    """An album per artist, as the source says it."""
    found = []
    for artist in pc.unique(table.column("artist")).to_pylist():
        rows = table.filter(pc.equal(table.column("artist"), artist)).to_pylist()
        tracks = tuple(
            TrackRecord(
                title=f"Song {i}", track_number=i, duration_ms=row["duration_ms"], popularity=row["popularity"],
                explicit=row["explicit"],
                audio_features={f: row[f] for f in AUDIO_FEATURES if row[f] is not None},
                tags=tuple(Tag(name=name, weight=1.0, level="track") for name in row["genres"]),
            )
            for i, row in enumerate(rows, 1)
        )  # fmt: skip
        album = AlbumRecord(
            title=f"Album of {artist}", artist=artist, release_date=str(rows[0]["release_year"]), tracks=tracks
        )
        found.append(SourceRecord(source=source, rights=SOURCES[source].rights, fetched_at=NOON, album=album))
    return found


async def store(database: Database, said: list[SourceRecord], *, profiles: dict[str, SourceProfile] = SOURCES) -> None:
    items = [(merge_levels([r], profiles, album_id=None, policy=MergePolicy()), [r]) for r in said]
    await AlbumRepository(database).save_many(items)


@pytest.fixture
async def service(database: Database) -> FeatureService:
    async def stored() -> None:
        return None

    models, policy = FeatureModels(database), MergePolicy()
    estimates = Estimates(models, policy)
    merging = Merging(profiles=SOURCES, policy=policy, estimate=estimates, prepare=estimates.prepare)
    upkeep = UpkeepService(
        Remerging(database),
        Storage(database),
        CatalogueState(database),
        FeatureModels(database),
        merging=merging,
        stored=stored,
    )
    return FeatureService(MeasuredTracks(database), models, estimates, rebuild=upkeep.rebuild)


async def known(database: Database, feature: str, table: str = "enhanced_tracks") -> tuple[int, int, int]:
    """How many tracks there are, know the feature, and have it as an estimate."""
    async with database.connection() as connection:
        row: Any = await connection.fetchrow(
            f"SELECT count(*), count({feature}), count(*) FILTER (WHERE estimates ? '{feature}') FROM {table}"
        )
    return tuple(row)


async def test_each_level_learns_from_its_own_measured_values_alone(
    database: Database, service: FeatureService
) -> None:
    await store(database, records(songs(32, seed=1, prefix="free"), source="commons"))
    bought = songs(32, seed=2, prefix="bought")
    loud = bought.set_column(bought.schema.get_field_index("valence"), "valence", pa.array([0.99] * bought.num_rows))
    await store(database, records(loud, source="shop"))
    bare = songs(4, seed=3, prefix="bare", unknown=1.0)
    await store(database, records(bare, source="commons"))
    free = songs(32, seed=1, prefix="free").num_rows

    learnt = await service.fit(OPEN)
    assert learnt.report["rows"] == free  # nothing that was bought
    assert {m.rights: m.digest for m in await service.models()} == {OPEN: learnt.digest}
    everything, known_of, estimated = await known(database, "valence", "tracks_open")
    assert known_of == everything == free + bare.num_rows
    assert estimated == bare.num_rows
    # What was bought says that valence is 0.99 everywhere: nothing learnt from open values alone can.
    async with database.connection() as connection:
        highest = await connection.fetchval("SELECT max(valence) FROM tracks_open WHERE estimates ? 'valence'")
    assert highest < 0.9

    again = await service.fit(ANY)
    assert again.report["rows"] == free + bought.num_rows  # not one estimate among them
    assert {m.rights for m in await service.models()} == {OPEN, ANY}
    async with database.connection() as connection:
        means = await connection.fetchrow(
            "SELECT (SELECT avg(valence) FROM enhanced_tracks WHERE estimates ? 'valence') AS whole, "
            "(SELECT avg(valence) FROM tracks_open WHERE estimates ? 'valence') AS open"
        )
    assert means["whole"] > means["open"] + 0.1


async def test_measured_values_stay_and_forgetting_takes_estimates_back(
    database: Database, service: FeatureService
) -> None:
    half = songs(34, seed=4, unknown=0.3)
    await store(database, records(half, source="commons"))
    before = await known(database, "energy")
    assert before[2] == 0
    assert 0 < before[1] < before[0]
    seen: list[tuple[int, int]] = []
    await service.fit(OPEN, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (34, 34)
    assert await known(database, "energy") == (before[0], before[0], before[0] - before[1])
    assert (await known(database, "key"))[2] == 0
    table = MeasuredTracks(database).read(OPEN)
    assert table.num_rows - table.column("energy").null_count == before[1]
    forgotten = await service.forget(OPEN)
    assert forgotten is not None
    assert forgotten.changed > 0
    assert await known(database, "energy") == before
    assert await service.models() == []
    assert await service.forget(OPEN) is None


async def test_the_stored_model_is_the_one_reported(database: Database, service: FeatureService) -> None:
    await store(database, records(songs(34, seed=5), source="fans"))
    learnt = await service.learn(NONCOMMERCIAL, seed=2)
    data = await FeatureModels(database).load(NONCOMMERCIAL)
    assert data is not None
    found = Estimator.loads(data)
    assert found.id == learnt.digest
    (model,) = await service.models()
    assert model.report == learnt.report
    assert {line["feature"] for line in model.report["lines"]} == set(found.features)
    assert (await service.learn(NONCOMMERCIAL, seed=2)).digest == learnt.digest


async def test_a_model_that_cannot_be_read_stops_nothing(database: Database, service: FeatureService) -> None:
    await store(database, records(songs(34, seed=7, unknown=0.2), source="commons"))
    models = FeatureModels(database)
    await models.save(ANY, digest="older", model=b"tensoe estimates 0\n", report={})
    assert (await service.estimate()).albums == 34
    assert (await known(database, "energy"))[2] == 0
    await service.fit(OPEN)  # beside it; and it serves where the other can't
    assert (await known(database, "energy"))[2] > 0


async def test_too_few_rows_and_made_up_ones_teach_nothing(database: Database, service: FeatureService) -> None:
    await catalogue.fill(database, albums=60)
    await store(database, records(songs(34, seed=6), source="shop"))
    with pytest.raises(InvalidInputError, match=r"rights=open 0 tracks .* at least 250 tracks of 20 artists"):
        await service.fit(OPEN)
    assert await service.models() == []
    assert MeasuredTracks(database).read(ANY).num_rows == songs(34, seed=6).num_rows
