"""Nothing that is held out is learnt from: answers stay the same when it is exchanged. A leak that is planted is found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from backend.features.discovery import learning
from backend.features.discovery.space import TrackSpace
from backend.features.discovery.weights import DEFAULT, GROUPS, Weights, example, learn
from backend.features.evaluation import artist_methods, our_tracks, track_baselines
from backend.features.evaluation.artist_methods import Plays
from backend.features.evaluation.catalogue import Given, from_file
from backend.features.evaluation.files import read_plays, read_tags
from backend.features.evaluation.methods import Method, Missing
from backend.features.evaluation.protocols import Dealt, deal
from backend.features.evaluation.track_baselines import TrackFacts
from backend.features.splits.names import artist_key
from tests.unit.features.evaluation.made_up import playlists_csv, plays_csv, tags_csv
from tests.unit.features.tracks import known, table

Make = Callable[[Dealt], Sequence[Method | Missing]]


@pytest.fixture
def given(tmp_path: Path) -> Given:
    (tmp_path / "lists.csv").write_text(playlists_csv())
    (tmp_path / "tags.csv").write_text(tags_csv())
    return from_file(tmp_path / "lists.csv", read_tags(tmp_path / "tags.csv"))


def exchanged(dealt: Dealt) -> Dealt:
    """The same seeds, but each list has what was held out of the next one."""
    return Dealt(dealt.seeds, [*dealt.held[1:], dealt.held[0]])


def leaking(make: Make, dealt: Dealt) -> set[str]:
    """The methods whose answers change with what is held out."""
    found = set()
    for one, other in zip(make(dealt), make(exchanged(dealt)), strict=True):
        assert isinstance(one, Method)
        assert isinstance(other, Method)
        if any(one.answer(i).tolist() != other.answer(i).tolist() for i in dealt.asked):
            found.add(one.name)
    return found


def test_no_method_for_tracks_leaks(given: Given) -> None:
    facts = TrackFacts.of(given.table)

    def make(dealt: Dealt) -> list[Method | Missing]:
        return [
            *track_baselines.simple(facts, dealt, seed=0, k=20),
            *track_baselines.implicit(facts, dealt, seed=0, k=20),
            *our_tracks.methods(given.table, dealt, seed=0, k=20),
        ]

    assert leaking(make, deal(given.lists, seed=0)) == set()


def test_a_planted_leak_is_found(given: Given) -> None:
    """Company learnt from the whole playlists, as it would be if the sittings were read before the deal."""

    def make(dealt: Dealt) -> list[Method | Missing]:
        whole = [np.concatenate(pair) for pair in zip(dealt.seeds, dealt.held, strict=True)]
        index = our_tracks.index_of(given.table, whole, DEFAULT)
        return [our_tracks.asked("leaking", index, dealt, k=20)]

    assert leaking(make, deal(given.lists, seed=0)) == {"leaking"}


def test_no_method_for_artists_leaks(tmp_path: Path) -> None:
    (tmp_path / "plays.csv").write_text(plays_csv())
    (tmp_path / "tags.csv").write_text(tags_csv())
    plays = Plays.of(read_plays(tmp_path / "plays.csv"), read_tags(tmp_path / "tags.csv"))

    def make(dealt: Dealt) -> list[Method | Missing]:
        found = [
            *artist_methods.simple(plays, dealt, seed=0, k=20),
            *artist_methods.implicit(plays, dealt, seed=0, k=20),
            artist_methods.ours(plays, dealt, seed=0, k=20),
        ]
        return [method for method in found if isinstance(method, Method)]

    assert leaking(make, deal(plays.lists, seed=0)) == set()


def test_no_playlist_explains_itself_when_weights_are_learnt() -> None:
    """Every track has an artist of its own, and playlists are drawn by chance: who is heard together tells nothing."""
    rows = [
        known(id=f"t{i:03}", artist=f"artist{i}", title=f"Song {i}", album_id=f"a{i}", tempo=float(i % 7))
        for i in range(400)
    ]
    tracks = table(rows)
    rng = np.random.default_rng(0)
    playlists = [rng.choice(400, 20, replace=False) for _ in range(20)]
    honest = learning.learnt(tracks, playlists, seed=0).of["listening"]

    keys = [artist_key(row["artist"]) for row in rows]
    whole = TrackSpace.fit(
        tracks, sittings=[[keys[i] for i in p] for p in playlists], weights=Weights(dict.fromkeys(GROUPS, 1.0))
    )
    parts = learning.parts_of(whole, tracks)
    examples = [example(p[6:], p[:6], parts, n_tracks=400, rng=rng) for p in playlists]
    leaky = learn([e for e in examples if e is not None], n_tracks=400).of["listening"]
    assert leaky > 0.5
    assert honest < leaky / 2
