"""Estimates where nobody measured: marked, with intervals, at each level from its own model; on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from backend.features.estimate import Estimator, fit
from backend.ingestion.insert_to_supabase import Merging, insert_album
from backend.ingestion.policy import MergePolicy
from backend.models.ingestion_models import RightsLevel, SourceRecord, Tag, TrackRecord
from backend.models.results import TrackFilter
from backend.repositories.album_store import AlbumRepository
from backend.repositories.catalogue_state import CatalogueState
from backend.repositories.database import Database
from backend.repositories.feature_models import FeatureModels
from backend.repositories.remerging import Remerging
from backend.repositories.storage import Storage
from backend.repositories.track_columns import FLAT_COLUMNS
from backend.repositories.track_snapshots import Snapshot, TrackSnapshots
from backend.services.estimates import Estimates
from backend.services.knowledge import Knowledge
from backend.services.upkeep_service import UpkeepService
from backend.utils.errors import InvalidInputError
from tests.integration.test_upkeep import PROFILES, everything, said
from tests.unit.features.songs import songs

OPEN, ANY = RightsLevel.OPEN, RightsLevel.ANY


@pytest.fixture(scope="module")
def model() -> Estimator:
    return fit(songs(60))


@pytest.fixture(scope="module")
def other(model: Estimator) -> Estimator:
    return fit(songs(50, seed=9), seed=3)


async def merging(database: Database, policy: MergePolicy | None = None, **models: Estimator) -> Merging:
    store = FeatureModels(database)
    for level, fitted in models.items():
        await store.save(RightsLevel(level), digest=fitted.id, model=fitted.dumps(), report={"n": 1})
    chosen = policy or MergePolicy()
    estimates = Estimates(store, chosen)
    await estimates.prepare()
    return Merging(profiles=PROFILES, policy=chosen, estimate=estimates, prepare=estimates.prepare)


def unmeasured(source: str, **features: float) -> SourceRecord:
    rock = (Tag(name="rock", weight=1.0, level="track"),)
    track = TrackRecord(title="Tide", track_number=1, duration_ms=200_000, tags=rock, audio_features=features)
    return said(source, tracks=(track,), release_date="1999")


async def rows(database: Database, table: str = "enhanced_tracks") -> Sequence[Any]:
    async with database.connection() as connection:
        found: Sequence[Any] = await connection.fetch(
            f"SELECT energy, danceability, key, estimates::text, provenance FROM {table} ORDER BY track_number"
        )
    return found


async def test_what_nobody_measured_is_estimated_and_marked(database: Database, model: Estimator) -> None:
    made = await insert_album(
        AlbumRepository(database), [unmeasured("shop", energy=0.4)], merging=await merging(database, any=model)
    )
    (track,) = made.tracks
    assert track.audio_features["energy"] == 0.4
    assert track.provenance["energy"] == "shop"
    assert "energy" not in track.estimates
    low, high = track.estimates["danceability"]
    assert 0 <= low <= track.audio_features["danceability"] <= high <= 1
    assert track.provenance["danceability"] == "estimate"
    assert "key" not in track.audio_features
    ((energy, danceability, key, marked, _),) = await rows(database)
    assert (energy, key) == (pytest.approx(0.4), None)
    assert danceability == pytest.approx(track.audio_features["danceability"], abs=1e-6)
    assert '"danceability"' in marked


async def test_without_a_model_nothing_is_estimated(database: Database) -> None:
    await insert_album(AlbumRepository(database), [unmeasured("shop")], merging=await merging(database))
    ((energy, *_, marked, _),) = await rows(database)
    assert (energy, marked) == (None, "{}")


async def test_each_level_has_a_model_learnt_at_it_or_below(
    database: Database, model: Estimator, other: Estimator
) -> None:
    records = [unmeasured("shop"), unmeasured("commons")]
    levels = (await merging(database, any=model, open=other)).levels(records, album_id=None)
    whole, free = (levels[level].tracks[0].audio_features for level in (ANY, OPEN))
    assert whole != free
    # What was learnt from open values may serve at every level; what was learnt from all at none below.
    await FeatureModels(database).remove(ANY)
    levels = (await merging(database)).levels(records, album_id=None)
    assert levels[ANY].tracks[0].audio_features == levels[OPEN].tracks[0].audio_features == free
    await FeatureModels(database).remove(OPEN)
    levels = (await merging(database, any=model)).levels(records, album_id=None)
    assert levels[ANY].tracks[0].audio_features == whole
    assert levels[OPEN].tracks[0].audio_features == {}


async def test_a_policy_may_leave_estimates_out(database: Database, model: Estimator) -> None:
    policy = MergePolicy(order={"valence": ("-estimate",), "audio_features": ()})
    made = await insert_album(
        AlbumRepository(database), [unmeasured("shop")], merging=await merging(database, policy, any=model)
    )
    assert "valence" not in made.tracks[0].audio_features
    assert "energy" in made.tracks[0].audio_features


async def test_a_new_model_is_taken_up_by_rebuilding_and_then_stays_the_same(
    database: Database, model: Estimator
) -> None:
    await insert_album(AlbumRepository(database), [unmeasured("shop")], merging=await merging(database))
    chosen = await merging(database, any=model)

    async def stored() -> None:
        return None

    upkeep = UpkeepService(
        Remerging(database),
        Storage(database),
        CatalogueState(database),
        FeatureModels(database),
        merging=chosen,
        stored=stored,
    )
    assert (await upkeep.rebuild()).changed == 1
    before = await everything(database)
    assert (await upkeep.rebuild()).changed == 0
    assert await everything(database) == before
    ((energy, *_),) = await rows(database)
    assert energy is not None


async def test_purging_a_source_takes_the_models_that_were_learnt_from_it(
    database: Database, model: Estimator, other: Estimator
) -> None:
    chosen = await merging(database, any=model, noncommercial=model, open=other)
    records = [unmeasured("shop"), unmeasured("commons")]
    await insert_album(AlbumRepository(database), records, merging=chosen)
    before = (await rows(database))[0]["danceability"]

    async def stored() -> None:
        return None

    models = FeatureModels(database)
    upkeep = UpkeepService(
        Remerging(database), Storage(database), CatalogueState(database), models, merging=chosen, stored=stored
    )
    await upkeep.purge("fans")  # noncommercial: the open model saw nothing of it
    assert list(await models.digests()) == [RightsLevel.OPEN]
    ((_, danceability, _, marked, _),) = await rows(database)
    assert danceability != before
    assert "danceability" in marked
    await upkeep.purge("commons")
    assert await models.digests() == {}
    ((_, danceability, _, marked, _),) = await rows(database)
    assert (danceability, marked) == (None, "{}")


async def test_the_past_has_the_estimates_of_its_model(database: Database, model: Estimator, other: Estimator) -> None:
    chosen = await merging(database, any=model)
    assert isinstance(chosen.estimate, Estimates)
    for n in range(3):
        await insert_album(AlbumRepository(database), [unmeasured("shop", energy=n / 4)], merging=chosen)
    known = Knowledge(TrackSnapshots(database), merging=chosen, estimates=chosen.estimate)

    async def read(as_of: datetime | None = None, *, estimates: bool = True) -> Snapshot:
        return await known.tracks(TrackFilter(estimates=estimates), as_of=as_of, columns=FLAT_COLUMNS)

    async def stored() -> None:
        return None

    upkeep = UpkeepService(
        Remerging(database), Storage(database), CatalogueState(database), FeatureModels(database),
        merging=chosen, stored=stored,
    )  # fmt: skip
    await upkeep.rebuild()  # notes the policy: rows are copied where the model is the same
    first, measured = await read(), await read(estimates=False)
    assert (await read(first.moment)).tracks.equals(first.tracks)
    await merging(database, any=other)
    await upkeep.rebuild()
    second = await read()
    assert not second.tracks.equals(first.tracks)
    await FeatureModels(database).remove(ANY)
    await upkeep.rebuild()
    third = await read()
    assert set(third.tracks.column("estimates").to_pylist()) == {"{}"}
    for before in (first, second, third):
        assert (await read(before.moment)).tracks.equals(before.tracks)
    assert "estimate" not in str(measured.tracks.column("provenance").to_pylist())
    await upkeep.purge("fans")  # which the models of the level may have been learnt from
    with pytest.raises(InvalidInputError, match=r"cannot be used any more: it was purged .* estimates = false"):
        await read(first.moment)
    assert (await read(first.moment, estimates=False)).tracks.equals(measured.tracks)
