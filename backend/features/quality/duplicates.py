"""Tracks that are there more than once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl
import pyarrow as pa

from backend.features.quality.fields import KEYS
from backend.features.quality.findings import Finding
from backend.features.quality.quality_report import Duplicates

NEAR_MS: Final = 3_000  # recordings of one title whose durations differ by less are taken for one
TITLE: Final = "artist, title and duration"
_EXAMPLES: Final = 5
_PART: Final = "\x1fpart"
_KEY: Final = "\x1fkey"


def duplicates(parts: Mapping[str, pa.Table], table: pa.Table) -> tuple[Duplicates, ...]:
    """Per key that the tracks have."""
    sizes = [part.num_rows for part in parts.values()]
    part = pl.Series(_PART, [i for i, n in enumerate(sizes) for _ in range(n)], pl.Int16)
    found = []
    for key in KEYS:
        if key in table.column_names and table.schema.field(key).type != pa.null():
            column = pl.from_arrow(table.column(key))
            assert isinstance(column, pl.Series)
            found.append(_of(key, pl.DataFrame([column.cast(pl.String).alias(_KEY), part])))
    if {"artist", "title", "duration_ms"} <= set(table.column_names):
        found.append(_of(TITLE, _recordings(table, part)))
    return tuple(found)


def findings(found: tuple[Duplicates, ...]) -> list[Finding]:
    """What is wrong: one id twice always; one recording twice where its copies stand in different parts."""
    said = []
    for d in found:
        if not d.groups:
            continue
        text = f"{d.rows:,} tracks repeat another's {d.by}"
        if d.across:
            text += f"; {d.across:,} of {d.groups:,} groups stand in several parts: a model is tested on what it learnt"
        severe = d.by == "id" or bool(d.across)
        said.append(
            Finding(severity="problem" if severe else "warning", kind="duplicate", field=d.by, said=f"{text}.", rows=d.rows,
                examples=d.examples,)
        )  # fmt: skip
    return said


def _of(by: str, rows: pl.DataFrame) -> Duplicates:
    groups = (
        rows.filter(pl.col(_KEY).is_not_null() & (pl.col(_KEY) != ""))
        .group_by(_KEY)
        .agg(pl.len().alias("n"), pl.col(_PART).n_unique().alias("parts"))
        .filter(pl.col("n") > 1)
    )
    first = groups.sort(["n", _KEY], descending=[True, False]).head(_EXAMPLES).get_column(_KEY)
    return Duplicates(
        by=by, groups=groups.height, rows=int(groups["n"].sum()) - groups.height,
        across=int((groups["parts"] > 1).sum()),
        examples=tuple(text.replace("\x1f", " – ").rsplit("\x1e", 1)[0] for text in first),
    )  # fmt: skip


def _recordings(table: pa.Table, part: pl.Series) -> pl.DataFrame:
    """A key per track of which artist, title and duration are known: the same for those near each other in time."""
    frame = pl.from_arrow(table.select(["artist", "title", "duration_ms"]))
    assert isinstance(frame, pl.DataFrame)
    plain = [
        pl.col(c).cast(pl.String).str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars().alias(c)
        for c in ("artist", "title")
    ]
    named = frame.with_columns(*plain, pl.col("duration_ms").cast(pl.Float64), part).drop_nulls()
    ordered = named.filter((pl.col("artist") != "") & (pl.col("title") != "")).sort(["artist", "title", "duration_ms"])
    same = (pl.col("artist") == pl.col("artist").shift()) & (pl.col("title") == pl.col("title").shift())
    new = ~(same & (pl.col("duration_ms") - pl.col("duration_ms").shift() < NEAR_MS)).fill_null(value=False)
    number = new.cast(pl.Int64).cum_sum().cast(pl.String)
    return ordered.select((pl.col("artist") + "\x1f" + pl.col("title") + "\x1e" + number).alias(_KEY), pl.col(_PART))
