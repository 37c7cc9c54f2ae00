"""Whatever a recipe asks for: its exports hold the rows, columns and values that its filter and rights allow, no others."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.models.datasets import Manifest, Recipe
from backend.models.ingestion_models import AUDIO_FEATURES, RightsLevel
from backend.repositories.database import Database
from backend.repositories.track_columns import FLAT_COLUMNS
from backend.services.dataset_exports import FORMS, export
from backend.services.recipes import parse_recipe
from backend.utils.errors import InvalidInputError
from backend.utils.text import fold
from tests.acceptance import marked
from tests.acceptance.marked import Marks, texts_of
from tests.acceptance.test_rights import decoded, leaks
from tests.integration.catalogue import fill
from tests.integration.test_datasets import serve
from tests.unit.services.dataset_exports.data_sets import Made
from tests.unit.services.dataset_exports.readers import same

TABLES = {
    RightsLevel.ANY: "enhanced_tracks", RightsLevel.NONCOMMERCIAL: "tracks_noncommercial", RightsLevel.OPEN: "tracks_open",
}  # fmt: skip
NUMBERS = ("duration_ms", "track_number", "popularity", "aoty_score", "release_year")
BLOCKS: list[dict[str, Any]] = [
    {"kind": "numbers", "fields": ["duration_ms", "release_year"]}, {"kind": "audio", "key": "fifths"},
    {"kind": "multi_hot", "field": "genres", "most": 5}, {"kind": "terms", "field": "moods", "dimensions": 3},
    {"kind": "title_form"}, {"kind": "times", "day": "2026-01-01"}, {"kind": "artist_figures", "least": 2},
]  # fmt: skip
READ_BY = {
    "numbers": {"duration_ms", "release_year"}, "audio": set(AUDIO_FEATURES), "multi_hot": {"genres"}, "terms": {"moods"},
    "title_form": {"title"}, "times": {"release_year", "release_date"}, "artist_figures": {"artist", "popularity"},
}  # fmt: skip
OF_ALL: dict[str, Any] = {"name": "asked", "min_features": 0, "keep_unlabelled": True, "naive_gain": False}
SOME = settings(
    max_examples=6, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip


@contextlib.asynccontextmanager
async def built(database: Database, asked: Recipe) -> AsyncIterator[tuple[Made, dict[str, Path]] | None]:
    """The recipe's data set, and its export in every form; None when too few rows fit, and then nothing was written."""
    with tempfile.TemporaryDirectory() as home:
        sets = Path(home) / "sets"
        service = serve(database, sets)
        try:
            found: Manifest | None = (await service.build(asked)).manifest
        except InvalidInputError as problem:
            if "would be empty" not in str(problem) and "no block of features is left" not in str(problem):
                raise
            found = None
        if found is None:
            assert not list(sets.glob("*"))
            yield None
            return
        folder = sets / found.fingerprint
        tables = {
            (kind, part): pq.read_table(folder / kind / f"{part}.parquet").replace_schema_metadata()
            for kind in ("features", "tracks")
            for part in found.parts
        }
        places = {form: export(folder, form=form, into=Path(home) / "out") for form in FORMS}
        yield Made(folder=folder, manifest=found, tables=tables), places


def rows_of(made: Made, kind: str) -> dict[str, dict[str, Any]]:
    """All rows by id, of all parts."""
    return {
        row["id"]: row for (what, _), table in made.tables.items() if what == kind for row in table.to_pylist()
    }  # fmt: skip


async def stored(database: Database, level: RightsLevel) -> dict[str, dict[str, Any]]:
    """The rows of a level of rights, as PostgreSQL holds them."""
    async with database.connection() as connection:
        return {row["id"]: dict(row) for row in await connection.fetch(f"SELECT * FROM {TABLES[level]}")}


