"""Protocols as a whole, on a catalogue whose answers are known."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from backend.features.evaluation.artist_methods import Plays
from backend.features.evaluation.catalogue import from_file
from backend.features.evaluation.files import read_plays, read_tags
from backend.features.evaluation.methods import OURS
from backend.features.evaluation.report import Evaluation, Line, Tally
from backend.features.evaluation.running import artists, continuation, similar
from backend.utils.errors import InvalidInputError
from tests.unit.features.evaluation.made_up import playlists_csv, plays_csv, tags_csv


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "lists.csv").write_text(playlists_csv())
    (tmp_path / "plays.csv").write_text(plays_csv())
    (tmp_path / "tags.csv").write_text(tags_csv())
    return tmp_path


def of(found: Evaluation, method: str) -> Line:
    return next(line for line in found.lines if line.method == method)


def test_continuation_is_measured_for_every_method(files: Path) -> None:
    given = from_file(files / "lists.csv", read_tags(files / "tags.csv"))
    found = continuation(given, seeds=[0, 1])
    assert [line.method for line in found.lines] == [
        "random", "popularity", "same artist", "artist mean", "plain kNN", "ALS (implicit)", "BM25 (implicit)",
        "ALS of artists (implicit)", "Tensoe, shipped weights", OURS,
    ]  # fmt: skip
    ours, chance = of(found, OURS), of(found, "random")
    # A scene has a quarter of all tracks: whoever knows scenes has about 4 hits where chance has 1.
    assert ours.measures["recall@10"].low > 2 * chance.measures["recall@10"].high
    assert ours.measures["ndcg@100"].units == 30  # a playlist counts once, however often it was dealt
    assert chance.against_ours["ndcg@100"].high < 0
    assert not ours.against_ours
    assert chance.measures["miscalibration@10"].mean > 2 * ours.measures["miscalibration@10"].mean
    assert chance.measures["diversity@10"].mean > ours.measures["diversity@10"].mean
    assert {"new_artists_recall@100", "novelty@10", "popularity_lift@10"} <= set(ours.measures)
    assert 0 < of(found, "popularity").whole["coverage@10"] < chance.whole["coverage@10"] <= 1
    assert found.verdict.startswith("Tensoe is ahead of ")


def test_similar_tracks_reach_the_catalogue(files: Path) -> None:
    given = from_file(files / "lists.csv", read_tags(files / "tags.csv"))
    found = similar(given, seeds=[0])
    assert similar(given, seeds=[0]) == found
    ours, chance = of(found, OURS), of(found, "random")
    assert ours.measures["ndcg@10"].low > chance.measures["ndcg@10"].high
    assert 0 < ours.whole["reachability@10"] <= 1
    assert of(found, "artist mean").whole["skewness@10"] > chance.whole["skewness@10"]


def test_artists_for_listeners(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plays = Plays.of(read_plays(files / "plays.csv"), read_tags(files / "tags.csv"))
    monkeypatch.setitem(sys.modules, "implicit", None)
    found = artists(plays, seeds=[0])
    assert "does not apply" in of(found, "same artist").note
    assert "pip install -r requirements-evaluate.txt" in of(found, "ALS (implicit)").note
    assert not of(found, "ALS (implicit)").measures
    assert "new_artists_recall@100" not in of(found, OURS).measures
    assert of(found, OURS).measures["recall@10"].low > of(found, "random").measures["recall@10"].high


def test_too_little_is_refused(files: Path) -> None:
    (files / "few.csv").write_text(playlists_csv(lists=19))
    given = from_file(files / "few.csv", {})
    for run in (continuation, similar):
        with pytest.raises(
            InvalidInputError, match="19 playlists have 10 tracks of the catalogue or more; 20 are needed"
        ):
            run(given, seeds=[0])


def tallied(**means: float) -> Evaluation:
    tally = Tally()
    for method, mean in means.items():
        tally.note(method, "")
        for unit in range(50):
            tally.add(method, str(unit), {"ndcg@100": mean + unit / 1_000})
    return Evaluation(protocol="p", items=1, lists=50, asked=50, seeds=[0], headline="ndcg@100", lines=tally.lines())


def test_the_verdict_names_what_ours_is_not_ahead_of() -> None:
    assert tallied(Tensoe=0.5, a=0.3, b=0.4).verdict == "Tensoe is ahead of 2 of 2 baselines by ndcg@100"
    assert tallied(Tensoe=0.5, a=0.3, b=0.7, c=0.501).verdict == (
        "Tensoe is ahead of 1 of 3 baselines by ndcg@100; behind b; intervals overlap with c"
    )
