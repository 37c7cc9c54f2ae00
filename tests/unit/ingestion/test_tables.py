"""Tables read, mapped and laid together: shapes, units, lines, and what is refused in which words."""

from __future__ import annotations

import polars as pl
import pytest

from backend.ingestion.tables import albums, cells, mapping, reading
from backend.ingestion.tables.mapping import Mapping
from backend.utils.errors import InvalidInputError
from tests.table_files import TRACKS, file, spotify_id


def read(text: str | bytes, name: str = "t.csv", **given: str) -> tuple[pl.DataFrame, Mapping, list[cells.Unread]]:
    frame = reading.read(file(name, text)).frame
    found = mapping.guess(frame, given)
    values, unread = cells.values(frame, found)
    return values, found, list(unread)


def columns(found: Mapping) -> dict[str, str]:
    return {c.field: c.column for c in found.columns}


@pytest.mark.parametrize(
    ("head", "row", "shape"),
    [
        ("track_id,track_name,track_artist", f"{spotify_id(1)},Tide,Ada", "spotify"),
        (",track_id,artists,album_name,track_name,popularity,duration_ms,explicit,danceability,track_genre",
         f"0,{spotify_id(1)},Ada;Bo,Quay,Tide,5,200000,False,0.5,pop", "spotify"),
        ("id,name,popularity,duration_ms,explicit,artists,id_artists,release_date",
         f"{spotify_id(1)},Tide,5,200000,0,['Ada'],['x'],1999", "spotify"),
        ("artist,song,duration_ms,danceability,speechiness,liveness", "Ada,Tide,200000,0.5,0.1,0.1", "spotify"),
        ("Artist,Title,AOTY Critic Score,AOTY User Score", "Ada,Tide,70,71", "scores"),
        ("artist,tag,count", "Ada,rock,3", "tags"),
        ("artist,album,year,genre", "Ada,Tide,1999,rock", "albums"),
        ("artist_name,track_name,isrc", "Ada,Tide,GBAYE0601690", "tracks"),
    ],
)  # fmt: skip
def test_shapes(head: str, row: str, shape: str) -> None:
    assert read(f"{head}\n{row}\n")[1].shape == shape


def test_units_are_told_by_values() -> None:
    head = "artist,track,album,length,danceability_%,key,mode,explicit,released\n"
    values, found, unread = read(
        head + 'Ada,Tide,Quay,3:45,72,C#,Major,True,"March 5, 1999"\nAda,Sand,Quay,1:02:03,5,B,Minor,no,12/31/2001\n'
    )
    assert columns(found)["danceability"] == "danceability_%"
    assert values.select("duration_ms", "danceability", "key", "mode", "explicit", "release_date").rows() == [
        (225_000, 0.72, 1.0, 1.0, True, "1999-03-05"), (3_723_000, 0.05, 11.0, 0.0, False, "2001-12-31"),
    ]  # fmt: skip
    assert unread == []
    values = read("artist,track,album,duration\nAda,Tide,Quay,225.5\n")[0]
    assert values.get_column("duration_ms").to_list() == [225_500]


def test_a_feature_on_a_scale_of_its_own_is_not_taken() -> None:
    found = read("artist,track,valence,energy\nAda,Tide,-1.4,0.5\nAda,Sand,1.2,0.7\n")[1]
    assert "valence" in found.unused
    assert "energy" in columns(found)


def test_credits() -> None:
    text = 'track,album,artists\nA,X,"[\'Ada\', ""O\'Neil""]"\nB,X,[\'Bo\']\n'
    assert read(text)[0].get_column("artists").to_list() == ["Ada\x1fO'Neil", "Bo"]
    text = 'track,album,artists\nA,X,Ada;Bo\nB,X,"Earth, Wind & Fire"\n'
    assert read(text)[0].get_column("artists").to_list() == ["Ada\x1fBo", "Earth, Wind & Fire"]


def test_lines_are_those_of_the_file() -> None:
    text = 'artist,track,album,popularity\nAda,"Two\nlines",X,5\nAda,B,X,many\n\n'
    values, _, unread = read(text)
    assert values.get_column(reading.LINE).to_list() == [2, 4]
    assert unread == [cells.Unread(4, "popularity", "many")]


@pytest.mark.parametrize(
    ("name", "written", "words"),
    [
        ("t.csv", b"artist,track,album\nAda,B,C\nBj\xf6rk,B,C\n", "line 3: the byte 0xf6 is no UTF-8"),
        ("t.csv", b"artist,track,album\nAda,B,C\nA,B,C,D\nA,B,C,D,E\n", "line 3 has 4, line 4 has 5 cells"),
        ("t.csv", b"  \n", "is empty"),
        ("t.parquet", b"no parquet", "cannot be read as Parquet"),
        ("t.ndjson", b'{"a": 1}\n{', "cannot be read as NDJSON"),
        ("t.csv.gz", b"no gzip", "cannot be unpacked"),
        ("t.csv", b"a,b\n1,2\n", "no column holds artists"),
    ],
)
def test_what_is_refused_is_told_where(name: str, written: bytes, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        read(written, name)


def test_another_encoding_can_be_said() -> None:
    frame = reading.read(file("t.csv", "artist,track\nBjörk,B\n".encode("cp1252")), encoding="cp1252").frame
    assert frame.get_column("artist").to_list() == ["Björk"]


def test_a_mapping_that_is_given_goes_before_the_guess() -> None:
    text = "artist,track,other,length\nAda,B,C,3\n"
    _, found, _ = read(text, title="other", duration_ms="length@seconds", artists="artist")
    assert (columns(found)["title"], found.of("duration_ms")[0].unit) == ("other", "seconds")
    assert not read(text, duration_ms="")[1].has("duration_ms")
    for given, words in (
        ({"title": "none"}, "no column 'none'"),
        ({"mood_of_day": "track"}, "no field"),
        ({"title": "track@ms"}, "no unit"),
    ):
        with pytest.raises(InvalidInputError, match=words):
            read(text, **given)


def test_an_album_of_many_artists_is_by_who_has_most_of_it_or_by_various() -> None:
    head = "track,artist,album,album_id\n"
    one, two = spotify_id(1, "a"), spotify_id(2, "a")
    rows = [("A", "Ada", one), ("B", "Bo", one), ("C", "Ada", one), ("D", "Cy", two), ("E", "Di", two)]
    values, found, _ = read(head + "".join(f"{t},{a},X,{i}\n" for t, a, i in rows))
    laid = albums.lay_together(values, found)
    assert laid.albums.get_column("artist").to_list() == ["Ada", albums.VARIOUS]
    assert laid.albums.get_column("tracks").to_list() == [3, 2]


def test_the_same_table_gives_the_same_albums_in_the_same_order() -> None:
    values, found, _ = read(TRACKS)
    first, again = (albums.lay_together(values, found) for _ in range(2))
    assert first.albums.equals(again.albums)
    assert first.tracks.equals(again.tracks)
    assert first.albums.get_column("line").to_list() == [2, 5, 7]
