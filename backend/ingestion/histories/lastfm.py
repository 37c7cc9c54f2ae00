"""What exporters save of a Last.fm listener: tables, and pages of user.getRecentTracks.

Wire forms: `artist,album,track,date` with or without that first line (benjaminbenben.com/lastfm-to-csv, the date as
"21 Nov 2013 13:22"), `uts,utc_time,artist,artist_mbid,album,album_mbid,track,track_mbid` and lists of pages as JSON
(lastfm.ghan.nl/export), `{"username", "scrobbles": [{track, artist, album, date}]}` with milliseconds and
`Artist;Album;AlbumId;Track;Date#name` (lastfmstats.com), and https://www.last.fm/api/show/user.getRecentTracks. All times
are UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from backend.ingestion.histories.form import Row, heard
from backend.ingestion.histories.values import RowError, instant, mbid, name_of
from backend.models.listening import LeftOut, Listen

_SOURCE: Final = "lastfm"
_TITLES: Final = ("track", "name")
_DATES: Final = ("uts", "utc_time", "date", "timestamp")
_STATS_DATE: Final = frozenset({"date#"})  # the listener's name follows
_BARE: Final = ("artist", "album", "track", "date")


class Scrobbles:
    """Scrobbles, in any of the exporters' forms."""

    name = "Last.fm scrobbles"
    expected = (
        "Last.fm scrobbles (a table with the columns artist, album, track and date, or uts, utc_time, artist, album, track; "
        "or pages of user.getRecentTracks as JSON)"
    )
    wrappers = frozenset({"recenttracks", "track", "scrobbles"})

    def fits(self, row: Row) -> bool:
        """Whether a row has this form."""
        if isinstance(row.get("artist"), Mapping):
            return "name" in row and ("date" in row or "@attr" in row)
        dated = any(name in row for name in _DATES) or _STATS_DATE.intersection(k[:5] for k in row)
        return "artist" in row and any(t in row for t in _TITLES) and bool(dated)

    def read(self, row: Row) -> Listen | LeftOut:
        """What a row says.

        Raises:
            RowError: its time or a name cannot be read.
        """
        track = next((found for t in _TITLES if (found := name_of(row.get(t), what="the track's name"))), "")
        artist = name_of(_text(row.get("artist")), what="the artist's name")
        if not (track and artist):
            return LeftOut.UNNAMED
        at = next((time for name in _DATES if (time := instant(_date(row, name)))), None)
        if at is None:
            return LeftOut.UNDATED  # playing just then, or scrobbled by a clock that was never set
        album = name_of(_text(row.get("album")), what="the album's name")
        said = row.get("track_mbid") or row.get("mbid")
        return heard(source=_SOURCE, at=at, track=track, artist=artist, album=album, recording_mbid=mbid(said))


def _text(value: Any) -> Any:
    """A name, which JSON wraps: "#text", or "name" where more was asked for."""
    return value.get("#text", value.get("name")) if isinstance(value, Mapping) else value


def _date(row: Row, name: str) -> Any:
    value = row.get(name)
    if isinstance(value, Mapping):
        return value.get("uts")
    if name == "date" and value is None:
        return next((row[key] for key in row if key[:5] in _STATS_DATE), None)
    return value


def columns(first: Sequence[str]) -> Sequence[str] | None:
    """The columns of a table whose first line is a scrobble already; None when it is not.

    >>> columns(["Blur", "13", "Tender", "21 Nov 2013 13:22"]), columns(["artist", "album", "track", "date"])
    (('artist', 'album', 'track', 'date'), None)
    """
    if len(first) != len(_BARE):
        return None
    try:
        return _BARE if instant(first[3]) else None
    except RowError:
        return None
