"""Where values come from, on a real PostgreSQL: now, at a level of rights, and as of a past day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backend.ingestion.insert_to_supabase import Merging, insert_album
from backend.ingestion.policy import MergePolicy
from backend.models.ingestion_models import RightsLevel, Tag, TrackRecord
from backend.repositories.album_store import AlbumRepository
from backend.repositories.database import Database
from backend.repositories.histories import Histories
from backend.services.provenance_service import ProvenanceService
from backend.utils.errors import InvalidInputError, NotFoundError
from tests.integration.test_upkeep import NOON, PROFILES, said

MERGING = Merging(profiles=PROFILES, policy=MergePolicy())


@pytest.fixture
def service(database: Database) -> ProvenanceService:
    return ProvenanceService(Histories(database), merging=MERGING)


async def insert(database: Database, *records: Any) -> Any:
    return await insert_album(AlbumRepository(database), records, merging=MERGING)


def by_source(field: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {s["source"]: s for s in field["said"]}


async def test_each_field_says_who_said_what_and_why_one_was_taken(
    database: Database, service: ProvenanceService
) -> None:
    album = await insert(database, said("fans"), said("shop", release_date="2001"), said("commons"))
    found = await service.album(album.id, level=RightsLevel.ANY)
    label = found["fields"]["label"]
    assert (label["value"], label["source"]) == ("label of shop", "shop")
    assert label["why"] == "shop is trusted most with it (1; fans 0.5, commons 0.4)"
    assert [(s["source"], s["value"], s["rights"], s["chosen"]) for s in label["said"]] == [
        ("shop", "label of shop", "restricted", True),
        ("fans", "label of fans", "noncommercial", False),
        ("commons", "label of commons", "open", False),
    ]
    assert label["said"][0]["fetched_at"] == NOON.isoformat().replace("+00:00", "Z")
    assert found["fields"]["release_date"]["why"] == "shop alone says it"
    assert found["fields"]["upc"] == {
        "value": None, "source": "", "why": "no permitted source says it", "interval": None, "said": (),
    }  # fmt: skip


async def test_a_track_is_explained_with_what_each_source_measured(
    database: Database, service: ProvenanceService
) -> None:
    own = TrackRecord(
        title="Tide", track_number=1, audio_features={"tempo": 120.0}, raw_features={"bpm": 60.0},
        tags=(Tag(name="rock", weight=0.5, level="track"),),
    )  # fmt: skip
    album = await insert(database, said("shop"), said("commons", tracks=(own,)))
    found = await service.track(album.tracks[0].id, level=RightsLevel.ANY)
    fields = found["fields"]
    assert (found["album_id"], fields["title"]["value"]) == (album.id, "Tide")
    assert (fields["energy"]["value"], fields["energy"]["source"]) == (0.1, "shop")
    assert by_source(fields["tempo"])["commons"]["raw"] == {"bpm": 60.0}
    assert (fields["genres"]["value"], fields["genres"]["said"][0]["value"]) == (["rock"], {"rock": 0.5})


async def test_what_is_not_permitted_is_not_shown(database: Database, service: ProvenanceService) -> None:
    album = await insert(database, said("shop", label="SECRETLABEL"), said("commons"))
    found = await service.album(album.id, level=RightsLevel.OPEN)
    assert found["fields"]["label"]["value"] == "label of commons"
    assert "SECRETLABEL" not in str(found)
    assert "shop" not in str(found)
    track = await service.track(album.tracks[0].id, level=RightsLevel.OPEN)
    assert set(by_source(track["fields"]["duration_ms"])) == {"commons"}


async def test_as_of_a_past_day(database: Database, service: ProvenanceService) -> None:
    album = await insert(database, said("shop", label="First"))
    await insert(database, said("shop", label="Second", at=NOON + timedelta(days=10)))
    now = await service.album(album.id, level=RightsLevel.ANY)
    then = await service.album(album.id, level=RightsLevel.ANY, at=datetime(2026, 1, 5))  # noqa: DTZ001 - UTC by default
    assert (now["fields"]["label"]["value"], then["fields"]["label"]["value"]) == ("Second", "First")
    assert then["at"] == "2026-01-05T00:00:00+00:00"
    with pytest.raises(NotFoundError, match="2025-12-31"):
        await service.album(album.id, level=RightsLevel.ANY, at=datetime(2025, 12, 31, tzinfo=UTC))
    with pytest.raises(InvalidInputError, match="is to come"):
        await service.album(album.id, level=RightsLevel.ANY, at=datetime(2999, 1, 1, tzinfo=UTC))


async def test_what_is_not_there_says_so(database: Database, service: ProvenanceService) -> None:
    album = await insert(database, said("shop"))
    with pytest.raises(NotFoundError, match="No source whose values are open names the album"):
        await service.album(album.id, level=RightsLevel.OPEN)
    with pytest.raises(NotFoundError, match="No track has the id"):
        await service.track("none", level=RightsLevel.ANY)


async def test_every_explained_value_is_the_row_s(database: Database, service: ProvenanceService) -> None:
    album = await insert(database, said("shop"), said("fans", popularity=7), said("commons", release_date="1999-05"))
    for level, table in ((RightsLevel.ANY, "enhanced_tracks"), (RightsLevel.NONCOMMERCIAL, "tracks_noncommercial")):
        found = await service.track(album.tracks[1].id, level=level)
        columns = ", ".join(f'"{name}"' for name in found["fields"])
        async with database.connection() as connection:
            row = await connection.fetchrow(f"SELECT {columns} FROM {table} WHERE id = $1", album.tracks[1].id)
        assert {k: f["value"] for k, f in found["fields"].items()} == {
            k: pytest.approx(v) if isinstance(v, float) else v for k, v in dict(row).items()
        }
