"""Reading a listener and what the catalogue has of him, and what several answers make of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.models.ingestion_models import RightsLevel
from backend.models.tastes import By, Heard, HeardFrom, KnownTrack, ListenerRef, PlayedAlbum
from backend.repositories.tastes import Tastes
from backend.services.heard_by import HeardBy
from backend.services.user_service import Period
from backend.utils.errors import NotFoundError

if TYPE_CHECKING:
    from backend.features.taste.profile import Taste
# What imports NumPy is imported inside functions: the server's start-up does not wait for it.


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A listener, and what the catalogue has of him.

    Attributes:
        heard: what he plays.
        tracks: the catalogue's tracks of it, the earliest released first.
        whole: the period that is all of it, where periods are windows; None: all of them together.
    """

    heard: Heard
    tracks: list[KnownTrack]
    whole: str | None

    def taste(self) -> Taste:
        """The figures; costs time, so use it from a thread."""
        from backend.features.taste.profile import Taste
        from backend.features.taste.weights import weigh

        return Taste(weigh(self.heard, self.tracks), whole=self.whole)

    def by_artist(self) -> tuple[dict[str, int], dict[str, str]]:
        """Plays per artist, the most played first, and how each is spelt; by folded name."""
        return by_artist(self.heard, whole=self.whole)


class TasteReader:
    """Reads listeners.

    Args:
        known_by: who knows what is played.
        tastes: what the catalogue has.
    """

    def __init__(self, known_by: Mapping[HeardFrom, HeardBy], tastes: Tastes) -> None:
        self._known_by = known_by
        self._tastes = tastes

    async def heard(self, listener: ListenerRef, *, period: Period, by: By = By.YEAR, windows: bool = False) -> Heard:
        """What a listener plays; see `HeardBy.heard`.

        Raises:
            NotFoundError: nothing is known of him, or he has played nothing.
            SourceError: the provider does not say.
        """
        heard = await self._known_by[listener.source].heard(listener.name, period=period, by=by, windows=windows)
        if not any(a.plays for a in heard.artists) and not any(t.plays for t in heard.tracks):
            raise NotFoundError(
                f"{listener.name!r} has played nothing in this time (a play is 30 seconds or longer); choose another "
                "period, or take in another export"
            )
        return heard

    async def albums(self, listener: ListenerRef, *, period: Period) -> list[PlayedAlbum]:
        """The albums a listener plays; see `HeardBy.albums`."""
        return await self._known_by[listener.source].albums(listener.name, period=period)

    async def read(
        self,
        listener: ListenerRef,
        *,
        period: Period,
        rights: RightsLevel,
        by: By = By.YEAR,
        windows: bool = False,
    ) -> Reading:
        """A listener, and what the catalogue has of him at a level of rights.

        Raises:
            NotFoundError: nothing is known of him, or he has played nothing.
            SourceError: the provider does not say.
            InvalidInputError: what is played may not be shown at this level.
        """
        self._known_by[listener.source].check(rights)
        heard = await self.heard(listener, period=period, by=by, windows=windows)
        tracks = await self._tastes.known(
            artists=sorted({a.key for a in heard.artists} | {t.artist_key for t in heard.tracks}),
            track_keys=sorted({t.track_key for t in heard.tracks if t.track_key}),
            mbids=sorted({t.mbid for t in heard.tracks if t.mbid}),
            ids=sorted({t.track_id for t in heard.tracks if t.track_id}),
            rights=rights,
        )
        return Reading(heard=heard, tracks=tracks, whole=period if heard.nested else None)


def by_artist(heard: Heard, *, whole: str | None = None) -> tuple[dict[str, int], dict[str, str]]:
    """Plays per artist, the most played first, and how each is spelt; by folded name.

    Args:
        heard: what is played.
        whole: the period that counts, where periods are windows; None: all of them together.
    """
    plays: dict[str, int] = {}
    names: dict[str, str] = {}
    for artist in heard.artists:
        if whole in {None, artist.period}:
            plays[artist.key] = plays.get(artist.key, 0) + artist.plays
            names.setdefault(artist.key, artist.name)
    return dict(sorted(plays.items(), key=lambda item: (-item[1], item[0]))), names
