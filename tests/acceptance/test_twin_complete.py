"""Rows are complete in Spotify's development mode: on the provider twin, with every source that can be asked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.acceptance.twin_compare import all_albums, ingest, server
from tests.acceptance.twin_complete import FAST, LEAST, run
from tests.fixtures.twin import FOLDER, running_twin


@pytest.mark.timeout(900)
@pytest.mark.skipif(not FOLDER.is_dir(), reason="the provider twin is not beside the project")
def test_what_any_source_has_is_there_and_nothing_is_asked_twice(tmp_path: Path) -> None:
    filled, twice, lines = run(albums=150, seed=2, home=tmp_path)
    assert "150 albums: 150 complete" in lines[0]
    assert filled.share >= LEAST, "\n".join(lines)
    assert twice == 0, "\n".join(lines)


@pytest.mark.timeout(300)
@pytest.mark.skipif(not FOLDER.is_dir(), reason="the provider twin is not beside the project")
@pytest.mark.parametrize("off", [(), ("MUSICBRAINZ",)], ids=["all", "without MusicBrainz"])
def test_without_any_key_albums_come_in_whole(tmp_path: Path, off: tuple[str, ...]) -> None:
    with running_twin("--no-limits") as twin:
        environment = {
            **os.environ, **twin.open_sources(), **FAST, **{f"{name}_ENABLED": "false" for name in off},
            "AOTY_URL": f"{twin.base}/aoty",
            "LOG_LEVEL": "WARNING", "TENSOE_HOME": str(tmp_path / "home"), "DATABASE_URL": "", "TENSOE_DEMO": "off",
        }  # fmt: skip
        wanted = twin.get("albums?n=10&seed=3")
        said = ingest(twin, wanted, environment, tmp_path)
        assert "10 albums: 10 complete" in said
        truths = {(w["album"], w["artist"]): twin.get(f"albums/{w['id']}") for w in wanted}
        with server(environment) as base:
            found = list(all_albums(base))
    assert {(a["title"], a["artist"]) for a in found} == set(truths)
    for album in found:
        truth = truths[album["title"], album["artist"]]
        assert len(album["tracks"]) == len(truth["tracks"])
        assert all(t["isrc"] and t["duration_ms"] for t in album["tracks"])
        assert album["provenance"]["title"] == ("deezer" if off else "musicbrainz")
