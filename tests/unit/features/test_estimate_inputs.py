"""What the network sees of a track: blocks, each known or not, and nobody's own value among his artist's."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from backend.features.estimate.artists import ArtistMeans, artist_keys
from backend.features.estimate.hiding import AUDIO, codes, flags, hidden, patterns
from backend.features.estimate.inputs import BLOCKS, TARGETS, Encoder
from backend.features.estimate.model import folds
from backend.models.ingestion_models import AUDIO_FEATURES
from tests.unit.features.songs import songs, without


def tagged(*genres: list[str] | None) -> pa.Table:
    table = songs(len(genres), seed=1).slice(0, len(genres))
    place = table.schema.get_field_index("genres")
    return table.set_column(place, "genres", pa.array(list(genres), pa.list_(pa.string())))


def test_a_tag_counts_as_itself_and_as_its_words() -> None:
    table = tagged(*[["detroit techno", "techno"]] * 10, *[["techno"]] * 5, ["rare"], [], None)
    encoder = Encoder.fitted(table)
    assert encoder.tokens["genres"] == ("detroit", "detroit techno", "techno")
    found = encoder.encode(table)
    block = found.x[:, : encoder.widths[0]]
    assert block[0].tolist() == [1, 1, 1, 1]
    assert block[10].tolist() == [0, 0, 1, 1]
    assert block[15].tolist() == block[16].tolist() == [0, 0, 0, 1]
    assert found.known[:, 0].tolist() == [True] * 16 + [False, False]


def test_only_the_most_frequent_words_have_columns() -> None:
    many = [[f"g{i:03}"] for i in range(200) for _ in range(10 + (i >= 100))]
    tokens = Encoder.fitted(tagged(*many)).tokens["genres"]
    assert len(tokens) == 128
    assert set(tokens) > {f"g{i}" for i in range(100, 200)}


def test_numbers_bend_between_their_quantiles() -> None:
    table = songs(200, seed=2)
    encoder = Encoder.fitted(table)
    found = encoder.encode(table)
    place = BLOCKS.index("energy")
    block = found.x[:, np.flatnonzero(encoder.block_of == place)]
    energy = np.asarray(table.column("energy").to_numpy())
    order = np.argsort(energy)
    assert np.all(np.diff(block[order].astype(float), axis=0) >= 0)  # every column rises with the value
    assert block[:, :-2].min() == 0
    assert block[:, :-2].max() == 1
    assert np.all(block[:, -1] == 1)


def test_unknown_values_are_unknown() -> None:
    table = without(songs(20, seed=3), "explicit", "popularity", "key", "energy")
    found = Encoder.fitted(songs(20, seed=3)).encode(table)
    gone = {BLOCKS[i] for i in np.flatnonzero(~found.known.any(axis=0))}
    assert gone == {"explicit", "popularity", "key", "energy", "artist"}
    assert np.isnan(found.values[:, TARGETS.index("energy")]).all()
    odd = songs(1, seed=3).slice(0, 2)
    odd = odd.set_column(odd.schema.get_field_index("key"), "key", pa.array([-1.0, 3.0]))
    odd = odd.set_column(odd.schema.get_field_index("duration_ms"), "duration_ms", pa.array([0, 1000]))
    odd = odd.set_column(odd.schema.get_field_index("tempo"), "tempo", pa.array([0.0, 90.0]))
    found = Encoder.fitted(songs(20, seed=3)).encode(odd)
    known = found.known
    assert known[:, BLOCKS.index("tempo")].tolist() == [False, True]
    assert np.isnan(found.values[:, TARGETS.index("tempo")]).tolist() == [True, False]
    assert known[:, BLOCKS.index("key")].tolist() == [False, True]
    assert known[:, BLOCKS.index("duration_ms")].tolist() == [False, True]


def test_an_artist_is_the_same_in_any_spelling() -> None:
    keys = artist_keys(["Björk", "bjork", "The Beatles", "Beatles", None, "", "Blur"])
    assert keys[0] == keys[1]
    assert keys[2] == keys[3]
    assert keys[4] == keys[5] == 0
    assert len(set(keys.tolist())) == 4


def test_an_artists_mean_never_holds_the_rows_own_value() -> None:
    keys = artist_keys(["a", "a", "a", "b"])
    values = np.zeros((4, len(TARGETS)))
    values[:, 0] = [1, 2, 6, 5]
    values[2, 1] = np.nan
    means = ArtistMeans.fitted(keys, values)
    own = means.block(keys, without=values)
    # Drawn towards the whole by one more track at 0.
    assert own[:, 0].tolist() == np.array([8 / 3, 7 / 3, 1, 0], np.float32).tolist()
    changed = values.copy()
    changed[0, 0] = 100
    again = ArtistMeans.fitted(keys, changed).block(keys, without=changed)
    assert again[0, 0] == own[0, 0]
    assert own[:, -2].tolist() == np.log1p(np.array([2, 2, 2, 0], np.float32)).tolist()
    stranger = means.block(artist_keys(["c", None]))
    assert stranger[:, :-1].any() == np.False_


def test_folds_keep_artists_together() -> None:
    keys = artist_keys([f"a{i % 40}" for i in range(400)] + [None] * 40)
    fold = folds(keys, rng=np.random.default_rng(0))
    assert all(len(set(fold[keys == key])) == 1 for key in set(keys.tolist()) - {0})
    assert len(set(fold[keys == 0].tolist())) == 4  # nobody's tracks are not one artist's
    assert set(fold.tolist()) == {0, 1, 2, 3}


def test_what_a_batch_shows_is_known_and_varies() -> None:
    rng = np.random.default_rng(0)
    known = rng.random((4_000, len(BLOCKS))) < 0.9
    shown = hidden(known, sets=patterns(known), rng=rng)
    assert not np.any(shown & ~known)
    none = ~shown[:, AUDIO].any(axis=1)
    assert 0.35 < none.mean() < 0.55
    assert len(np.unique(codes(shown[:, AUDIO]))) > 500
    assert 0.3 < shown[:, -1].mean() < 0.6


def test_sets_that_are_frequent_in_the_rows_are_learnt_from() -> None:
    known = np.zeros((100, len(BLOCKS)), bool)
    known[:, AUDIO] = True
    odd = [f in {"valence", "speechiness"} for f in AUDIO_FEATURES]
    assert int(codes(np.array([odd]))[0]) not in patterns(known)
    known[:5, AUDIO] = odd
    assert int(codes(np.array([odd]))[0]) in patterns(known)
    assert flags(int(codes(np.array([odd]))[0])).tolist() == odd
