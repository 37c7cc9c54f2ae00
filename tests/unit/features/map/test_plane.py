from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.neighbors import NearestNeighbors

from backend.features.discovery.index import DiscoveryIndex
from backend.features.discovery.rows import READS
from backend.features.map.layout import arranged, neighbours
from backend.features.map.picture import Picture
from backend.features.map.plane import GRID, Plane, living
from backend.features.map.sound import sounds
from backend.features.map.storing import open_plane, save
from backend.utils.errors import InvalidInputError
from tests.unit.features.songs import songs
from tests.unit.features.tracks import table


def catalogue(artists: int, *, seed: int = 0, prefix: str = "a") -> pa.Table:
    made = songs(artists, seed=seed, prefix=prefix)
    n = made.num_rows
    for name in READS:
        if name not in made.column_names:
            text = pa.array([f"{prefix}{name}{i // 10}" for i in range(n)])
            made = made.append_column(name, pa.nulls(n, pa.float32()) if name.startswith("mood_") else text)
    return made.set_column(made.column_names.index("id"), "id", pa.array([f"{prefix}{i:05}" for i in range(n)])).select(
        list(READS)
    )


def agreement(vectors: Any, at: Any, k: int = 15) -> float:
    near = [NearestNeighbors(n_neighbors=k).fit(x).kneighbors(return_distance=False) for x in (vectors, at)]
    return float(np.mean([len(np.intersect1d(a, b)) / k for a, b in zip(*near, strict=True)]))


def places(plane: Plane) -> dict[int, bytes]:
    return {int(code): at.tobytes() for code, at in zip(plane.codes, plane.at, strict=True)}


@pytest.fixture(scope="module")
def whole() -> pa.Table:
    return pa.concat_tables([catalogue(150), catalogue(40, seed=3, prefix="late")])


@pytest.fixture(scope="module")
def index(whole: pa.Table) -> DiscoveryIndex:
    return DiscoveryIndex.build(whole.slice(0, catalogue(150).num_rows))


@pytest.fixture(scope="module")
def plane(index: DiscoveryIndex) -> Plane:
    return Plane.drawn_of(index)


def test_neighbours_stay_neighbours_and_the_layout_is_the_same_each_time(index: DiscoveryIndex) -> None:
    vectors = sounds(index, np.arange(len(index)))
    at = arranged(vectors)
    assert np.array_equal(at, arranged(vectors))
    by_chance = agreement(vectors, np.random.default_rng(0).random((len(vectors), 2)))
    assert agreement(vectors, at) > 10 * by_chance


def test_neighbours_are_the_nearest_others_also_where_many_are_equal() -> None:
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(1_500, 6)).astype(np.float32)
    vectors[:40] = vectors[0]
    found = neighbours(vectors, 5)
    assert not (found == np.arange(len(vectors))[:, None]).any()
    products = vectors @ vectors.T
    np.fill_diagonal(products, -np.inf)
    best = -np.sort(-products, axis=1)[:, :5]
    assert np.allclose(np.take_along_axis(products, found, axis=1), best, atol=1e-4)


def test_what_stands_does_not_move_by_a_bit_and_new_tracks_stand_beside_what_sounds_alike(
    whole: pa.Table, index: DiscoveryIndex, plane: Plane
) -> None:
    grown_index = DiscoveryIndex.build(whole)  # learnt anew: its vectors are others
    grown = plane.grown(grown_index)
    before, after = places(plane), places(grown)
    assert len(after) == whole.num_rows > len(before)
    assert {code: after[code] for code in before} == before
    assert np.array_equal(grown.grid(plane.codes), plane.grid(plane.codes))
    assert (grown.layout, grown.drawn) == (plane.layout, plane.drawn)
    assert places(plane.grown(grown_index)) == after

    rows, codes = living(grown_index)
    vectors = sounds(grown_index, rows)
    assert np.array_equal(codes, grown.codes)
    assert agreement(vectors, grown.at) > 0.2
    # It grows as well by what an index took in without learning anew, and step by step.
    late = whole.slice(len(index))
    assert len(places(plane.grown(index.changed(late)))) == whole.num_rows


def test_few_anchors_carry_many_tracks(whole: pa.Table) -> None:
    index = DiscoveryIndex.build(whole)
    sparse = Plane.drawn_of(index, most=500)
    assert int(sparse.anchors.sum()) == 500
    rows, _ = living(index)
    at = agreement(sounds(index, rows), sparse.at)
    assert at > 0.15
    assert len(np.unique(sparse.grid(sparse.codes), axis=0)) > 0.95 * len(sparse.codes)


def test_equal_tracks_stand_apart_and_unknown_ones_by_themselves() -> None:
    rows = [{"title": "Same", "artist": "One", "genres": ["rock"], "release_year": 1990} for _ in range(40)]
    rows += [{"title": "Other", "artist": "Two", "genres": [f"g{i % 7}"], "release_year": 1950 + i} for i in range(60)]
    rows += [{"title": "Nothing", "artist": "Three"} for _ in range(5)]
    index = DiscoveryIndex.build(table(rows).select(list(READS)))
    plane = Plane.drawn_of(index)
    late = DiscoveryIndex.build(table([*rows, *({**rows[0], "id": f"new{i}"} for i in range(20))]).select(list(READS)))
    grown = plane.grown(late)
    grid = grown.grid(grown.codes)
    assert len(np.unique(grid, axis=0)) == len(grid) == 125
    unknown = ~grown.anchors
    assert int(unknown.sum()) == 5
    assert grown.at[unknown, 1].max() < grown.at[~unknown, 1].min()
    assert grid.max() < GRID


