"""What the training tracks tell of a track's artist; the tracks of the test are never looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final

import ibis
import ibis.expr.types as ir
import msgspec
import pyarrow as pa

from backend.features.columns import Column
from backend.features.pipeline.block import Ask, Fitted, medians, number, only
from backend.features.target import NUMBERS

_FIELDS: Final = ("acousticness", "danceability", "energy", "valence", "tempo", "duration_ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtistFigures:
    """How many training tracks an artist has, the median of some fields over them, and whether he is unknown there.

    A training track counts among its own artist's. Under a split that keeps artists apart every test artist is unknown.

    Attributes:
        fields: whose medians are wanted; never the target's.
        least: training tracks that an artist must have to be known.
        most: artists that are kept, those with the most tracks.
    """

    kind: ClassVar[str] = "artist_figures"
    fields: tuple[str, ...] = _FIELDS
    least: Annotated[int, msgspec.Meta(ge=1)] = 3
    most: Annotated[int, msgspec.Meta(ge=0)] = 100_000

    def __post_init__(self) -> None:
        only(self.fields, NUMBERS, what="numeric field")

    @property
    def reads(self) -> Sequence[str]:
        """See `Block`."""
        return ("artist", *self.fields)

    def fit(self, tracks: ir.Table, ask: Ask) -> Fitted:
        """See `Block`."""
        values = {field: number(tracks, field) for field in self.fields}
        named = tracks.select(_artist=artist_key(tracks), **values)
        named = named.filter(named["_artist"].notnull())
        found = named.group_by("_artist").aggregate(
            n=named.count(), **{field: named[field].median() for field in self.fields}
        )
        rows = ask(found.filter(found.n >= self.least)).to_pylist()
        rows = sorted(rows, key=lambda r: (-r["n"], r["_artist"]))[: self.most]
        return {
            "medians": medians(values, tracks, ask),
            "artists": [r["_artist"] for r in rows],
            "tracks": [r["n"] for r in rows],
            "values": {field: [r[field] for r in rows] for field in self.fields},
        }

    def columns(self, fitted: Fitted) -> Sequence[Column]:
        """See `Block`."""
        medians_ = [Column(name=f"artist_{field}", of="artist") for field in self.fields]
        unknown = Column(name="artist_unknown", of="artist", kind="missing")
        return [Column(name="artist_tracks", of="artist"), *medians_, unknown]

    def sides(self, fitted: Fitted) -> Mapping[str, pa.Table]:
        """The artists that are known."""
        held = {f"_of_{field}": pa.array(values, pa.float64()) for field, values in fitted["values"].items()}
        names = pa.array(fitted["artists"], pa.string())
        return {"artists": pa.table({"_artist": names, "_tracks": pa.array(fitted["tracks"], pa.int64()), **held})}

    def join(self, tracks: ir.Table, sides: Mapping[str, ir.Table]) -> ir.Table:
        """The tracks with what is known of their artists."""
        artists = sides["artists"]
        named = tracks.mutate(_by=artist_key(tracks))
        both = named.left_join(artists, named["_by"] == artists["_artist"])
        return both.select(*tracks.columns, *(c for c in artists.columns if c != "_artist"))

    def express(self, tracks: ir.Table, fitted: Fitted) -> Sequence[ir.Value]:
        """See `Block`."""
        number_of: Any = tracks["_tracks"]
        values = [ibis.coalesce(tracks[f"_of_{f}"], fitted["medians"][f]).cast("float32") for f in self.fields]
        return [
            ibis.coalesce(number_of, 0).cast("float32"),
            *values,
            number_of.isnull().cast("float32"),
        ]


def artist_key(tracks: ir.Table) -> Any:
    """By what tracks are one artist's: the name in small letters, without white space at its ends."""
    artist: Any = tracks.artist
    key = artist.lower().strip()
    return ibis.cases((key == "", ibis.null("string")), else_=key)
