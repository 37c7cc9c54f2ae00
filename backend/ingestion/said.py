"""A source's record together with how far the source is believed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from backend.ingestion.policy import MergePolicy
from backend.ingestion.source import SourceProfile
from backend.models.ingestion_models import AlbumRecord, RightsLevel, SourceRecord


@dataclass(frozen=True, slots=True)
class Said:
    """What a source says of an album, at a level of rights."""

    source: str
    album: AlbumRecord
    profile: SourceProfile
    policy: MergePolicy = field(default_factory=MergePolicy)
    level: RightsLevel = RightsLevel.ANY
    _trusts: dict[str, float] = field(default_factory=dict)

    def trust(self, name: str) -> float:
        """Its precedence for a field; 0 when what it says of it is not taken."""
        found = self._trusts.get(name)
        if found is None:
            found = self._trusts[name] = self.policy.trust(self.profile, name, self.level)
        return found

    def permits(self, name: str) -> bool:
        """Whether what it says of a field may be shown, believed or not."""
        return self.level.permits(self.profile.rights_to(name))

    def may_call(self, service: str) -> bool:
        """Whether its word on what a service calls something may be shown: a source may repeat what it was asked with."""
        if self.level is RightsLevel.ANY:
            return True
        return self.permits("ids") and (self.source == service or self.trust("title") > 0)


def counting(
    records: Iterable[SourceRecord],
    profiles: Mapping[str, SourceProfile],
    *,
    policy: MergePolicy,
    level: RightsLevel = RightsLevel.ANY,
) -> Voices:
    """The records that count, most trusted with names first.

    The newest of each source; of sources that are still registered; stand-ins only while no other source knows the album;
    and at a level of rights those alone that give something at it.
    """
    newest = {r.source: r for r in sorted(records, key=lambda r: r.fetched_at)}
    known = [
        Said(r.source, r.album, profiles[r.source], policy, level, _trusts_of(profiles[r.source], policy, level))
        for r in newest.values()
        if r.source in profiles
    ]
    real = [s for s in known if not s.profile.stand_in]
    giving = [s for s in real or known if any(s.trust(name) > 0 for name in s.profile.gives)]
    return Voices(by_trust(giving, "title"))


_MOST_TRUSTS: Final = 500
_trusts: dict[tuple[int, int, RightsLevel], tuple[SourceProfile, MergePolicy, dict[str, float]]] = {}


def _trusts_of(profile: SourceProfile, policy: MergePolicy, level: RightsLevel) -> dict[str, float]:
    """How far a source is believed, worked out once for all albums: profiles and policies live as long as the process."""
    key = (id(profile), id(policy), level)
    found = _trusts.get(key)
    if found is None:
        if len(_trusts) >= _MOST_TRUSTS:
            _trusts.clear()
        # Held here, so that their ids stay theirs.
        found = _trusts[key] = profile, policy, {}
    return found[2]


class Voices(tuple[Said, ...]):
    """Those that count, who are asked for their order on a field once per track: it is worked out once."""

    def __init__(self, _said: Iterable[Said] = ()) -> None:
        self._orders: dict[str, tuple[Said, ...]] = {}
        self._believed: dict[str, tuple[Said, ...]] = {}
        self.kept: dict[tuple[object, ...], Any] = {}
        """What was worked out of the records alone, whoever is permitted: shared by the levels of one album."""

    def believed(self, name: str) -> tuple[Said, ...]:
        """Those whose word on a field is taken, the most trusted first."""
        found = self._believed.get(name)
        if found is None:
            found = self._believed[name] = tuple(s for s in self.by_trust(name) if s.trust(name) > 0)
        return found

    def by_trust(self, name: str) -> tuple[Said, ...]:
        """See the function."""
        found = self._orders.get(name)
        if found is None:
            found = self._orders[name] = tuple(sorted(self, key=lambda s: (-s.trust(name), s.source)))
        return found


def by_trust(said: Sequence[Said], name: str) -> Sequence[Said]:
    """Sources by how far they are believed on a field, then by name."""
    return voices(said).by_trust(name)


def voices(said: Sequence[Said]) -> Voices:
    """Sources with their orders."""
    return said if isinstance(said, Voices) else Voices(said)
