"""Data sets: the recipe that one is built from, and the manifest that tells what was built.

A data set is a folder, named by its fingerprint and never changed:

    manifest.json                what it is (`Manifest`)
    recipe.json                  what was asked for (`Recipe`)
    pipeline.json                all that was fitted (`features.pipeline.TrackFeatures.to_json`)
    split.json certificate.json  how the rows were split, and what the parts share
    rights.json                  who gave the values, and under which terms
    quality.json quality.html    coverage, distributions, contradictions, drift
    features/<part>.parquet      id, target, then one float32 column per feature; rows by id
    tracks/<part>.parquet        the same rows, as tracks: the public fields, permitted values alone
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from backend.models.results import TrackFilter

FORMAT: Final = "tensoe.data-set"
VERSION: Final = 1
ID: Final = "id"
TARGET: Final = "target"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What a data set is to be made of; JSON and TOML alike.

    Attributes:
        name: what people call it: small letters, digits, "-", "_" and "."; builds of one name are its versions.
        target: what is to be predicted (`features.target.parse`); None for a data set without one.
        filter: which tracks.
        features: the blocks, as `features.pipeline.recipe` reads them; empty for the matrix's own.
        split: how rows come into parts, as `features.splits` reads it.
        min_features: tracks with fewer known fields are left out.
        keep_unlabelled: keep tracks of which the target is unknown.
        naive_gain: measure with a small model what a naive random split would have gained: seconds.
        as_of: a past moment, with its time zone: made of what was known then; None for now. It is no part of what a data set is
            made by, so it stands in the manifest alone, as the watermark.
    """

    name: str
    target: str | None = None
    filter: TrackFilter = field(default_factory=TrackFilter)
    features: tuple[dict[str, Any], ...] = ()
    split: dict[str, Any] = field(default_factory=dict)
    min_features: int = 3
    keep_unlabelled: bool = False
    naive_gain: bool = True
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A column of `features/<part>.parquet`.

    Attributes:
        name: unique in its data set.
        of: the field of a track that it is computed from.
        kind: value, category, tag, embedding or missing.
        label: the category, tag or dimension.
    """

    name: str
    of: str
    kind: str
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file of a data set.

    Attributes:
        path: within its folder, with "/".
        sha256: of its bytes, in hex.
        bytes: its size.
        rows: of a table; None for others.
    """

    path: str
    sha256: str
    bytes: int
    rows: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """What was known at a past moment and was taken out since.

    Attributes:
        source: that was purged; None: whole albums were removed.
        albums: of how many albums something is missing; one counts again each time that something of it was taken out.
        records: how many records of sources are missing.
        at: when the last of them was taken out (UTC).
    """

    source: str | None
    albums: int
    records: int
    at: datetime

    @property
    def said(self) -> str:
        """A sentence without its full stop."""
        until = f"the last on {self.at:%Y-%m-%d %H:%M} UTC"
        if self.source is None:
            return f"{self.albums:,} albums that may have been known were removed since, {until}"
        return f"what {self.source} said of {self.albums:,} albums was purged since, {until}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a data set is.

    Attributes:
        fingerprint: SHA-256 over all files but the manifest itself; names the data set.
        name: the recipe's.
        watermark: what was known at this moment is in it, and nothing else (UTC).
        policy: the fingerprint of the merge policy that its values were chosen by; "" where nobody noted it.
        lost: what was known at that moment and was taken out before the data set was built.
        code: the version of Tensoe that built it.
        rights: the level of rights that its values keep to.
        target: as y is called; None without one.
        target_kind: "number", "class" (texts) or "flag" (0 and 1); None without one.
        parts: rows per part, in the recipe's order.
        features: the columns.
        files: all files but the manifest itself, by path.
    """

    fingerprint: str
    name: str
    watermark: datetime
    code: str
    rights: str
    target: str | None
    target_kind: str | None
    parts: dict[str, int]
    features: tuple[Feature, ...]
    files: tuple[File, ...]
    policy: str = ""
    lost: tuple[Lost, ...] = ()
    format: str = FORMAT
    version: int = VERSION
