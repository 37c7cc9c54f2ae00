from pathlib import Path

import pytest

from backend.models.ingestion_models import AlbumQuery
from backend.services.album_list import parse_album_list, read_album_list
from backend.utils.errors import InvalidInputError

ABBEY = AlbumQuery(album="Abbey Road", artist="The Beatles")
KIND = AlbumQuery(album="Kind of Blue", artist="Miles Davis")


@pytest.mark.parametrize(
    "lines",
    [
        ["Abbey Road,The Beatles", "Kind of Blue,Miles Davis"],
        ["album,artist", "Abbey Road,The Beatles", "Kind of Blue,Miles Davis"],
        ["title,singer,year", "Abbey Road,The Beatles,1969", "Kind of Blue,Miles Davis,1959"],
        ["Artist Name;Year;Album", "The Beatles;1969;Abbey Road", "Miles Davis;1959;Kind of Blue"],
        ["Abbey Road\tThe Beatles", "", "  \t ", "Kind of Blue\tMiles Davis"],
        ['"Abbey Road", "The Beatles"', "Kind of Blue,Miles Davis", "Abbey  Road ,The Beatles"],
    ],
)
def test_lists_as_people_keep_them(lines: list[str]) -> None:
    assert parse_album_list(lines) == [ABBEY, KIND]


def test_a_title_with_a_comma_is_quoted() -> None:
    assert parse_album_list(['"Bookends, Live",Simon & Garfunkel'])[0].album == "Bookends, Live"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "holds no album"),
        (["album,artist"], "a header and no album"),
        (["Abbey Road,The Beatles", "Nevermind"], "line 2 has no artist"),
        (["Abbey Road,"], "line 1: artist_name is empty"),
        ([f"{'x' * 501},y"], "501 characters"),
        (['"Abbey Road,The Beatles', "x,y"], "has no artist"),
        (["a;b;c", "d;e;f"], "has 3 columns and no header"),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_is_taken(lines: list[str], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        parse_album_list(lines)


def test_many_faults_are_counted() -> None:
    with pytest.raises(InvalidInputError, match="and 5 more lines"):
        parse_album_list(["alone"] * 15)


def test_a_file_that_is_no_text_and_one_that_is_missing(tmp_path: Path) -> None:
    binary = tmp_path / "albums.csv"
    binary.write_bytes(b"Abbey Road,\xff\xfe")
    with pytest.raises(InvalidInputError, match="save it as UTF-8"):
        read_album_list(binary)
    with pytest.raises(InvalidInputError, match="No such file"):
        read_album_list(tmp_path / "absent.csv")


def test_a_byte_order_mark_is_no_part_of_the_title(tmp_path: Path) -> None:
    path = tmp_path / "albums.csv"
    path.write_bytes("Abbey Road,The Beatles".encode("utf-8-sig"))
    assert read_album_list(path) == [ABBEY]
