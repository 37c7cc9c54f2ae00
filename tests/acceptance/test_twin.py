"""The main job on the provider twin's real catalogue: 200 albums by the command line, compared field by field."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.twin_compare import run
from tests.fixtures.twin import FOLDER


@pytest.mark.timeout(900)
@pytest.mark.skipif(not FOLDER.is_dir(), reason="the provider twin is not beside the project")
def test_two_hundred_albums_come_in_right(tmp_path: Path) -> None:
    tally, lines = run(albums=200, limited=30, seed=1, home=tmp_path)
    assert tally.flawless, "\n".join([*lines, *tally.lines()])
    assert "200 albums stored for 200 asked for" in lines