@pytest.mark.parametrize("n", [0, 1, 2, 11])
def test_catalogues_of_a_few(n: int) -> None:
    rows = [{"title": f"T{i}", "artist": "A", "genres": ["rock"], "release_year": 1990 + i} for i in range(n)]
    index = DiscoveryIndex.build(table(rows).select(list(READS)))
    plane = Plane.drawn_of(index)
    picture = Picture.of(index, plane)
    assert len(picture) == n
    assert len(np.unique(picture.at, axis=0)) == n
    more = [*rows, {"title": "More", "artist": "B", "genres": ["jazz"], "release_year": 1960}]
    grown = plane.grown(DiscoveryIndex.build(table(more).select(list(READS))))
    assert len(grown.codes) == n + 1
    assert {code: at for code, at in places(grown).items() if code in places(plane)} == places(plane)


def test_a_sketch_is_outgrown_and_a_drawing_is_not(plane: Plane) -> None:
    few, many = catalogue(3), catalogue(12)
    sketch = Plane.drawn_of(DiscoveryIndex.build(few))
    assert not sketch.is_outgrown_by(DiscoveryIndex.build(few))
    assert sketch.is_outgrown_by(DiscoveryIndex.build(many))
    assert not plane.is_outgrown_by(DiscoveryIndex.build(catalogue(400)))


def test_a_track_that_returns_stands_where_it_stood(index: DiscoveryIndex, plane: Plane) -> None:
    without = index.changed(index.rows.table.slice(0, 0), removed=index.rows.names([4, 5]))
    smaller = Picture.of(without, plane.grown(without))
    assert len(smaller) == len(index) - 2
    back = Picture.of(index, plane.grown(without).grown(index))
    assert np.array_equal(back.at, Picture.of(index, plane).at)
    assert back.version == Picture.of(index, plane).version != smaller.version


def test_what_is_stored_is_read_and_what_is_broken_is_refused(tmp_path: Path, plane: Plane) -> None:
    path = tmp_path / "any.npz"
    save(plane, path)
    opened = open_plane(path)
    assert (opened.layout, opened.drawn, opened.corner, opened.extent) == (
        plane.layout,
        plane.drawn,
        plane.corner,
        plane.extent,
    )
    assert places(opened) == places(plane)
    assert np.array_equal(opened.anchors, plane.anchors)
    assert [p.name for p in tmp_path.iterdir()] == ["any.npz"]
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(InvalidInputError, match="holds no map"):
        open_plane(path)
    np.savez(path, form=np.int64(9))
    with pytest.raises(InvalidInputError, match="has form 9"):
        open_plane(path)


def test_every_beginning_of_a_picture_is_spread_like_the_whole(index: DiscoveryIndex, plane: Plane) -> None:
    picture = Picture.of(index, plane)
    first, everything = picture.at[:300].astype(float), picture.at.astype(float)
    assert np.abs(first.mean(axis=0) - everything.mean(axis=0)).max() < 0.06 * GRID
    assert np.abs(first.std(axis=0) / everything.std(axis=0) - 1).max() < 0.15
    albums = index.rows.albums[picture.rows]
    drawn = np.random.default_rng(0).permutation(albums)
    assert len(np.unique(albums[:100])) > 0.8 * len(np.unique(drawn[:100]))


def test_lines_boxes_and_nearness(index: DiscoveryIndex, plane: Plane) -> None:
    picture = Picture.of(index, plane)
    x, y = picture.at[:, 0].astype(float), picture.at[:, 1].astype(float)
    corners = [(10_000.0, 5_000.0), (60_000.0, 20_000.0), (20_000.0, 60_000.0)]

    def left_of(a: tuple[float, float], b: tuple[float, float]) -> Any:
        return (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]) > 0

    inside = left_of(corners[0], corners[1]) & left_of(corners[1], corners[2]) & left_of(corners[2], corners[0])
    assert picture.inside(corners).tolist() == np.flatnonzero(inside).tolist()
    assert inside.any()
    bent = [(0, 0), (GRID, 0), (GRID, GRID), (GRID / 2, GRID / 2), (0, GRID)]  # a notch from above
    notch = (y > GRID / 2) & (np.abs(x - GRID / 2) < y - GRID / 2)
    strictly = np.abs(np.abs(x - GRID / 2) - (y - GRID / 2)) > 2
    assert set(np.flatnonzero(notch & strictly)).isdisjoint(picture.inside([(float(a), float(b)) for a, b in bent]))
    near = picture.nearest(30_000, 30_000, 5)
    assert near.tolist() == np.argsort((x - 30_000) ** 2 + (y - 30_000) ** 2, kind="stable")[:5].tolist()
    with pytest.raises(InvalidInputError, match="three corners"):
        picture.inside(corners[:2])
    with pytest.raises(InvalidInputError, match="rows 0 to"):
        picture.checked([len(picture)])
