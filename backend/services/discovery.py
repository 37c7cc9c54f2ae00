"""Discovery for a script or a notebook: the same answers as over HTTP, blocking, without a server.

Settings are read from the environment and `.env`, as by the server. An index is kept from one call to the next, until the
catalogue changes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from backend.config.settings import AppSettings, DatabaseSettings
from backend.models.discovery import Ask, ListedTrack, Seeds
from backend.models.ingestion_models import RightsLevel
from backend.models.results import TrackFilter
from backend.repositories.database import open_columnar
from backend.utils.errors import InvalidInputError

if TYPE_CHECKING:
    from backend.features.columns import Flags
    from backend.features.discovery.index import DiscoveryIndex

Answer = dict[str, Any]

_KEPT: Final[dict[RightsLevel, DiscoveryIndex]] = {}


def discover(
    wish: str = "",
    *,
    like: Seeds | Sequence[str] = (),
    unlike: Seeds | Sequence[str] = (),
    point: tuple[float, float] | None = None,
    emphasis: Mapping[str, float] | None = None,
    strict: bool | None = None,
    k: int = 20,
    per_artist: int | None = 3,
    diversity: float = 0.0,
    track_filter: TrackFilter | None = None,
    rights: RightsLevel | str | None = None,
) -> Answer:
    """Tracks that fit what is asked for.

    Args:
        wish: in words, such as "120-130 bpm, acoustic, melancholic, 1970s".
        like: what answers are to be like: ids of tracks, or `Seeds` of tracks, albums, artists.
        unlike: what they are not to be like.
        point: valence and arousal, -1..1 each, that moods are to be near to.
        emphasis: by group of features (audio, genres, year, …) what it is multiplied by; 0 leaves it out.
        strict: True makes every wish hard, False none; None as they are said.
        k: at most so many, 1 to 100.
        per_artist: at most so many of one artist; None for any number.
        diversity: 0 takes the best; towards 1 each must be unlike those before it.
        track_filter: which tracks may be answered; any when None.
        rights: "any", "noncommercial" or "open".

    Returns:
        See `discovery_answers.discover`.

    Raises:
        InvalidInputError: nothing is asked for or understood, or a number is not allowed.
        NotFoundError: what is named is not there, or nothing is left.
        DatabaseError: the database cannot be used, or has no tables yet.
    """
    from backend.services.discovery_answers import discover as answer

    ask = Ask(
        wish=wish, like=_seeds(like), unlike=_seeds(unlike), point=point, emphasis=emphasis or {}, strict=strict, k=k,
        per_artist=per_artist, diversity=diversity,
    )  # fmt: skip
    with opened(track_filter, rights) as catalogue:
        return answer(catalogue.index(), ask, catalogue.wanted, fitting=catalogue.fitting)


def continue_playlist(
    tracks: Sequence[str | tuple[str, str]],
    *,
    k: int = 20,
    per_artist: int | None = 3,
    diversity: float = 0.0,
    track_filter: TrackFilter | None = None,
    rights: RightsLevel | str | None = None,
) -> Answer:
    """Tracks that go on with a list of ids, or of pairs (artist, title).

    Returns:
        See `discovery_answers.continued`; the rest as of `discover`.
    """
    from backend.services.discovery_answers import continued

    listed = [ListedTrack(id=t) if isinstance(t, str) else ListedTrack(artist=t[0], title=t[1]) for t in tracks]
    ask = Ask(k=k, per_artist=per_artist, diversity=diversity)
    with opened(track_filter, rights) as catalogue:
        return continued(catalogue.index(), listed, ask, catalogue.wanted, fitting=catalogue.fitting)


def song_path(
    start: str,
    end: str,
    *,
    steps: int = 10,
    track_filter: TrackFilter | None = None,
    rights: RightsLevel | str | None = None,
) -> Answer:
    """A way from one track to another; see `discovery_answers.way`."""
    from backend.services.discovery_answers import way

    with opened(track_filter, rights) as catalogue:
        return way(catalogue.index(), start, end, steps=steps, track_filter=catalogue.wanted, fitting=catalogue.fitting)


def overlooked(
    by: str = "critics",
    *,
    k: int = 20,
    tracks: bool = False,
    track_filter: TrackFilter | None = None,
    rights: RightsLevel | str | None = None,
) -> Answer:
    """Albums, or tracks, that "critics", "listeners" or "everybody" overlooks; see `overlooked_answers.overlooked`."""
    from backend.repositories.receptions import ReceptionTables
    from backend.services.asking_service import who
    from backend.services.discovery_service import allowed_k
    from backend.services.overlooked_answers import overlooked as answer

    with opened(track_filter, rights) as catalogue:
        received = ReceptionTables(catalogue.connection).of(catalogue.wanted, tracks=tracks)
        return answer(received, by=who(by), k=allowed_k(k))


@dataclass(frozen=True, slots=True)
class _Catalogue:
    """A level of rights, through one connection."""

    connection: Any
    wanted: TrackFilter

    def index(self) -> DiscoveryIndex:
        """As the catalogue is now."""
        from backend.features.discovery.index import DiscoveryIndex
        from backend.features.discovery.rows import READS
        from backend.repositories.track_tables import TrackTables
        from backend.services.matrices import EVERYTHING

        level = self.wanted.rights
        version = TrackTables(self.connection).version(level)
        kept = _KEPT.get(level)
        if kept is None or kept.version != version:
            table = TrackTables(self.connection).arrow(TrackFilter(rights=level), limit=EVERYTHING, columns=READS)
            kept = _KEPT[level] = DiscoveryIndex.build(table, version=version)
        return kept

    def fitting(self, index: DiscoveryIndex, track_filter: TrackFilter) -> Flags | None:
        """Which rows fit a filter; None when all do."""
        from backend.repositories.track_tables import TrackTables
        from backend.services.matrices import EVERYTHING

        if track_filter == TrackFilter(rights=track_filter.rights):
            return None
        ids = TrackTables(self.connection).arrow(track_filter, limit=EVERYTHING, columns=["id"]).column("id")
        return index.rows.mask(ids)


@contextlib.contextmanager
def opened(track_filter: TrackFilter | None, rights: RightsLevel | str | None) -> Iterator[_Catalogue]:
    """A level of rights of the database that the settings name.

    Raises:
        InvalidInputError: there is no such level.
        DatabaseError: the database cannot be used, or has no tables yet.
    """
    wanted = track_filter or TrackFilter()
    if rights is not None:
        try:
            wanted = replace(wanted, rights=RightsLevel(rights))
        except ValueError:
            raise InvalidInputError(f"rights={rights!r} is none of {', '.join(RightsLevel)}") from None
    with open_columnar(DatabaseSettings.read(), home=AppSettings.read().tensoe_home) as connection:
        yield _Catalogue(connection, wanted)


def _seeds(given: Seeds | Sequence[str]) -> Seeds:
    return given if isinstance(given, Seeds) else Seeds(tracks=tuple(given))
