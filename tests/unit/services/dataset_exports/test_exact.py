"""Whatever stands in a data set stands in its exports, and nothing else."""

from __future__ import annotations

import itertools
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.services.dataset_exports import FORMS, export
from tests.unit.services.dataset_exports.data_sets import make
from tests.unit.services.dataset_exports.readers import same

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12) | st.sampled_from(
    ["", '"', ",", "\r\n", "\n", "null", "NaN", "=1+1", "'", "\\", "\\N", "1e5", "true", "2020-01-01", " ", "\ufeff"]
)
SINGLE = st.floats(width=32, allow_nan=False, allow_infinity=False)
COLUMNS: list[tuple[pa.DataType, st.SearchStrategy[Any]]] = [
    (pa.string(), TEXTS),
    (pa.float32(), SINGLE),
    (pa.float64(), st.floats(allow_nan=False, allow_infinity=False)),
    (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    (pa.int32(), st.integers(-(2**31), 2**31 - 1)),
    (pa.bool_(), st.booleans()),
    (pa.date32(), st.dates(date(1, 1, 1))),
    (pa.list_(pa.string()), st.lists(TEXTS, max_size=3)),
]
TARGETS = [COLUMNS[i] for i in (0, 2, 5)]
NAMES = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=8)
_COUNT = itertools.count()


@st.composite
def tables(draw: st.DrawFn) -> dict[tuple[str, str], pa.Table]:
    """Two parts of features and tracks, each kind with the same columns in both."""
    names = draw(
        st.lists(NAMES, max_size=4, unique_by=str.lower).filter(lambda n: not {"id", "target"} & {*map(str.lower, n)})
    )
    kinds = draw(st.lists(st.sampled_from(COLUMNS), min_size=len(names), max_size=len(names)))
    target = draw(st.none() | st.sampled_from(TARGETS))
    made = {}
    for part in ("train", "test"):
        rows = draw(st.integers(0, 4))
        ids = pa.array([f"{part}{i}" for i in range(rows)], pa.string())

        def column(kind: pa.DataType, values: st.SearchStrategy[Any], rows: int = rows) -> pa.Array:
            return pa.array(draw(st.lists(values, min_size=rows, max_size=rows)), kind)

        known = {name: column(pa.float32(), SINGLE) for name in names}
        y = {"target": column(target[0], st.none() | target[1])} if target else {}
        made["features", part] = pa.table({"id": ids} | y | known)
        holed = {name: column(kind, st.none() | values) for name, (kind, values) in zip(names, kinds, strict=True)}
        made["tracks", part] = pa.table({"id": ids} | holed)
    return made


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(held=tables())
def test_an_export_read_back_is_the_data_set(form: str, held: dict[tuple[str, str], pa.Table]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = make(Path(folder) / "set", tables=held, parts={"train": 0, "test": 0})
        same(made, export(made.folder, form=form, into=Path(folder)), form)
