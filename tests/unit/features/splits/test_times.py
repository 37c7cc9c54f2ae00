from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from backend.features.splits import SplitRecipe, assign
from backend.utils.errors import InvalidInputError
from tests.unit.features.splits.catalogue import many, parts, table

CUTS = (date(2010, 1, 1), date(2015, 1, 1))


def dated(*days: Any) -> pa.Table:
    return table(*({"release_date": day} for day in days))


def test_a_part_begins_at_its_cut() -> None:
    tracks = dated(date(1969, 9, 26), date(2009, 12, 31), date(2010, 1, 1), date(2014, 12, 31), date(2015, 1, 1), None)
    split = assign(tracks, SplitRecipe(kind="time", cuts=CUTS))
    assert list(parts(split).values()) == ["train", "train", "validation", "validation", "test", None]
    assert (split.report.undated, split.report.left_out, split.report.in_gap) == (1, 1, 0)
    assert split.report.cuts == ("2010-01-01", "2015-01-01")
    assert split.report.notes == ("1 tracks have no release_date and are left out.",)


def test_undated_tracks_go_where_they_are_told_to() -> None:
    split = assign(dated(None, date(2020, 1, 1)), SplitRecipe(kind="time", cuts=CUTS, undated="train"))
    assert list(parts(split).values()) == ["train", "test"]
    assert split.report.undated == 1


def test_a_gap_leaves_out_the_days_before_a_cut() -> None:
    tracks = dated(date(2009, 11, 30), date(2009, 12, 2), date(2009, 12, 31), date(2010, 1, 1), date(2014, 12, 31))
    split = assign(tracks, SplitRecipe(kind="time", cuts=CUTS, gap_days=30))
    assert list(parts(split).values()) == ["train", None, None, "validation", None]
    assert split.report.in_gap == split.report.left_out == 3


def test_shares_find_their_cuts_and_no_day_is_parted() -> None:
    tracks = many(400)
    split = assign(tracks, SplitRecipe(kind="time"))
    days = tracks.column("release_date").cast(pa.int32()).to_numpy()
    assert abs(len(split.rows("train")) / tracks.num_rows - 0.8) < 0.002
    assert days[split.rows("train")].max() < days[split.rows("validation")].min()
    assert days[split.rows("validation")].max() < days[split.rows("test")].min()
    again = assign(tracks, SplitRecipe(kind="time", cuts=split.report.cuts))  # type: ignore[arg-type]  # text of days is taken
    np.testing.assert_array_equal(again.codes, split.codes)


def test_given_cuts_move_nobody_when_the_catalogue_grows() -> None:
    recipe = SplitRecipe(kind="time", cuts=CUTS)
    assert (
        assign(pa.concat_tables([many(50), many(80, prefix="b")]), recipe).moved_since(assign(many(50), recipe)) == []
    )


def test_one_day_alone() -> None:
    split = assign(dated(*[date(2020, 1, 1)] * 5), SplitRecipe(kind="time"))
    assert split.report.rows == {"train": 5, "validation": 0, "test": 0}
    assert "No track is in validation, test." in split.report.notes


@pytest.mark.parametrize(
    "column",
    [
        pa.array([2009, 2012, None, 2016]),
        pa.array([2009.0, 2012.0, float("nan"), 2016.0]),
        pa.array(["2009", "2012-03", None, " 2016-05-01 "]),
        pa.array(["2009", "2012-03", "", "2016-05-01"]).dictionary_encode(),
        pa.array(np.array(["2009-01-01T23:00", "2012-01-01", "NaT", "2016-01-01"], "datetime64[s]")),
    ],
)
def test_dates_come_in_many_forms(column: Any) -> None:
    tracks = pa.table({"id": list("abcd"), "year": column})
    split = assign(tracks, SplitRecipe(kind="time", cuts=CUTS, dated_by="year"))
    assert list(parts(split).values()) == ["train", "validation", None, "test"]


@pytest.mark.parametrize(
    ("value", "said"), [("May 2012", "'May 2012' is no date"), ("2012-13-01", "no day of the calendar")]
)
def test_what_is_no_date_is_named(value: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        assign(pa.table({"id": ["a"], "year": [value]}), SplitRecipe(kind="time", dated_by="year"))
