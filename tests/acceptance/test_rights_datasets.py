"""Nothing of a source is seen in a data set at a level of rights that does not permit it: in no file, export or feature."""

from __future__ import annotations

import asyncio
import contextlib
import io
import sqlite3
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import duckdb
import httpx
import numpy as np
import pytest

from backend.models.ingestion_models import RightsLevel
from backend.repositories.database import Database
from tests.acceptance.marked import mislabelled, texts_of
from tests.acceptance.test_rights import LEVELS, Opened, decoded, leaks, marked_app

FORMS = ("csv", "parquet", "arrow", "ndjson", "npz", "huggingface", "croissant", "sqlite", "duckdb")
TARGETS = ("aoty_score", "genre", "tempo")
BLOCKS: list[dict[str, Any]] = [
    {"kind": "numbers", "scale": "robust"}, {"kind": "audio"}, {"kind": "multi_hot", "field": "genres", "most": 10},
    {"kind": "multi_hot", "field": "moods", "most": 10}, {"kind": "terms", "field": "title", "dimensions": 2},
    {"kind": "title_form"}, {"kind": "times", "day": "2026-01-01"}, {"kind": "artist_figures", "least": 1},
]  # fmt: skip


async def finished(client: httpx.AsyncClient, answer: httpx.Response) -> str:
    """What a build or an export came to."""
    assert answer.status_code == 202, answer.text
    async with asyncio.timeout(120):
        while (task := (await client.get(answer.headers["location"])).json())["state"] not in {"done", "failed"}:
            await asyncio.sleep(0.02)
    assert task["state"] == "done", task
    return str(task["result"])


def all_of(name: str, body: bytes, folder: Path) -> str:
    """All that a file holds as one text, whatever it is packed in."""
    if name.endswith(".npz"):
        with np.load(io.BytesIO(body)) as held:
            return "\n".join(f"{key}\n{_values(held[key])}" for key in held.files)
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            return "\n".join(f"{n}\n{all_of(n, archive.read(n), folder)}" for n in archive.namelist())
    (path := folder / "database").write_bytes(body)
    if name.endswith(".sqlite"):
        with contextlib.closing(sqlite3.connect(path)) as held_by:
            return "\n".join(held_by.iterdump())
    if name.endswith(".duckdb"):
        with duckdb.connect(str(path), read_only=True) as connection:
            tables = [row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
            return "\n".join(
                texts_of([[t, connection.sql(f'FROM "{t}"').to_arrow_table().to_pylist()] for t in tables])
            )
    return decoded(body)


def _values(array: Any) -> str:
    return bytes(array).decode("utf-8", "replace") if array.dtype == np.uint8 else "\n".join(texts_of(array.tolist()))


async def shown(app: Opened, level: RightsLevel, target: str | None) -> AsyncIterator[tuple[str, str]]:
    """Everything that a data set of a level, its exports and its served features show."""
    recipe = {
        "name": f"songs-{level}", "target": target, "filter": {"rights": level.value}, "features": BLOCKS,
        "split": {"kind": "random"}, "naive_gain": False, "min_features": 0,
    }  # fmt: skip
    named = await finished(app.client, await app.client.post("/ml/datasets", json=recipe))
    manifest = await app.client.get(f"/ml/datasets/{named}")
    yield "manifest", manifest.text
    yield "list", (await app.client.get("/ml/datasets")).text
    for path in ["manifest.json", *(f["path"] for f in manifest.json()["files"])]:
        file = await app.client.get(f"/ml/datasets/{named}/files/{path}")
        assert file.status_code == 200, path
        yield path, all_of(path, file.content, app.home)
    served = await app.client.post("/ml/features", json={"dataset": named, "tracks": [{"duration_ms": 1}, {}]})
    assert served.status_code == 200, served.text
    yield "features", served.text
    for form in FORMS if target == TARGETS[-1] else ():
        name = await finished(app.client, await app.client.post(f"/ml/datasets/{named}/export", json={"form": form}))
        yield form, all_of(name, (await app.client.get(f"/ml/datasets/exports/{name}")).content, app.home)


@pytest.mark.parametrize("level", LEVELS)
async def test_no_data_set_holds_what_is_not_permitted(database: Database, tmp_path: Path, level: RightsLevel) -> None:
    async with marked_app(database, tmp_path) as app:
        permitted = "openfolk" if level is RightsLevel.OPEN else "clubnotes"
        for target in TARGETS:
            seen = set()
            async for what, text in shown(app, level, target):
                assert not leaks(app.marks, text, level), (what, target)
                if app.marks.found(permitted, text):
                    seen.add(what)
            assert seen >= {"tracks/train.parquet", "features/train.parquet", "pipeline.json", "rights.json"}
        assert seen >= set(FORMS)


async def test_a_mislabelled_source_is_noticed_in_every_form(database: Database, tmp_path: Path) -> None:
    async with marked_app(database, tmp_path, profiles=mislabelled("shopkeep")) as app:
        noticed = {
            what
            async for what, text in shown(app, RightsLevel.OPEN, "tempo")
            if leaks(app.marks, text, RightsLevel.OPEN)
        }
    assert noticed >= {"tracks/train.parquet", "features/train.parquet", "quality.json", "rights.json", *FORMS}
