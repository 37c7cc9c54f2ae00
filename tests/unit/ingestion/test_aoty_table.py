"""Tables of Album of the Year's scores: columns by their header, bad lines named, the rest taken."""

from __future__ import annotations

import pytest

from backend.ingestion.aoty_table import TABLE_VERSION, Row, Table
from backend.models.ingestion_models import AlbumRecord
from backend.utils.errors import InvalidInputError

HEAD = "Artist,Title,AOTY Critic Score,AOTY User Score"


def rows(*lines: str, head: str = HEAD) -> list[Row]:
    return list(Table(f"{line}\n" for line in (head, *lines)).rows())


def album(line: str, head: str = HEAD) -> AlbumRecord:
    (row,) = rows(line, head=head)
    assert row.album is not None, row.problem
    return row.album


def test_everything_a_table_may_say() -> None:
    head = (
        "Artist,Title,Release Month,Release Day,Release Year,Format,Label,Genre,AOTY Critic Score,AOTY Critic Reviews,"
        "AOTY User Score,AOTY User Reviews,Spotify URL,AOTY URL"
    )
    line = (
        'Ada,"Salt, Rope",October,5,1987,LP,Quayside,"Folk, Chamber Pop",81.25,24,74,"1,289",'
        "https://open.spotify.com/album/0123456789abcdefABCDEF?si=1,https://www.albumoftheyear.org/album/77-ada-salt.php"
    )
    found = album(line, head)
    assert (found.artist, found.title, found.release_date, found.label) == (
        "Ada",
        "Salt, Rope",
        "1987-10-05",
        "Quayside",
    )
    assert (found.critic_score, found.critic_count, found.user_score, found.user_count) == (81.25, 24, 74.0, 1289)
    assert [(t.name, t.weight, t.level) for t in found.tags] == [("Folk", 1.0, "album"), ("Chamber Pop", 1.0, "album")]
    assert found.ids == {"spotify": "0123456789abcdefABCDEF", "aoty": "77"}
    assert (found.parser, found.match_method, found.tracks) == (TABLE_VERSION, "name", ())


@pytest.mark.parametrize(
    "head",
    [
        "title;artist;user score",
        "Album Name\tBand\tUser_Score",
        "\ufeffALBUM,ARTIST,Critic Score",
        "Name,Artist,User Score,Year",
    ],
)
def test_columns_by_any_usual_name_and_delimiter(head: str) -> None:
    delimiter = next(d for d in ";\t," if d in head)
    found = album(delimiter.join(("Tide", "Ada", "70")), head)
    assert (found.title, found.artist) == ("Tide", "Ada")
    assert 70.0 in {found.critic_score, found.user_score}


def test_what_is_not_used_is_named() -> None:
    table = Table([f"{HEAD},Metacritic Critic Score,Mood,\n"])
    assert table.unused == ("Metacritic Critic Score", "Mood")


def test_another_sites_scores_are_not_taken_for_these() -> None:
    with pytest.raises(InvalidInputError, match="AOTY Critic Score"):
        Table(["Artist,Title,Metacritic Critic Score\n"])


@pytest.mark.parametrize(
    ("head", "missing"),
    [("", "artist, title, a score"), ("Artist,AOTY User Score", "title"), ("Tide,Ada,70", "artist, title, a score")],
)
def test_a_first_line_that_names_too_little(head: str, missing: str) -> None:
    with pytest.raises(InvalidInputError, match=f"no column for {missing}"):
        Table([head])


@pytest.mark.parametrize("unrated", ["", "NR", "nr", "N/A", "tbd", "0", "-", "NaN"])
def test_unrated_is_none(unrated: str) -> None:
    found = album(f"Ada,Tide,{unrated},70,9", f"{HEAD},AOTY Critic Reviews")
    assert (found.critic_score, found.critic_count, found.user_score) == (None, None, 70.0)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Ada,Tide,good,70", "critic score 'good' is no number"), ("Ada,Tide,101,70", "critic score 101 is above 100"),
        ("Ada,Tide,-5,70", "is no number"), (",Tide,70,70", "no artist"), ("Ada,,70,70", "no title"), ("Ada", "no title"),
        (f"{'x' * 501},Tide,70,70", "the artist is no name"), ("Ada,Tide,1e9,70", "is no number"),
    ],
)  # fmt: skip
def test_a_bad_line_is_named_and_costs_no_other(line: str, said: str) -> None:
    one, bad, other = rows("Ada,Quay,70,71", line, "Ada,Salt,72,73")
    assert (one.line, other.line) == (2, 4)
    assert one.album is not None
    assert other.album is not None
    assert (bad.line, bad.album) == (3, None)
    assert said in bad.problem


def test_lines_that_are_no_csv_are_named() -> None:
    huge = "x" * 200_000
    one, bad, other = rows("Ada,Quay,70,71", f"Ada,{huge},70,71", "Ada,Salt,72,73")
    assert (one.line, bad.line, other.line) == (2, 3, 4)
    assert "no CSV" in bad.problem
    assert other.album is not None


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ("1987,October,5", "1987-10-05"), ("1987,Oct,5", "1987-10-05"), ("1987,10,05", "1987-10-05"),
        ("1987,October,", "1987-10"), ("1987,,", "1987"), ("1987,,be", "1987"), ("1987,October,ar", "1987-10"),
        ("1987.0,,", "1987"), (",October,5", None), ("1987,February,31", "1987-02"),
    ],
)  # fmt: skip
def test_dates_in_pieces(cells: str, expected: str | None) -> None:
    found = album(f"Ada,Tide,70,70,{cells}", f"{HEAD},Release Year,Release Month,Release Day")
    assert found.release_date == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("1987-10-05", "1987-10-05"), ("1987-10", "1987-10"), ("1987", "1987"), ('"October 5, 1987"', "1987-10-05"),
        ("5 October 1987", "1987-10-05"), ("Oct 1987", "1987-10"), ("soon", None), ("", None),
    ],
)  # fmt: skip
def test_dates_in_one(cell: str, expected: str | None) -> None:
    assert album(f"Ada,Tide,70,70,{cell}", f"{HEAD},Release Date").release_date == expected


def test_a_year_that_is_none_is_a_bad_line() -> None:
    (row,) = rows("Ada,Tide,70,70,soon", head=f"{HEAD},Year")
    assert row.problem == "release year 'soon' is no year"


def test_names_read_in_the_wrong_character_set_are_mended() -> None:
    assert album("BeyoncÃ©,\u00c3\u0081ine,70,70").artist == "Beyoncé"
    assert album("Ada,\u00c3\u0081ine,70,70").title == "Áine"


def test_empty_lines_are_left_out_and_counted() -> None:
    assert [r.line for r in rows("", "Ada,Tide,70,70", " , ,,", "Ada,Quay,70,70")] == [3, 5]
