"""Data sets made by hand, as they are laid out by `backend.models.datasets`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from backend.models.datasets import Feature, File, Manifest, Recipe

PAGE = 32 * 1024  # bytes: small, so that small tables have several as well
PARTS = {"train": 7, "validation": 2, "test": 4}
TITLES = [
    "Here Comes the Sun", "=SUM(A1:A9)", "+1", "-1", "@home", "Sigur Rós – Ágætis byrjun", "日本語 🎵",
    'He said "yes"', "a,b;c\td",
    "two\nlines\r\nthree", "", "  spaces  ", "None", "NaN", "0012", "true", "it's", "\\N", "| * _ ` <b>", "\u2028\x85\ufeff",
]  # fmt: skip
RIGHTS = {
    "rights": "noncommercial", "rows": 13, "cells": 100,
    "sources": [
        {"source": "alpha", "rights": "open", "cells": 60, "share": 0.6, "terms": "CC0: take | it."},
        {"source": "beta", "rights": "synthetic", "cells": 30, "share": 0.3, "terms": "Made up."},
        {"source": "estimate", "rights": "as of rights=noncommercial", "cells": 10, "share": 0.1, "terms": "Not measured."},
    ],
}  # fmt: skip
CERTIFICATE = {
    "passed": True,
    "checks": [
        {"name": "artist", "meaning": "one artist in two parts", "expected_zero": True, "shared": [], "unchecked": ""},
        {"name": "time", "meaning": "later before earlier", "expected_zero": False, "unchecked": "",
         "shared": [{"parts": ["train", "test"], "pairs": 17}]},
        {"name": "near", "meaning": "titles alike", "expected_zero": False, "shared": [], "unchecked": "no durations"},
    ],
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Made:
    """A data set's folder and what is in it."""

    folder: Path
    manifest: Manifest
    tables: Mapping[tuple[str, str], pa.Table]


def features_of(rows: int, *, kind: str | None, width: int = 5, seed: int = 0, start: int = 0) -> pa.Table:
    """Ids, a target of which every third is unknown, and numbers."""
    numbers = np.random.default_rng(seed).standard_normal((rows, width)).astype(np.float32)
    ids = [f"t{start + i:05d}" for i in range(rows)]
    targets: dict[str, tuple[list[Any], pa.DataType]] = {
        "number": ([i / 3 for i in range(rows)], pa.float64()),
        "class": ([["rock", "jazz & blues", "日本"][i % 3] for i in range(rows)], pa.string()),
        "flag": ([i % 2 for i in range(rows)], pa.int8()),
    }
    columns: dict[str, pa.Array] = {"id": pa.array(ids, pa.string())}
    if kind:
        values, held = targets[kind]
        columns["target"] = pa.array([None if i % 3 == 2 else v for i, v in enumerate(values)], held)
    return pa.table(columns | {name_of(j): pa.array(numbers[:, j]) for j in range(width)})


def name_of(j: int) -> str:
    return ["duration_ms", "genre_r&b", "mood_with space", "tempo_missing", "größe"][j] if j < 5 else f"svd_{j}"


def tracks_of(rows: int, *, start: int = 0) -> pa.Table:
    """Tracks with texts of every sort, lists, dates, holes."""

    def holed(values: list[Any], every: int) -> list[Any]:
        return [None if i % every == every - 1 else v for i, v in enumerate(values)]

    n = range(rows)
    return pa.table({
        "id": pa.array([f"t{start + i:05d}" for i in n], pa.string()),
        "title": pa.array([TITLES[(start + i) % len(TITLES)] for i in n], pa.string()),
        "artist": pa.array(holed([f"Artist {i}" for i in n], 4), pa.string()),
        "release_date": pa.array(holed([date(1969, 9, 26 - i % 20) for i in n], 3), pa.date32()),
        "duration_ms": pa.array(holed([185_733 + i for i in n], 5), pa.int32()),
        "explicit": pa.array(holed([i % 2 == 0 for i in n], 4), pa.bool_()),
        "genres": pa.array(holed([["rock", "beat"], [], ["日本", "r&b", ""]] * rows, 4)[:rows], pa.list_(pa.string())),
        "aoty_score": pa.array(holed([81.3 + i for i in n], 2), pa.float32()),
        "listeners": pa.array(holed([2**40 + i for i in n], 6), pa.int64()),
        "provenance": pa.array(['{"title":"alpha"}' for _ in n], pa.string()),
        "added_at": pa.array(holed([datetime(2026, 1, 1, 1, 2, 3, 456_789, UTC) for _ in n], 3), pa.timestamp("us", "UTC")),
        "synthetic": pa.array([i % 3 == 0 for i in n], pa.bool_()),
    })  # fmt: skip


def make(
    folder: Path,
    *,
    kind: str | None = "number",
    parts: Mapping[str, int] | None = None,
    tables: Mapping[tuple[str, str], pa.Table] | None = None,
    width: int = 5,
    name: str = "liked-by_us.v1",
) -> Made:
    """Lay a data set out."""
    counts = PARTS if parts is None else parts
    held = dict(tables or {})
    start = 0
    for i, (part, rows) in enumerate(counts.items()):
        held.setdefault(("features", part), features_of(rows, kind=kind, width=width, seed=i, start=start))
        held.setdefault(("tracks", part), tracks_of(rows, start=start))
        start += rows
    recipe = Recipe(name=name, target=kind and "aoty_score", split={"kind": "artist", "seed": 3})
    documents = {"recipe.json": recipe, "rights.json": RIGHTS, "certificate.json": CERTIFICATE, "split.json": {}}
    folder.mkdir(parents=True)
    for path, value in documents.items():
        (folder / path).write_bytes(msgspec.json.encode(value))
    for (what, part), table in held.items():
        (folder / what).mkdir(exist_ok=True)
        path = folder / what / f"{part}.parquet"
        groups = max(2, table.num_rows // 2)
        pq.write_table(table, path, row_group_size=groups, data_page_size=PAGE, dictionary_pagesize_limit=PAGE)
    files = [
        File(
            path=path.relative_to(folder).as_posix(),
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            bytes=path.stat().st_size,
            rows=pq.read_metadata(path).num_rows if path.suffix == ".parquet" else None,
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    names = [n for n in next(iter(held.values())).schema.names if n not in {"id", "target"}]
    manifest = Manifest(
        fingerprint=hashlib.sha256(msgspec.json.encode([asdict(f) for f in files])).hexdigest(),
        name=name,
        watermark=datetime(2026, 11, 20, 12, 0, tzinfo=UTC),
        code="0.1.0",
        rights="noncommercial",
        target=recipe.target,
        target_kind=kind,
        parts={part: held["features", part].num_rows for part in counts},
        features=tuple(Feature(name=n, of=n.split("_")[0], kind="value") for n in names),
        files=tuple(files),
    )
    (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    return Made(folder=folder, manifest=manifest, tables=held)
