"""Two tastes side by side."""

from __future__ import annotations

from backend.features.taste.likeness import Side, compare

JAZZ = {"jazz": 0.8, "dub": 0.2}


def side(genres: dict[str, float], of: dict[str, dict[str, float]] | None = None, **artists: int) -> Side:
    return Side(artists=artists, names={a: a.title() for a in artists}, genres=genres, genres_of=of or {})


def test_the_same_are_alike_and_strangers_not() -> None:
    same = compare(side(JAZZ, ada=3, bob=1), side(JAZZ, ada=6, bob=2))
    assert (same["similarity"], same["parts"]) == (1.0, {"artists": 1.0, "genres": 1.0})
    assert (same["could_show_other"], same["genres_apart"]) == ([], [])
    strange = compare(side(JAZZ, ada=1), side({"rock": 1.0}, eve=1))
    assert (strange["similarity"], strange["parts"]) == (0.0, {"artists": 0.0, "genres": 0.0})


def test_shares_of_artists_overlap() -> None:
    found = compare(side({}, ada=3, bob=1), side({}, ada=1, eve=1))
    assert found["parts"] == {"artists": 0.5, "genres": None}
    assert found["similarity"] == 0.5, "where no genre is known the artists alone"
    assert found["shared_artists"] == [{"name": "Ada", "share": 0.75, "other_share": 0.5}]
    assert found["shared_artists_count"] == 1


def test_it_is_the_same_from_both_sides() -> None:
    one, other = side(JAZZ, ada=3, bob=1), side({"jazz": 0.3, "rock": 0.7}, ada=1, eve=4)
    there, back = compare(one, other), compare(other, one)
    assert there["similarity"] == back["similarity"]
    assert there["could_show_other"] == back["could_be_shown"]


def test_genres_in_common_and_apart() -> None:
    found = compare(side({"jazz": 0.6, "dub": 0.3}, ada=1), side({"jazz": 0.5, "rock": 0.4, "dub": 0.29}, ada=1))
    assert [g["name"] for g in found["genres_in_common"]] == ["jazz", "dub"]
    assert found["genres_apart"] == [
        {"name": "rock", "share": 0.0, "other_share": 0.4}, {"name": "jazz", "share": 0.6, "other_share": 0.5},
    ]  # fmt: skip


def test_what_fits_the_other_is_shown_first() -> None:
    of = {"bob": {"rock": 4.0}, "cleo": {"jazz": 2.0}}
    found = compare(side(JAZZ, of, ada=1, bob=50, cleo=5, dora=9), side({"jazz": 1.0}, ada=1))["could_show_other"]
    assert [(row["name"], row["fit"]) for row in found] == [("Cleo", 1.0), ("Bob", 0.0), ("Dora", None)]