def fits(row: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    """Whether a row may be in a data set with such a filter: said here once more, in Python."""

    def tagged(field: str) -> bool:
        return field not in asked or bool({*map(fold, asked[field])} & {*map(fold, row[field] or ())})

    year, popularity = row["release_year"], row["popularity"]
    return (
        tagged("genres")
        and tagged("moods")
        and ("artist" not in asked or fold(row["artist"]) == fold(asked["artist"]))
        and ("year_from" not in asked or (year is not None and year >= asked["year_from"]))
        and ("year_to" not in asked or (year is not None and year <= asked["year_to"]))
        and ("min_popularity" not in asked or (popularity is not None and popularity >= asked["min_popularity"]))
        and (
            "q" not in asked or any(asked["q"].lower() in (row[f] or "").lower() for f in ("title", "artist", "album"))
        )
    )


def nearly(one: Any, other: Any) -> bool:
    """Single precision of one number."""
    return one == other or (one is not None and other is not None and abs(one - other) <= 1e-6 * abs(other) + 1e-9)


@st.composite
def recipes(draw: st.DrawFn, rows: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A filter that some of the rows pass, and the recipe around it."""
    row = draw(st.sampled_from(rows))  # this one passes: no data set is without rows
    others = draw(st.lists(st.sampled_from(rows), max_size=2))
    choices: dict[str, Any] = {
        "genres": [t for r in (row, *others) for t in (r["genres"] or ())[:1]],
        "moods": [t.upper() for r in (row, *others) for t in (r["moods"] or ())[-1:]],
        "artist": row["artist"], "year_from": row["release_year"], "year_to": row["release_year"],
        "min_popularity": row["popularity"], "q": row["title"].split()[0].lower(),
    }  # fmt: skip
    possible = [name for name, value in choices.items() if value not in (None, [], "")]
    asked = {name: choices[name] for name in draw(st.lists(st.sampled_from(possible), max_size=2, unique=True))}
    blocks = draw(st.lists(st.sampled_from(BLOCKS), min_size=1, max_size=3, unique_by=lambda b: b["kind"]))
    target = draw(st.sampled_from([None, "popularity", "tempo", "genre"]))
    split = {
        "kind": draw(st.sampled_from(["random", "recording"])),
        "parts": {"train": 0.7, "test": 0.3},
        "balanced": True,
    }
    return asked, {"target": target, "features": blocks, "split": split}


async def check(database: Database, asked: Recipe, filtered: Mapping[str, Any]) -> None:
    allowed = {key: row for key, row in (await stored(database, asked.filter.rights)).items() if fits(row, filtered)}
    async with built(database, asked) as found:
        if found is None:
            return
        made, places = found
        tracks, features = rows_of(made, "tracks"), rows_of(made, "features")
        # Rows: all that fit, and none besides.
        assert tracks.keys() == features.keys() == allowed.keys()
        # Columns: the public ones; features of the blocks asked for, none of them computed from the target.
        assert all(tuple(t.column_names) == FLAT_COLUMNS for (kind, _), t in made.tables.items() if kind == "tracks")
        computed_from = {f.of for f in made.manifest.features}
        assert computed_from <= set().union(*(READ_BY[b["kind"]] for b in asked.features))
        assert {"genre": "genres"}.get(asked.target or "", asked.target) not in computed_from
        # Values: those of the level's own table.
        for key, row in tracks.items():
            for name in ("title", "artist", "album", "genres", "moods"):
                assert row[name] == allowed[key][name], (key, name)
            for name in (*NUMBERS, *AUDIO_FEATURES):
                assert nearly(row[name], allowed[key][name]), (key, name)
        # And every form holds this data set and no more.
        for form, place in places.items():
            same(made, place, form)


@SOME
@given(data=st.data())
async def test_exports_hold_the_rows_columns_and_values_of_the_recipe(database: Database, data: st.DataObject) -> None:
    if not await stored(database, RightsLevel.ANY):  # once for all recipes
        await fill(database, albums=12)
    rows = sorted((await stored(database, RightsLevel.ANY)).values(), key=lambda row: str(row["id"]))
    filtered, rest = data.draw(recipes(rows))
    await check(database, parse_recipe({**OF_ALL, **rest, "filter": filtered}), filtered)


def everything(place: Path) -> Iterator[str]:
    """All that an export holds, in whatever file, as texts."""
    for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
        if path.is_dir():
            continue
        yield path.name
        if path.suffix == ".npz":
            with np.load(path) as held:
                for name in held.files:
                    values = held[name]
                    yield name
                    yield (
                        values.tobytes().decode("utf-8", "replace")
                        if values.dtype == np.uint8
                        else "\n".join(texts_of(values.tolist()))
                    )
        elif path.suffix == ".sqlite":
            with contextlib.closing(sqlite3.connect(path)) as connection:
                yield from connection.iterdump()
        elif path.suffix == ".duckdb":
            with duckdb.connect(str(path), read_only=True) as connection:
                for (table,) in connection.sql("SELECT table_name FROM duckdb_tables()").fetchall():
                    yield "\n".join(texts_of(connection.sql(f'FROM "{table}"').to_arrow_table().to_pylist()))
        else:
            yield decoded(path.read_bytes())


marks_of: dict[str, Marks] = {}


@pytest.mark.parametrize("level", [RightsLevel.NONCOMMERCIAL, RightsLevel.OPEN])
@SOME
@given(data=st.data())
async def test_exports_hold_nothing_that_rights_exclude(
    database: Database, level: RightsLevel, data: st.DataObject
) -> None:
    rows = await stored(database, level)
    if not rows:
        marks_of[level] = await marked.fill(database)
        rows = await stored(database, level)
    marks = marks_of[level]
    filtered, rest = data.draw(recipes(sorted(rows.values(), key=lambda row: str(row["id"]))))
    estimates, once = data.draw(st.booleans()), data.draw(st.booleans())
    limits = {**filtered, "rights": level.value, "estimates": estimates, "one_per_recording": once}
    async with built(database, parse_recipe({**OF_ALL, **rest, "filter": limits})) as found:
        if found is None:
            return
        _, places = found
        for form, place in places.items():
            text = "\n".join(everything(place))
            assert not leaks(marks, text, level), form
            assert marks.found("openfolk", text), form  # what may be seen is seen: the check can find something


async def test_a_mislabelled_source_is_noticed_in_every_form(database: Database) -> None:
    marks = await marked.fill(database, profiles=marked.mislabelled("shopkeep"))
    asked = parse_recipe({**OF_ALL, "filter": {"rights": "open"}, "split": {"kind": "random"}})
    async with built(database, asked) as found:
        assert found is not None
        noticed = {
            form for form, place in found[1].items() if leaks(marks, "\n".join(everything(place)), RightsLevel.OPEN)
        }
    assert noticed == set(FORMS)
