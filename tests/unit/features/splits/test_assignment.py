"""What every split promises: groups stay whole, order doesn't matter, shares hold, and nobody moves without need."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.features.splits import Split, SplitRecipe, assign
from backend.features.splits.groups import group
from backend.features.splits.names import artist_key, credited, first_artist, title_key
from backend.utils.errors import InvalidInputError
from tests.unit.features.splits.catalogue import many, parts, table, tables

HALVES = {"train": 0.5, "test": 0.5}
SAME_ISRC = ("GBAYE6500521", "gb-aye-65-00521")
GROUPED = st.sampled_from(["artist", "album", "recording"])


def whole(split: Any, tracks: pa.Table, key: Any) -> None:
    """Fails when tracks of one key stand in two parts; a key is a function of a row, None for none."""
    where: dict[Any, set[str | None]] = defaultdict(set)
    part = parts(split)
    for row in tracks.to_pylist():
        if (found := key(row)) is not None:
            where[found].add(part[row["id"]])
    assert [found for found, names in where.items() if len(names) > 1] == []


def recording(row: dict[str, Any]) -> Any:
    artist, title = first_artist(row.get("artist") or ""), title_key(row.get("title") or "")
    return (artist, title) if artist and title else None


NAMES: dict[str, Any] = {
    "artist": lambda row: first_artist(row.get("artist") or "") or None,
    "album": lambda row: (
        (first_artist(row.get("artist") or ""), title_key(row["album"]))
        if row.get("album") and first_artist(row.get("artist") or "")
        else None
    ),
    "recording": recording,
}


def dealt(tracks: pa.Table, recipe: SplitRecipe) -> Split | None:
    """The split; None where the table has no column of the kind with a value, which is refused."""
    needed = {"artist": ("artist", "artist_id"), "album": ("album", "album_id")}.get(
        recipe.kind, ("title", "isrc", "recording_mbid", "recording_key")
    )
    filled = [
        name for name in needed if name in tracks.column_names and tracks.column(name).null_count < tracks.num_rows
    ]
    if recipe.kind == "random" or filled:
        return assign(tracks, recipe)
    with pytest.raises(InvalidInputError, match=f"a split by {recipe.kind} needs at least one of the columns"):
        assign(tracks, recipe)
    return None


@settings(deadline=None)
@given(tracks=tables(), seed=st.integers(0, 999), kind=GROUPED, balanced=st.booleans())
def test_no_group_stands_in_two_parts(tracks: pa.Table, seed: int, kind: Any, balanced: bool) -> None:
    recipe = SplitRecipe(kind=kind, parts=HALVES, seed=seed, balanced=balanced)
    if (split := dealt(tracks, recipe)) is None:
        return
    whole(split, tracks, recording)
    for name in ("recording_mbid", "recording_key"):
        whole(split, tracks, lambda row, name=name: row.get(name))
    whole(
        split,
        tracks,
        lambda row: "isrc" if row.get("isrc") in SAME_ISRC and row.get("duration_ms") == 180_000 else None,
    )
    if kind == "artist":
        whole(split, tracks, lambda row: first_artist(row.get("artist") or "") or None)
        whole(split, tracks, lambda row: row.get("artist_id"))
    if kind == "album":
        whole(split, tracks, lambda row: row.get("album_id"))


@settings(deadline=None)
@given(
    tracks=tables(), seed=st.integers(0, 99), kind=GROUPED | st.just("random"), order=st.randoms(use_true_random=False)
)
def test_the_order_of_rows_means_nothing(tracks: pa.Table, seed: int, kind: Any, order: Any) -> None:
    recipe = SplitRecipe(
        kind=kind, parts=HALVES, seed=seed, stratify="genre" if "genre" in tracks.column_names else None
    )
    if (split := dealt(tracks, recipe)) is None:
        return
    rows = list(range(tracks.num_rows))
    order.shuffle(rows)
    other = assign(tracks.take(rows), recipe)
    assert parts(other) == parts(split)
    assert other.fingerprint == split.fingerprint


@settings(deadline=None)
@given(tracks=tables(), more=tables(6), kind=GROUPED, seed=st.integers(0, 99))
def test_a_grown_catalogue_moves_only_tracks_whose_group_took_in_others(
    tracks: pa.Table, more: pa.Table, kind: Any, seed: int
) -> None:
    recipe = SplitRecipe(kind=kind, parts=HALVES, seed=seed)
    more = more.set_column(0, "id", pa.array([f"new {i}" for i in range(more.num_rows)]))
    grown = pa.concat_tables([tracks, more], promote_options="default")
    before, after = dealt(tracks, recipe), dealt(grown, recipe)
    if before is None or after is None:
        return
    n, codes, earlier = tracks.num_rows, group(grown, recipe).codes, group(tracks, recipe).codes
    names = [NAMES[kind](row) for row in grown.to_pylist()]
    for track in after.moved_since(before):
        row = tracks.column("id").to_pylist().index(track)
        together = np.flatnonzero(codes == codes[row])
        merged = len({earlier[i] for i in together if i < n}) > 1
        old_names = {names[i] for i in together if i < n} - {None}
        new_names = {names[i] for i in together if i >= n} - old_names - {None}
        assert merged or new_names or not old_names


@pytest.mark.parametrize("kind", ["random", "artist", "album", "recording"])
@pytest.mark.parametrize("balanced", [False, True])
def test_more_artists_and_more_tracks_of_known_ones_move_nobody(kind: Any, balanced: bool) -> None:
    tracks = many(300)
    new_songs = many(300, seed=1).filter(pa.array(np.arange(many(300, seed=1).num_rows) % 7 == 0))
    new_songs = new_songs.set_column(0, "id", pa.array([f"new {i}" for i in range(new_songs.num_rows)]))
    new_songs = new_songs.set_column(2, "title", pa.array([f"unheard {i} of it" for i in range(new_songs.num_rows)]))
    grown = pa.concat_tables([tracks, many(200, prefix="other"), new_songs])
    recipe = SplitRecipe(kind=kind, seed=3, balanced=balanced)
    moved = assign(grown, recipe).moved_since(assign(tracks, recipe))
    if not balanced:
        assert moved == []
    else:  # only those near a cut
        assert len(moved) < 0.1 * tracks.num_rows


def test_of_two_groups_that_merge_one_stays() -> None:
    moves = []
    for seed in range(40):
        tracks = table(
            *({"artist": "Prince", "title": f"a {i}"} for i in range(5)),
            *({"artist": "TAFKAP", "title": f"b {i}"} for i in range(5)),
        )
        bridge = table(
            {"artist": "Prince", "artist_id": "x", "id": "n1"}, {"artist": "TAFKAP", "artist_id": "x", "id": "n2"}
        )
        recipe = SplitRecipe(kind="artist", parts=HALVES, seed=seed)
        before = assign(tracks, recipe)
        after = assign(pa.concat_tables([tracks, bridge], promote_options="default"), recipe)
        assert len(set(parts(after).values())) == 1
        moves.append(len(after.moved_since(before)))
    assert set(moves) == {0, 5}


@pytest.mark.parametrize(("older", "younger"), [("Prince", "TAFKAP"), ("TAFKAP", "Prince")])
def test_with_the_day_of_arrival_a_new_spelling_moves_nobody_and_the_older_group_stays(
    older: str, younger: str
) -> None:
    old, new = np.datetime64("2024-01-01", "us"), np.datetime64("2025-01-01", "us")
    for seed in range(20):
        recipe = SplitRecipe(kind="artist", parts=HALVES, seed=seed, since="created_at")
        tracks = table(*({"artist": older, "artist_id": "x", "title": f"a {i}", "created_at": old} for i in range(5)))
        more = table({"artist": younger, "artist_id": "x", "id": "n", "created_at": new})
        after = assign(pa.concat_tables([tracks, more], promote_options="default"), recipe)
        assert after.moved_since(assign(tracks, recipe)) == []
        assert len(set(parts(after).values())) == 1


def test_recordings_hold_together_across_artists_and_albums() -> None:
    rows = (
        {"artist": "Queen", "title": "Under Pressure", "album_id": "1", "isrc": "GBUM71029604", "duration_ms": 248_000},
        {
            "artist": "David Bowie",
            "title": "Pression",
            "album_id": "2",
            "isrc": "GB-UM7-10-29604",
            "duration_ms": 249_000,
        },
        {"artist": "Queen", "title": "Under Presure", "album_id": "3", "duration_ms": 250_900},
        {"artist": "Queen", "title": "Under Pressure - Remastered", "album_id": "4"},
    )
    for kind in ("artist", "album", "recording"):
        for seed in range(12):
            split = assign(table(*rows), SplitRecipe(kind=kind, parts=HALVES, seed=seed))
            assert split.report.groups == 1


def test_one_code_given_to_two_lengths_joins_nothing() -> None:
    rows = [
        {"artist": "A", "title": "one", "isrc": "GBUM71029604", "duration_ms": 100_000},
        {"artist": "B", "title": "two", "isrc": "GBUM71029604", "duration_ms": 200_000},
    ]
    recipe = SplitRecipe(kind="recording")
    assert assign(table(*rows), recipe).report.groups == 2
    for unknown in (None, 0):
        doubtful = {"artist": "C", "title": "three", "isrc": "GBUM71029604", "duration_ms": unknown}
        assert assign(table(*rows, doubtful), recipe).report.groups == 1


@pytest.mark.parametrize(
    ("title", "duration", "groups"),
    [
        ("Paranoid Androyd", 384_000, 1),
        ("Paranoid Androyd", 388_000, 2),
        ("Paranoia", 384_000, 2),
        ("Qaranoid Android", 384_000, 2),
    ],
)
def test_nearly_equal_titles_need_equal_lengths(title: str, duration: int, groups: int) -> None:
    tracks = table(
        {"artist": "Radiohead", "title": "Paranoid Android", "duration_ms": 383_000},
        {"artist": "Radiohead", "title": title, "duration_ms": duration},
    )
    assert assign(tracks, SplitRecipe(kind="recording")).report.groups == groups


def test_artists_of_joint_credits() -> None:
    tracks = table(
        {"artist": "JAY-Z"},
        {"artist": "JAY-Z, Kanye West"},
        {"artist": "Kanye West"},
        {"artist": "Rihanna", "title": "X (feat. JAY-Z)"},
    )
    found = {how: assign(tracks, SplitRecipe(kind="artist", artists=how)).report for how in ("whole", "first", "all")}
    assert {how: report.groups for how, report in found.items()} == {"whole": 4, "first": 3, "all": 1}
    assert found["all"].largest_rows == 4


def test_nobody_is_no_artist() -> None:
    split = assign(
        table(
            *(
                {"artist": name, "title": f"t {i}"}
                for i, name in enumerate(["Various Artists", "VA", "", None, "Queen"])
            )
        ),
        SplitRecipe(kind="artist"),
    )
    assert split.report.groups == 5
    assert split.report.unnamed == 4
    assert "4 tracks have no known artist" in split.report.notes[0]


def test_editions_are_one_album() -> None:
    tracks = table(
        {"artist": "ABBA", "title": "a", "album": "Arrival", "album_id": "1"},
        {"artist": "ABBA", "title": "b", "album": "Arrival (Deluxe Edition)", "album_id": "2"},
        {"artist": "ABBA", "title": "c", "album": "Voyage", "album_id": "3"},
        {"artist": "Guest", "title": "d", "album": None, "album_id": "1"},
    )
    assert assign(tracks, SplitRecipe(kind="album")).report.groups == 2


@pytest.mark.parametrize("kind", ["random", "artist", "album", "recording"])
def test_shares_hold_within_the_error_that_is_told(kind: Any) -> None:
    tracks = many(800)
    off = []
    for seed in range(20):
        report = assign(tracks, SplitRecipe(kind=kind, seed=seed)).report
        off += [
            (report.rows[p] / tracks.num_rows - s) / report.expected_error[p]
            for p, s in (("train", 0.8), ("test", 0.1))
        ]
    assert np.abs(off).max() < 4
    assert 0.7 < np.sqrt(np.mean(np.square(off))) < 1.35


def test_balanced_shares_hold_within_half_of_a_group_per_cut() -> None:
    tracks = many(800)
    for seed in range(5):
        report = assign(tracks, SplitRecipe(kind="artist", seed=seed, balanced=True)).report
        for name, share in (("train", 0.8), ("validation", 0.1), ("test", 0.1)):
            assert abs(report.rows[name] - share * tracks.num_rows) <= report.largest_rows


def test_strata_have_their_shares() -> None:
    tracks = many(2_000)
    genre = np.array(tracks.column("genre").to_pylist())
    off: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(5):
        for stratified, errors in off.items():
            split = assign(tracks, SplitRecipe(kind="random", seed=seed, stratify="genre" if stratified else None))
            if stratified:
                assert split.report.strata_error is not None
                assert split.report.strata_error <= 1
            found = np.count_nonzero(genre[split.rows("test")] == "jazz")
            errors.append(abs(found - 0.1 * np.count_nonzero(genre == "jazz")))
    assert max(off[True]) <= 1 < max(off[False])


def test_strata_of_groups_numbers_and_lists() -> None:
    tracks = many(2_000)
    by_artist = assign(tracks, SplitRecipe(kind="artist", stratify="genre")).report
    assert by_artist.strata_error is not None
    assert by_artist.strata_error < 0.02 * tracks.num_rows
    tenths = assign(tracks, SplitRecipe(kind="random", stratify="duration_ms"))
    longest = tracks.column("duration_ms").to_numpy()[tenths.rows("test")] > np.quantile(
        tracks.column("duration_ms").to_numpy(), 0.9
    )
    assert abs(longest.mean() - 0.1) < 0.005
    lists = tracks.append_column("genres", pa.array([[g] for g in tracks.column("genre").to_pylist()]))
    assert parts(assign(lists, SplitRecipe(kind="random", stratify="genres"))) == parts(
        assign(tracks, SplitRecipe(kind="random", stratify="genre"))
    )
    with pytest.raises(InvalidInputError, match="stratify='mood' is no column"):
        assign(tracks, SplitRecipe(kind="random", stratify="mood"))


def test_folds() -> None:
    tracks = many(500)
    split = assign(tracks, SplitRecipe(kind="artist", folds=5))
    whole(split, tracks, lambda row: artist_key(row["artist"]))
    seen = np.concatenate([test for _, test in split.folds()])
    assert sorted(seen) == list(range(tracks.num_rows))
    for training, test in split.folds():
        assert len(training) + len(test) == tracks.num_rows
        assert not np.isin(test, training).any()


def test_one_huge_artist_is_told_of() -> None:
    huge = table(*({"artist": "Queen", "title": f"song {i} of it", "id": f"q{i}"} for i in range(1_000)))
    tracks = pa.concat_tables([many(800), huge], promote_options="default")
    for seed in range(4):
        report = assign(tracks, SplitRecipe(kind="artist", seed=seed)).report
        assert (report.largest_group, report.largest_rows) == ("artist:queen", 1_000)
        assert any("artist:queen" in note for note in report.notes)
    balanced = assign(tracks, SplitRecipe(kind="artist", seed=0, balanced=True)).report
    assert abs(balanced.rows["train"] / tracks.num_rows - 0.8) < 0.06


@pytest.mark.parametrize("kind", ["random", "artist", "album", "recording", "time"])
def test_no_track_and_one(kind: Any) -> None:
    one = many(1)[:1]
    assert assign(one, SplitRecipe(kind=kind, stratify=None)).codes.shape == (1,)
    none = assign(one[:0], SplitRecipe(kind=kind))
    assert none.codes.shape == (0,)
    assert none.report.rows == {"train": 0, "validation": 0, "test": 0}
    assert none.table().num_rows == 0


def test_what_is_missing_is_named() -> None:
    bare = table({"title": "a"}, {"title": "b"})
    assert assign(bare, SplitRecipe(kind="random")).report.groups == 2
    with pytest.raises(
        InvalidInputError, match="a split by artist needs at least one of the columns artist, artist_id"
    ):
        assign(bare, SplitRecipe(kind="artist"))
    with pytest.raises(InvalidInputError, match="no column release_date; it has id, title"):
        assign(bare, SplitRecipe(kind="time"))
    with pytest.raises(InvalidInputError, match="1 ids stand more than once"):
        assign(table({"id": "a"}, {"id": "a"}), SplitRecipe(kind="random"))
    with pytest.raises(InvalidInputError, match="1 tracks have no id"):
        assign(table({"id": "a"}, {"id": None}), SplitRecipe(kind="random"))
    with pytest.raises(InvalidInputError, match="needs a column id"):
        assign(pa.table({"title": ["a"]}), SplitRecipe(kind="random"))
    with pytest.raises(InvalidInputError, match="there is no part 'tset'; the parts are train, validation, test"):
        assign(bare, SplitRecipe(kind="random")).rows("tset")


def test_other_types_of_columns_are_read() -> None:
    tracks = many(50)
    other = pa.table({
        "id": tracks.column("id").cast(pa.large_string()),
        "artist": tracks.column("artist").dictionary_encode(),
        "title": tracks.column("title").cast(pa.string_view()),
        "duration_ms": tracks.column("duration_ms").cast(pa.float64()),
        "artist_ids": pa.array([[a, "someone"] for a in tracks.column("artist").to_pylist()]),
    })  # fmt: skip
    recipe = SplitRecipe(kind="artist")
    assert parts(assign(other, recipe)) == parts(assign(tracks, recipe))
    assert assign(other, SplitRecipe(kind="artist", artists="all")).report.groups == 1


def test_another_process_says_the_same() -> None:
    program = (
        "from tests.unit.features.splits.catalogue import many\nfrom backend.features.splits import *\n"
        "print(assign(many(100), SplitRecipe(kind='artist', seed=5)).fingerprint)"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONHASHSEED": seed, "POLARS_MAX_THREADS": threads, "PYTHONPATH": ":".join(sys.path)},
        ).stdout.strip()
        for seed, threads in (("1", "1"), ("2", "2"))
    }
    assert said == {assign(many(100), SplitRecipe(kind="artist", seed=5)).fingerprint}


def test_parts_stay_what_they_were_in_earlier_versions() -> None:
    names = [
        "Queen",
        "ABBA",
        "Björk",
        "Кино",
        "東京事変",
        "!!!",
        "The The",
        "Beatles, The",
        "AC/DC",
        "JAY-Z & Kanye West",
        None,
        "VA",
    ]
    tracks = table(*({"artist": name, "title": f"song {i}"} for i, name in enumerate(names)))
    assert assign(tracks, SplitRecipe(kind="artist", parts=HALVES, seed=1)).codes.tolist() == [
        0,
        0,
        0,
        0,
        1,
        0,
        1,
        0,
        0,
        0,
        0,
        1,
    ]
    assert assign(tracks, SplitRecipe(kind="recording", parts=HALVES, seed=2)).codes.tolist() == [
        0,
        0,
        0,
        0,
        1,
        0,
        0,
        0,
        1,
        0,
        0,
        1,
    ]


def test_a_stored_split_is_read_back() -> None:
    tracks = many(40)
    split = assign(tracks, SplitRecipe(kind="time", gap_days=900))
    assert (split.codes < 0).any()
    again = Split.of_table(split.table(), split.recipe)
    assert again.fingerprint == split.fingerprint
    assert (again.report.rows, again.report.left_out) == (split.report.rows, split.report.left_out)
    with pytest.raises(InvalidInputError, match="part 'train' is none of the recipe's parts fold_0, fold_1"):
        Split.of_table(split.table(), SplitRecipe(kind="artist", folds=2))


@pytest.mark.parametrize("isrc", ["000000000000", "QZ0000000000", "GBAYE0000000", "n/a", "GBAYE77000", "GBAYE77X0016"])
def test_what_is_no_code_joins_nothing(isrc: str) -> None:
    tracks = table(
        {"artist": "A", "title": "a", "isrc": isrc},
        {"artist": "B", "title": "b", "isrc": isrc},
        {"isrc": "GBAYE7700016"},
    )
    assert assign(tracks, SplitRecipe(kind="recording")).report.groups == 3


def test_credits_of_many_artists_are_known_one_by_one() -> None:
    assert credited("A, B & C feat. D") == ("a", "b", "c", "d")
