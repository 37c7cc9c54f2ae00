"""Leaks that are there are found: counted exactly, planted ones one by one, whatever the split was made by."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.features.splits import Certificate, Split, SplitRecipe, assign, certify
from backend.features.splits.names import credited, first_artist, guests, title_key
from backend.features.splits.near import alike
from backend.utils.errors import InvalidInputError
from tests.unit.features.splits.catalogue import many, table, tables

PARTS = {"train": 0.5, "validation": 0.25, "test": 0.25}
HALVES = {"train": 0.5, "test": 0.5}


def dealt(tracks: pa.Table, codes: Any, **recipe: Any) -> Split:
    """A split that was made by hand, whatever its recipe says."""
    made = SplitRecipe(**{"kind": "random", "parts": HALVES, **recipe})
    split = assign(tracks, replace(made, kind="random", artists="first", cuts=()))
    return replace(split, recipe=made, codes=np.asarray(codes, np.int16))


def two(one: dict[str, Any], other: dict[str, Any], **recipe: Any) -> Certificate:
    """The certificate of two tracks in two parts."""
    tracks = table(one, other)
    return certify(tracks, dealt(tracks, [0, 1], **recipe))


def first(row: dict[str, Any]) -> str:
    return first_artist(row.get("artist") or "")


def title(row: dict[str, Any]) -> str:
    return title_key(row.get("title") or "")


def equal(a: dict[str, Any], b: dict[str, Any], *names: str) -> bool:
    return any(a.get(n) is not None and a.get(n) == b.get(n) for n in names)


def near(a: dict[str, Any], b: dict[str, Any], most: int) -> bool | None:
    one, other = a.get("duration_ms"), b.get("duration_ms")
    return None if not one or not other else abs(one - other) <= most


def code(row: dict[str, Any]) -> str:
    text = (row.get("isrc") or "").replace("-", "").upper()
    return text if len(text) == 12 else ""


def album(row: dict[str, Any]) -> tuple[str, str] | None:
    return (first(row), title_key(row["album"])) if first(row) and row.get("album") else None


def spelt_alike(one: str, other: str) -> bool:
    if one == other:
        return True
    return min(len(one), len(other)) >= 5 and one[:2] == other[:2] and bool(alike([one], [other])[0])


SAME: dict[str, Callable[[dict[str, Any], dict[str, Any]], bool]] = {
    "artist": lambda a, b: bool(first(a) and first(a) == first(b)) or equal(a, b, "artist_id"),
    "album": lambda a, b: equal(a, b, "album_id") or (album(a) is not None and album(a) == album(b)),
    "recording": lambda a, b: equal(a, b, "recording_mbid", "recording_key"),
    "isrc": lambda a, b: bool(code(a) and code(a) == code(b)) and near(a, b, 10_000) is not False,
    "same_title": lambda a, b: bool(first(a) and title(a)) and (first(a), title(a)) == (first(b), title(b)),
    "near_duplicate": lambda a, b: bool(
        first(a) and first(a) == first(b) and title(a) and near(a, b, 3_000)
    ) and spelt_alike(title(a), title(b)),
}  # fmt: skip


@settings(deadline=None, max_examples=60)  # polars alone takes as long as the usual deadline
@given(tracks=tables(10), data=st.data())
def test_pairs_and_rows_are_those_that_looking_at_every_pair_finds(tracks: pa.Table, data: st.DataObject) -> None:
    codes = data.draw(st.lists(st.integers(-1, 2), min_size=tracks.num_rows, max_size=tracks.num_rows))
    found = certify(tracks, dealt(tracks, codes, parts=PARTS))
    rows, names = tracks.to_pylist(), tuple(PARTS)
    for name, same in SAME.items():
        check = found.check(name)
        told = {s.parts: (s.pairs, s.rows) for s in check.shared}
        wanted = {}
        for one, other in combinations(range(3), 2):
            pairs = [
                (i, j)
                for i, a in enumerate(codes)
                for j, b in enumerate(codes)
                if (a, b) == (one, other) and same(rows[i], rows[j])
            ]
            if pairs:
                wanted[names[one], names[other]] = (len(pairs), tuple(len({p[k] for p in pairs}) for k in (0, 1)))
            for s in check.shared:
                if s.parts == (names[one], names[other]):
                    ids = [(rows[i]["id"], rows[j]["id"]) for i, j in pairs]
                    assert set(s.examples) <= set(ids)
        assert (told == wanted) or check.unchecked, name
    json.dumps(found.to_plain(), allow_nan=False)
    assert found.to_text()


@settings(deadline=None, max_examples=60)  # polars alone takes as long as the usual deadline
@given(
    tracks=tables(14),
    seed=st.integers(0, 99),
    kind=st.sampled_from(["artist", "album", "recording"]),
    artists=st.sampled_from(["first", "all", "whole"]),
)
def test_what_is_dealt_by_a_recipe_passes(tracks: pa.Table, seed: int, kind: Any, artists: Any) -> None:
    try:
        split = assign(tracks, SplitRecipe(kind=kind, parts=PARTS, seed=seed, artists=artists))
    except InvalidInputError:
        return
    found = certify(tracks, split)
    assert all(check.holds for check in found.checks), found.to_text()


@pytest.mark.parametrize("kind", ["artist", "album", "recording"])
def test_many_tracks_pass_and_a_random_split_of_them_would_not(kind: Any) -> None:
    tracks = many(300)
    found = certify(tracks, assign(tracks, SplitRecipe(kind=kind)))
    assert found.passed
    assert found.check(kind).shared == () or kind == "recording"
    random = certify(tracks, assign(tracks, SplitRecipe(kind="random")))
    assert random.check("artist").shared
    assert random.check("album").shared
    assert random.passed  # nothing was promised
    assert "nothing is promised" in random.to_text()


@pytest.mark.parametrize(
    ("check", "one", "other"),
    [
        ("recording", {"title": "Heroes", "recording_mbid": "m"}, {"title": "Helden", "recording_mbid": "m"}),
        ("recording", {"title": "Heroes", "recording_id": "t0"}, {"title": "Helden", "recording_id": "t0"}),
        ("isrc", {"title": "Heroes", "isrc": "GBAYE7700016"}, {"title": "Helden", "isrc": "gb-aye-77-00016"}),
        ("same_title", {"artist": "Bowie", "title": "Heroes"}, {"artist": "Bowie", "title": "“Heroes” - 2017 Remaster"}),
        ("near_duplicate", {"artist": "David Bowie", "title": "Ashes to Ashes", "duration_ms": 260_000},
         {"artist": "David Bowie & Others", "title": "Ashes to Ahses", "duration_ms": 262_900}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["artist", "album", "recording"])
def test_one_recording_under_two_ids_is_caught(check: str, one: Any, other: Any, kind: Any) -> None:
    found = two({"album_id": "1", "artist": "A", **one}, {"album_id": "2", "artist": "A", **other}, kind=kind)
    assert not found.passed
    assert not found.check(check).holds
    assert found.check(check).shared[0].pairs == 1
    assert found.check(check).shared[0].rows == (1, 1)
    assert found.check(check).shared[0].examples == (("t0", "t1"),)
    assert "FAILED" in found.to_text()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"artist": "Beyoncé"}, {"artist": "BEYONCE"}),
        ({"artist": "The Beatles"}, {"artist": "Beatles, The"}),
        ({"artist": "AC/DC"}, {"artist": "ACDC"}),
        ({"artist": "Prince", "artist_id": "x"}, {"artist": "TAFKAP", "artist_id": "x"}),
        ({"artist": "JAY-Z"}, {"artist": "Jay Z feat. Rihanna"}),
    ],
)
def test_one_artist_under_two_spellings_is_caught(one: Any, other: Any) -> None:
    found = two({"title": "a", **one}, {"title": "b", **other}, kind="artist")
    assert not found.passed
    assert found.check("artist").shared[0].pairs == 1


def test_a_misspelt_artist_is_told_of_for_a_person_to_see() -> None:
    found = two({"artist": "Beyoncé Knowles"}, {"artist": "Beyonce Knowels"}, kind="artist")
    assert found.passed
    assert found.check("artist_spelling").shared[0].examples == (("t0", "t1"),)
    assert two({"artist": "Boyzone"}, {"artist": "Boyzilla"}, kind="artist").check("artist_spelling").shared == ()


def test_misspelt_artists_are_found_among_many_that_begin_alike() -> None:
    rng = np.random.default_rng(0)
    names = ["DJ " + "".join(rng.choice(list("bcdfghklmnprst"), 12)) for _ in range(3_000)]
    tracks = table(*({"artist": name} for name in [*names, "DJ Wonderfulboy", "DJ Wonderfullboy"]))
    codes = [0] * (len(names) + 1) + [1]
    shared = certify(tracks, dealt(tracks, codes)).check("artist_spelling").shared
    assert [s.examples for s in shared] == [((f"t{len(names)}", f"t{len(names) + 1}"),)]


def test_guests_are_told_of_and_caught_where_all_artists_were_to_be_apart() -> None:
    one, other = {"artist": "Rihanna", "title": "X"}, {"artist": "Eminem", "title": "Y (feat. Rihanna)"}
    assert credited("Eminem") + guests("Y (feat. Rihanna)") == ("eminem", "rihanna")
    assert two(one, other, kind="artist").passed
    assert two(one, other, kind="artist").check("credited_artist").shared[0].pairs == 1
    assert not two(one, other, kind="artist", artists="all").passed


def test_a_test_row_in_the_statistics_is_caught() -> None:
    tracks = many(100)
    split = assign(tracks, SplitRecipe(kind="artist"))
    training = {split.ids[int(i)].as_py() for i in split.rows("train")}
    test = split.ids[int(split.rows("test")[3])].as_py()
    assert certify(tracks, split, fitted_on=training).passed
    found = certify(tracks, split, fitted_on=training | {test, "somebody else"})
    assert not found.passed
    assert [(s.parts, s.pairs, s.examples) for s in found.check("statistics").shared] == [
        (("statistics", "test"), 1, (("statistics", test),))
    ]
    assert certify(tracks, split, fitted_on=training | {test}, held_out=["validation"]).passed
    with pytest.raises(InvalidInputError, match="no part 'tset'"):
        certify(tracks, split, fitted_on=training, held_out=["tset"])


def test_rows_left_out_must_not_be_in_the_statistics_either() -> None:
    tracks = table({"title": "a"}, {"title": "b"})
    found = certify(tracks, dealt(tracks, [0, -1]), fitted_on=["t0", "t1"])
    assert found.check("statistics").shared[0].parts == ("statistics", "left out")


def test_folds_say_which_of_them_was_held_out() -> None:
    tracks = many(30)
    split = assign(tracks, SplitRecipe(kind="artist", folds=3))
    training, test = next(split.folds())
    ids = split.ids.to_pylist()
    assert certify(tracks, split, fitted_on=[ids[i] for i in training], held_out=["fold_0"]).passed
    assert not certify(tracks, split, fitted_on=[ids[test[0]]], held_out=["fold_0"]).passed
    with pytest.raises(InvalidInputError, match="held_out"):
        certify(tracks, split, fitted_on=ids)


def test_time_out_of_order_is_caught() -> None:
    days = [np.datetime64(f"2020-01-0{d}") for d in (1, 5, 3, 7, 3)]
    tracks = table(*({"release_date": day.item()} for day in days))
    recipe = {"kind": "time", "cuts": ("2020-01-04",)}
    assert certify(tracks, dealt(tracks, [0, 1, 0, 1, 0], **recipe)).passed
    found = certify(tracks, dealt(tracks, [0, 0, 1, 1, 1], **recipe))
    assert not found.passed
    assert (found.check("time_order").shared[0].pairs, found.check("time_order").shared[0].rows) == (2, (1, 2))


def test_what_cannot_be_looked_for_is_said_and_the_own_promise_then_fails() -> None:
    tracks = table({"title": "a"}, {"title": "b"})
    found = certify(tracks, dealt(tracks, [0, 1], kind="artist"))
    assert found.check("artist").unchecked.startswith("no column artist, artist_id")
    assert not found.passed
    assert "not looked for: no column isrc with a value" in found.to_text()
    assert "isrc" in json.dumps(found.to_plain())
    with pytest.raises(KeyError):
        found.check("mood")


def test_the_tracks_must_be_those_of_the_split() -> None:
    tracks = many(5)
    split = assign(tracks, SplitRecipe(kind="artist"))
    assert certify(tracks.take(list(reversed(range(tracks.num_rows)))), split) == certify(tracks, split)
    with pytest.raises(InvalidInputError, match="the split is of other tracks"):
        certify(many(6), split)
    with pytest.raises(InvalidInputError, match="the split is of other tracks"):
        certify(tracks[1:], split)


def test_no_track_and_one() -> None:
    for tracks in (many(1)[:0], many(1)[:1]):
        found = certify(tracks, assign(tracks, SplitRecipe(kind="artist")))
        assert all(check.holds and not check.shared for check in found.checks)
        assert found.to_text()
