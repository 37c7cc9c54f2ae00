"""Tables of tags (artist, tag, how often; or artist, track, tag, how often) as tags of artists and tracks. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from backend.ingestion.alignment import title_key
from backend.ingestion.tables.cells import by_unique
from backend.ingestion.tables.reading import LINE, PART
from backend.models.ingestion_models import Tag
from backend.utils.text import fold_name

if TYPE_CHECKING:
    import polars as pl

_MOST: Final = 50  # tags of one artist or track that are kept; the rest is the long tail of nicknames


@dataclass(slots=True)
class TagTable:
    """What a table of tags says.

    Attributes:
        artists: by folded name: what was tagged.
        tracks: by folded artist and track's key: the title and its tags.
        duplicates: line of each row that says the same tag of the same thing again, and the line that said it first.
        unusable: lines without artist or tag.
    """

    artists: dict[str, tuple[Tag, ...]] = field(default_factory=dict)
    tracks: dict[str, dict[str, tuple[str, tuple[Tag, ...]]]] = field(default_factory=dict)
    duplicates: list[tuple[int, int]] = field(default_factory=list)
    unusable: list[int] = field(default_factory=list)

    @property
    def keys(self) -> list[str]:
        """The folded names of all artists."""
        return sorted(self.artists.keys() | self.tracks.keys())


def read_tags(frame: pl.DataFrame) -> TagTable:
    """The tags of a table's rows; weights are relative to the most frequent tag of the same artist or track."""
    import polars as pl

    found = TagTable()
    titles = pl.col("title") if "title" in frame.columns else pl.lit(None, dtype=pl.String)
    counts = pl.col("count").fill_null(0).cast(pl.Float64) if "count" in frame.columns else pl.lit(1.0)
    frame = frame.select(LINE, pl.col("artists").str.split(PART).list.first().alias("artist"), titles.alias("title"), "tag",
                         counts.alias("count"))  # fmt: skip
    bad = pl.col("artist").is_null() | pl.col("tag").is_null()
    found.unusable = frame.filter(bad).get_column(LINE).to_list()
    frame = frame.filter(~bad)
    frame = frame.with_columns(
        a=by_unique(frame.get_column("artist"), fold_name),
        t=by_unique(frame.get_column("title"), title_key).fill_null(""),
        _tag=by_unique(frame.get_column("tag"), fold_name),
    )
    groups = frame.group_by("a", "t", "_tag", maintain_order=True).agg(
        LINE, pl.col("title").first(), pl.col("tag").first(), pl.col("count").first()
    )
    for lines in groups.filter(pl.col(LINE).list.len() > 1).get_column(LINE).to_list():
        found.duplicates += [(line, lines[0]) for line in lines[1:]]
    most = pl.col("count").max().over("a", "t")
    weighed = groups.with_columns(weight=pl.when(most > 0).then(pl.col("count") / most).otherwise(1.0).round(4))
    ordered = weighed.sort("a", "t", "weight", "tag", descending=[False, False, True, False])
    for (artist, track), rows in ordered.group_by("a", "t", maintain_order=True):
        said = rows.head(_MOST)
        level = "track" if track else "artist"
        names, weights = said.get_column("tag").to_list(), said.get_column("weight").to_list()
        tags = tuple(Tag(name=n, weight=w, level=level) for n, w in zip(names, weights, strict=True))  # type: ignore[arg-type]  # one of two
        if track:
            found.tracks.setdefault(str(artist), {})[str(track)] = (said.get_column("title")[0], tags)
        else:
            found.artists[str(artist)] = tags
    found.duplicates.sort()
    return found
