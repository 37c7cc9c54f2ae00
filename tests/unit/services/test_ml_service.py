from __future__ import annotations

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.config.settings import MlSettings
from backend.features.matrix import MatrixOptions, build
from backend.models.results import TrackFilter
from backend.services.matrices import read_matrix, to_pandas
from backend.services.ml_service import Answer, MlService
from backend.utils.errors import InvalidInputError
from tests.unit.features.tracks import known, mixed, table
from tests.unit.services.stored import StoredTracks

LIMITS = MlSettings(ml_training_data_limit=500, ml_feature_matrix_limit=300)
ALL = TrackFilter()


async def body(answer: Answer) -> bytes:
    return b"".join([chunk async for chunk in answer[1]])


async def test_rows_as_arrow_and_parquet() -> None:
    tracks = StoredTracks(mixed(100))
    service = MlService(tracks, LIMITS)
    media, chunks = await service.training_data(ALL, limit=40, form="arrow")
    assert media == "application/vnd.apache.arrow.stream"
    assert pa.ipc.open_stream(await body((media, chunks))).read_all() == tracks.table.slice(0, 40)
    parquet = await body(await service.training_data(ALL, limit=500, form="parquet"))
    assert pq.read_table(io.BytesIO(parquet)) == tracks.table


async def test_rows_as_text_come_from_the_reader() -> None:
    service = MlService(StoredTracks(mixed(100)), LIMITS)
    assert (await body(await service.training_data(ALL, limit=3, form="csv"))).startswith(
        b"id,title,provenance\nt0000,"
    )
    assert (await body(await service.training_data(ALL, limit=3, form="ndjson"))).count(b"\n") == 3


@pytest.mark.parametrize("limit", [0, -1, 501, 10**12])
async def test_a_limit_beyond_the_setting_is_refused_with_the_maximum(limit: int) -> None:
    service = MlService(StoredTracks(mixed(1)), LIMITS)
    with pytest.raises(InvalidInputError, match=r"1 to 500 rows \(ML_TRAINING_DATA_LIMIT\)"):
        await service.training_data(ALL, limit=limit)
    with pytest.raises(InvalidInputError, match=r"1 to 300 rows \(ML_FEATURE_MATRIX_LIMIT\)"):
        await service.feature_matrix(ALL, limit=limit)


async def test_a_matrix_over_the_service_is_the_matrix_of_the_table() -> None:
    tracks = StoredTracks(mixed(100))
    answer = json.loads(await body(await MlService(tracks, LIMITS).feature_matrix(ALL, limit=300, target="hip hop")))
    wanted = build(tracks.table, target="genre:hip hop")
    assert answer["target"] == "genre:hip hop"
    assert answer["ids"] == wanted.ids
    assert answer["y"] == wanted.y.tolist()


@pytest.mark.parametrize("target", ["polka", "genre:polka", "nonsense"])
async def test_an_unknown_target_fails_before_the_answer_begins(target: str) -> None:
    with pytest.raises(InvalidInputError, match="choose one of"):
        await MlService(StoredTracks(mixed(100)), LIMITS).feature_matrix(ALL, limit=10, target=target)


def test_rows_that_cannot_be_used_do_not_eat_up_the_limit() -> None:
    labelled = [known(aoty_score=50.0 if i % 10 == 9 else None, id=f"t{i:04}") for i in range(200)]
    tracks = StoredTracks(table(labelled))
    matrix = read_matrix(tracks, ALL, limit=15, target="aoty_score", options=MatrixOptions())
    assert matrix.ids == [f"t{i:04}" for i in range(9, 150, 10)]
    assert len(tracks.reads) <= 3
    assert max(tracks.reads) < 10_000
    few = read_matrix(tracks, ALL, limit=100, target="aoty_score", options=MatrixOptions())
    assert len(few.ids) == 20


def test_pandas_frames_are_indexed_by_the_tracks() -> None:
    x, y = to_pandas(build(mixed(50), target="genre"))
    assert x.index.equals(y.index)
    assert x.index.name == "id"
    assert set(map(str, x.dtypes)) == {"float32"}
    assert not x.isna().to_numpy().any()
    assert y.name == "genre"
    empty, none = to_pandas(build(table([])))
    assert empty.shape == (0, 50)
    assert len(none) == 0
