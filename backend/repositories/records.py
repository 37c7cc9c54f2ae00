"""Records as JSON: what is kept of what a source said, and telling whether it says something else now."""

from __future__ import annotations

import hashlib
import math
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec

from backend.models.ingestion_models import AlbumRecord, MergedAlbum, Rights, SourceRecord

T = TypeVar("T", AlbumRecord, MergedAlbum)

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")  # so that equal records have equal digests
_DECODER: Final = msgspec.json.Decoder(AlbumRecord)
_NUL: Final = b"\\u0000"  # also found in an innocent backslash before "u0000"; looking closer is harmless


def encode(record: T) -> tuple[T, bytes]:
    """A record and its JSON, without what PostgreSQL or JSON cannot hold.

    NUL characters vanish, lone surrogates become U+FFFD, numbers that are not finite count as unknown: one bad sign of one
    source must not cost an album.
    """
    try:
        written = _ENCODER.encode(record)
    except UnicodeEncodeError:
        written = _NUL
    if _NUL not in written and _is_finite(record):
        return record, written
    cleaned: T = msgspec.convert(_clean(msgspec.to_builtins(record)), type(record))
    return cleaned, _ENCODER.encode(cleaned)


def decode(record: str | bytes, *, source: str, rights: str, fetched_at: datetime) -> SourceRecord:
    """A stored record with its origin."""
    return SourceRecord(source=source, rights=Rights(rights), fetched_at=fetched_at, album=_DECODER.decode(record))


def digest(written: bytes) -> str:
    """What two records have in common when they say the same."""
    return hashlib.blake2b(written, digest_size=16).hexdigest()


def _is_finite(record: AlbumRecord | MergedAlbum) -> bool:
    # A sum is finite only if all of it is; one that overflows costs a closer look, no more.
    total = sum([sum(t.audio_features.values()) for t in record.tracks])
    total += sum([t.rating for t in record.tracks if t.rating is not None])
    scores: tuple[float | None, ...]
    if isinstance(record, AlbumRecord):
        total += sum([tag.weight for tags in (record.tags, *(t.tags for t in record.tracks)) for tag in tags])
        scores = (record.critic_score, record.user_score, record.match_score)
    else:
        scores = (record.aoty_critic_score, record.aoty_user_score)
    return math.isfinite(total + sum(score for score in scores if score is not None))


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        # Halves of one character that were sent apart are joined; a half alone is replaced.
        joined = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return joined.replace("\x00", "")
    if isinstance(value, dict):
        return {
            _clean(k): 0.0 if k == "weight" and _is_broken(v) else _clean(v)
            for k, v in value.items()
            if k == "weight" or not _is_broken(v)
        }
    if isinstance(value, list | tuple):
        return [_clean(v) for v in value]
    return value


def _is_broken(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
