"""The demo catalogue: well-known albums as facts, written out in `data/*.toml` (conventions in its first file)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from typing import Any, Final

from backend.models.ingestion_models import AlbumRecord, Tag, TrackRecord
from backend.utils.errors import InvalidInputError

# "7. Title | 3:45", "2-1. Title": disc, number, title, minutes, seconds.
_TRACK: Final = re.compile(r"(?:(\d+)-)?(\d+)\. (.+?)(?: \| (\d+):([0-5]\d))?")
# What is named first fits best; the steps are small so that a later genre still outweighs junk of other sources.
_WEIGHT_STEP: Final = 0.1


@cache
def albums() -> tuple[AlbumRecord, ...]:
    """All albums of the catalogue, by time, with tags (genres, then moods) of level "album".

    Raises:
        InvalidInputError: a shipped file was changed and no longer has its form.
    """
    return tuple(_read())


def _read() -> Iterator[AlbumRecord]:
    folder = resources.files(__package__) / "data"
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            for entry in tomllib.loads(file.read_text(encoding="utf-8"))["album"]:
                yield _album(entry)


def _album(entry: dict[str, Any]) -> AlbumRecord:
    artist = entry["artist"]
    return AlbumRecord(
        title=entry["title"],
        artist=artist,
        release_date=entry["released"],
        label=entry.get("label"),
        tags=(*_tags(entry["genres"]), *_tags(entry["moods"])),
        tracks=tuple(_track(line, artist=artist) for line in entry["tracks"].splitlines()),
    )


def _tags(names: Sequence[str]) -> Iterator[Tag]:
    for place, name in enumerate(names):
        yield Tag(name=name, weight=round(1.0 - place * _WEIGHT_STEP, 2), level="album")


def _track(line: str, *, artist: str) -> TrackRecord:
    parts = _TRACK.fullmatch(line)
    if parts is None:
        raise InvalidInputError(f"the demo catalogue has a track that is not 'number. title | m:ss': {line!r}")
    disc, number, title, minutes, seconds = parts.groups()
    return TrackRecord(
        title=title,
        artists=(artist,),
        disc_number=int(disc or 1),
        track_number=int(number),
        duration_ms=None if minutes is None else (int(minutes) * 60 + int(seconds)) * 1000,
    )
