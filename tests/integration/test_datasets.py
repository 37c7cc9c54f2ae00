from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from backend.features.pipeline import TrackFeatures
from backend.ingestion.insert_to_supabase import Merging
from backend.ingestion.policy import MergePolicy
from backend.ingestion.registry import build_sources
from backend.models.datasets import Manifest
from backend.models.ingestion_models import SourceRecord
from backend.repositories.database import Database
from backend.repositories.remerging import Remerging
from backend.repositories.track_columns import FLAT_COLUMNS
from backend.repositories.track_snapshots import TrackSnapshots
from backend.services.dataset_folders import DataSetFolders
from backend.services.dataset_service import DataSetService
from backend.services.knowledge import Knowledge
from backend.services.recipes import parse_recipe, read_recipe
from backend.utils.errors import InvalidInputError, NotFoundError
from tests.integration.catalogue import fill

PROFILES = {s.profile.name: s.profile for s in build_sources()}


def serve(database: Database, folder: Path) -> DataSetService:
    knowledge = Knowledge(TrackSnapshots(database), merging=Merging(profiles=PROFILES, policy=MergePolicy()))
    return DataSetService(knowledge, DataSetFolders(folder), exports=folder / "exports", profiles=PROFILES)


@pytest.fixture
def service(database: Database, tmp_path: Path) -> DataSetService:
    return serve(database, tmp_path)


def folder_of(tmp_path: Path, manifest: Manifest) -> Path:
    return tmp_path / manifest.fingerprint


def recipe(**values: Any) -> Any:
    return parse_recipe({"name": "songs", "target": "popularity", "naive_gain": False, **values})


async def test_rows_features_and_what_tells_of_them(
    database: Database, service: DataSetService, tmp_path: Path
) -> None:
    stored = await fill(database, albums=40)
    built = await service.build(recipe())
    found, folder = built.manifest, folder_of(tmp_path, built.manifest)
    assert built.is_new
    assert (found.name, found.target, found.target_kind, found.rights) == ("songs", "popularity", "number", "any")
    assert list(found.parts) == ["train", "validation", "test"]
    assert 0 < sum(found.parts.values()) <= stored
    names = [f.name for f in found.features]
    assert "popularity" not in names
    assert "tempo" in names
    artists: list[set[str]] = []
    for part, rows in found.parts.items():
        features = pq.read_table(folder / f"features/{part}.parquet")
        tracks = pq.read_table(folder / f"tracks/{part}.parquet")
        assert features.column_names == ["id", "target", *names]
        assert tuple(tracks.column_names) == FLAT_COLUMNS
        assert features.num_rows == tracks.num_rows == rows
        assert (
            features.column("id").to_pylist()
            == tracks.column("id").to_pylist()
            == sorted(tracks.column("id").to_pylist())
        )
        assert features.column("target").to_pylist() == tracks.column("popularity").to_pylist()
        artists.append(set(tracks.column("artist").to_pylist()))
    assert not artists[0] & artists[1] | artists[0] & artists[2] | artists[1] & artists[2]
    rights = json.loads((folder / "rights.json").read_text())
    assert rights["rows"] == sum(found.parts.values())
    assert {s["source"] for s in rights["sources"]} == {"synthetic"}
    assert json.loads((folder / "quality.json").read_text())["rows"] == found.parts
    page = (folder / "quality.html").read_text()
    assert page.startswith(("<!doctype html>", "<!DOCTYPE html>"))
    assert "songs" in page or "tempo" in page


async def test_what_was_fitted_serves_a_single_track_as_in_training(
    database: Database, service: DataSetService, tmp_path: Path
) -> None:
    await fill(database, albums=30)
    folder = folder_of(tmp_path, (await service.build(recipe())).manifest)
    served = TrackFeatures.from_json(json.loads((folder / "pipeline.json").read_text()))
    tracks, features = (pq.read_table(folder / kind / "test.parquet") for kind in ("tracks", "features"))
    for i in range(min(5, tracks.num_rows)):
        row = features.slice(i, 1).drop_columns(["id", "target"])
        np.testing.assert_array_equal(served.transform(tracks.slice(i, 1))[0], [c[0].as_py() for c in row.columns])


async def test_the_features_are_learnt_from_the_first_part_alone(
    database: Database, service: DataSetService, tmp_path: Path
) -> None:
    await fill(database, albums=30)
    folder = folder_of(tmp_path, (await service.build(recipe())).manifest)
    learnt = json.loads((folder / "pipeline.json").read_text())["blocks"][0]["fitted"]["medians"]
    train = pq.read_table(folder / "tracks/train.parquet")
    assert learnt["duration_ms"] == float(np.median(train.column("duration_ms").drop_null().to_numpy()))


