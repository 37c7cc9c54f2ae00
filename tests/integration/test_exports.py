from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import orjson
import polars as pl
import pytest

from backend.config.settings import MlSettings
from backend.ingestion.registry import build_sources
from backend.repositories.database import Database
from backend.repositories.provenances import Provenances
from backend.repositories.track_reader import TrackReader
from backend.services.export_service import ExportService
from backend.services.ml_service import MlService
from tests.integration.catalogue import fill


@pytest.fixture
def exports(database: Database, tmp_path: Path) -> ExportService:
    return ExportService(
        MlService(TrackReader(database), MlSettings()),
        tmp_path / "exports",
        provenances=Provenances(database),
        profiles={s.profile.name: s.profile for s in build_sources()},
    )


@pytest.mark.parametrize("suffix", ["csv", "parquet", "arrow", "jsonl"])
async def test_exports_can_be_read_back_whole(
    database: Database, exports: ExportService, tmp_path: Path, suffix: str
) -> None:
    tracks = await fill(database, albums=25)
    rows = await exports.training_data(f"rows.{suffix}", limit=50_000)
    matrix = await exports.feature_matrix(f"matrix.{suffix}", limit=20_000, target="tempo")
    assert rows.rows == tracks
    assert 0 < matrix.rows < tracks
    for made in (rows, matrix):
        path = tmp_path / "exports" / made.name
        assert made.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert _height(path) == made.rows
    assert [found.name for found in await exports.list()] == sorted([rows.name, matrix.name])


def _height(path: Path) -> int:
    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8") as file:
            return sum(1 for _ in csv.DictReader(file))
    if path.suffix == ".jsonl":
        return len([orjson.loads(line) for line in path.read_bytes().splitlines()])
    return (pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_ipc(path)).height
