"""Data sets compared, on a real PostgreSQL: what differs, why, and how far it drifted."""

from __future__ import annotations

import csv
import io
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backend.features.changes import Changes, as_csv, as_text
from backend.features.changes.change_report import WHY, FieldChanges
from backend.ingestion.policy import MergePolicy
from backend.models.datasets import Manifest
from backend.repositories.album_removal import AlbumRemoval
from backend.repositories.catalogue_state import MERGED, CatalogueState
from backend.repositories.database import Database
from backend.repositories.record_changes import RecordChanges
from backend.services.dataset_comparison import DataSetComparison
from backend.services.dataset_folders import DataSetFolders
from backend.services.dataset_service import DataSetService
from backend.utils.errors import InvalidInputError, NotFoundError
from tests.integration.test_datasets_of_the_past import ALBUMS, MERGING, build, fill, liked, serve, song, store
from tests.integration.test_upkeep import PROFILES, said, upkeep


@pytest.fixture
async def service(database: Database, tmp_path: Path) -> DataSetService:
    await CatalogueState(database).set(MERGED, MERGING.policy.fingerprint(PROFILES))
    return serve(database, tmp_path / "[a]*")


@pytest.fixture
def comparison(database: Database, tmp_path: Path) -> DataSetComparison:
    return DataSetComparison(DataSetFolders(tmp_path / "[a]*"), RecordChanges(database), profiles=PROFILES)


def reasons(of: Any) -> dict[str, int]:
    return {c.why: c.rows for c in of.why}


def by_field(found: Changes) -> dict[str, FieldChanges]:
    return {f.field: f for f in found.fields}


async def diff(comparison: DataSetComparison, before: Manifest, after: Manifest, *, limit: int = 20) -> Changes:
    return await comparison.diff(before.fingerprint, after.fingerprint, limit=limit)


async def test_a_data_set_does_not_differ_from_itself(
    database: Database, service: DataSetService, comparison: DataSetComparison
) -> None:
    await fill(database)
    first = await build(service)
    found = await diff(comparison, first, first)
    assert found.same
    assert (found.about, found.recipe, found.fields, found.features, found.learnt) == ((), (), (), (), ())
    assert found.came.rows == found.went.rows == found.moved.rows == 0
    assert list(as_text(found)) == ["They are the same data set."]


async def test_each_row_and_value_that_changed_is_told_with_its_reason(
    database: Database, service: DataSetService, comparison: DataSetComparison
) -> None:
    albums = await fill(database)
    first = await build(service)
    # Another popularity, another track list, an album that comes, one that goes.
    await store(database, liked(ALBUMS[1], 99))
    await store(database, said("commons", ALBUMS[0], label="more", release_date="1950"))
    await store(database, said("shop", ALBUMS[2], release_date="2001", tracks=(song("Tide", 1), song("Dawn", 3))))
    sold = tuple(song(title, n, popularity=70) for n, title in enumerate(("Tide", "Quay 3"), 1))
    await store(database, said("shop", ALBUMS[3], release_date="2001", tracks=sold))
    await store(database, said("shop", "Another album"))
    await AlbumRemoval(database).album(albums[ALBUMS[7]])
    after = await build(service)
    found = await diff(comparison, first, after)
    assert not found.same
    assert reasons(found.came) == {"album": 2, "source": 1}
    assert reasons(found.went) == {"removed": 2, "source": 1}
    assert found.rows_after - found.rows_before == found.came.rows - found.went.rows
    fields = by_field(found)
    popularity = [v for v in fields["popularity"].shown if v.after == "99"]
    assert {(v.source_before, v.source_after, v.why) for v in popularity} == {("fans", "fans", "source")}
    chosen = [v for v in fields["popularity"].shown if v.after == "70"]
    assert {(v.before, v.source_before, v.source_after, v.why) for v in chosen} == {("3", "fans", "shop", "chosen")}
    assert {row.why for row in found.came.shown if row.before is None and row.after} == {"album", "source"}
    columns = {f.column: reasons(f) for f in found.features}
    assert columns["popularity"]["track"] >= 2
    assert "learnt" in columns["popularity"]  # the median that stands where it is unknown moved with the rows
    assert [t.path for t in found.learnt if "medians.popularity" in t.path]
    # The other way round everything is the other way round.
    back = await diff(comparison, after, first)
    assert (back.came.rows, back.went.rows) == (found.went.rows, found.came.rows)
    assert reasons(back.went) == reasons(found.came)
    assert {f.field: f.rows for f in back.fields} == {f.field: f.rows for f in found.fields}


