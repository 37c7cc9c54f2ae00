"""The README's "Adding New Data Sources": one new file and one line, then the product asks it and serves what it says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LINE = '    "jukebox_fetcher:JukeboxSource",\n'
FILE = '''"""A jukebox that knows one album."""

from __future__ import annotations

from backend.config.settings import SettingsGroup
from backend.ingestion.source import Payload, SourceProfile
from backend.ingestion.transport import Transport
from backend.models.ingestion_models import AlbumQuery, AlbumRecord, Rights, Tag, TrackRecord
from backend.utils.errors import MalformedReplyError, RecordNotFoundError


class JukeboxSettings(SettingsGroup):
    """Whether it is plugged in."""

    jukebox_plugged_in: bool = True


class JukeboxSource:
    """A jukebox as a source."""

    def __init__(self) -> None:
        self._settings = JukeboxSettings.read()

    @property
    def profile(self) -> SourceProfile:
        """See `Source`."""
        return SourceProfile(
            name="jukebox",
            rights=Rights.OPEN,
            gives={"title": 0.5, "artist": 0.5, "tracks": 0.5, "tempo": 0.5, "tags": 0.5},
            stage="identity",
            terms="Ours.",
        )

    @property
    def settings(self) -> SettingsGroup:
        """See `Source`."""
        return self._settings

    def unconfigured(self) -> str | None:
        """See `Source`."""
        return None if self._settings.jukebox_plugged_in else "JUKEBOX_PLUGGED_IN is false"

    async def fetch(self, query: AlbumQuery, transport: Transport) -> Payload:
        """See `Source`."""
        if query.album != "Paper Harbour":
            raise RecordNotFoundError(f"the jukebox has no {query.album!r}")
        return {"album": query.album, "artist": query.artist, "song": "Tide", "bpm": 96.0}

    def normalise(self, payload: Payload) -> AlbumRecord:
        """See `Source`."""
        if not isinstance(payload.get("song"), str):
            raise MalformedReplyError("the jukebox named no song")
        track = TrackRecord(title=payload["song"], track_number=1, audio_features={"tempo": payload["bpm"]})
        tags = (Tag(name="dream pop", weight=1.0, level="album"),)
        return AlbumRecord(title=payload["album"], artist=payload["artist"], tags=tags, tracks=(track,))
'''


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The product as a newcomer has it, with the new file and the new line."""
    for name in ("backend", "alembic"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "backend/ingestion/jukebox_fetcher.py").write_text(FILE)
    registry = tmp_path / "backend/ingestion/registry.py"
    text = registry.read_text()
    registry.write_text(text.replace("SOURCES: Final = (\n", f"SOURCES: Final = (\n{LINE}", 1))
    assert len(registry.read_text().splitlines()) == len(text.splitlines()) + 1
    return tmp_path


def tensoe(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TENSOE_HOME": str(folder / "home"), "TENSOE_DEMO": "off", **variables}
    return subprocess.run(
        [sys.executable, "-m", "backend.cli", *words],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_one_file_and_one_line_are_enough(copy: Path) -> None:
    done = tensoe(copy, "ingest", "Paper Harbour", "The Amber Lanterns", "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert {s["source"]: s["outcome"] for s in found["report"]["sources"]}["jukebox"] == "ok"
    (track,) = found["tracks"]
    assert (track["title"], track["genres"], track["audio_features"]) == ("Tide", ["dream pop"], {"tempo": 96.0})
    assert (track["provenance"]["title"], track["provenance"]["tempo"]) == ("jukebox", "jukebox")

    listed = json.loads(tensoe(copy, "status", "--json").stdout)
    assert {s["name"]: s["rights"] for s in listed["sources"]}["jukebox"] == "open"


def test_a_line_that_names_nothing_says_so(copy: Path) -> None:
    (copy / "backend/ingestion/jukebox_fetcher.py").unlink()
    done = tensoe(copy, "status")
    assert done.returncode == 1
    assert "'jukebox_fetcher:JukeboxSource' of backend/ingestion/registry.py" in done.stderr
    assert "Traceback" not in done.stderr


def test_its_settings_count(copy: Path) -> None:
    done = tensoe(copy, "ingest", "Paper Harbour", "The Amber Lanterns", JUKEBOX_PLUGGED_IN="false")
    assert done.returncode == 1
    assert "JUKEBOX_PLUGGED_IN is false" in done.stdout
