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
from tests.integration.test_datasets import say_otherwise

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
        # As JSON has it, and as training had it: the same numbers, whatever else is told of a track.
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


async def test_the_past_and_what_changed_since(open_api: Open, database: Database) -> None:
    await fill(database, albums=30)
    async with open_api(TENSOE_DEMO="off") as api:
        first = (await finished(api, await api.post("/ml/datasets", json=RECIPE)))["result"]
        moment = (await api.get(f"/ml/datasets/{first}")).json()["watermark"]
        await say_otherwise(database)
        after = (await finished(api, await api.post("/ml/datasets", json=RECIPE)))["result"]
        again = await finished(api, await api.post("/ml/datasets", json={**RECIPE, "as_of": moment}))
        assert (again["result"], again["is_new"]) == (first, False)
        assert after != first
        told = (await api.get(f"/ml/datasets/{first}/diff/songs", params={"limit": 3})).json()
        assert (told["before"], told["after"], told["same"]) == (first, after, False)
        tempo = next(f for f in told["fields"] if f["field"] == "tempo")
        assert [c["why"] for c in tempo["why"]] == ["source"]
        assert len(tempo["shown"]) == 3
        assert {v["after"] for v in tempo["shown"]} == {"60.0"}
        assert told["reasons"]["source"] == "a source says something else"
        table = pl.read_csv((await api.get(f"/ml/datasets/{first}/diff/songs", params={"form": "csv"})).content)
        shown = table.filter((pl.col("kind") == "value") & (pl.col("name") == "tempo") & pl.col("rows").is_not_null())
        assert shown["rows"].sum() == tempo["rows"]
        drifted = (await api.get(f"/ml/datasets/{first}/drift/songs")).json()
        assert {d["field"]: d["grade"] for d in drifted["report"]["drift"]}["tempo"] == "strong"
        page = await api.get(f"/ml/datasets/{first}/drift/songs", params={"form": "html"})
        assert page.headers["content-type"].startswith("text/html")
        assert "tempo changed since the earlier data set" in page.text
        for as_of, says in (("2026-01-05", "names no time zone"), ("soon", "as_of")):
            answer = await api.post("/ml/datasets", json={**RECIPE, "as_of": as_of})
            assert answer.status_code == 422
            assert says in answer.text
        for as_of, says in (("2999-01-01T00:00:00Z", "is to come"), ("1999-01-01T00:00:00Z", "what is kept begins at")):
            task = await finished(api, await api.post("/ml/datasets", json={**RECIPE, "as_of": as_of}))
            assert task["state"] == "failed"
            assert says in task["detail"]
        assert (await api.get("/ml/datasets/songs/diff/none")).status_code == 404
        assert (await api.get("/ml/datasets/songs/diff/songs", params={"limit": -1})).status_code == 422


READ = {
    "title", "artist", "album", "aoty_score", "duration_ms", "track_number", "acousticness", "danceability", "energy",
    "instrumentalness", "liveness", "loudness", "speechiness", "tempo", "valence", "key", "mode", "time_signature",
    "genres", "moods", "explicit",
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
    assert "There is no build of songs before this one" in tensoe("dataset", "diff", "songs", code=1)
    kept = tmp_path / "home/datasets" / found["fingerprint"] / "recipe.json"
    again = tensoe("dataset", "build", str(kept), "--as-of", found["watermark"])
    assert "Nothing has changed: it was there already" in again
    assert "names no time zone" in tensoe("dataset", "build", str(recipe), "--as-of", "2026-01-05", code=2)
    recipe.write_text("target = 'tempo'\nnaive_gain = false\nmin_features = 8\n[filter]\nyear_from = 1990\n")
    tensoe("dataset", "build", str(recipe))
    said = tensoe("dataset", "diff", "songs")
    assert "filter.year_from: null → 1990" in said
    assert ": the recipe asks for something else" in said
    told = json.loads(tensoe("dataset", "diff", found["fingerprint"][:12], "songs", "--json", "--limit", "0"))
    assert told["rows_before"] - told["rows_after"] == told["went"]["rows"] > 0
    page = tmp_path / "drift.html"
    assert "release_year" in tensoe("dataset", "drift", "songs", "--html", str(page))
    assert "release_year changed since the earlier data set" in page.read_text()
    tensoe("dataset", "delete", "songs", "--yes")
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
