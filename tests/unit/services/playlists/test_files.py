"""Playlists are written and read back by readers that are not ours: whatever titles hold, the list is the same."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from xml.etree import ElementTree as ET

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.models.discovery import ListedTrack, PlaylistEntry
from backend.services.playlists.forms import PlaylistForm, form_of_file
from backend.services.playlists.reading import read
from backend.services.playlists.writing import OWN, XSPF, identifiers, save, written
from backend.utils.errors import InvalidInputError
from backend.utils.text import squeeze

AWKWARD = 'a "quote", \\ back\r\nnew\u2028line\x00\x0b ]]> & <b>; مرحبا 🎸\ufffe #EXTINF:1,x - y'
ENTRIES = [
    PlaylistEntry(
        id="t1", title=AWKWARD, artist="=cmd|' /C calc'!A0", album="A & B", release_year=1971, duration_ms=215_499,
        isrc="GBAYE0601690", spotify_id="2EqlS6tkEnglzr7tkKAAYD", recording_mbid="22222222-2222-4222-8222-222222222222",
        score=0.5, reasons=("shared genre: dub", "near"),
    ),
    PlaylistEntry(id="t/2 ü", title="-plain", artist="@me"),
]  # fmt: skip
NAMES = {"p": XSPF}


def xspf(content: bytes) -> list[ET.Element]:
    root = ET.fromstring(content)
    assert root.tag == f"{{{XSPF}}}playlist"
    assert root.get("version") == "1"
    return root.findall("p:trackList/p:track", NAMES)


def plain(text: str) -> str:
    return squeeze(text).replace("\ufffe", "")


def test_xspf_is_valid_in_names_order_and_values() -> None:
    first, second = xspf(written(ENTRIES, PlaylistForm.XSPF, title="R&B ]]> \x01"))
    order = ["identifier", "identifier", "identifier", "title", "creator", "annotation", "album", "duration"]
    assert [child.tag.removeprefix(f"{{{XSPF}}}") for child in first] == order
    assert first.findtext("p:title", namespaces=NAMES) == plain(AWKWARD)
    assert first.findtext("p:creator", namespaces=NAMES) == "=cmd|' /C calc'!A0"
    assert first.findtext("p:duration", namespaces=NAMES) == "215499"
    assert first.findtext("p:identifier", namespaces=NAMES) == "https://open.spotify.com/track/2EqlS6tkEnglzr7tkKAAYD"
    assert second.findtext("p:identifier", namespaces=NAMES) == f"{OWN}t%2F2%20%C3%BC"
    assert second.find("p:duration", NAMES) is None
    assert (
        ET.fromstring(written(ENTRIES, PlaylistForm.XSPF, title="R&B ]]> \x01")).findtext("p:title", namespaces=NAMES)
        == "R&B ]]>"
    )


def test_m3u_has_one_line_for_each_thing() -> None:
    lines = written(ENTRIES, PlaylistForm.M3U, title="two\nlines").decode().split("\n")
    assert lines == [
        "#EXTM3U", "#EXTENC:UTF-8", "#PLAYLIST:two lines",
        f"#EXTINF:215,=cmd|' /C calc'!A0 - {squeeze(AWKWARD)}", "#EXTALB:A & B",
        "https://open.spotify.com/track/2EqlS6tkEnglzr7tkKAAYD",
        "#EXTINF:-1,@me - -plain", f"{OWN}t%2F2%20%C3%BC", "",
    ]  # fmt: skip


def test_jspf_says_the_same_as_xspf() -> None:
    (first, second) = orjson.loads(written(ENTRIES, PlaylistForm.JSPF, title="x"))["playlist"]["track"]
    assert first["title"] == squeeze(AWKWARD)
    assert first["duration"] == 215_499
    assert first["identifier"] == identifiers(ENTRIES[0])
    assert second == {"identifier": [f"{OWN}t%2F2%20%C3%BC"], "title": "-plain", "creator": "@me"}


def test_no_cell_of_csv_is_a_formula() -> None:
    rows = list(csv.DictReader(io.StringIO(written(ENTRIES, PlaylistForm.CSV, title="x").decode(), newline="")))
    assert rows[0]["artist"] == "'=cmd|' /C calc'!A0"
    assert rows[1]["title"] == "'-plain"
    assert rows[1]["artist"] == "'@me"
    assert rows[0]["title"] == AWKWARD
    assert [row["position"] for row in rows] == ["1", "2"]
    assert rows[0]["reasons"] == "shared genre: dub; near"


Text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(lambda text: plain(text) != "")


@settings(max_examples=80, deadline=None)
@given(
    titles=st.lists(st.tuples(Text, Text), min_size=1, max_size=5), title=st.text(max_size=20).filter(str.isprintable)
)
def test_every_form_gives_as_many_tracks_back_as_were_written(titles: list[tuple[str, str]], title: str) -> None:
    entries = [PlaylistEntry(id=f"track-{n}", title=t, artist=a) for n, (t, a) in enumerate(titles)]
    wanted = [ListedTrack(id=entry.id) for entry in entries]
    for form, suffix in (("m3u", "m3u8"), ("xspf", "xspf"), ("jspf", "jspf"), ("csv", "csv")):
        content = written(entries, PlaylistForm(form), title=title)
        assert read(content.decode(), name=f"x.{suffix}") == wanted, form
    for track, entry in zip(xspf(written(entries, PlaylistForm.XSPF, title=title)), entries, strict=True):
        found = track.findtext("p:title", namespaces=NAMES) or ""
        assert squeeze(found) == squeeze("".join(c for c in squeeze(entry.title) if c not in "\ufffe\uffff"))


def test_an_empty_list_is_a_valid_file() -> None:
    assert xspf(written([], PlaylistForm.XSPF, title="none")) == []
    assert orjson.loads(written([], PlaylistForm.JSPF, title="none"))["playlist"]["track"] == []


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.txt", "# mine\nThe Beatles - Come Together\n\n0f2c7d7e-6d0e-5a0c\r\n", [
            ListedTrack(artist="The Beatles", title="Come Together"), ListedTrack(id="0f2c7d7e-6d0e-5a0c")]),
        ("", "Jay-Z – Otis - Live", [ListedTrack(artist="Jay-Z", title="Otis - Live")]),
        ("a.csv", "\ufeffTrack Name;Artist Name(s)\nOtis;Jay-Z\n;\n", [ListedTrack(artist="Jay-Z", title="Otis")]),
        ("a.csv", "position,id,title\n1,abc,x\n", [ListedTrack(id="abc")]),
        ("a.m3u", "#EXTM3U\n#EXTINF:12,Jay-Z - Otis\nc:\\music\\otis.mp3\n", [ListedTrack(artist="Jay-Z", title="Otis")]),
        ("a.jspf", '{"playlist": {"track": [{"title": "Otis", "creator": "Jay-Z"}, {"title": "?"}]}}',
         [ListedTrack(artist="Jay-Z", title="Otis")]),
        ("a.xspf", '<?xml version="1.0"?><playlist xmlns="http://xspf.org/ns/0/" version="1"><trackList><track><title>O&amp;A'
         "</title><creator>Jay<!-- -->-Z</creator></track></trackList></playlist>", [ListedTrack(artist="Jay-Z", title="O&A")]),
    ],
)  # fmt: skip
def test_lists_of_others_are_read(name: str, text: str, found: list[ListedTrack]) -> None:
    assert read(text, name=name) == found


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.txt", "", "holds no track"), ("a.txt", "what?", "is no track"), ("a.csv", "x,y\n1,2\n", "must name the columns"),
        ("a.csv", "", "must name the columns"), ("a.jspf", "{", "no JSPF"), ("a.jspf", '{"playlist": []}', "no JSPF"),
        ("a.xspf", "<playlist>", "no XSPF"), ("a.m3u", "#EXTM3U\nx.mp3\n", "no #EXTINF"),
        ("a.xspf", '<!DOCTYPE x [<!ENTITY a "b">]><playlist/>', "document type"),
        ("a.txt", "a - b\n" * 10_001, "10,000 are the most"),
    ],
)  # fmt: skip
def test_lists_that_are_none(name: str, text: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        read(text, name=name)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    save(tmp_path / "x.m3u8", b"one")
    save(tmp_path / "x.m3u8", b"two")
    assert (tmp_path / "x.m3u8").read_bytes() == b"two"
    with pytest.raises(InvalidInputError, match="cannot be written"):
        save(tmp_path / "no folder" / "x.m3u8", b"one")
    assert [path.name for path in tmp_path.iterdir()] == ["x.m3u8"]
    with pytest.raises(InvalidInputError, match=r"\.xspf"):
        form_of_file(Path("x.mp3"))
