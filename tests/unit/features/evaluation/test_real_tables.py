"""What must hold on public tables, where they are beside the project: docs/evaluation.md has the figures of all methods."""

from __future__ import annotations

import numpy as np
import pytest

from backend.features.discovery.companions import attention
from backend.features.discovery.weights import DEFAULT
from backend.features.evaluation import artist_methods, our_tracks, track_baselines, track_pairs
from backend.features.evaluation.artist_methods import GRID, Plays, fitted
from backend.features.evaluation.catalogue import Given, from_file
from backend.features.evaluation.files import read_plays, read_tags
from backend.features.evaluation.intervals import Interval, interval
from backend.features.evaluation.methods import OURS, Method, scored
from backend.features.evaluation.metrics import ndcg
from backend.features.evaluation.occurrence import occurrences, reached
from backend.features.evaluation.protocols import Dealt, deal, halves
from backend.features.evaluation.track_baselines import TrackFacts
from tests.fixtures.twin import SHARED

TABLES = SHARED / "data" / "tables"

pytestmark = pytest.mark.skipif(
    not (TABLES / "spotify_songs.csv").is_file(), reason="the tables are not beside the project"
)


@pytest.fixture(scope="module")
def given() -> Given:
    return from_file(TABLES / "spotify_songs.csv", read_tags(TABLES / "artist_tags.csv"))


@pytest.fixture(scope="module")
def facts(given: Given) -> TrackFacts:
    return TrackFacts.of(given.table)


def reach(method: Method, dealt: Dealt, asked: list[int]) -> Interval:
    """NDCG@100."""
    found = []
    for i in asked:
        hits = np.isin(method.answer(i), dealt.held[i])
        found.append(ndcg(hits, wanted=len(dealt.held[i]), k=100))
    measured = interval(np.array(found))
    assert measured is not None
    return measured


def test_playlists_are_continued_better_than_by_any_simple_way(given: Given, facts: TrackFacts) -> None:
    dealt = deal(given.lists, seed=0)
    asked = dealt.asked[::3]
    _, index = our_tracks.weights_and_index(given.table, list(dealt.seeds), seed=0)
    ours = reach(our_tracks.asked(OURS, index, dealt, k=100), dealt, asked)
    rest = {m.name: reach(m, dealt, asked) for m in track_baselines.simple(facts, dealt, seed=0, k=100)}
    assert ours.mean > 0.3  # 0.36
    assert {name for name, found in rest.items() if found.high >= ours.low} == set()


def test_similar_tracks_reach_the_catalogue_and_are_better_than_plain_neighbours(
    given: Given, facts: TrackFacts
) -> None:
    train, test = halves(given.lists, seed=0)
    shown = [given.lists.items[i] for i in train]
    index = our_tracks.index_of(given.table, shown, DEFAULT)
    found = {}
    for name, near in (
        (OURS, track_pairs.of_index(index)), ("plain", track_pairs.of_vectors(facts.plain, index.rows.albums)),
    ):  # fmt: skip
        answers = track_pairs.nearest(near, facts.artists, index.rows.songs)
        measured = interval(track_pairs.scores_of(answers, given.lists, test, facts.artists))
        assert measured is not None
        found[name] = measured, reached(occurrences([answers[answers >= 0]], len(facts.artists)))
    assert found[OURS][1] >= 0.95
    assert found[OURS][0].low > found["plain"][0].mean


def test_artists_are_found_better_than_by_plain_neighbours() -> None:
    plays = Plays.of(read_plays(TABLES / "listens_by_artist.csv"), read_tags(TABLES / "artist_tags.csv"))
    dealt = deal(plays.lists, seed=0)
    asked = dealt.asked[::2]
    shown = attention(plays.shown(dealt))
    breaker = np.zeros(len(plays.lists.ids))
    model = fitted(shown, plays.tags, GRID[0])
    ours = reach(scored(OURS, model, dealt.seeds, k=100, breaker=breaker), dealt, asked)
    rest = [m for m in artist_methods.simple(plays, dealt, seed=0, k=100) if isinstance(m, Method)]
    assert {m.name for m in rest if reach(m, dealt, asked).high >= ours.low} == set()
