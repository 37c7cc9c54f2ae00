"""Each form of export: recognised by content, every field where it belongs, nothing else kept."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from backend.ingestion.histories.values import RowError, instant, isrc, milliseconds, spotify_track
from backend.models.listening import LeftOut, Listen
from tests.unit.ingestion.histories.given import PAYLOADS, at, given, payload, read, told

MBID = "22222222-2222-4222-8222-222222222222"
EXTENDED = "Spotify extended streaming history"
SHORT = "Spotify streaming history of the last year"


def test_spotify_extended() -> None:
    found, report = read(payload("Streaming_History_Audio_2021_0.json"))
    assert [f.form for f in report.files] == [EXTENDED]
    tide, quay, salt, demo = found
    # `ts` is when it ended.
    assert tide == Listen(
        source="spotify", listened_at=at(2021, 5, 20, 17, 55, 46), track="Tide", artist="The Amber Lanterns",
        album="Paper Harbour", track_key="amberlanterns/tide", artist_key="amber lanterns", album_key="paper harbour",
        spotify_id="s0ng010101000000000000", ms_played=107_000, skipped=False,
    )  # fmt: skip
    # Where `skipped` is left null, how it ended tells.
    assert (quay.track, quay.track_key, quay.skipped) == ("Quay - Remastered 2017", "amberlanterns/quay", True)
    assert (salt.ms_played, salt.skipped, salt.listened_at) == (0, None, at(2021, 5, 20, 17, 57, 38))
    assert (demo.spotify_id, demo.album, demo.listened_at) == (None, None, at(2021, 5, 20, 18, 59))
    (file,) = report.files
    assert file.left_out == {LeftOut.NOT_MUSIC: 2, LeftOut.UNNAMED: 1, LeftOut.PRIVATE: 1}
    assert (file.rows, file.listens, file.broken) == (10, 4, 2)
    assert [(b.place, b.reason) for b in report.broken] == [
        ("row 9", "'yesterday' is no date"), ("row 10", "the time played, -5 ms, cannot be"),
    ]  # fmt: skip


def test_what_spotify_tells_beyond_music_is_not_kept() -> None:
    text = (PAYLOADS / "Streaming_History_Audio_2021_0.json").read_text()
    found, report = read(given(text))
    kept = repr([dataclasses.asdict(one) for one in found]) + repr(report)
    for secret in ("192.0.2.44", "android", "NL", "Guilty Pleasure", "Nobody's Business", "How Tides Work"):
        assert secret in text
        assert secret not in kept


def test_spotify_extended_as_it_was_called_before() -> None:
    found, report = read(payload("endsong_0.json"))
    assert [f.form for f in report.files] == [EXTENDED]
    assert told(found) == [("05-20 17:55:46", "Tide"), ("11-05 14:25:52", "Intro")]
    assert [one.skipped for one in found] == [False, False]
    assert "0lduser" not in repr(found)


def test_spotify_short() -> None:
    found, report = read(payload("StreamingHistory_music_0.json"))
    assert [f.form for f in report.files] == [SHORT]
    assert told(found) == [("05-20 17:55:13", "Tide"), ("05-19 07:58:30", "Lighthouse")]
    assert all(one.to_the_minute for one in found)
    assert report.files[0].left_out == {LeftOut.UNNAMED: 1}


def test_spotify_short_podcasts() -> None:
    found, report = read(payload("StreamingHistory_podcast_0.json"))
    assert (found, report.files[0].form, report.files[0].left_out) == ([], SHORT, {LeftOut.NOT_MUSIC: 1})


def test_lastfm_table_without_a_first_line_of_names() -> None:
    found, report = read(payload("lastfm_bare.csv"))
    assert told(found) == [
        ("05-20 17:55:00", "Tide"), ("05-20 17:55:00", "Tide - Remastered 2017"), ("11-21 13:22:00", "Lighthouse"),
    ]  # fmt: skip
    assert (found[2].album, found[2].source) == ("Paper Harbour, Deluxe", "lastfm")
    assert found[0].track_key == found[1].track_key
    assert report.files[0].left_out == {LeftOut.UNDATED: 1}
    assert [(b.place, b.reason) for b in report.broken] == [("line 5", "has 5 columns; the table has 4")]


@pytest.mark.parametrize(
    "head", ["artist,album,track,date", "Artist,Album,Track,Date", "\ufeffartist,album,track,date"]
)
def test_lastfm_table_with_names(head: str) -> None:
    found, _ = read(given(f"{head}\r\nBlur,13,Tender,21 Nov 2013 13:22\r\n"))
    assert told(found) == [("11-21 13:22:00", "Tender")]


def test_lastfm_table_with_ids() -> None:
    found, report = read(payload("lastfm_ghan.csv"))
    assert told(found) == [("05-20 17:55:46", "Tide"), ("05-20 18:55:46", 'Say "Quay"')]
    assert [one.recording_mbid for one in found] == [MBID, None]
    assert report.files[0].left_out == {LeftOut.UNDATED: 1, LeftOut.UNNAMED: 1}
    assert [(b.place, b.reason) for b in report.broken] == [("line 5", "'soon' is no date")]


@pytest.mark.parametrize("name", ["lastfm_page.json", "lastfm_pages.json"])
def test_lastfm_pages(name: str) -> None:
    found, report = read(payload(name))
    assert told(found) == [("05-20 17:55:46", "Tide"), ("05-20 17:53:59", "Quay")]
    assert (found[0].artist, found[0].album) == ("The Amber Lanterns", "Paper Harbour")
    assert report.files[0].left_out == {LeftOut.UNDATED: 1}, "what plays just then was not heard yet"
    assert report.files[0].form == "Last.fm scrobbles"


def test_lastfm_pages_with_more_of_the_artist() -> None:
    artist = {"name": "Blur", "mbid": "", "url": "https://www.last.fm/music/Blur", "image": []}
    row = {"artist": artist, "name": "Tender", "mbid": MBID, "album": {"#text": ""}, "date": {"uts": "1385040120"}}
    found, _ = read(given({"recenttracks": {"track": row}}))
    assert [(one.artist, one.album, one.recording_mbid) for one in found] == [("Blur", None, MBID)]


@pytest.mark.parametrize("name", ["lastfmstats.json", "lastfmstats.csv"])
def test_lastfm_in_milliseconds(name: str) -> None:
    found, _ = read(payload(name))
    assert told(found) == [("05-20 17:55:46", "Tide")]
    assert found[0].album == "Paper Harbour"


def test_listenbrainz_lines() -> None:
    found, report = read(payload("listenbrainz_5.jsonl"))
    assert told(found) == [("05-20 17:55:46", "Tide"), ("05-20 17:53:59", "Quay"), ("05-20 17:51:40", "Intro")]
    tide, quay, intro = found
    assert (tide.recording_mbid, tide.isrc, tide.spotify_id) == (MBID, "NLABC8700001", "s0ng010101000000000000")
    assert (tide.ms_played, tide.source) == (105_000, "listenbrainz")
    assert (quay.recording_mbid, quay.ms_played) == ("44444444-4444-4444-8444-444444444444", None)
    assert (intro.album, intro.album_key) == (None, "")
    (row,) = report.broken
    assert row.place == "line 3"
    assert "broken JSON" in row.reason


def test_listenbrainz_list_and_page() -> None:
    assert len(read(payload("listenbrainz.json"))[0]) == 3
    found, report = read(payload("listenbrainz_api.json"))
    assert told(found) == [("05-20 17:55:46", "Tide")]
    assert report.files[0].left_out == {LeftOut.UNDATED: 1}


@pytest.mark.parametrize(
    "said",
    ["2021-05-20T17:57:00Z", "2021-05-20 17:57", "2021-05-20T19:57:00+02:00", "2021-05-20T10:57:00-07:00",
     "20 May 2021, 17:57", "20 May 2021 17:57:00", 1_621_533_420, "1621533420", 1_621_533_420_000, 1_621_533_420.0],
)  # fmt: skip
def test_a_time_in_any_writing_and_zone(said: object) -> None:
    assert instant(said) == at(2021, 5, 20, 17, 57)


@pytest.mark.parametrize("said", [None, "", 0, "0", "01 Jan 1970, 00:00", "1970-01-01T00:00:00Z", False])
def test_a_clock_that_was_never_set_says_no_time(said: object) -> None:
    assert instant(said) is None


@pytest.mark.parametrize("said", ["soon", "31 Feb 2020, 10:00", "20 Mai 2021, 17:57", float("nan"), 10**40, [1]])
def test_what_is_no_time_is_refused(said: object) -> None:
    with pytest.raises(RowError, match="is no date"):
        instant(said)


@pytest.mark.parametrize("said", ["long", -1, 2**31, float("inf"), float("nan"), {}])
def test_what_cannot_have_been_played_is_refused(said: object) -> None:
    with pytest.raises(RowError, match="the time played"):
        milliseconds(said)


def test_identifiers_are_taken_only_when_they_are_some() -> None:
    assert spotify_track("spotify:track:s0ng010101000000000000") == "s0ng010101000000000000"
    assert (
        spotify_track("https://open.spotify.com/intl-de/track/s0ng010101000000000000?si=1") == "s0ng010101000000000000"
    )
    others: list[Any] = [
        "spotify:episode:s0ng010101000000000000",
        "spotify:local:a:b:c:1",
        "spotify:track:short",
        None,
        5,
    ]
    assert [spotify_track(o) for o in others] == [None] * 5
    assert [isrc(o) for o in ("nlabc8700001", ["NL-ABC-87-00001"], [], "no", None)] == [
        "NLABC8700001", "NLABC8700001", None, None, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("names", "reason"),
    [(("x" * 501, "Blur"), "501 characters; 500 are the most"), ((["x"], "Blur"), "the track's name is no text")],
)
def test_names_that_cannot_be_kept(names: tuple[Any, str], reason: str) -> None:
    row = {"ts": "2021-05-20T17:57:00Z", "ms_played": 1, "master_metadata_track_name": names[0]}
    found, report = read(given([{**row, "master_metadata_album_artist_name": names[1]}]))
    assert (found, len(report.broken)) == ([], 1)
    assert reason in report.broken[0].reason


def test_half_characters_and_control_characters_do_not_get_in() -> None:
    text = (
        '[{"endTime": "2021-05-20 17:57", "msPlayed": 1, "trackName": "Ti\\ud800de\\u0000", "artistName": " A\\tB "}]'
    )
    (one,), _ = read(given(text))
    assert (one.track, one.artist) == ("Ti?de", "A B")
