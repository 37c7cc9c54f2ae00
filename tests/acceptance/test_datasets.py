"""Data sets over HTTP and the command line: from a recipe to files, and features of a single track."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import polars as pl

from backend.repositories.database import Database
from tests.fixtures.api import Open
from tests.integration.catalogue import fill

RECIPE = {"name": "songs", "target": "popularity", "naive_gain": False}


async def finished(api: httpx.AsyncClient, answer: httpx.Response) -> Any:
    assert answer.status_code == 202, answer.text
    where = answer.headers["location"]
    async with asyncio.timeout(120):
        while (task := (await api.get(where)).json())["state"] not in {"done", "failed"}:
            await asyncio.sleep(0.05)
    return task


async def test_from_a_recipe_to_files_and_a_single_tracks_features(open_api: Open, database: Database) -> None:
    await fill(database, albums=30)
    async with open_api(TENSOE_DEMO="off") as api:
        task = await finished(api, await api.post("/ml/datasets", json=RECIPE))
        assert (task["state"], task["is_new"], task["kind"]) == ("done", True, "build")
        again = await finished(api, await api.post("/ml/datasets", json=RECIPE))
        assert (again["result"], again["is_new"]) == (task["result"], False)
        (listed,) = (await api.get("/ml/datasets")).json()["data"]
        manifest = (await api.get("/ml/datasets/songs")).json()
        assert manifest == listed == (await api.get(f"/ml/datasets/{task['result'][:12]}")).json()
        for file in manifest["files"]:
            body = (await api.get(f"/ml/datasets/songs/files/{file['path']}")).content
            assert hashlib.sha256(body).hexdigest() == file["sha256"]
        tracks = pl.read_parquet(io.BytesIO((await api.get("/ml/datasets/songs/files/tracks/test.parquet")).content))
        features = pl.read_parquet(
            io.BytesIO((await api.get("/ml/datasets/songs/files/features/test.parquet")).content)
        )
        # As JSON has it, and as training had it: the same numbers.
        told = [
            {k: v for k, v in row.items() if k in READ} | {"release_year": row["release_year"]}
            for row in tracks.head(5).to_dicts()
        ]
        served = (await api.post("/ml/features", json={"dataset": "songs", "tracks": told})).json()
        assert served["names"] == features.columns[2:]
        np.testing.assert_array_equal(
            np.array(served["rows"], np.float32), features.head(5).drop("id", "target").to_numpy()
        )
        export = await finished(api, await api.post("/ml/datasets/songs/export", json={"form": "huggingface"}))
        assert (export["state"], export["done"]) == ("done", export["total"])
        archive = await api.get(f"/ml/datasets/exports/{export['result']}")
        assert any(name.endswith("README.md") for name in zipfile.ZipFile(io.BytesIO(archive.content)).namelist())
        assert (await api.delete("/ml/datasets/songs")).json()["fingerprint"] == task["result"]
        assert (await api.get("/ml/datasets/songs")).status_code == 404


READ = {
    "duration_ms", "track_number", "acousticness", "danceability", "energy", "instrumentalness", "liveness", "loudness",
    "speechiness", "tempo", "valence", "key", "mode", "time_signature", "genres", "moods", "explicit",
}  # fmt: skip


async def test_what_cannot_be_is_said(open_api: Open, database: Database) -> None:
    await fill(database, albums=5)
    async with open_api(TENSOE_DEMO="off") as api:
        for body, says in (
            ({"name": "Big Songs"}, "use at most 80 small letters"),
            ({"name": "a", "filter": {"genre": "x"}}, "a recipe's filter has no genre"),
            ({"name": "a", "colour": 1}, "colour"),
        ):
            answer = await api.post("/ml/datasets", json=body)
            assert answer.status_code == 422, body
            assert says in answer.json()["detail"]
        task = await finished(api, await api.post("/ml/datasets", json={"name": "a", "target": "beauty"}))
        assert task["state"] == "failed"
        assert "target='beauty' is not known" in task["detail"]
        await finished(api, await api.post("/ml/datasets", json=RECIPE))
        for tracks, says in (
            ([{"colour": "red"}], "track 1 names colour; this data set's features are computed from"),
            ([{"tempo": "fast"}], "tempo cannot be of such a value"),
        ):
            answer = await api.post("/ml/features", json={"dataset": "songs", "tracks": tracks})
            assert answer.status_code == 422
            assert says in answer.json()["detail"]
        for path in ("songs/files/..%2f..%2fetc", "songs/files/none.json", "no", "exports/..%2fx", "exports/none.zip"):
            assert (await api.get(f"/ml/datasets/{path}")).status_code == 404, path
        assert (await api.get(f"/ml/datasets/work/{'0' * 24}")).status_code == 404


def test_the_command_line(tmp_path: Path) -> None:
    environment = {**os.environ, "TENSOE_HOME": str(tmp_path / "home"), "TENSOE_DEMO": "on", "DATABASE_URL": ""}

    def tensoe(*words: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "backend.cli", *words], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    recipe = tmp_path / "songs.toml"
    recipe.write_text("target = 'tempo'\nnaive_gain = false\n")
    assert "would be empty: 0 tracks fit the filter" in tensoe("dataset", "build", str(recipe), code=2)
    assert "No data set yet: tensoe dataset build" in tensoe("dataset", "list")
    tensoe("demo", "load")
    said = tensoe("dataset", "build", str(recipe))
    assert "Built, in" in said
    assert "train" in said
    assert "Nothing has changed: it was there already" in tensoe("dataset", "build", str(recipe))
    (found,) = json.loads(tensoe("dataset", "list", "--json"))
    assert found["name"] == "songs"
    assert found["fingerprint"] in tensoe("dataset", "show", "songs")
    made = tensoe("dataset", "export", "songs", "--form", "csv", "--into", str(tmp_path / "out"))
    assert "songs-" in made
    assert "Every file is what was built." in tensoe("dataset", "check", "songs")
    assert "Data sets built before" not in tensoe("purge", "deezer", "--yes")
    told = tensoe("purge", "synthetic", "--yes")
    assert "Data sets built before still hold values of synthetic" in told
    assert f"songs {found['fingerprint'][:12]}" in told.replace("\n", " ")
    path = next((tmp_path / "home/datasets").glob("*/rights.json"))
    path.write_text("{}")
    assert "rights.json is gone or not what was built" in tensoe("dataset", "check", "songs", code=1)
    assert f"songs {found['fingerprint'][:12]}" in tensoe("purge", "deezer", "--yes").replace("\n", " ")  # who knows
    assert "Removed songs" in tensoe("dataset", "delete", "songs", "--yes")
    assert "No data set is called 'songs'" in tensoe("dataset", "show", "songs", code=1)
