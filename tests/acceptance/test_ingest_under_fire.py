"""Ingestion on the provider twin while workers and PostgreSQL are killed, services break, and two homes share one budget.

Small sizes of what `ingest_crash.py`, `ingest_faults.py` and `ingest_paced.py` run at length.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance import ingest_crash, ingest_faults, ingest_paced
from tests.fixtures.twin import FOLDER

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(not FOLDER.is_dir(), reason="the provider twin is not beside the project"),
]


def test_killed_workers_and_a_killed_database_lose_nothing(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    tally, lines, wrong = ingest_crash.run(albums=60, workers=3, every=4.0, postgres=1, home=tmp_path)
    assert tally.flawless, "\n".join([*lines, *tally.lines()])
    assert wrong == [], lines
    assert any("of them killed, PostgreSQL 1 times" in line for line in lines)


def test_under_faults_every_source_is_said_to_have_answered_as_undisturbed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    tally, lines, wrong = ingest_faults.run(albums=25, home=tmp_path)
    assert tally.flawless, "\n".join([*lines, *tally.lines()])
    assert wrong == [], lines


def test_two_workers_with_homes_of_their_own_never_ask_faster_than_one_may(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    tally, lines, figures = ingest_paced.run(albums=25, rate=5.0, home=tmp_path)
    assert tally.flawless, "\n".join([*lines, *tally.lines()])
    assert figures["refused"] == 0, lines
    assert min(figures["first"], figures["second"]) > 0, lines
