from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend.cache import MemoryCache
from backend.ingestion.insert_to_supabase import Merging
from backend.ingestion.policy import MergePolicy
from backend.metrics import Metrics
from backend.models.results import TrackFilter
from backend.repositories.database import Database
from backend.repositories.track_pages import TrackPages
from backend.repositories.track_snapshots import TrackSnapshots
from backend.services.dataset_folders import DataSetFolders
from backend.services.knowledge import Knowledge
from backend.services.quality_service import QualityService
from backend.utils.errors import InvalidInputError, NotFoundError
from tests.integration.catalogue import fill
from tests.integration.test_datasets import PROFILES, recipe, serve


def reports(database: Database, folder: Path, **options: Any) -> QualityService:
    knowledge = Knowledge(TrackSnapshots(database), merging=Merging(profiles=PROFILES, policy=MergePolicy()))
    return QualityService(
        knowledge, TrackPages(database), DataSetFolders(folder), cache=MemoryCache(Metrics().cache), ttl=60, **options
    )


async def test_the_catalogue_is_told_of_as_a_data_set_is(database: Database, tmp_path: Path) -> None:
    stored = await fill(database, albums=20)
    service = reports(database, tmp_path)
    found = json.loads(await service.report(TrackFilter(), target="genre"))
    assert (found["fitting"], found["looked_at"], found["whole"], found["since"]) == (stored, stored, True, None)
    report = found["report"]
    assert report["rows"] == {"catalogue": stored}
    coverage = {c["field"]: c for c in report["coverage"]}
    assert coverage["title"]["sources"] == {"synthetic": stored}
    assert report["labels"]["known"] == {"catalogue": coverage["genres"]["known"]}
    assert report["contradictions"] == []
    assert report["drift"] is None
    await fill(database, albums=25)
    assert json.loads(await service.report(TrackFilter(), target="genre")) == found, "kept until something changes"


async def test_of_many_tracks_the_first_are_told_of(database: Database, tmp_path: Path) -> None:
    stored = await fill(database, albums=20)
    found = json.loads(await reports(database, tmp_path, most=30).report(TrackFilter()))
    assert (found["fitting"], found["looked_at"], found["whole"]) == (stored, 30, False)
    assert found["report"]["rows"] == {"catalogue": 30}


async def test_drift_is_told_since_a_data_set(database: Database, tmp_path: Path) -> None:
    await fill(database, albums=80)
    built = (await serve(database, tmp_path).build(recipe(filter={"year_to": 1990}))).manifest
    found = json.loads(await reports(database, tmp_path).report(TrackFilter(year_from=1991), since="songs"))
    assert found["since"] == built.fingerprint
    grades = {d["field"]: d["grade"] for d in found["report"]["drift"]}
    assert grades["release_year"] == "strong"


async def test_what_is_not_there_is_said(database: Database, tmp_path: Path) -> None:
    await fill(database, albums=2)
    with pytest.raises(NotFoundError, match="nothing_of_it"):
        await reports(database, tmp_path).report(TrackFilter(), since="nothing_of_it")
    with pytest.raises(InvalidInputError, match="target"):
        await reports(database, tmp_path).report(TrackFilter(), target="colour")
