"""The seam between Tensoe and the services it asks.

To add a source: one file `ingestion/<name>_fetcher.py` with a class of this form, its name in `ingestion/registry.py`,
and its payloads under `tests/payloads/<name>/`. No other file names a source. It may also say how to tell that it can be
reached: `ingestion/probe.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol, runtime_checkable

from backend.config.settings import SettingsGroup
from backend.ingestion.transport import Limits, Transport
from backend.models.ingestion_models import AlbumQuery, AlbumRecord, Rights

Payload = dict[str, Any]
"""What a source answered, as plain JSON values: what `normalise` needs and nothing else."""

Stage = Literal["identity", "catalogue", "enrichment", "completion"]
STAGES: Final[tuple[Stage, ...]] = ("identity", "catalogue", "enrichment", "completion")
"""In this order sources are asked; each stage knows what the ones before it found (`AlbumQuery.known`).

identity: who names the album by itself. catalogue: who may, and finds it more surely by what is known. enrichment: who adds
to it. completion: who is asked for what is still missing, because asking is dear.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceProfile:
    """What is known of a source before asking it.

    Attributes:
        name: lower case, the key in provenance, settings and metrics.
        rights: what its terms let one do with its values.
        gives: precedence by field of AlbumRecord and TrackRecord ("title", "tracks", "audio_features", "tags", …);
            the highest wins, a field that is not named is never taken. An audio feature of its own name ("tempo") goes before
            "audio_features". For "tags" it is the weight of its tags.
        rights_of: rights of fields (as in `gives`) that are not those of the whole.
        stage: when it is asked, see `STAGES`.
        defines: its identifier tells one album from another (not so where editions share an entry or a page).
        hint: the key of `AlbumQuery.hints` by which it takes exactly the album named; "" when it reads none.
        storage_cap: bytes of its records that its terms let one keep; None for no such limit.
        fresh_days: for how long what it says is good before it is worth asking again; None for what changes no more.
        keyed: needs a key of the user's; while none of these has one, the demo takes part.
        stand_in: its records count only while no other source knows the album (demo, made-up values).
        limits: pace and patience of its client.
        typical_calls: requests that an album usually takes, as long as nobody has counted them here (docs/sources.md).
        key_at: where its key is to be had, for people who have none; "" when it needs none.
        terms: a sentence for people on what its terms allow, with no address needed.
    """

    name: str
    rights: Rights
    gives: Mapping[str, float]
    rights_of: Mapping[str, Rights] = field(default_factory=dict)
    stage: Stage = "enrichment"
    defines: bool = False
    hint: str = ""
    storage_cap: int | None = None
    fresh_days: float | None = None
    keyed: bool = False
    stand_in: bool = False
    limits: Limits = field(default_factory=Limits)
    typical_calls: float = 2.0
    key_at: str = ""
    terms: str = ""

    def rights_to(self, name: str) -> Rights:
        """The rights of what it gives for a field."""
        return self.rights_of.get(name, self.rights)


@runtime_checkable
class Source(Protocol):
    """A service that knows albums."""

    @property
    def profile(self) -> SourceProfile:
        """What is known of it before asking."""
        ...

    @property
    def settings(self) -> SettingsGroup:
        """Its own group of settings."""
        ...

    def unconfigured(self) -> str | None:
        """Why it cannot be asked (which setting is missing), or None when it can."""
        ...

    async def fetch(self, query: AlbumQuery, transport: Transport) -> Payload:
        """Ask for an album; all I/O is done here.

        Raises:
            SourceError: by class transient (the transport has retried already) or terminal.
        """
        ...

    def normalise(self, payload: Payload) -> AlbumRecord:
        """Turn what was answered into a record; pure.

        Raises:
            MalformedReplyError: a part that must be there is missing; the message names it.
        """
        ...
