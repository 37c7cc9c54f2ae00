"""What stands in exports beside the rows, and what a form cannot hold."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.services.dataset_exports import FORMS, export
from backend.utils.errors import InvalidInputError
from tests.unit.services.dataset_exports.data_sets import RIGHTS, make, tracks_of


def sql_about(rows: list[tuple[str, str]]) -> dict[str, Any]:
    told = {"fingerprint", "watermark", "rights", "citation", "name", "code", "format", "target", "target_kind"}
    return {k: v if k in told else orjson.loads(v) for k, v in rows}


def about_of(place: Path, form: str) -> list[dict[str, Any]]:
    if form == "npz":
        with np.load(place) as held:
            return [orjson.loads(str(held["tensoe"]))]
    if form == "sqlite":
        with contextlib.closing(sqlite3.connect(place)) as connection:
            return [sql_about(connection.execute("SELECT * FROM about").fetchall())]
    if form == "duckdb":
        with duckdb.connect(str(place), read_only=True) as connection:
            return [sql_about(connection.sql("FROM about").fetchall())]
    found = [orjson.loads((place / "about.json").read_bytes())]
    metadata = [pq.read_schema(p).metadata for p in place.rglob("*.parquet")]
    for path in place.rglob("*.arrow"):
        with pa.memory_map(str(path)) as file:
            metadata.append(pa.ipc.open_file(file).schema.metadata)
    assert len({(m[b"tensoe.table"], m[b"tensoe.part"]) for m in metadata}) in {0, 6}
    return found + [orjson.loads(m[b"tensoe"]) for m in metadata]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_tells_what_the_data_set_is(tmp_path: Path, form: str) -> None:
    made = make(tmp_path / "set")
    m = made.manifest
    for about in about_of(export(made.folder, form=form, into=tmp_path / "out"), form):
        assert (about["fingerprint"], about["rights"], about["name"]) == (m.fingerprint, m.rights, m.name)
        assert about["watermark"] == "2026-11-20T12:00:00+00:00"
        assert m.fingerprint in about["citation"]
        assert about["sources"] == RIGHTS["sources"]
        assert [f["name"] for f in about["features"]] == [f.name for f in m.features]


def test_csv_is_exact_and_guards_no_formula(tmp_path: Path) -> None:
    made = make(tmp_path / "set")
    place = export(made.folder, form="csv", into=tmp_path / "out")
    lines = (place / "tracks" / "train.csv").read_text().split("\n")
    assert lines[0].startswith('"id","title","artist","release_date"')
    start = '"t00001","=SUM(A1:A9)","Artist 1",1969-09-25,185734,false,""'  # an empty list
    assert lines[2].startswith(start + ",,")  # and no score


def test_croissant_names_each_file_by_its_digest(tmp_path: Path) -> None:
    made = make(tmp_path / "set")
    place = export(made.folder, form="croissant", into=tmp_path / "out")
    described = orjson.loads((place / "croissant.json").read_bytes())
    assert described["conformsTo"] == "http://mlcommons.org/croissant/1.1"
    assert len(described["distribution"]) == 6
    for file in described["distribution"]:
        data = (place / file["contentUrl"]).read_bytes()
        assert (file["sha256"], file["contentSize"]) == (hashlib.sha256(data).hexdigest(), f"{len(data)} B")
    fields = {f["name"]: f for r in described["recordSet"] if r["@id"] == "tracks_train" for f in r["field"]}
    assert (fields["genres"]["dataType"], fields["genres"]["arrayShape"]) == ("sc:Text", "-1")
    assert [fields[n]["dataType"] for n in ("release_date", "explicit", "duration_ms", "aoty_score", "added_at")] == [
        "sc:Date", "sc:Boolean", "cr:Int32", "cr:Float32", "sc:DateTime",
    ]  # fmt: skip


def test_the_card_tells_of_split_rights_and_what_is_made_up(tmp_path: Path) -> None:
    made = make(tmp_path / "set")
    text = (export(made.folder, form="huggingface", into=tmp_path / "out") / "README.md").read_text()
    for told in (
        "| train | 7 |", "The certificate passed.", "| one artist in two parts | yes | 0 |", "| later before earlier | no | 17 |",
        "not looked for: no durations", "| alpha | open | 60.0% | CC0: take \\| it. |", "6 of 13 tracks are made up",
        "Values of synthetic sources: beta 30.0%.", "Estimated, not measured: 10.0% of the values.", made.manifest.fingerprint,
    ):  # fmt: skip
        assert told in text


@pytest.mark.parametrize("form", ["csv", "parquet", "arrow", "npz"])
def test_memory_does_not_grow_with_the_data_set(tmp_path: Path, form: str) -> None:
    peaks = []
    for rows in (50_000, 200_000):
        made = make(tmp_path / f"{rows}", parts={"train": rows}, width=10)
        before, pool = pa.default_memory_pool(), pa.proxy_memory_pool(pa.default_memory_pool())
        pa.set_memory_pool(pool)
        try:
            export(made.folder, form=form, into=tmp_path / "out")
        finally:
            pa.set_memory_pool(before)
        peaks.append(pool.max_memory() or 0)
    assert 0 < peaks[1] < 1.5 * peaks[0], peaks


@pytest.mark.parametrize("form", ["sqlite", "duckdb"])
def test_names_that_are_one_to_sql_are_refused(tmp_path: Path, form: str) -> None:
    tracks = tracks_of(2)
    twice = tracks.append_column("Title", tracks.column("title"))
    made = make(tmp_path / "set", parts={"train": 2}, tables={("tracks", "train"): twice})
    with pytest.raises(InvalidInputError, match=r"tracks_train has columns 'title' and 'Title'.*take parquet"):
        export(made.folder, form=form, into=tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_more_columns_than_sqlite_holds_are_refused(tmp_path: Path) -> None:
    made = make(tmp_path / "set", parts={"train": 1}, width=1998)
    assert export(made.folder, form="sqlite", into=tmp_path / "out").is_file()
    more = make(tmp_path / "more", parts={"train": 1}, width=1999)
    with pytest.raises(InvalidInputError, match="holds 2000 columns, features_train has 2001; take parquet"):
        export(more.folder, form="sqlite", into=tmp_path / "out")


def test_parts_that_would_be_one_split_are_refused(tmp_path: Path) -> None:
    made = make(tmp_path / "set", parts={"a-b": 1, "a.b": 1})
    with pytest.raises(InvalidInputError, match=r"parts a-b, a\.b would have one name"):
        export(made.folder, form="huggingface", into=tmp_path / "out")


@pytest.mark.parametrize("form", ["csv", "sqlite"])
def test_an_unknown_text_within_a_list_is_not_lost_in_silence(tmp_path: Path, form: str) -> None:
    tracks = pa.table({"id": ["t00000"], "genres": pa.array([["rock", None]])})
    made = make(tmp_path / "set", parts={"train": 1}, tables={("tracks", "train"): tracks})
    with pytest.raises(InvalidInputError, match="genres has a list with an unknown text"):
        export(made.folder, form=form, into=tmp_path / "out")


def test_a_column_of_a_kind_that_no_form_knows_is_named(tmp_path: Path) -> None:
    tracks = pa.table({"id": ["t00000"], "odd": pa.array([{"a": 1}])})
    made = make(tmp_path / "set", parts={"train": 1}, tables={("tracks", "train"): tracks})
    with pytest.raises(InvalidInputError, match=r"no export knows: odd \(struct<a: int64>\)"):
        export(made.folder, form="csv", into=tmp_path / "out")
