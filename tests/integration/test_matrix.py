from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.config.settings import MlSettings
from backend.features.matrix import READS, build
from backend.models.results import TrackFilter
from backend.repositories.database import Database
from backend.repositories.track_reader import TrackReader
from backend.services.ml_service import Answer, MlService, get_feature_matrix
from backend.utils.errors import DatabaseError, InvalidInputError
from tests.integration.catalogue import fill

ALL = TrackFilter()
ROOT = Path(__file__).parents[2]


async def body(answer: Answer) -> bytes:
    return b"".join([chunk async for chunk in answer[1]])


def service(database: Database) -> MlService:
    return MlService(TrackReader(database), MlSettings())


@pytest.fixture
def script_settings(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a script finds in its environment."""
    monkeypatch.setenv("DATABASE_URL", database.dsn)
    monkeypatch.setenv("TENSOE_HOME", str(tmp_path))


async def test_the_matrix_of_the_database_is_that_of_its_rows(database: Database) -> None:
    await fill(database, albums=40)
    reader = TrackReader(database)
    table = await asyncio.to_thread(reader.arrow, ALL, limit=10_000, columns=READS)
    for target in ("aoty_score", "popularity", "tempo", "genre", "genre:rock", "Rock"):
        wanted = build(table, target=target)
        assert len(wanted.ids) > 20
        answer = orjson.loads(await body(await service(database).feature_matrix(ALL, limit=10_000, target=target)))
        assert answer["ids"] == wanted.ids
        assert answer["y"] == wanted.y.tolist()
        assert [column["name"] for column in answer["columns"]] == wanted.names
        np.testing.assert_array_equal(np.array(answer["X"], np.float32), wanted.X)
        assert answer["synthetic_tracks"] == len(wanted.ids)


async def test_every_form_of_training_data_holds_the_same_rows(database: Database) -> None:
    tracks = await fill(database, albums=30)
    ml = service(database)
    bodies = {
        form: await body(await ml.training_data(ALL, limit=10_000, form=form))
        for form in ("json", "ndjson", "csv", "arrow", "parquet")
    }
    ids = [row["id"] for row in orjson.loads(bodies["json"])]
    assert len(ids) == tracks
    assert ids == sorted(ids)
    assert [orjson.loads(line)["id"] for line in bodies["ndjson"].splitlines()] == ids
    assert pa.ipc.open_stream(bodies["arrow"]).read_all().column("id").to_pylist() == ids
    assert pq.read_table(io.BytesIO(bodies["parquet"])).column("id").to_pylist() == ids
    lines = bodies["csv"].decode().splitlines()
    assert [line.split(",", 1)[0] for line in lines[1:]] == ids


async def test_a_reader_that_goes_away_leaves_no_connection_behind(database: Database) -> None:
    await fill(database, albums=300)
    ml = service(database)
    for form in ("arrow", "parquet", "json", "csv"):
        answer = await ml.training_data(ALL, limit=10_000, form=form)
        await anext(answer[1])
        await answer[1].aclose()  # type: ignore[attr-defined]  # an async generator
    async with asyncio.timeout(20), database.connection() as connection:
        while await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        ):
            await asyncio.sleep(0.02)


async def test_an_empty_catalogue_gives_an_empty_matrix(database: Database, script_settings: None) -> None:
    answer = orjson.loads(await body(await service(database).feature_matrix(ALL, limit=10)))
    assert (answer["n_tracks"], answer["X"], answer["n_features"]) == (0, [], 50)
    x, y = get_feature_matrix()
    assert x.shape == (0, 50)
    assert len(y) == 0


async def test_a_script_gets_the_matrix_inside_a_running_loop(database: Database, script_settings: None) -> None:
    await fill(database, albums=30)
    x, y = get_feature_matrix(limit=50, target="popularity", genres=5, moods=2)
    assert x.shape == (50, 55)  # 48 without popularity, 5 genres, 2 moods
    assert "popularity" not in x.columns
    assert y.name == "popularity"
    assert y.between(0, 100).all()
    assert list(x.index) == list(y.index) == sorted(x.index)
    thin, again = get_feature_matrix(limit=50, target="popularity", genres=5, moods=2, sparse=True)
    sparse: Any = thin.sparse
    pd.testing.assert_frame_equal(sparse.to_dense(), x)
    pd.testing.assert_series_equal(again, y)
    assert sparse.to_coo().nnz == np.count_nonzero(x)
    with pytest.raises(InvalidInputError, match="choose one of"):
        get_feature_matrix(target="nonsense")
    with pytest.raises(InvalidInputError, match="ML_FEATURE_MATRIX_LIMIT"):
        get_feature_matrix(limit=20_001)


async def test_the_promised_lines_work_as_a_script(database: Database, tmp_path: Path) -> None:
    await fill(database, albums=10)
    lines = "from backend.services.ml_service import get_feature_matrix\nX, y = get_feature_matrix(limit=10000)\n"
    lines += "print(len(X) == len(y) > 0, type(X).__name__, type(y).__name__)"
    environment = {**os.environ, "DATABASE_URL": database.dsn, "TENSOE_HOME": str(tmp_path)}
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", lines],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "True DataFrame Series", done.stderr


async def test_a_database_without_tables_is_told_in_words(database: Database, script_settings: None) -> None:
    async with database.transaction() as connection:
        await connection.execute("ALTER TABLE enhanced_tracks RENAME TO away")
    try:
        with pytest.raises(DatabaseError, match=r"backend\.startup"):
            get_feature_matrix(limit=10)
    finally:
        async with database.transaction() as connection:
            await connection.execute("ALTER TABLE away RENAME TO enhanced_tracks")


def test_importing_the_services_imports_nothing_heavy() -> None:
    heavy = "{'pandas', 'sklearn', 'pyarrow', 'polars', 'adbc_driver_postgresql'}"
    code = f"import sys, backend.services.export_service; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
