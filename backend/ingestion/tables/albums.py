"""Rows laid together into albums: which are of one album, which say a track twice, and which contradict each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from backend.ingestion.tables.cells import Unread, by_unique
from backend.ingestion.tables.mapping import Mapping
from backend.ingestion.tables.reading import LINE, PART
from backend.models.ingestion_models import AUDIO_FEATURES
from backend.utils.text import fold, fold_name

if TYPE_CHECKING:
    import polars as pl

VARIOUS: Final = "Various Artists"
_LAST: Final = 1_000_000
_OF_ALBUM: Final = ("album_id", "album_mbid", "release_date", "label", "upc")
_OF_TRACK: Final = (
    "track_id", "track_mbid", "title", "artists", "duration_ms", "explicit", "popularity", "listeners", "isrc", "disc_number",
    "track_number", *AUDIO_FEATURES,
)  # fmt: skip
_TEXT: Final = frozenset(
    {*_OF_ALBUM, "track_id", "track_mbid", "title", "artists", "album", "album_artist", "isrc", "tags"}
)


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Rows that speak of one track or album and say different things of it; the first is taken."""

    lines: tuple[int, ...]
    name: str
    field: str
    values: tuple[str, ...]


@dataclass(slots=True)
class Laid:
    """A table laid together.

    Attributes:
        albums: one row per album in the order of the file: `a` (its number), names, folded names, what is said of it, `tracks`,
            `line` and `single` (it was made of a track that says no album).
        tracks: one row per track, by album and line; `a` is its album's number.
        duplicates: line of each row that says a track again, and the line that said it first.
        contradictions: of tracks and of albums.
        unusable: rows without what every row needs.
    """

    albums: pl.DataFrame
    tracks: pl.DataFrame
    duplicates: list[tuple[int, int]] = field(default_factory=list)
    contradictions: list[Contradiction] = field(default_factory=list)
    unusable: list[Unread] = field(default_factory=list)


def lay_together(frame: pl.DataFrame, mapping: Mapping) -> Laid:
    """The albums of a table's rows.

    A row's album is told by Spotify's or MusicBrainz's id of it, else by its folded artist and title. A track is told by its id,
    else by its folded title, disc and number: within an album, for one recording may be on several.
    """
    import polars as pl

    frame = _complete(frame, mapping)
    nameless = pl.col("title").is_null() if mapping.shape in {"spotify", "tracks"} else pl.col("album").is_null()
    artistless = pl.col("artists").is_null() & pl.col("album_artist").is_null()
    na = (pl.coalesce("title", "album") == "NA") & (pl.coalesce("artists", "album_artist") == "NA")
    frame = frame.with_columns(_no=pl.when(nameless | na).then(pl.lit("title")).when(artistless).then(pl.lit("artist")))
    bad = frame.filter(pl.col("_no").is_not_null())
    unusable = [Unread(line, "", f"no {what}") for line, what in bad.select(LINE, "_no").iter_rows()]
    frame = _keyed(frame.filter(pl.col("_no").is_null()).drop("_no"), mapping)
    duplicates, contradictions, tracks = _once(frame)
    albums, more = _albums(tracks)
    return Laid(albums, _in_order(tracks, mapping), duplicates, contradictions + more, unusable)


def _complete(frame: pl.DataFrame, mapping: Mapping) -> pl.DataFrame:
    """With a column for each field, whether the table has it or not."""
    import polars as pl

    if mapping.shape == "albums" and "album" not in frame.columns:
        frame = frame.rename({"title": "album"})
    wanted = dict.fromkeys((*_OF_ALBUM, *_OF_TRACK, "album", "album_artist", "tags"))
    kinds = {"explicit": pl.Boolean()} | {name: pl.Float64() for name in AUDIO_FEATURES}
    missing = [
        pl.lit(None, dtype=pl.String() if name in _TEXT else kinds.get(name, pl.Int64())).alias(name)
        for name in wanted
        if name not in frame.columns
    ]
    return frame.with_columns(missing)


def _keyed(frame: pl.DataFrame, mapping: Mapping) -> pl.DataFrame:
    """With the folded names, the number of its album and what tells its track there."""
    import polars as pl

    first = pl.coalesce("album_artist", "artists").str.split(PART).list.first()
    frame = frame.with_columns(
        _artist=first,
        single=pl.col("album").is_null() & pl.col("album_id").is_null() & pl.col("album_mbid").is_null(),
    )
    frame = frame.with_columns(album=pl.coalesce("album", "title"))
    frame = frame.with_columns(
        _artist_key=by_unique(frame.get_column("_artist"), fold_name),
        _title_key=by_unique(frame.get_column("album"), fold_name),
    )
    by_name = pl.concat_str(pl.lit("n"), "_artist_key", pl.lit(PART), "_title_key")
    of_album = pl.coalesce(pl.lit("i") + pl.col("album_id"), pl.lit("m") + pl.col("album_mbid"), by_name)
    frame = frame.with_columns(a=of_album.rank("dense").cast(pl.Int64))
    # Numbers in the order of the file, so that the same table gives the same parts each time.
    order = (
        frame.group_by("a", maintain_order=True).agg(pl.len().alias("_n")).with_row_index("_new").select("a", "_new")
    )
    frame = frame.join(order, on="a", maintain_order="left").drop("a").rename({"_new": "a"})
    if mapping.shape == "albums":
        return frame.with_columns(t=pl.lit(""))
    title = by_unique(frame.get_column("title"), fold) if frame.get_column("track_id").null_count() else pl.lit("")
    named = pl.concat_str(
        title, pl.lit(PART), pl.col("disc_number").fill_null(0), pl.lit(PART), pl.col("track_number").fill_null(0)
    )
    # A recording may stand twice on an album, a track that a service numbers itself may not.
    placed = pl.col("track_mbid") + pl.lit(PART) + named
    return frame.with_columns(t=pl.coalesce("track_id", placed, named))


