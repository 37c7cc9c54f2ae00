"""Where it is known from what a listener plays: public charts, or his own history."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final, Protocol

from backend.ingestion.alignment import recording_key
from backend.models.ingestion_models import RightsLevel
from backend.models.tastes import OVERALL, By, Heard, HeardFrom, ListenerRef, PlayedAlbum, PlayedArtist, PlayedTrack
from backend.repositories.heard import HistoryReader
from backend.services.listening_service import nothing_of
from backend.services.user_service import Period, UserService
from backend.utils.errors import NotFoundError, RecordNotFoundError
from backend.utils.text import fold_name

WINDOWS: Final[tuple[Period, ...]] = ("12month", "3month", "1month")
"""What drift is told by where no history is known, beside all time."""
_ARTISTS: Final = 500
_TRACKS: Final = 1_000
_ALBUMS: Final = 500


class HeardBy(Protocol):
    """One that knows what listeners play."""

    def check(self, rights: RightsLevel) -> None:
        """See whether it may be shown at a level of rights.

        Raises:
            InvalidInputError: it may not.
        """
        ...

    async def heard(self, name: str, *, period: Period, by: By, windows: bool) -> Heard:
        """What a listener plays.

        Args:
            name: the listener's.
            period: plays of which time; a history has them all and parts them itself.
            by: how finely a history is parted.
            windows: also the windows of `WINDOWS`, which cost requests.

        Raises:
            NotFoundError: nothing is known of him.
            SourceError: the provider does not say.
        """
        ...

    async def albums(self, name: str, *, period: Period) -> list[PlayedAlbum]:
        """The albums played, the most first.

        Raises:
            NotFoundError: nothing is known of the listener.
            SourceError: the provider does not say.
        """
        ...


class HeardInHistory:
    """The listener's own history."""

    def __init__(self, reader: HistoryReader) -> None:
        self._reader = reader

    def check(self, rights: RightsLevel) -> None:
        """See `HeardBy.check`: it is the listener's own."""

    async def heard(self, name: str, *, period: Period, by: By, windows: bool) -> Heard:
        """See `HeardBy.heard`."""
        found = await self._reader.heard(name, by=by)
        if found is None:
            raise NotFoundError(nothing_of(name))
        return found

    async def albums(self, name: str, *, period: Period) -> list[PlayedAlbum]:
        """See `HeardBy.albums`."""
        return await self._reader.albums(name)


class HeardInPublic:
    """The charts of a provider, by a listener's name there."""

    def __init__(self, users: UserService, source: HeardFrom) -> None:
        self._users = users
        self._source = source

    def check(self, rights: RightsLevel) -> None:
        """See `HeardBy.check`."""
        self._users.check(self._source, rights)

    async def heard(self, name: str, *, period: Period, by: By, windows: bool) -> Heard:
        """See `HeardBy.heard`; artists and tracks played most, and the artists of each window."""
        others = [window for window in WINDOWS if windows and window != period]
        artists, tracks, *of_windows = await asyncio.gather(
            self._top(name, "artists", period=period, limit=_ARTISTS),
            self._top(name, "tracks", period=period, limit=_TRACKS),
            *(self._of_window(name, window) for window in others),
        )
        played = [_artist(row, period) for row in artists]
        for window, rows in zip(others, of_windows, strict=True):
            played += [_artist(row, window) for row in rows]
        return Heard(
            listener=ListenerRef(name=name, source=self._source),
            rights=self._users.rights(self._source),
            artists=played,
            tracks=[_track(row, period) for row in tracks],
            nested=True,
        )

    async def albums(self, name: str, *, period: Period) -> list[PlayedAlbum]:
        """See `HeardBy.albums`."""
        rows = await self._top(name, "albums", period=period, limit=_ALBUMS)
        return [
            PlayedAlbum(
                title=row["name"],
                artist=row["artist"],
                artist_key=fold_name(row["artist"]),
                plays=row.get("plays") or 0,
            )
            for row in rows
            if row.get("artist")
        ]

    async def _of_window(self, name: str, window: Period) -> list[dict[str, Any]]:
        try:
            return await self._top(name, "artists", period=window, limit=_ARTISTS)
        except RecordNotFoundError:  # nothing was played then, and this is how it is said
            return []

    async def _top(self, name: str, kind: Any, *, period: Period, limit: int) -> list[dict[str, Any]]:
        found = await self._users.top(name, kind, period=period, limit=limit, source=self._source)
        rows: list[dict[str, Any]] = found["data"]
        return rows


def _artist(row: Mapping[str, Any], period: str) -> PlayedArtist:
    return PlayedArtist(
        key=fold_name(row["name"]), name=row["name"], plays=row.get("plays") or 0, period=period or OVERALL
    )


def _track(row: Mapping[str, Any], period: str) -> PlayedTrack:
    artist = row.get("artist") or ""
    return PlayedTrack(
        artist_key=fold_name(artist),
        track_key=recording_key(artist, row["name"]),
        plays=row.get("plays") or 0,
        mbid=row.get("mbid"),
        period=period,
    )
