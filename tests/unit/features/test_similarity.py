from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from backend.features.similarity import GROUPS, Neighbour, SimilarityIndex
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfTransformer

from backend.features.columns import CONTINUOUS
from backend.features.reasons import reasons
from backend.utils.errors import NotFoundError
from tests.unit.features.tracks import mixed, table


def song(name: str, **values: Any) -> dict[str, Any]:
    return {"id": name, "title": name, "artist": name, **values}


def ids(found: list[Neighbour]) -> list[str]:
    return [neighbour.id for neighbour in found]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), holes=st.sampled_from([0.0, 0.3, 0.9]))
def test_contributions_sum_to_the_score_and_order_is_by_score_then_id(seed: int, holes: float) -> None:
    tracks = mixed(60, seed=seed, holes=holes)
    for neighbour in (found := SimilarityIndex(tracks).neighbours("t0005", 20)):
        assert tuple(neighbour.contributions) == GROUPS
        assert sum(neighbour.contributions.values()) == pytest.approx(neighbour.score, abs=1e-9)
        assert 0 < neighbour.score <= 1.000001
        assert reasons(neighbour)
    order = [(-neighbour.score, neighbour.id) for neighbour in found]
    assert order == sorted(order)


def test_the_score_is_the_cosine_of_the_measured_vector() -> None:
    tracks = mixed(50, holes=0.1, seed=3)
    rows = tracks.to_pylist()
    fields = (*CONTINUOUS, "release_year")
    values = np.array([[row[f] if row[f] is not None else np.nan for f in fields] for row in rows], float)
    scaled = np.nan_to_num((values - np.nanmean(values, axis=0)) / np.nanstd(values, axis=0))
    tags = sorted({f"{g}:{tag}" for row in rows for g in ("genres", "moods") for tag in row[g] or ()})
    hot = np.array(
        [[tag in {f"{g}:{t}" for g in ("genres", "moods") for t in row[g] or ()} for tag in tags] for row in rows]
    )
    weighted = TfidfTransformer().fit_transform(hot.astype(float)).toarray()
    audio = scaled / np.maximum(np.linalg.norm(scaled, axis=1, keepdims=True), 1e-12)
    vectors = np.hstack([audio, 2 * weighted])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    place = {row["id"]: i for i, row in enumerate(rows)}
    found = SimilarityIndex(tracks).neighbours("t0007", 10)
    assert len(found) == 10
    for neighbour in found:
        assert neighbour.score == pytest.approx(float(vectors[7] @ vectors[place[neighbour.id]]), abs=5e-6)


def test_order_does_not_depend_on_the_order_of_rows() -> None:
    tracks = mixed(80, seed=11)
    mixed_up = list(range(80))
    random.Random(1).shuffle(mixed_up)
    assert SimilarityIndex(tracks).neighbours("t0001", 15) == SimilarityIndex(tracks.take(mixed_up)).neighbours(
        "t0001", 15
    )


def test_ties_go_by_id() -> None:
    tracks = table([song(name, genres=["dub"]) for name in ("d", "b", "a", "c")] + [song("z", genres=["polka"])])
    assert ids(SimilarityIndex(tracks).neighbours("c", 2)) == ["a", "b"]


def test_many_ties_are_walked_through_in_order() -> None:
    tracks = table([song(f"s{i:03}", genres=["dub"]) for i in range(300)])
    assert ids(SimilarityIndex(tracks).neighbours("s150", 299)) == [f"s{i:03}" for i in range(300) if i != 150]


def test_copies_of_the_recording_are_left_out_and_of_others_all_but_one() -> None:
    same = {"artist": "The Beatles", "genres": ["rock"]}
    tracks = table(
        [
            {"id": "a", "title": "Come Together", **same},
            {"id": "b", "title": "Come together - Remastered 2009", **same},
            {"id": "c", "title": "COME TOGETHER", "artist": "Beatles", "genres": ["rock"]},
            {"id": "d", "title": "Something", **same},
            {"id": "e", "title": "Something (2019 Remaster)", **same},
            {"id": "f", "title": "Come Together", "artist": "Aerosmith", "genres": ["rock"]},
        ]
    )
    assert ids(SimilarityIndex(tracks).neighbours("a", 9)) == ["d", "f"]


def test_only_allowed_tracks_are_answered() -> None:
    tracks = table([song(name, genres=["dub"]) for name in "abcd"])
    index = SimilarityIndex(tracks)
    assert ids(index.neighbours("a", 5, allowed=["d", "b", "a", "unheard"])) == ["b", "d"]
    assert index.neighbours("a", 5, allowed=[]) == []


def test_tracks_with_nothing_in_common_are_no_answer() -> None:
    tracks = table([song("a", genres=["dub"]), song("b", genres=["polka"]), song("c")])
    index = SimilarityIndex(tracks)
    assert index.neighbours("a", 5) == []
    assert index.neighbours("c", 5) == []


def test_an_unknown_id_is_not_found() -> None:
    with pytest.raises(NotFoundError, match="nobody"):
        SimilarityIndex(table([])).neighbours("nobody", 5)


def test_shared_tags_are_told_rarest_first_and_unknown_features_are_flagged() -> None:
    tracks = table(
        [
            song("a", genres=["rock", "dub"], moods=["dark"], tempo=120.0, energy=0.9, release_year=1969),
            song("b", genres=["dub", "rock"], moods=["dark", "warm"], tempo=122.0, release_year=1971),
            song("c", genres=["rock"], tempo=60.0, energy=0.1, release_year=2020),
        ]
    )
    best = SimilarityIndex(tracks).neighbours("a", 1)[0]
    assert best.id == "b"
    assert best.shared == {"genres": ["dub", "rock"], "moods": ["dark"]}
    assert "energy" in best.filled
    assert "tempo" not in best.filled
    assert reasons(best) == [
        "shared genres: dub, rock",
        "shared mood: dark",
        "similar tempo: 120 vs 122 BPM",
        "released close together: 1969 and 1971",
    ]


def test_a_feature_that_is_the_same_everywhere_says_nothing() -> None:
    tracks = table([song(name, tempo=120.1, genres=["dub"]) for name in "abc"])
    assert SimilarityIndex(tracks).neighbours("a", 1)[0].contributions["audio"] == 0
