"""`tensoe features` as its own process: learn, say how good it is, forget."""

from __future__ import annotations

from backend.ingestion.merger import merge_levels
from backend.ingestion.policy import MergePolicy
from backend.ingestion.registry import build_sources
from backend.repositories.album_store import AlbumRepository
from backend.repositories.database import Database
from tests.acceptance.test_cli import Cli, tensoe  # noqa: F401  # the fixture
from tests.integration.test_feature_service import records
from tests.unit.features.songs import songs


async def test_learning_reporting_and_forgetting(tensoe: Cli, database: Database) -> None:  # noqa: F811  # the fixture
    assert "No model has been learnt; `tensoe features fit` does it." in tensoe("features", "report")
    profile = next(s.profile for s in build_sources() if s.profile.name == "spotify")
    said = [
        r.__class__(source=profile.name, rights=profile.rights, fetched_at=r.fetched_at, album=r.album)
        for r in records(songs(34, seed=4, unknown=0.2), source="shop")
    ]
    items = [(merge_levels([r], {profile.name: profile}, album_id=None, policy=MergePolicy()), [r]) for r in said]
    await AlbumRepository(database).save_many(items)

    refused = tensoe("features", "fit", "--rights", "open", code=2)
    assert "With rights=open 0 tracks of 0 artists have a measured audio feature that may be used" in refused
    shown = tensoe("features", "fit")
    assert "Estimates, rights=any" in shown
    assert "34 albums made anew, 34 of them changed." in shown
    for word in ("energy", "time_signature", "no audio feature known", "tempo, loudness, key known", "90 % interval"):
        assert word in shown
    (model,) = tensoe.json("features", "report")
    assert model["rights"] == "any"
    assert model["report"]["rows"] == sum(len(r.album.tracks) for r in said)
    assert "Estimates, rights=any" in tensoe("features", "report")
    assert "No model of rights=open is stored." in tensoe("features", "forget", "--rights", "open")
    assert "is gone; 34 albums changed." in tensoe("features", "forget")
    assert tensoe.json("features", "report") == []