async def test_what_the_recipe_asks_otherwise_is_told(
    database: Database, service: DataSetService, comparison: DataSetComparison
) -> None:
    await fill(database)
    first = await build(service)
    asked = {"filter": {"year_from": 2001}, "split": {"kind": "random", "parts": {"train": 0.3, "test": 0.7}}}
    after = await build(service, **asked, features=[{"kind": "audio"}])
    found = await diff(comparison, first, after)
    assert {t.path for t in found.recipe} >= {"filter.year_from", "split.parts.test", "features[0].kind"}
    assert found.came.rows == 0
    assert reasons(found.moved).keys() <= {"recipe"}
    assert found.moved.rows > 0
    assert {c.why for c in (*found.columns_came, *found.columns_went)} == {"recipe"}
    assert "energy" in {c.column for c in found.columns_came}
    narrower = await build(service, filter={"rights": "open"})
    found = await diff(comparison, first, narrower)
    assert reasons(found.went).keys() == {"rights"}
    assert {why for f in found.fields for why in reasons(f)} == {"rights"}


async def test_another_policy_is_told(
    database: Database, service: DataSetService, comparison: DataSetComparison, tmp_path: Path
) -> None:
    await fill(database)
    first = await build(service)
    policy = MergePolicy(order={"popularity": ("-fans",)})
    await upkeep(database, policy=policy).rebuild()
    after = await build(serve(database, tmp_path / "[a]*", replace(MERGING, policy=policy)))
    found = await diff(comparison, first, after)
    assert reasons(by_field(found)["popularity"]) == {"policy": 8}
    assert {t.path for t in found.about} >= {"policy", "watermark"}


async def test_at_a_level_of_rights_the_word_of_others_is_no_reason(
    database: Database, service: DataSetService, comparison: DataSetComparison, tmp_path: Path
) -> None:
    await fill(database)
    first = await build(service, filter={"rights": "open"})
    for title in ALBUMS:
        await store(database, said("shop", title, release_date="1960"))  # of which nothing is shown here
    policy = MergePolicy(order={"release_date": ("-commons",)})
    await upkeep(database, policy=policy).rebuild()
    after = await build(serve(database, tmp_path / "[a]*", replace(MERGING, policy=policy)), filter={"rights": "open"})
    found = await diff(comparison, first, after)
    assert set(reasons(by_field(found)["release_date"])) == {"policy"}


async def test_all_is_counted_and_no_more_is_shown_than_asked_for(
    database: Database, service: DataSetService, comparison: DataSetComparison
) -> None:
    await fill(database)
    first = await build(service)
    for title in ALBUMS[1::2]:
        await store(database, liked(title, 50))
    after = await build(service)
    whole, short = await diff(comparison, first, after), await diff(comparison, first, after, limit=2)
    for one, other in zip(whole.fields, short.fields, strict=True):
        assert (one.rows, one.why, one.shown[:2]) == (other.rows, other.why, other.shown)
    none = await diff(comparison, first, after, limit=0)
    assert not [f for f in none.fields if f.shown]
    assert (none.learnt, none.learnt_in_all) == ((), whole.learnt_in_all)
    rows = list(csv.DictReader(io.StringIO(as_csv(whole).decode())))
    counted = sum(int(r["rows"]) for r in rows if r["kind"] == "value" and r["name"] == "popularity" and r["rows"])
    assert counted == by_field(whole)["popularity"].rows
    assert {r["why"] for r in rows} - {""} <= set(WHY)
    assert any(line.startswith("  popularity: ") for line in as_text(whole))
    with pytest.raises(InvalidInputError, match="limit=-1 is not between"):
        await diff(comparison, first, after, limit=-1)


async def test_what_cannot_be_compared_says_why(
    database: Database, service: DataSetService, comparison: DataSetComparison, tmp_path: Path
) -> None:
    await fill(database)
    first = await build(service)
    for ask in (comparison.diff, comparison.drift):
        with pytest.raises(NotFoundError, match="There is no build of songs before this one"):
            await ask("songs")
        with pytest.raises(NotFoundError, match="No data set is called 'none'"):
            await ask("songs", "none")
    shutil.copytree(tmp_path / "[a]*", tmp_path / "kept")
    (tmp_path / "[a]*" / first.fingerprint / "tracks/train.parquet").write_bytes(b"PAR1")
    for ask in (comparison.diff, comparison.drift):
        with pytest.raises(InvalidInputError, match=r"is damaged .* `tensoe dataset check` says which file"):
            await ask("songs", first.fingerprint)


async def test_a_build_is_compared_with_the_one_before_of_its_name(
    database: Database, service: DataSetService, comparison: DataSetComparison
) -> None:
    await fill(database)
    first = await build(service)
    for n, title in enumerate(f"New {n}" for n in range(60)):
        tracks = tuple(song(f"{title} {i}", i, audio_features={"tempo": 60.0 + n}) for i in (1, 2))
        await store(database, said("shop", title, tracks=tracks, release_date="1970"))
    after = await build(service)
    await build(service, name="others", filter={"year_from": 1999})
    assert (await comparison.diff("songs")).before == first.fingerprint
    drifted = await comparison.drift("songs")
    assert (drifted.before.fingerprint, drifted.after.fingerprint) == (first.fingerprint, after.fingerprint)
    grades = {d.field: d.grade for d in drifted.report.drift or ()}
    assert grades["isrc" if "isrc" in grades else "energy"] == "strong"  # known of most, now of few
    assert [f for f in drifted.report.findings if f.kind == "drift"]
