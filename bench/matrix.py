"""The feature matrix against pandas with scikit-learn's MultiLabelBinarizer."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.preprocessing import MultiLabelBinarizer

from backend.features.columns import CONTINUOUS, NUMERIC
from backend.features.matrix import GENRES, MOODS, READS, MatrixOptions, build
from backend.models.results import TrackFilter
from backend.repositories.database import Database
from backend.repositories.track_reader import TrackReader
from backend.services.matrices import read_matrix, to_pandas
from bench.timing import Result, in_turns

_OPTIONS = MatrixOptions()


def with_pandas(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series[Any]]:
    """The same matrix as one writes it with pandas: medians, flags, dummies, MultiLabelBinarizer."""
    frame = frame[frame["aoty_score"].notna()].reset_index(drop=True)
    parts: list[pd.DataFrame] = []
    for name in (*NUMERIC, *CONTINUOUS):
        values = pd.to_numeric(frame[name])
        parts.append(values.fillna(values.median() if values.notna().any() else 0).to_frame(name))
        parts.append(values.isna().to_frame(f"{name}_missing"))
    parts.append(pd.get_dummies(pd.Categorical(frame["key"], categories=range(12)), prefix="key"))
    parts.append(frame["mode"].fillna(0).to_frame("mode"))
    parts.append(pd.get_dummies(pd.Categorical(frame["time_signature"], categories=(3, 4, 5)), prefix="time_signature"))
    for name, most in (("genres", GENRES), ("moods", MOODS)):
        lists = [[] if tags is None else list(tags) for tags in frame[name]]
        classes = [tag for tag, _ in Counter(chain.from_iterable(lists)).most_common(most)]
        wanted = set(classes)
        hot = MultiLabelBinarizer(classes=classes).fit_transform([[t for t in tags if t in wanted] for tags in lists])
        parts.append(pd.DataFrame(hot, columns=[f"{name}_{tag}" for tag in classes]))
    parts.append(frame["explicit"].fillna(value=False).to_frame("explicit"))
    return pd.concat(parts, axis=1).astype(np.float32), frame["aoty_score"]


async def measure(database: Database, *, rows: int, rounds: int) -> list[Result]:
    """From the database to X and y, and from a table in memory to X and y."""
    reader = TrackReader(database)
    raw: pa.Table = reader.arrow(TrackFilter(), limit=rows, columns=READS)
    columns = ", ".join(READS)
    query = f"SELECT {columns} FROM enhanced_tracks WHERE aoty_score IS NOT NULL ORDER BY id LIMIT {rows}"

    async def ours() -> Any:
        matrix = read_matrix(reader, TrackFilter(), limit=rows, target="aoty_score", options=_OPTIONS)
        return to_pandas(matrix)

    async def other() -> Any:
        with database.columnar() as connection:
            return with_pandas(pd.read_sql(query, connection))

    async def ours_in_memory() -> Any:
        return to_pandas(build(raw, target="aoty_score"))

    async def other_in_memory() -> Any:
        return with_pandas(raw.to_pandas())

    found = []
    for what, mine, theirs in (
        ("from the database", ours, other),
        ("from an Arrow table in memory", ours_in_memory, other_in_memory),
    ):
        seconds = await in_turns(mine, theirs, rounds=rounds)
        made = len((await mine())[0])
        against = "pandas with MultiLabelBinarizer"
        found.append(
            Result(
                what=f"matrix of {made:,} rows {what}", against=against, ours=seconds[0], other=seconds[1], rows=made
            )
        )
    return found
