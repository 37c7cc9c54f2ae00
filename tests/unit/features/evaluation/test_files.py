from __future__ import annotations

from pathlib import Path

import pytest

from backend.features.discovery.rows import READS
from backend.features.evaluation.artist_methods import Plays
from backend.features.evaluation.catalogue import from_file, is_catalogue, onto
from backend.features.evaluation.files import Play, read_plays, read_tags
from backend.utils.errors import InvalidInputError
from tests.unit.features.evaluation.made_up import playlists_csv
from tests.unit.features.tracks import known, table


def written(folder: Path, text: str) -> Path:
    path = folder / "given.csv"
    path.write_text(text)
    return path


def test_a_file_with_features_is_a_catalogue_without_what_tells_the_playlist(tmp_path: Path) -> None:
    path = written(tmp_path, playlists_csv())
    given = from_file(path, {"artist1": {"rock": 3.0, "loud": 1.0}})
    assert is_catalogue(path)
    assert given.table.column_names == list(READS)
    assert given.table.column("id").to_pylist() == sorted(set(given.table.column("id").to_pylist()))
    tags = {tuple(row["genres"]) for row in given.table.to_pylist() if row["artist"] == "Artist 1"}
    assert tags == {("rock", "loud")}
    words = str(given.table.to_pylist())
    assert "scene" not in words  # playlist_genre is the playlist's own: a track would carry its answer
    assert "p00" not in words
    assert len(given.lists) == 30
    assert given.lists.names[:2] == ["p00", "p01"]
    assert all(len(items) == 14 for items in given.lists.items)


def test_values_that_say_nothing_are_unknown(tmp_path: Path) -> None:
    head = "playlist_id,track_id,track_name,track_artist,track_album_release_date,track_popularity,energy,valence,tempo"
    given = from_file(written(tmp_path, f"{head}\np,t1,A,B,19,NA,loud,,120\np,t2,A,B,2001-02,77.0,0.5,,\n"), {})
    first, second = given.table.to_pylist()
    assert (first["release_year"], first["popularity"], first["energy"], first["tempo"]) == (None, None, None, 120)
    assert (second["release_year"], second["popularity"], second["energy"]) == (2001, 77, 0.5)


def test_playlists_of_a_catalogue_by_id_uri_and_name(tmp_path: Path) -> None:
    tracks = table(
        [known(id="b", title="Something"), known(id="a", title="Come Together"), known(id="c", title="Help!")]
    )
    tracks = tracks.append_column("spotify_id", [[None, "s1", None]])
    places = ("x,spotify:track:s1,,", "x,b,,", "y,zzz,Beatles,Help! - Remastered 2009", "y,nobody,Ada,Quay")
    given = onto(written(tmp_path, "\n".join(["playlist,track_id,artist,title", *places])), tracks)
    assert given.table.column("id").to_pylist() == ["a", "b", "c"]
    assert dict(zip(given.lists.names, (items.tolist() for items in given.lists.items), strict=True)) == {
        "x": [0, 1],
        "y": [2],
    }
    assert given.unknown == 1


def test_plays_are_summed_over_spellings(tmp_path: Path) -> None:
    path = written(
        tmp_path, "userID,artist,plays\n1,The Beatles,3\n1,Beatles,4\n1,Various Artists,9\n2,AC/DC,1\n2,Nobody,0\n"
    )
    plays = Plays.of(read_plays(path), read_tags(None))
    assert list(plays.lists.ids) == ["acdc", "beatles"]
    assert plays.counts.toarray().tolist() == [[0, 7], [1, 0]]
    assert read_plays(written(tmp_path, "listener,artist\nme,Ada\n")) == [Play("me", "Ada", 1.0)]


def test_tags_are_the_artists_most_given(tmp_path: Path) -> None:
    lines = "".join(f"Ada,tag{i},{i}\n" for i in range(12))
    found = read_tags(written(tmp_path, f"artist,tag,count\n{lines}Bo,Rock,\nADA,tag3,99\n"))
    assert list(found["ada"].items())[:2] == [("tag3", 99.0), ("tag11", 11.0)]
    assert len(found["ada"]) == 10
    assert found["bo"] == {"rock": 1.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("track_id\nt\n", "no column for the playlist; it may be called playlist_id, playlist"),
        ("playlist,album\nx,y\n", "names no tracks: it needs a column track_id, or artist and title"),
        ("", "is no CSV table"),
    ],
)
def test_what_cannot_be_used_is_said(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        onto(written(tmp_path, text), table([known()]))


def test_files_that_are_not_there_and_numbers_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="cannot be read: No such file"):
        read_plays(tmp_path / "nothing.csv")
    with pytest.raises(InvalidInputError, match="'many' is no number"):
        read_plays(written(tmp_path, "user,artist,plays\n1,Ada,many\n"))
