"""AcousticBrainz's dumps of July 2022: 29,460,584 documents in 30 archives per level, CC0.

Form: `acousticbrainz-{lowlevel,highlevel}-json-20220623-{0..29}.tar.zst` with entries `{type}/{ab}/{c}/{mbid}-{n}.json`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import orjson

from backend.ingestion.acousticbrainz_documents import lay_over, needed, read_documents
from backend.models.ingestion_models import TrackRecord

_ENTRY: Final = re.compile(r"(?:.*/)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-\d+\.json")


class AcousticBrainzDump:
    """AcousticBrainz's archives; both levels may come in one run or in two."""

    source = "acousticbrainz"
    identifier = "musicbrainz"
    form = "acousticbrainz-{lowlevel,highlevel}-json-20220623-{0..29}.tar.zst, with {mbid}-{n}.json in it"

    def key(self, name: str) -> str | None:
        """See `Dump`."""
        found = _ENTRY.fullmatch(name)
        return found[1] if found else None

    def read(self, name: str, body: bytes) -> Any:
        """See `Dump`: the parts that features are read from, of either level."""
        document = orjson.loads(body)
        if not isinstance(document, dict) or not {"rhythm", "tonal", "highlevel"} & document.keys():
            raise ValueError("no document of AcousticBrainz: neither rhythm and tonal nor highlevel")
        return needed(document)

    def track(self, key: str, found: Sequence[Any]) -> TrackRecord:
        """See `Dump`."""
        low = [d for d in found if "highlevel" not in d]
        high = [d for d in found if "highlevel" in d]
        features, raw = read_documents(low, high)
        return TrackRecord(title="", audio_features=features, raw_features=raw, ids={self.identifier: key})

    def lay_over(self, old: TrackRecord, new: TrackRecord) -> TrackRecord:
        """See `Dump`."""
        features, raw = lay_over((old.audio_features, old.raw_features), (new.audio_features, new.raw_features))
        return replace(old, audio_features=features, raw_features=raw)