def _once(frame: pl.DataFrame) -> tuple[list[tuple[int, int]], list[Contradiction], pl.DataFrame]:
    """Each track once: of several rows the first value of each field, and every tag."""
    import polars as pl

    twice = pl.struct("a", "t").is_duplicated()
    again = frame.filter(twice)
    if not again.height:
        return [], [], frame
    firsts = [pl.col(c).drop_nulls().first() for c in frame.columns if c not in {"a", "t", LINE, "tags"}]
    tags = (
        pl.col("tags").drop_nulls().str.split(PART).explode().unique(maintain_order=True).str.join(PART).alias("tags")
    )
    groups = again.group_by("a", "t", maintain_order=True)
    merged = groups.agg(pl.col(LINE).first(), *firsts, tags).with_columns(
        tags=pl.when(pl.col("tags") != "").then("tags")
    )
    lines = groups.agg(pl.col(LINE)).get_column(LINE).to_list()
    duplicates = sorted((line, said[0]) for said in lines for line in said[1:])
    kept = pl.concat([frame.filter(~twice), merged.select(frame.columns)]).sort(LINE)
    return duplicates, list(_contradictions(again, ("a", "t"), _OF_TRACK)), kept


def _contradictions(frame: pl.DataFrame, keys: tuple[str, ...], fields: tuple[str, ...]) -> Iterator[Contradiction]:
    import polars as pl

    differ = frame.group_by(*keys, maintain_order=True).agg(pl.col(f).drop_nulls().n_unique() for f in fields)
    for name in fields:
        bad = differ.filter(pl.col(name) > 1).select(*keys)
        if not bad.height:
            continue
        rows = frame.join(bad, on=list(keys), how="semi", maintain_order="left").filter(pl.col(name).is_not_null())
        found = rows.group_by(*keys, maintain_order=True).agg(
            LINE,
            pl.col("title").first().alias("_title"),
            pl.col("album").first().alias("_album"),
            pl.col(name).alias("_v"),
        )
        for lines, title, album, values in found.select(LINE, "_title", "_album", "_v").iter_rows():
            said = dict.fromkeys(_shown(v) for v in values)
            shown = (title if len(keys) > 1 else album) or album or ""
            yield Contradiction(tuple(lines), shown, name, tuple(said))


def _shown(value: object) -> str:
    return value.replace(PART, ", ") if isinstance(value, str) else str(value)


def _albums(tracks: pl.DataFrame) -> tuple[pl.DataFrame, list[Contradiction]]:
    """What is said of each album: the first value of each field; the artist that most of it is by."""
    import polars as pl

    firsts = [pl.col(c).drop_nulls().first() for c in ("album", "album_artist", *_OF_ALBUM)]
    sizes = [pl.len().alias("tracks"), pl.col(LINE).first().alias("line"), pl.col("single").all()]
    own = pl.col("artists").str.split(PART).list.first()
    tracks = tracks.with_columns(_own=own)
    albums = tracks.group_by("a", maintain_order=True).agg(
        *firsts,
        *sizes,
        pl.col("_own").drop_nulls().first().alias("_first"),
        pl.col("_own").n_unique().alias("_artists"),
    )
    several = albums.filter((pl.col("_artists") > 1) & pl.col("album_artist").is_null()).select("a")
    if several.height:
        counts = (
            tracks.join(several, on="a", how="semi", maintain_order="left")
            .group_by("a", "_own", maintain_order=True).agg(pl.len().alias("_n"))
        )  # fmt: skip
        most = counts.sort("a", "_n", descending=[False, True], maintain_order=True).group_by("a", maintain_order=True)
        by = most.agg(
            pl.when(pl.col("_n").first() * 2 > pl.col("_n").sum())
            .then(pl.col("_own").first()).otherwise(pl.lit(VARIOUS)).first().alias("_by")
        )  # fmt: skip
        albums = albums.join(by, on="a", how="left", maintain_order="left")
    else:
        albums = albums.with_columns(_by=pl.lit(None, dtype=pl.String))
    credited = pl.col("album_artist").str.replace_all(PART, ", ", literal=True)
    albums = albums.with_columns(artist=pl.coalesce(credited, "_by", "_first"), title="album")
    albums = albums.with_columns(
        artist_key=by_unique(albums.get_column("artist"), fold_name),
        title_key=by_unique(albums.get_column("title"), fold_name),
    )
    spoken = tracks.filter(pl.struct("a").is_duplicated())
    differing = (
        list(_contradictions(spoken, ("a",), ("album", "release_date", "label", "upc"))) if spoken.height else []
    )
    return albums.drop("_first", "_artists", "_by", "album", "album_artist"), differing


def _in_order(tracks: pl.DataFrame, mapping: Mapping) -> pl.DataFrame:
    """By album and place on it; where no number is said, in the order of the file."""
    import polars as pl

    if mapping.shape == "albums":
        return tracks.sort("a", LINE)
    number = pl.col("track_number").fill_null(_LAST)
    return tracks.sort("a", pl.col("disc_number").fill_null(1), number, LINE)
