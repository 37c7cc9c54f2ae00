"""The seam between Tensoe and the services it asks.

To add a source: one file `ingestion/<name>_fetcher.py` with a class of this form, its name in `ingestion/registry.py`,
and its payloads under `tests/payloads/<name>/`. No other file names a source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from backend.config.settings import SettingsGroup
from backend.ingestion.transport import Limits, Transport
from backend.models.ingestion_models import AlbumQuery, AlbumRecord, Rights

Payload = dict[str, Any]
"""What a source answered, as plain JSON values: what `normalise` needs and nothing else."""

Stage = Literal["identity", "enrichment"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceProfile:
    """What is known of a source before asking it.

    Attributes:
        name: lower case, the key in provenance, settings and metrics.
        rights: what its terms let one do with its values.
        gives: precedence by field of AlbumRecord and TrackRecord ("title", "tracks", "audio_features", "tags", …);
            the highest wins, a field that is not named is never taken. For "tags" it is the weight of its tags.
        stage: "identity" sources are asked first; what they find is passed on to the others as `AlbumQuery.known`.
        keyed: needs a key of the user's; while none of these has one, the demo takes part.
        stand_in: its records count only while no other source knows the album (demo, made-up values).
        limits: pace and patience of its client.
        terms: a sentence for people on what its terms allow, with no address needed.
    """

    name: str
    rights: Rights
    gives: Mapping[str, float]
    stage: Stage = "enrichment"
    keyed: bool = False
    stand_in: bool = False
    limits: Limits = field(default_factory=Limits)
    terms: str = ""


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