async def test_built_again_it_is_the_same_and_kept_once(
    database: Database, service: DataSetService, tmp_path: Path
) -> None:
    await fill(database, albums=20)
    one, two = await service.build(recipe()), await service.build(recipe())
    assert (two.is_new, two.manifest) == (False, one.manifest)
    elsewhere = await serve(database, tmp_path / "elsewhere").build(recipe())
    assert elsewhere.manifest.fingerprint == one.manifest.fingerprint
    other = await service.build(recipe(split={"kind": "artist", "seed": 1}))
    assert other.is_new
    assert other.manifest.fingerprint != one.manifest.fingerprint
    assert [m.fingerprint for m in await service.all()] == [other.manifest.fingerprint, one.manifest.fingerprint]
    assert not [p.name for p in tmp_path.iterdir() if p.name.startswith(".")]


async def test_another_process_with_another_number_of_threads_builds_the_same(
    database: Database, postgres_dsn: str, service: DataSetService, tmp_path: Path
) -> None:
    await fill(database, albums=20)
    mine = await service.build(recipe(name="songs", features=EVERY_KIND))
    written = tmp_path / "songs.toml"
    written.write_text('name = "songs"\ntarget = "popularity"\nnaive_gain = false\n' + EVERY_KIND_TOML)
    home = tmp_path / "home"
    # Once as things are, and once as they were: what was stored meanwhile has no part in it.
    for threads, more in (("1", []), ("4", ["--as-of", mine.manifest.watermark.isoformat()])):
        if more:
            await fill(database, albums=25, seed=1)
            await say_otherwise(database)
        environment = {**os.environ, "DATABASE_URL": postgres_dsn, "TENSOE_HOME": str(home), "OMP_NUM_THREADS": threads,
                       "PYTHONHASHSEED": threads, "TENSOE_DEMO": "off"}  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "backend.cli", "dataset", "build", str(written), "--json", *more],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["manifest"]["fingerprint"] == mine.manifest.fingerprint
        shutil.rmtree(home, ignore_errors=True)


async def say_otherwise(database: Database) -> None:
    """Every album's source gives other values than before."""
    merging = Merging(profiles=PROFILES, policy=MergePolicy())

    def say(_album: str, records: Sequence[SourceRecord]) -> SourceRecord:
        (record,) = records
        tracks = tuple(replace(t, popularity=1, audio_features={"tempo": 60.0}) for t in record.album.tracks)
        return replace(record, album=replace(record.album, tracks=tracks))

    async with database.connection() as connection:
        albums = [row["id"] for row in await connection.fetch("SELECT id FROM albums")]
    done = await Remerging(database).revise(albums, say, lambda i, r: merging.levels(r, album_id=i))
    assert done.changed == len(albums)


EVERY_KIND: list[dict[str, Any]] = [
    {"kind": "numbers", "scale": "robust"}, {"kind": "audio", "tempo": "folded", "key": "fifths"},
    {"kind": "multi_hot", "field": "genres", "most": 10}, {"kind": "terms", "field": "moods", "dimensions": 4},
    {"kind": "title_form"}, {"kind": "times", "day": "2026-01-01"}, {"kind": "artist_figures", "least": 2},
]  # fmt: skip
EVERY_KIND_TOML = """
[[features]]
kind = "numbers"
scale = "robust"
[[features]]
kind = "audio"
tempo = "folded"
key = "fifths"
[[features]]
kind = "multi_hot"
field = "genres"
most = 10
[[features]]
kind = "terms"
field = "moods"
dimensions = 4
[[features]]
kind = "title_form"
[[features]]
kind = "times"
day = 2026-01-01
[[features]]
kind = "artist_figures"
least = 2
"""


@pytest.mark.parametrize(
    ("target", "kind", "gone"),
    [
        ("genre", "class", "genre_"),
        ("mood:energetic", "flag", "mood_energetic"),
        ("tempo", "number", "tempo"),
        (None, None, "no such"),
    ],
)
async def test_features_show_nothing_of_the_target(
    database: Database, service: DataSetService, target: str | None, kind: str | None, gone: str
) -> None:
    await fill(database, albums=40)
    found = (await service.build(recipe(target=target))).manifest
    assert found.target_kind == kind
    assert not [f.name for f in found.features if f.name.startswith(gone)]


