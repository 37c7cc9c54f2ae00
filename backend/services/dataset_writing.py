"""A built data set as files: always the same bytes for the same rows. Imports Arrow, so it is imported where it is used."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from backend.features import quality
from backend.features.data_set import Built
from backend.ingestion.source import SourceProfile
from backend.models.datasets import Feature, Manifest, Recipe
from backend.repositories.track_snapshots import Snapshot
from backend.services import recipes
from backend.services.dataset_folders import files_of, fingerprint_of
from backend.services.rights_report import report

_ROW_GROUP: Final = 100_000


def write(
    built: Built, asked: Recipe, folder: Path, *, known: Snapshot, code: str, profiles: Mapping[str, SourceProfile]
) -> Manifest:
    """Write all files but the manifest, and answer it.

    Args:
        built: the data set.
        asked: its recipe.
        folder: to write into.
        known: what it was made of.
        code: the version of Tensoe.
        profiles: every registered source's, for the report of rights.
    """
    rows: dict[str, int] = {}
    for kind, parts in (("features", built.features), ("tracks", built.tracks)):
        (folder / kind).mkdir()
        for name, table in parts.items():
            path = f"{kind}/{name}.parquet"
            _write_table(table, folder / path)
            rows[path] = table.num_rows
    provenances = _provenances(built)
    # The moment is no part of what it was made by: the past rebuilt is the data set of then.
    _write_json(recipes.ordered(replace(asked, as_of=None)), folder / "recipe.json", sort=False)
    (folder / "pipeline.json").write_text(built.pipeline.fingerprint(), encoding="utf-8")
    _write_json(
        {"recipe": built.split.recipe.to_plain(), "report": built.split.report.to_plain()}, folder / "split.json"
    )
    gained = built.gain.to_plain() if built.gain else {"unmeasured": built.unmeasured} if built.unmeasured else None
    _write_json({**built.certificate.to_plain(), "naive_gain": gained}, folder / "certificate.json")
    _write_json(msgspec.to_builtins(report(provenances, profiles, rights=asked.filter.rights)), folder / "rights.json")
    told = quality.report(built.tracks, target=built.target, contradictions=_contradictions(built, known))
    _write_json(msgspec.to_builtins(told), folder / "quality.json")
    (folder / "quality.html").write_text(quality.as_html(told), encoding="utf-8")
    files = files_of(folder, rows)
    return Manifest(
        fingerprint=fingerprint_of(files),
        name=asked.name,
        watermark=known.moment,
        policy=known.policy,
        lost=known.lost,
        code=code,
        rights=asked.filter.rights.value,
        target=built.target.name if built.target else None,
        target_kind=built.target_kind,
        parts={name: table.num_rows for name, table in built.tracks.items()},
        features=tuple(Feature(name=c.name, of=c.of, kind=c.kind, label=c.label) for c in built.pipeline.columns_),
        files=files,
    )


def _write_table(table: pa.Table, path: Path) -> None:
    pq.write_table(
        table.combine_chunks(), path, compression="zstd", compression_level=3, row_group_size=_ROW_GROUP,
        use_dictionary=True, write_statistics=True,
    )  # fmt: skip


def _write_json(values: Any, path: Path, *, sort: bool = True) -> None:
    path.write_text(json.dumps(values, sort_keys=sort, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _provenances(built: Built) -> dict[str, int]:
    joined = pa.chunked_array([c for t in built.tracks.values() for c in t.column("provenance").chunks], pa.string())
    counted = pc.value_counts(joined.combine_chunks()).to_pylist()
    return {str(row["values"]): int(row["counts"]) for row in counted}


def _contradictions(built: Built, known: Snapshot) -> pa.Table | None:
    """Those of tracks that came into the data set, and of their albums."""
    if known.contradictions is None:
        return None
    ids = [c for t in built.tracks.values() for name in ("id", "album_id") for c in t.column(name).chunks]
    there = pc.is_in(known.contradictions.column("id"), value_set=pa.chunked_array(ids, pa.string()))
    return known.contradictions.filter(there)
