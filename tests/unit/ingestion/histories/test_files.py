"""Files, folders and zips: recognised by content, bounded, broken ones told, nothing written."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from backend.ingestion.histories import files as given_files
from backend.ingestion.histories.files import Given, files_at
from backend.utils.errors import InvalidInputError
from tests.unit.ingestion.histories.given import PAYLOADS, given, payload, read, told, zipped

EXTENDED = (PAYLOADS / "Streaming_History_Audio_2021_0.json").read_bytes()
ROW = {"endTime": "2021-05-20 17:57", "msPlayed": 60_000, "trackName": "Tide", "artistName": "Blur"}


def test_a_zip_as_spotify_sends_it() -> None:
    sent = zipped(
        **{"MyData/Streaming_History_Audio_2021_0__json": EXTENDED, "MyData/ReadMeFirst__pdf": b"%PDF-1.4\x00\xff",
           "MyData/Userdata__json": (PAYLOADS / "Userdata.json").read_bytes(), "MyData/Follow__json": b"[]"}
    )  # fmt: skip
    found, report = read(given(sent, "my_spotify_data.zip"))
    assert len(found) == 4
    assert [f.file for f in report.files] == ["my_spotify_data.zip/MyData/Streaming_History_Audio_2021_0.json"]
    assert [name.rpartition("/")[2] for name in report.passed_over] == [
        "ReadMeFirst.pdf",
        "Userdata.json",
        "Follow.json",
    ]


def test_a_zip_as_listenbrainz_sends_it() -> None:
    lines, feedback = ((PAYLOADS / f"listenbrainz_{n}.jsonl").read_bytes() for n in ("5", "feedback"))
    sent = zipped(**{"user__json": b'{"user_id": 1}', "listens/2021/5__jsonl": lines, "feedback__jsonl": feedback})
    found, report = read(given(sent))
    assert len(found) == 3
    assert [name.rpartition("/")[2] for name in report.passed_over] == ["user.json", "feedback.jsonl"]


def test_a_folder_with_everything(tmp_path: Path) -> None:
    (tmp_path / "deep" / ".git").mkdir(parents=True)
    (tmp_path / "deep" / "no telling name").write_bytes(EXTENDED)
    (tmp_path / "deep" / ".git" / "hidden.json").write_bytes(EXTENDED)
    (tmp_path / "inner.zip").write_bytes(zipped(a__csv="Blur,13,Tender,21 Nov 2013 13:22\n"))
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\x00")
    found, report = read(*files_at([tmp_path]))
    assert len(found) == 5
    assert [Path(f.file).name for f in report.files] == ["a.csv", "no telling name"]
    assert [Path(name).name for name in report.passed_over] == ["photo.jpg"]


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", "[[[[[[[[[[]]]]]]]]]]", "hello", b"\x00\x01", "a,b\n1,2\n", '[{"a": 1}]', '"text"',
     "[" * 100_000, '{"a":' * 100_000, b"caf\xe9,x\n", "artist,title,score\nBlur,13,70\n", zipped(a__txt="hello")],
)  # fmt: skip
def test_what_is_no_history_is_refused_with_what_was_expected(content: str | bytes) -> None:
    with pytest.raises(InvalidInputError, match=r"photo\.jpg is no listening history") as raised:
        read(payload("lastfm_ghan.csv"), given(content, "photo.jpg"))
    for word in ("endsong_*.json", "StreamingHistory_music", "ListenBrainz", "user.getRecentTracks"):
        assert word in str(raised.value)


def test_a_folder_without_any(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(InvalidInputError, match="none of the 1 files is a listening history"):
        read(*files_at([tmp_path]))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInputError, match="is an empty folder"):
        files_at([tmp_path / "empty"])
    with pytest.raises(InvalidInputError, match="is not there"):
        files_at([tmp_path / "nothing"])


def test_a_file_cut_short_gives_what_it_has() -> None:
    found, report = read(given(json.dumps([ROW, ROW])[:-20]))
    assert len(found) == 1
    assert [(b.place, "what follows it was not read" in b.reason) for b in report.broken] == [("row 2", True)]
    found, report = read(given(json.dumps([ROW, ROW])[:-1]))
    assert len(found) == 2
    assert "cut short" in report.broken[0].reason


def test_rows_of_another_form_cost_no_other() -> None:
    found, report = read(given([ROW, {"a": 1}, 5, None, [ROW], ROW]))
    assert len(found) == 3
    assert [(b.place, b.reason) for b in report.broken] == [
        ("row 2", "is no row of Spotify streaming history of the last year"),
        ("row 3, entry 1", "is no JSON object"), ("row 4, entry 1", "is no JSON object"),
    ]  # fmt: skip
    assert (report.files[0].rows, report.files[0].listens, report.files[0].broken) == (6, 3, 3)


def test_text_that_turns_out_not_to_be_utf8_is_told() -> None:
    rows = "Blur,13,Tender,21 Nov 2013 13:22\n" * 1_000
    found, report = read(given(rows.encode() + b"Bj\xf6rk,Post,Hyperballad,21 Nov 2013 13:22\n"))
    assert 0 < len(found) <= 1_000
    assert "cannot be read on" in report.broken[0].reason


def test_utf16_is_read() -> None:
    found, _ = read(given("artist,album,track,date\nBjörk,Post,Hyperballad,21 Nov 2013 13:22\n".encode("utf-16")))
    assert [one.artist for one in found] == ["Björk"]


def test_a_line_without_end_is_refused() -> None:
    found, report = read(given("Blur,13,Tender,21 Nov 2013 13:22\n" + "x" * 3_000_000))
    assert len(found) == 1
    assert all("cannot be read as a table's line" in b.reason or "columns" in b.reason for b in report.broken)
    assert report.broken


def test_members_that_lead_out_of_the_folder_are_read_and_not_written(tmp_path: Path) -> None:
    path = tmp_path / "in" / "evil.zip"
    path.parent.mkdir()
    path.write_bytes(zipped(**{"../../escaped__json": EXTENDED, "/etc/absolute__json": EXTENDED}))
    before = sorted(tmp_path.rglob("*"))
    found, _ = read(*files_at([path]))
    assert len(found) == 8
    assert sorted(tmp_path.rglob("*")) == before


def test_a_bomb_is_refused_before_anything_is_read() -> None:
    bomb = zipped(good__json=EXTENDED, bad__json=b" " * 5_000_000)
    with pytest.raises(InvalidInputError, match=r"bad\.json unpacks to 5,000,000 bytes, more than 200 times"):
        read(given(bomb))


def test_sizes_and_numbers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    two = zipped(a__json=EXTENDED, b__json=EXTENDED)
    monkeypatch.setattr(given_files, "LARGEST_ARCHIVE", 2 * len(EXTENDED) - 1)
    with pytest.raises(InvalidInputError, match=r"bytes; [\d,]+ are the most"):
        read(given(two))
    monkeypatch.setattr(given_files, "LARGEST_MEMBER", len(EXTENDED) - 1)
    with pytest.raises(InvalidInputError, match=r"a\.json unpacks to"):
        read(given(two))
    monkeypatch.setattr(given_files, "MOST_FILES", 1)
    with pytest.raises(InvalidInputError, match="holds 2 files; 1 are the most"):
        read(given(two))


def test_a_member_that_is_larger_than_it_says_gives_no_more() -> None:
    """The directory of the zip is changed to say less; what was read of it is told."""
    packed = bytearray(zipped(a__csv="Blur,13,Tender,21 Nov 2013 13:22\n" * 1_000))
    where = packed.rindex(b"PK\x01\x02")
    packed[where + 24 : where + 28] = (34).to_bytes(4, "little")
    with pytest.raises(InvalidInputError, match="cannot be read: Bad CRC-32"):
        read(given(bytes(packed)))


def test_a_damaged_member_that_gives_nothing_at_all_is_told() -> None:
    packed = bytearray(zipped(b__csv="Blur,13,Tender,21 Nov 2013 13:22\n", a__csv="Blur,13,Tender,21 Nov 2013 13:22\n"))
    where = packed.rindex(b"PK\x01\x02")
    packed[where + 16] ^= 1
    found, report = read(given(bytes(packed)))
    assert (len(found), [f.broken for f in report.files], report.passed_over) == (1, [0, 1], [])
    assert (report.broken[0].file, report.broken[0].place) == ("export/a.csv", "the file")


def test_broken_and_encrypted_zips_are_refused() -> None:
    whole = zipped(a__json=EXTENDED)
    with pytest.raises(InvalidInputError, match="is a zip that cannot be opened"):
        read(given(whole[:-30]))
    locked = bytearray(whole)
    locked[locked.rindex(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(InvalidInputError, match="is encrypted"):
        read(given(bytes(locked)))


def test_a_damaged_member_costs_no_other() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.csv", "Blur,13,Tender,21 Nov 2013 13:22\n" * 500)
        archive.writestr("b.csv", "Blur,13,Beetlebum,21 Nov 2013 13:22\n")
    raw = bytearray(packed.getvalue())
    raw[raw.index(b"Tender", 12_000)] ^= 1
    found, report = read(given(bytes(raw)))
    assert found[-1].track == "Beetlebum"
    assert "cannot be read on" in report.broken[0].reason


def test_memory_stays_flat() -> None:
    def peak(rows: int) -> int:
        one = json.dumps({**ROW, "spare": "x" * 500})
        text = "[" + ",".join([one] * rows) + "]"
        file = given(text)
        tracemalloc.start()
        try:
            from backend.ingestion.histories.reader import listens
            from backend.models.listening import HistoryReport

            for _ in listens([file], HistoryReport(listener="me")):
                pass
            return tracemalloc.get_traced_memory()[1] - len(text)  # the file itself, copied once
        finally:
            tracemalloc.stop()

    assert peak(20_000) < 2 * peak(4_000) + 2_000_000


def test_a_row_longer_than_a_block_is_read() -> None:
    found, report = read(given([{**ROW, "spare": "x" * 1_000_000}, ROW]))
    assert (len(found), report.broken) == (2, [])


def test_what_a_name_says_counts_nothing() -> None:
    misnamed = Given("endsong_0.json", payload("lastfm_ghan.csv").open)
    found, report = read(misnamed)
    assert report.files[0].form == "Last.fm scrobbles"
    assert told(found)[0] == ("05-20 17:55:46", "Tide")
