"""What Spotify gives its users: the extended streaming history, and the short one of the last year.

Wire forms: Streaming_History_Audio_*.json, earlier endsong_*.json, whose `ts` is when a stream ended (UTC); and
StreamingHistory_music_*.json, earlier StreamingHistory*.json, whose `endTime` is the same to the minute. Both are explained at
https://support.spotify.com/article/understanding-my-data/. Of what else they hold (address, device, country, user name)
nothing is taken.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from backend.ingestion.histories.form import Row, heard
from backend.ingestion.histories.values import RowError, instant, milliseconds, name_of, spotify_track
from backend.models.listening import LeftOut, Listen

_SOURCE: Final = "spotify"
_OTHERS: Final = ("episode_name", "spotify_episode_uri", "audiobook_title", "audiobook_uri")
# How a stream ended tells whether it was skipped; `skipped` itself was left null for years.
_BY_HAND: Final = frozenset({"fwdbtn"})
_TO_THE_END: Final = frozenset({"trackdone"})


class ExtendedHistory:
    """Every stream of an account's life."""

    name = "Spotify extended streaming history"
    expected = (
        "Spotify's extended streaming history (my_spotify_data.zip, or its Streaming_History_Audio_*.json or endsong_*.json: "
        "a list of objects with ts, ms_played and master_metadata_track_name)"
    )
    wrappers: frozenset[str] = frozenset()

    def fits(self, row: Row) -> bool:
        """Whether a row has this form."""
        return row.keys() >= {"ts", "ms_played", "master_metadata_track_name"}

    def read(self, row: Row) -> Listen | LeftOut:
        """What a row says.

        Raises:
            RowError: its time or a name cannot be read.
        """
        track = name_of(row.get("master_metadata_track_name"), what="the track's name")
        artist = name_of(row.get("master_metadata_album_artist_name"), what="the artist's name")
        if not (track and artist):
            return LeftOut.NOT_MUSIC if any(row.get(key) for key in _OTHERS) else LeftOut.UNNAMED
        if row.get("incognito_mode") is True or row.get("incognito_session") is True:
            return LeftOut.PRIVATE
        ended, played = instant(row.get("ts")), milliseconds(row.get("ms_played"))
        if ended is None:
            return LeftOut.UNDATED
        return heard(
            source=_SOURCE,
            at=_began(ended, played),
            track=track,
            artist=artist,
            album=name_of(row.get("master_metadata_album_album_name"), what="the album's name"),
            spotify_id=spotify_track(row.get("spotify_track_uri")),
            ms_played=played,
            skipped=_skipped(row),
        )


class ShortHistory:
    """The streams of the last year, with few fields."""

    name = "Spotify streaming history of the last year"
    expected = (
        "Spotify's streaming history of the last year (StreamingHistory_music_*.json: a list of objects with endTime, "
        "artistName, trackName and msPlayed)"
    )
    wrappers: frozenset[str] = frozenset()

    def fits(self, row: Row) -> bool:
        """Whether a row has this form."""
        return row.keys() >= {"endTime", "msPlayed"}

    def read(self, row: Row) -> Listen | LeftOut:
        """What a row says.

        Raises:
            RowError: its time or a name cannot be read.
        """
        if "podcastName" in row or "episodeName" in row:
            return LeftOut.NOT_MUSIC
        track = name_of(row.get("trackName"), what="trackName")
        artist = name_of(row.get("artistName"), what="artistName")
        # What Spotify itself writes for tracks that it no longer knows.
        if not (track and artist) or track == artist == "Unknown":
            return LeftOut.UNNAMED
        ended, played = instant(row.get("endTime")), milliseconds(row.get("msPlayed"))
        if ended is None:
            return LeftOut.UNDATED
        began = _began(ended, played)
        return heard(
            source=_SOURCE, at=began, track=track, artist=artist, album="", ms_played=played, to_the_minute=True
        )


def _began(ended: datetime, played: int | None) -> datetime:
    try:
        return ended - timedelta(milliseconds=played or 0)
    except OverflowError:
        raise RowError(f"the time played, {played:,} ms, cannot be") from None


def _skipped(row: Row) -> bool | None:
    said = row.get("skipped")
    if isinstance(said, bool):
        return said
    end = row.get("reason_end")
    if not isinstance(end, str):
        return None
    if end in _BY_HAND:
        return True
    return False if end in _TO_THE_END else None
