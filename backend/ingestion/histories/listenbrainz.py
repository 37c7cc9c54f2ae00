"""What ListenBrainz gives its users.

Wire form: a zip with listens/YYYY/M.jsonl, a listen a line; earlier one list of the same as JSON. See
https://listenbrainz.readthedocs.io/en/latest/users/json.html for a listen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from backend.ingestion.histories.form import Row, heard
from backend.ingestion.histories.values import RowError, instant, isrc, mbid, milliseconds, name_of, spotify_track
from backend.models.listening import LeftOut, Listen

_SOURCE: Final = "listenbrainz"


class Listens:
    """Listens as they were submitted."""

    name = "ListenBrainz listens"
    expected = "ListenBrainz's export (its zip, or listens as JSON or a line each: objects with listened_at and track_metadata)"
    wrappers = frozenset({"payload", "listens"})

    def fits(self, row: Row) -> bool:
        """Whether a row has this form."""
        return isinstance(row.get("track_metadata"), Mapping) and ("listened_at" in row or "playing_now" in row)

    def read(self, row: Row) -> Listen | LeftOut:
        """What a row says.

        `duration` and `duration_ms` of a listen are the track's length, so what was played is known only where
        `duration_played` (seconds) is said.

        Raises:
            RowError: its time or a name cannot be read.
        """
        said = row.get("track_metadata")
        if not isinstance(said, Mapping):
            raise RowError("it has no track_metadata")
        more = _mapping(said.get("additional_info"))
        track = name_of(said.get("track_name"), what="track_name")
        artist = name_of(said.get("artist_name"), what="artist_name")
        if not (track and artist):
            return LeftOut.UNNAMED
        at = instant(row.get("listened_at"))
        if at is None or row.get("playing_now") is True:
            return LeftOut.UNDATED
        # What was submitted counts before what ListenBrainz guessed from it.
        recording = mbid(more.get("recording_mbid")) or mbid(_mapping(said.get("mbid_mapping")).get("recording_mbid"))
        return heard(
            source=_SOURCE,
            at=at,
            track=track,
            artist=artist,
            album=name_of(said.get("release_name"), what="release_name"),
            recording_mbid=recording,
            isrc=isrc(more.get("isrc")),
            spotify_id=spotify_track(more.get("spotify_id")),
            ms_played=_played(more.get("duration_played")),
        )


def _played(seconds: Any) -> int | None:
    return milliseconds(seconds * 1000) if isinstance(seconds, int | float) and seconds >= 0 else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
