"""What HTTP answers of tastes: profiles, personal recommendations, what is wanted, comparisons."""

from __future__ import annotations

from pydantic import Field

from backend.routes.schemas import Schema


class TagShare(Schema):
    """A genre or mood with its share of the plays."""

    name: str
    share: float
    """0 to 1, of the plays that the catalogue knows; a track of two genres counts for both."""


class EraShare(Schema):
    """A decade with its share of the plays."""

    decade: int = Field(examples=[1970])
    share: float
    """0 to 1, of the plays whose release year is known."""


class Spread(Schema):
    """An audio feature over the plays."""

    mean: float
    sd: float
    deciles: list[float]
    """10 %, 20 %, … 90 % of the plays lie below."""
    known_share: float
    """Of which share of the known plays the feature is known, 0 to 1."""


class PlaysCovered(Schema):
    """How many of the plays the catalogue knows."""

    plays: int
    track_share: float
    """Plays of just these tracks, 0 to 1."""
    artist_share: float
    """Plays of artists of whom something is stored, 0 to 1: what the profile rests on."""


class Mainstream(Schema):
    """Where in the catalogue's popularity the plays lie."""

    value: float | None
    """Mean percentile in the catalogue, 0 to 1; 0.5: as if played at random. Null: no popularity is known."""
    known_share: float


class DistinctiveName(Schema):
    """Something that is played more than the catalogue has it."""

    name: str
    share: float
    catalogue_share: float
    log_odds: float
    z: float
    """Log-odds in standard deviations (Monroe, Colaresi and Quinn 2008)."""


class DistinctiveTaste(Schema):
    """What is over-represented against the catalogue, the surest first."""

    genres: list[DistinctiveName]
    moods: list[DistinctiveName]
    artists: list[DistinctiveName]


class DriftPeriod(Schema):
    """The taste of one period."""

    period: str = Field(examples=["2019", "2019-Q3", "12month"])
    plays: int
    known_share: float
    genres: list[TagShare]
    audio_features: dict[str, float]
    change: float | None
    """How far the genres are from those of the period before, 0 to 1 (Jensen-Shannon divergence in bits)."""


class RightsOf(Schema):
    """Whose values an answer is made of."""

    catalogue: str = Field(examples=["any"])
    """The level that was asked for."""
    listener: str = Field(examples=["noncommercial"])
    """What may be done with what the listener plays."""


class Profile(Schema):
    """What the catalogue knows of what a listener plays."""

    user: str
    source: str = Field(examples=["lastfm"])
    rights: RightsOf
    period: str
    artists_played: int
    artists_known: int
    """Of them, those of whom an album is stored."""
    plays_known_share: float
    """Which share of the plays the profile rests on, 0 to 1."""
    tracks_known: int
    synthetic: bool
    """True: some of these values are made up (demo)."""
    coverage: PlaysCovered
    genres: list[TagShare]
    moods: list[TagShare]
    eras: list[EraShare]
    audio_features: dict[str, float] = Field(examples=[{"energy": 0.61, "valence": 0.48}])
    """Means, weighted by plays."""
    spread: dict[str, Spread]
    mainstream: Mainstream
    distinctive: DistinctiveTaste
    drift: list[DriftPeriod]
    drift_by: str = Field(examples=["year"])
    """year or quarter; windows: each reaches up to now, and they hold one another."""


class ReasonTrack(Schema):
    """The track that a pick is owed to most."""

    id: str
    title: str
    artist: str
    plays: int
    """0: it stands for its artist, whose other tracks are played."""


class Pick(Schema):
    """A recommended track."""

    id: str
    title: str
    artist: str
    album: str | None
    album_id: str | None
    release_year: int | None
    synthetic: bool
    score: float
    """Weighted mean of the similarity to what stands for the taste, up to 1."""
    contributions: dict[str, float]
    """Per group of features its share; they sum to the score."""
    because: ReasonTrack
    reasons: list[str]
    heard: bool


class TastePicks(Schema):
    """Tracks that fit a taste."""

    user: str
    source: str
    rights: RightsOf
    period: str
    seeds: int
    """By how many tracks the taste was represented."""
    familiar: list[Pick]
    """By artists that the listener plays."""
    new: list[Pick]
    """By artists that the listener does not play; never heard."""


class WantedAlbum(Schema):
    """An album that is played and not stored."""

    album: str
    artist: str
    plays: int
    artist_known: bool
    """Whether something else of the artist is stored."""


class WantedArtist(Schema):
    """An artist who is played and of whom nothing is stored."""

    name: str
    plays: int


class Batch(Schema):
    """The body that `POST /ml/ingest/batch` takes."""

    albums: list[tuple[str, str]]


class Lacking(Schema):
    """What a listener plays and the catalogue lacks, the most played first."""

    user: str
    source: str
    albums: list[WantedAlbum]
    artists: list[WantedArtist]
    batch: Batch


class RightsOfBoth(RightsOf):
    """Whose values a comparison is made of."""

    other: str


class SharedShare(Schema):
    """Something of both, with its share of each one's plays."""

    name: str
    share: float
    other_share: float


class ToShow(Schema):
    """An artist of one whom the other does not play."""

    name: str
    share: float
    """Of the plays of the one who plays him."""
    fit: float | None
    """Cosine of the artist's genres and the other's; null: the catalogue knows no genres of his."""


class LikenessParts(Schema):
    """What the similarity is the mean of."""

    artists: float
    """Σ min(share, other share) over the artists."""
    genres: float | None
    """1 - Jensen-Shannon divergence of the genres; null: the catalogue knows none of one of them."""


class Comparison(Schema):
    """What two listeners have in common."""

    user: str
    source: str
    other: str
    other_source: str
    rights: RightsOfBoth
    similarity: float
    """0 to 1; the mean of `parts`."""
    parts: LikenessParts
    shared_artists: list[SharedShare]
    shared_artists_count: int
    genres_in_common: list[SharedShare]
    genres_apart: list[SharedShare]
    could_show_other: list[ToShow]
    could_be_shown: list[ToShow]
