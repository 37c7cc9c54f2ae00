"""Small tastes and catalogues, of which every figure can be worked out by hand."""

from __future__ import annotations

from backend.models.ingestion_models import Rights
from backend.models.tastes import CatalogueFigures, Heard, HeardFrom, KnownTrack, ListenerRef, PlayedArtist, PlayedTrack

ME = ListenerRef(name="me", source=HeardFrom.HISTORY)
FIGURES = CatalogueFigures(
    tracks=100, genres={"jazz": 10, "rock": 60, "dub": 30}, moods={"calm": 50}, popularity={10: 40, 50: 40, 90: 20}
)


def track(
    id_: str,
    artist: str = "ada",
    *,
    genres: tuple[str, ...] = (),
    moods: tuple[str, ...] = (),
    year: int | None = None,
    popularity: int | None = None,
    recording: str | None = None,
    mbid: str | None = None,
    **features: float,
) -> KnownTrack:
    return KnownTrack(
        id=id_, artist_key=artist, track_key=f"{artist}/{id_}", recording=recording or id_, title=id_.title(),
        artist=artist.title(), year=year, genres=genres, moods=moods, popularity=popularity, mbid=mbid, synthetic=False,
        features=features,
    )  # fmt: skip


def played(
    *,
    tracks: dict[tuple[str, str, str], int] | None = None,
    artists: dict[tuple[str, str], int] | None = None,
    nested: bool = False,
) -> Heard:
    """Plays by period, artist and track, and by period and artist; without the latter those of the tracks."""
    of_tracks = tracks or {}
    of_artists = dict(artists or {})
    if artists is None:
        for (period, artist, _), n in of_tracks.items():
            of_artists[period, artist] = of_artists.get((period, artist), 0) + n
    return Heard(
        listener=ME,
        rights=Rights.OPEN,
        artists=[PlayedArtist(key=a, name=a.title(), plays=n, period=p) for (p, a), n in of_artists.items()],
        tracks=[
            PlayedTrack(artist_key=a, track_key=f"{a}/{t}", plays=n, period=p) for (p, a, t), n in of_tracks.items()
        ],
        nested=nested,
    )
