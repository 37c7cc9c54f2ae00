from __future__ import annotations

import sys

import numpy as np
import pytest
import scipy.sparse as sp

from backend.features.discovery.companions import Companions, attention, tag_rows
from backend.features.evaluation import implicit_models as models
from backend.features.evaluation.protocols import Lists
from backend.features.evaluation.track_pairs import Nearness, nearest, of_vectors, scores_of
from backend.utils.errors import InvalidInputError


def test_companions_are_the_closed_form() -> None:
    """Against the textbook's inverse of artists × artists."""
    rng = np.random.default_rng(0)
    plays = sp.csr_matrix((rng.random((30, 12)) < 0.3).astype(float))
    tags = sp.csr_matrix((rng.random((12, 5)) < 0.4).astype(float))
    found = Companions.fit(plays, tags, ridge=7, tag_weight=3)
    rows = np.vstack([plays.toarray(), np.sqrt(3) * tags.toarray().T])
    inverse = np.linalg.inv(rows.T @ rows + 7 * np.eye(12))
    matrix = -inverse / np.diag(inverse)[None, :]
    np.fill_diagonal(matrix, 0)
    for listener in (plays[0], sp.csr_matrix(np.eye(12)[[4]])):  # one who was learnt from, and a stranger
        assert found.scores(listener) == pytest.approx(np.asarray(listener.todense()).ravel() @ matrix, abs=1e-5)


def test_an_artist_whom_nobody_plays_is_found_by_his_tags() -> None:
    plays = sp.csr_matrix(np.array([[1, 1, 0, 0, 0], [0, 0, 1, 1, 0]] * 10, float))
    tags = sp.csr_matrix(np.array([[1, 0], [1, 0], [0, 1], [0, 1], [0, 1]], float))
    scores = Companions.fit(plays, tags, ridge=1, tag_weight=5).scores(plays[1])
    assert scores[4] > 0.05 > scores[0]
    with pytest.raises(InvalidInputError, match="too many to learn from"):
        Companions.fit(plays, sp.csr_matrix((5, 8_000)))


def test_attention_and_tag_rows_by_hand() -> None:
    seen = attention(sp.csr_matrix(np.array([[np.e - 1, np.e**3 - 1, 0], [0, 0, 5]])))
    assert seen.toarray() == pytest.approx(np.array([[0.5, 1.5, 0], [0, 0, 1]]))
    tags = {"a": {"rock": 1.0, "rare": 9.0}, "b": {"rock": 1.0}, "c": {"rock": 3.0}}
    found = tag_rows(["a", "b", "c", "d"], tags)
    assert found.toarray() == pytest.approx(np.array([[1], [1], [1], [0]]))  # "rare" is one artist's alone
    assert tag_rows(["a"], {}).shape == (1, 0)


def test_settings_are_chosen_on_what_is_held_out() -> None:
    """Of a model that is right and one that is not the right one is taken, and it is fitted on everything at last."""
    rng = np.random.default_rng(0)
    blocks = np.kron(np.eye(2), np.ones((20, 15)))
    matrix = sp.csr_matrix(blocks * (rng.random(blocks.shape) < 0.7))
    fitted = []

    def fit(shown: sp.csr_matrix, settings: dict[str, float]) -> models.Row:
        fitted.append(shown.nnz)
        return lambda i: blocks[i] * settings["sign"]

    found = models.tuned(fit, [{"sign": -1.0}, {"sign": 1.0}], matrix, seed=0)
    assert found.settings == {"sign": 1.0}
    assert fitted[0] == fitted[1] < fitted[2] == matrix.nnz


def test_implicit_models_find_the_scene() -> None:
    rng = np.random.default_rng(0)
    blocks = np.kron(np.eye(2), np.ones((20, 15)))
    matrix = sp.csr_matrix(blocks * (rng.random(blocks.shape) < 0.6))
    for fit, settings in ((models.als, models.ALS_GRID[0]), (models.bm25, models.BM25_GRID[0])):
        scores = fit(matrix, dict(settings))(0)
        assert scores[:15].mean() > scores[15:].mean() + 0.1
        assert fit(matrix, dict(settings))(0).tolist() == scores.tolist()


def test_without_the_library_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert models.is_there()
    monkeypatch.setitem(sys.modules, "implicit", None)
    assert not models.is_there()


def test_incidence_of_items_and_of_groups() -> None:
    lists = [np.array([0, 2]), np.array([], np.int64), np.array([1])]
    assert models.incidence(lists, 3).toarray().tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0]]
    assert models.incidence(lists, 2, of=np.array([0, 1, 0])).toarray().tolist() == [[2, 0], [0, 0], [0, 1]]


def test_lists_of_similar_tracks_hold_other_artists_and_each_song_once() -> None:
    vectors = np.array([[1, 0], [0.99, 0], [0.98, 0], [0.97, 0], [0, 1]], np.float32)
    artists, songs = np.array([7, 7, 8, 9, 5]), np.array([1, 2, 3, 3, 5])
    found = nearest(of_vectors(vectors, np.zeros(5, np.int64)), artists, songs, k=2)
    assert found[0].tolist() == [2, 4]  # track 1 is by the same artist, track 3 is the song of track 2
    assert found[4].tolist() == [0, 1]
    within = Nearness(vectors, vectors, np.array([1, 0, 0, 0, 1]), album=2.0)
    assert nearest(within, artists, songs, k=1)[0].tolist() == [4]


def test_ndcg_of_similar_tracks_by_hand() -> None:
    lists = Lists(["a", "b"], [np.array([0, 1, 2]), np.array([3, 4])], list("vwxyz"))
    artists = np.array([1, 1, 2, 3, 3])
    found = np.array([[4, 2], [2, 0], [0, 3], [0, 1], [0, 1]])
    # Track 0 wants 2, in second place: 1/log2(3). Track 1 wants 2, first: 1. Track 2 wants 0 and 1: 1 of 1 + 1/log2(3).
    second = 1 / np.log2(3)
    values = scores_of(found, lists, [0, 1], artists)
    assert values[0] == pytest.approx((second + 1 + 1 / (1 + second)) / 3)
    assert np.isnan(values[1])  # all by one artist: nothing to be found
