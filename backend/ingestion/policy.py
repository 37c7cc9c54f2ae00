"""Which source is believed on what: the precedence that each declares, as the settings change it, within the rights asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Final

import msgspec

from backend.config.settings import IngestionSettings
from backend.ingestion.source import SourceProfile
from backend.models.ingestion_models import AUDIO_FEATURES, AlbumRecord, Rights, RightsLevel, TrackRecord
from backend.utils.errors import ConfigurationError

_GROUP: Final = "audio_features"
_FEATURES: Final = frozenset(AUDIO_FEATURES)
FIELDS: Final = frozenset({f.name for f in (*fields(AlbumRecord), *fields(TrackRecord))} | _FEATURES)
"""What a policy may name: the fields of records, and each audio feature."""
_MERGE: Final = 2
"""Of the way in which rows are made of records; a new one asks for `tensoe rebuild`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergePolicy:
    """How records become rows.

    Attributes:
        max_genres: the most genres an album or a track keeps.
        max_moods: likewise.
        order: by field, the sources believed before all others, first to last; "-name" is not believed at all. An audio
            feature without an entry of its own goes by that of "audio_features".
    """

    max_genres: int = 10
    max_moods: int = 15
    order: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: IngestionSettings, sources: Iterable[str]) -> MergePolicy:
        """The policy of the settings.

        Args:
            settings: with `MERGE_POLICY`.
            sources: the names of all registered sources.

        Raises:
            ConfigurationError: it names a field or a source that there is not.
        """
        known = {*sources, ESTIMATE}
        for name, listed in settings.merge_policy.items():
            if name not in FIELDS:
                raise ConfigurationError(
                    f"MERGE_POLICY names the field {name!r}; there are {', '.join(sorted(FIELDS))}"
                )
            strangers = [s for s in listed if s.removeprefix("-") not in known]
            if strangers:
                raise ConfigurationError(
                    f"MERGE_POLICY names the source {strangers[0]!r} for {name}; there are {', '.join(sorted(known))}"
                )
        return cls(
            max_genres=settings.max_genres_per_track,
            max_moods=settings.max_moods_per_track,
            order={name: tuple(listed) for name, listed in settings.merge_policy.items()},
        )

    def trust(self, profile: SourceProfile, name: str, level: RightsLevel) -> float:
        """How far a source is believed on a field at a level of rights; 0: what it says is not taken."""
        if not level.permits(rights_to(profile, name)):
            return 0.0
        own = profile.gives.get(name, profile.gives.get(_GROUP, 0.0) if name in _FEATURES else 0.0)
        order = self._order(name)
        if own <= 0 or f"-{profile.name}" in order:
            return 0.0
        # Precedences that sources declare end at 1.
        return 1.0 + len(order) - order.index(profile.name) if profile.name in order else own

    def estimates(self, name: str) -> bool:
        """Whether an estimate may stand for an audio feature that nobody measured."""
        return f"-{ESTIMATE}" not in self._order(name)

    def fingerprint(self, profiles: Mapping[str, SourceProfile]) -> str:
        """What must be equal for rows to be the same function of the same records."""
        trusted = {
            name: (p.gives, {"": p.rights, **p.rights_of}, p.stand_in, p.defines)
            for name, p in sorted(profiles.items())
        }
        written = msgspec.json.encode((_MERGE, self, trusted), order="deterministic")
        return hashlib.blake2b(written, digest_size=12).hexdigest()

    def _order(self, name: str) -> tuple[str, ...]:
        if name in _FEATURES and name not in self.order:
            name = _GROUP
        return self.order.get(name, ())


ESTIMATE: Final = "estimate"
"""Stands in provenance where a source's name would, for what no source measured."""


def counts_at(profile: SourceProfile, level: RightsLevel) -> bool:
    """Whether anything that a source gives may be shown at a level of rights."""
    return any(level.permits(rights) for rights in (profile.rights, *profile.rights_of.values()))


def rights_to(profile: SourceProfile, name: str) -> Rights:
    """The rights of what a source gives for a field, or an audio feature."""
    if name in _FEATURES and name not in profile.rights_of:
        name = _GROUP
    return profile.rights_to(name)
