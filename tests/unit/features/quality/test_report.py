from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.features.quality import Finding, QualityReport, as_html, report
from backend.features.quality.drift import distance, stability
from backend.features.target import Target
from backend.utils.errors import InvalidInputError
from tests.unit.features.quality.tracks import sound


def found(of: QualityReport, kind: str) -> list[Finding]:
    return [f for f in of.findings if f.kind == kind]


def test_sound_tracks_have_no_problem() -> None:
    of = report({"train": sound(), "test": sound(100, seed=1, start=400)}, before={"all": sound(seed=2)})
    assert [f for f in of.findings if f.severity != "note"] == []
    assert of.rows == {"train": 400, "test": 100}


def test_the_same_value_everywhere_is_told() -> None:
    (said,) = found(report({"train": sound(energy=np.full(400, 0.5))}), "constant")
    assert (said.field, said.rows) == ("energy", 400)


def test_minutes_among_milliseconds_are_told() -> None:
    durations = np.full(400, 200_000.0) + np.arange(400)
    durations[:7] = 3.5
    (said,) = found(report({"train": sound(duration_ms=durations)}), "impossible")
    assert (said.severity, said.rows) == ("problem", 7)
    assert "look like minutes" in said.said
    assert said.examples[0] == "t0: 3.5"


def test_ids_in_examples_are_those_of_the_values() -> None:
    tempo: list[float | None] = [None] * 10 + [120.0 + i % 7 for i in range(389)] + [9_000.0]
    (said,) = found(report({"train": sound(tempo=pa.array(tempo))}), "impossible")
    assert said.examples == ("t399: 9,000",)


def test_values_far_from_the_middle_half_are_told() -> None:
    tempo = 120 + np.arange(400) % 5.0
    tempo[:20] = 250
    (said,) = found(report({"train": sound(tempo=tempo)}), "outlier")
    assert (said.field, said.rows, said.severity) == ("tempo", 20, "warning")


def test_a_recording_in_two_parts_is_a_problem() -> None:
    train, test = sound(), sound(100, start=400)
    title, artist = pl.Series(test["title"].to_pylist()), pl.Series(test["artist"].to_pylist())
    title[0], artist[0] = "Title  5!", "ARTIST 5"
    durations = np.array(test["duration_ms"].to_numpy())
    durations[0] = train["duration_ms"][5].as_py() + 1_000
    test = sound(100, start=400, title=title.to_arrow(), artist=artist.to_arrow(), duration_ms=durations)
    (said,) = found(report({"train": train, "test": test}), "duplicate")
    assert (said.severity, said.rows, said.examples) == ("problem", 1, ("artist 5 – title 5",))


def test_durations_further_apart_are_two_recordings() -> None:
    durations = np.arange(400) * 3_000 + 10_000
    of = report({"train": sound(title=["one"] * 400, artist=["who"] * 400, duration_ms=durations)})
    assert found(of, "duplicate") == []


def test_an_id_twice_is_a_problem() -> None:
    (said,) = found(report({"train": sound(id=["same"] * 2 + [str(i) for i in range(398)])}), "duplicate")
    assert (said.field, said.severity, said.examples) == ("id", "problem", ("same",))


def test_contradictory_years_are_told() -> None:
    rows = [{"id": f"a{i}", "field": "release_year", "source": s, "value": v} for i in range(30)
            for s, v in (("alpha", "1969"), ("beta", "2009"))]  # fmt: skip
    of = report({"train": sound()}, contradictions=pa.Table.from_pylist(rows))
    (said,) = found(of, "contradiction")
    assert (said.rows, said.severity) == (30, "warning")
    assert of.contradictions is not None
    assert of.contradictions[0].pairs == (("alpha", "beta", 30),)


@pytest.mark.parametrize("planted", [{"tempo": np.linspace(150, 200, 400)}, {"genres": pa.array([["metal"]] * 400)}])
def test_drift_is_told(planted: dict[str, Any]) -> None:
    said = found(report({"train": sound(**planted)}, before={"all": sound(seed=1)}), "drift")
    assert [(f.field, f.severity) for f in said] == [(next(iter(planted)), "warning")]


def test_lost_coverage_is_drift() -> None:
    energy = pa.array([0.1 * (i % 10) if i % 2 else None for i in range(400)])
    (said,) = found(report({"train": sound(energy=energy)}, before={"all": sound(seed=1)}), "drift")
    assert said.field == "energy"


def test_one_class_of_95_percent_is_told_and_one_that_training_lacks() -> None:
    train = sound(genres=pa.array([["rock"]] * 380 + [["jazz"]] * 20))
    test = sound(100, start=400, genres=pa.array([["rock"]] * 99 + [["folk"]]))
    of = report({"train": train, "test": test}, target=Target(name="genre", field="genres", kind="first"))
    assert "“rock”" in found(of, "balance")[0].said
    (unseen,) = found(of, "unseen")
    assert (unseen.rows, unseen.severity) == (1, "problem")


def test_a_part_without_labels_is_a_problem() -> None:
    test = sound(50, start=400, tempo=pa.nulls(50, pa.float64()))
    (said,) = found(report({"train": sound(), "test": test}, target=Target(name="tempo", field="tempo")), "balance")
    assert said.severity == "problem"


def test_coverage_counts_each_source_of_a_value() -> None:
    of = {
        c.field: c for c in report({"train": sound(estimates=['{"tempo":[90.0,130.0]}'] * 10 + ["{}"] * 390)}).coverage
    }
    assert of["tempo"].sources == {"alpha": 400, "beta": 400}
    assert of["release_year"].sources == {"beta": 400}
    assert (of["tempo"].estimated, of["energy"].estimated) == (10, 0)


def test_outside_text_is_escaped() -> None:
    evil = "<script>alert(1)</script>"
    tables = sound(id=[evil] * 2 + [str(i) for i in range(398)], genres=pa.array([[evil]] * 400),
                   provenance=[json.dumps({"title": evil})] * 400)  # fmt: skip
    page = as_html(report({evil: tables}, target=Target(name="genre", field="genres", kind="first")))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "http" not in page  # it asks nothing of the network


def test_no_tracks_at_all_are_a_report_too() -> None:
    of = report(
        {"train": sound().slice(0, 0)}, target=Target(name="tempo", field="tempo"), before={"a": sound().slice(0, 0)}
    )
    assert "0" in as_html(of)


def test_a_single_great_value_has_a_page() -> None:
    one = report({"train": pa.table({"id": ["a"], "duration_ms": pa.array([210_000], pa.int32())})})
    assert "210,000" in as_html(one)


def test_tables_without_ids_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="no column id"):
        report({"train": pa.table({"tempo": [1.0]})})


@settings(max_examples=25, deadline=None)
@given(order=st.permutations(range(6)))
def test_order_and_chunks_of_rows_change_nothing_but_the_examples(order: list[int]) -> None:
    whole = sound(120)
    mixed = pa.concat_tables([whole.slice(i * 20, 20) for i in order])
    one, two = (json.dumps(report({"train": t}).to_plain(), sort_keys=True) for t in (whole, mixed))
    assert one == two


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=50, max_size=80))
def test_nothing_drifts_from_itself(values: list[float]) -> None:
    same = np.array(values)
    assert stability(same, same) == pytest.approx(0)
    assert distance(same, same) == 0
    assert distance(same, same + 5e3) == 1
