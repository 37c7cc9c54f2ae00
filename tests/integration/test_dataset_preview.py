from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend.repositories.database import Database
from backend.repositories.track_pages import TrackPages
from backend.repositories.track_reader import TrackReader
from backend.services.dataset_preview import DataSetPreview
from backend.utils.errors import InvalidInputError
from tests.integration.catalogue import fill
from tests.integration.test_datasets import recipe, serve


def previews(database: Database, **options: Any) -> DataSetPreview:
    return DataSetPreview(TrackPages(database), TrackReader(database), **options)


async def test_a_preview_tells_what_the_build_then_is(database: Database, tmp_path: Path) -> None:
    stored = await fill(database, albums=80)
    asked = recipe(filter={"year_from": 1990}, min_features=5)
    told = await previews(database).of(asked)
    built = (await serve(database, tmp_path).build(asked)).manifest
    assert told.whole
    assert 0 < told.fitting < stored
    assert told.parts == built.parts
    assert tuple(told.features) == built.features
    assert (told.target, told.target_kind) == (built.target, built.target_kind)
    assert told.usable == sum(built.parts.values())
    assert told.certificate["passed"]
    assert [c.share for c in told.coverage if c.field == "popularity"] == [1.0]
    assert {row.part for row in told.first} == set(built.parts)
    assert all(len(row.values) == len(told.features) for row in told.first)
    assert all(isinstance(row.target, float) for row in told.first)
    assert not any(path.is_dir() and path.name != built.fingerprint for path in tmp_path.iterdir())


async def test_of_many_tracks_it_reads_some_and_counts_all(database: Database) -> None:
    stored = await fill(database, albums=30)
    told = await previews(database, most=50).of(recipe(target="genre"))
    assert (told.fitting, told.looked_at, told.whole) == (stored, 50, False)
    assert sum(told.parts.values()) == told.usable <= 50
    # Nor does a filter that says where to end get round the bound.
    assert (await previews(database, most=50).of(recipe(filter={"until": "zzz"}))).looked_at == 50


async def test_classes_are_counted(database: Database) -> None:
    await fill(database, albums=30)
    told = await previews(database).of(recipe(target="genre"))
    assert told.labels is not None
    assert told.labels.known == told.usable
    counts = [n for _, n in told.labels.classes]
    assert counts == sorted(counts, reverse=True)
    if not told.labels.left:
        assert sum(counts) == told.labels.known


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"as_of": "2020-01-01T00:00:00Z"}, "leave as_of out"),
        ({"filter": {"genres": ["no such genre"]}}, "0 tracks fit the filter"),
        ({"split": {"kind": "random", "parts": {"train": 0.5, "../other": 0.5}}}, "'../other'"),
    ],
)
async def test_what_cannot_be_previewed_says_why(database: Database, values: dict[str, Any], said: str) -> None:
    await fill(database, albums=5)
    with pytest.raises(InvalidInputError, match=said):
        await previews(database).of(recipe(**values))


async def test_numbers_beyond_all_are_refused_before_anything_is_asked() -> None:
    with pytest.raises(InvalidInputError, match="year_from=99999999999"):
        recipe(filter={"year_from": 99_999_999_999})
