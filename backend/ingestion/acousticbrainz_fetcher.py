"""AcousticBrainz: tempo, key and weak labels of recordings submitted until July 2022. Needs no key; CC0.

Its service still answers, now and then; the dumps are surer (`tensoe import acousticbrainz`). Wire form, 25 items at most each:

- `GET /api/v1/count?recording_ids=a;b`: how many submissions there are, `{mbid: {"count": 3}, "mbid_mapping": {…}}`;
- `GET /api/v1/low-level?recording_ids=a:0;a:1`, and `high-level`: those submissions, `{mbid: {"0": document, "1": document},
  "mbid_mapping": {…}}`. Without an offset it gives the first one alone.

What is unknown is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import Field

from backend.config.settings import SettingsGroup
from backend.ingestion.acousticbrainz_documents import needed, read_documents
from backend.ingestion.source import Payload, SourceProfile
from backend.ingestion.transport import Limits, Reply, Transport
from backend.models.ingestion_models import AlbumQuery, AlbumRecord, Rights, TrackRecord
from backend.utils.errors import MalformedReplyError, RecordNotFoundError, RejectedError

_AT_ONCE: Final = 25
_FORGOTTEN_AFTER: Final = 30 * 86_400.0  # seconds that an unknown recording is not asked for again; nothing is added
_MOST: Final = 5  # submissions of a recording that are read: enough to outvote two bad ones
_LEVELS: Final = ("low-level", "high-level")


class AcousticBrainzSettings(SettingsGroup):
    """Where AcousticBrainz is and how fast it is asked."""

    acousticbrainz_enabled: bool = True
    acousticbrainz_api_url: str = "https://acousticbrainz.org/api/v1"
    acousticbrainz_rate: float = Field(default=5.0, gt=0)  # requests a second; the service allows 10


class AcousticBrainzSource:
    """AcousticBrainz as a source."""

    def __init__(self, settings: AcousticBrainzSettings | None = None) -> None:
        self._settings = settings or AcousticBrainzSettings.read()

    @property
    def profile(self) -> SourceProfile:
        """See `Source`."""
        measured, guessed = ("tempo", "key", "mode"), ("danceability", "acousticness", "instrumentalness")
        return SourceProfile(
            name="acousticbrainz",
            rights=Rights.OPEN,
            gives={**dict.fromkeys(measured, 0.5), **dict.fromkeys(guessed, 0.2), "energy": 0.15, "valence": 0.15},
            # Two tries, fewer than others get: a service that is being wound down is not worth long waits, and its dumps
            # have all of it.
            limits=Limits(rate=self._settings.acousticbrainz_rate, concurrent=2, attempts=2),
            typical_calls=3.1,
            terms="CC0; its collection ended in July 2022.",
        )

    @property
    def settings(self) -> SettingsGroup:
        """See `Source`."""
        return self._settings

    def unconfigured(self) -> str | None:
        """See `Source`."""
        return None if self._settings.acousticbrainz_enabled else "ACOUSTICBRAINZ_ENABLED is false"

    async def fetch(self, query: AlbumQuery, transport: Transport) -> Payload:
        """The documents of all recordings whose MBIDs are known, for none other is as open as these.

        Raises:
            RecordNotFoundError: nobody knows any MBID, or it has none of them.
        """
        tracks = query.known.tracks if query.known is not None else ()
        named = list(dict.fromkeys(mbid for t in tracks if (mbid := t.ids.get("musicbrainz"))))
        if not named:
            raise RecordNotFoundError("AcousticBrainz is asked by recordings' MusicBrainz ids, and nobody knows them")
        unknown = set(await transport.memory.recall(named))
        wanted = [mbid for mbid in named if mbid not in unknown]
        counted, uncounted = await self._ask("count", wanted, transport)
        numbers = {mbid: _number(row) for mbid, row in counted.items()} | dict.fromkeys(uncounted, 1)
        low, unanswered = await self._ask("low-level", _items(numbers), transport)
        absent = dict.fromkeys((m for m in wanted if m not in low and m not in unanswered), True)
        # Who has no document of the low level has none of the high level, which is computed from it. Where that fails for
        # good the whole album is asked for again later, so that no half of it is taken for all there is.
        high, _ = await self._ask("high-level", _items({m: n for m, n in numbers.items() if m in low}), transport)
        await transport.memory.remember(absent, seconds=_FORGOTTEN_AFTER)
        if not low:
            raise RecordNotFoundError("AcousticBrainz has none of these recordings")
        return {"low-level": _documents(low), "high-level": _documents(high)}

    def normalise(self, payload: Payload) -> AlbumRecord:
        """See `Source`. It names nothing: recordings are told by their MBIDs."""
        low, high = (payload.get(level) for level in _LEVELS)
        if not isinstance(low, Mapping) or not isinstance(high, Mapping):
            raise MalformedReplyError("AcousticBrainz's answer has no low-level and high-level documents")
        tracks = []
        for mbid in sorted({*low, *high}):
            features, raw = read_documents(low.get(mbid) or [], high.get(mbid) or [])
            tracks.append(TrackRecord(title="", audio_features=features, raw_features=raw, ids={"musicbrainz": mbid}))
        return AlbumRecord(title="", artist="", tracks=tuple(tracks), match_method="mbid")

    async def _ask(
        self, path: str, items: Sequence[str], transport: Transport
    ) -> tuple[dict[str, dict[str, Any]], list[str]]:
        """What it says by recording, and the recordings of those requests that it answered with 404.

        Such an answer says nothing of the other requests, nor whether any one of these recordings is unknown.
        """
        url = f"{self._settings.acousticbrainz_api_url.rstrip('/')}/{path}"
        found: dict[str, dict[str, Any]] = {}
        unanswered: list[str] = []
        for start in range(0, len(items), _AT_ONCE):
            part = items[start : start + _AT_ONCE]
            named = list(dict.fromkeys(item.partition(":")[0] for item in part))
            try:
                reply = (await transport.get(url, params={"recording_ids": ";".join(part)}, check=_check)).json()
            except RecordNotFoundError:
                unanswered += named
                continue
            for mbid in named:
                if isinstance(reply.get(mbid), dict) and reply[mbid]:
                    # A recording's submissions may be in two requests.
                    found[mbid] = found.get(mbid, {}) | reply[mbid]
        return found, unanswered


def _number(row: Mapping[str, Any]) -> int:
    """How many submissions of a recording are read; where their number is not said, what is named has one."""
    count = row.get("count")
    return min(count, _MOST) if isinstance(count, int) else 1


def _items(numbers: Mapping[str, int]) -> list[str]:
    return [f"{mbid}:{offset}" for mbid, number in numbers.items() for offset in range(number)]


def _documents(found: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {mbid: [needed(d) for _, d in sorted(rows.items()) if isinstance(d, dict)] for mbid, rows in found.items()}


def _check(reply: Reply) -> None:
    if reply.is_fault:
        return
    if reply.status == 404:
        raise RecordNotFoundError("AcousticBrainz has none of these recordings")
    found = reply.json()
    if not isinstance(found, dict):
        raise MalformedReplyError(f"{reply.url} answered no JSON object")
    if reply.status != 200:
        raise RejectedError(f"AcousticBrainz answered {reply.status}: {str(found.get('message'))[:200]}")
    if "mbid_mapping" not in found:
        raise MalformedReplyError(f"{reply.url} answered without mbid_mapping")
