"""Rows are complete in Spotify's development mode: on the provider twin, with every source that can be asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.twin_complete import LEAST, run
from tests.fixtures.twin import FOLDER


@pytest.mark.timeout(900)
@pytest.mark.skipif(not FOLDER.is_dir(), reason="the provider twin is not beside the project")
def test_what_any_source_has_is_there_and_nothing_is_asked_twice(tmp_path: Path) -> None:
    filled, twice, lines = run(albums=150, seed=2, home=tmp_path)
    assert "150 albums: 150 complete" in lines[0]
    assert filled.share >= LEAST, "\n".join(lines)
    assert twice == 0, "\n".join(lines)