async def test_a_data_set_is_found_by_name_and_by_digits_and_goes_for_good(
    database: Database, service: DataSetService, tmp_path: Path
) -> None:
    await fill(database, albums=10)
    found = (await service.build(recipe())).manifest
    assert await service.find("songs") == await service.find(found.fingerprint[:8]) == found
    for unknown in ("song", found.fingerprint[:5], "0" * 64, "../songs"):
        with pytest.raises(NotFoundError, match="No data set is called"):
            await service.find(unknown)
    assert await service.damaged("songs") == []
    (tmp_path / found.fingerprint / "recipe.json").write_text("{}")
    (tmp_path / found.fingerprint / "features/test.parquet").unlink()
    assert await service.damaged("songs") == ["features/test.parquet", "recipe.json"]
    await service.remove("songs")
    assert await service.all() == []
    assert list(tmp_path.iterdir()) == []


async def test_what_cannot_be_built_leaves_nothing(database: Database, service: DataSetService, tmp_path: Path) -> None:
    with pytest.raises(
        InvalidInputError, match="the part train, which everything is learnt from, would be empty: 0 tracks"
    ):
        await service.build(recipe())
    await fill(database, albums=5)
    for wrong, says in (
        ({"target": "beauty"}, "target='beauty' is not known"),
        ({"split": {"kind": "artist", "folds": 5}}, "folds have no meaning here"),
        ({"split": {"kind": "magic"}}, "magic"),
        ({"filter": {"seen_by": "me"}}, "seen_by has no place in a recipe"),
        ({"features": [{"kind": "numbers", "fields": ["popularity"]}]}, "no block of features is left"),
    ):
        with pytest.raises(InvalidInputError, match=says):
            await service.build(recipe(**wrong))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name = 3", "Expected `str`, got `int` - at `\\$.name`"),
        ('name = "Big Songs"', "name='Big Songs' is not allowed; use at most 80 small letters"),
        ('colour = "red"', "a recipe has no colour; it may have name, target, filter"),
        ('[filter]\ngenre = "rock"', "a recipe's filter has no genre; it may have genres"),
        ("[filter]\nrights = 'all'", "Invalid enum value 'all'"),
        ("min_features = -1", "must not be negative"),
        ("name = ", "is no TOML"),
    ],
)
def test_a_recipe_that_cannot_be_followed_says_why(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "songs.toml"
    path.write_text(text)
    with pytest.raises(InvalidInputError, match=says):
        read_recipe(path)


def test_a_recipe_without_a_name_is_called_as_its_file(tmp_path: Path) -> None:
    path = tmp_path / "Songs.toml"
    path.write_text("[filter]\ngenres = ['rock']\nrights = 'open'\n[split]\nkind = 'random'\n")
    found = read_recipe(path)
    assert (found.name, found.filter.genres, found.filter.rights) == ("songs", ("rock",), "open")
    with pytest.raises(InvalidInputError, match="cannot be read"):
        read_recipe(tmp_path / "none.toml")


async def test_the_certificate_says_what_parts_share_and_what_a_random_split_would_have_gained(
    database: Database, service: DataSetService, tmp_path: Path
) -> None:
    await fill(database, albums=60)
    apart = (await service.build(recipe(naive_gain=True))).manifest
    told = json.loads((folder_of(tmp_path, apart) / "certificate.json").read_text())
    assert told["passed"]
    checks = {c["name"]: c for c in told["checks"]}
    assert checks["artist"]["expected_zero"]
    assert not checks["artist"]["shared"]
    assert checks["statistics"]["holds"]
    assert {g["score"] for g in told["naive_gain"]["gains"]} == {"r2"}
    flag = (await service.build(recipe(naive_gain=True, target="mood:energetic"))).manifest
    told = json.loads((folder_of(tmp_path, flag) / "certificate.json").read_text())
    assert {g["score"] for g in told["naive_gain"]["gains"]} == {"accuracy", "macro_f1"}
    mixed = (await service.build(recipe(split={"kind": "random"}))).manifest
    told = json.loads((folder_of(tmp_path, mixed) / "certificate.json").read_text())
    shared = next(c for c in told["checks"] if c["name"] == "artist")["shared"]
    assert sum(s["pairs"] for s in shared) > 0


async def test_the_recipe_that_stands_in_it_builds_it_again(
    database: Database, service: DataSetService, tmp_path: Path
) -> None:
    await fill(database, albums=30)
    # In this order: the first part is learnt from, whatever its name.
    parts = {"train": 0.5, "dev": 0.25, "audit": 0.25}
    built = await service.build(recipe(split={"seed": 1, "kind": "album", "parts": parts}))
    kept = read_recipe(folder_of(tmp_path, built.manifest) / "recipe.json")
    assert list(kept.split["parts"]) == list(parts)
    assert (await service.build(kept)).manifest == built.manifest
    # Nor does the order of names in the recipe count.
    again = recipe(split={"parts": parts, "kind": "album", "seed": 1})
    assert (await service.build(again)).manifest.fingerprint == built.manifest.fingerprint
