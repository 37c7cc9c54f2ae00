"""Baselines on a built data set, from the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def test_baselines_are_scored_and_said_next_to_known_ones(tmp_path: Path) -> None:
    environment = {**os.environ, "TENSOE_HOME": str(tmp_path / "home"), "TENSOE_DEMO": "on", "DATABASE_URL": ""}

    def tensoe(*words: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "backend.cli", *words], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    tensoe("demo", "load")
    for name, target in (("scored", "target = 'popularity'\n"), ("named", "target = 'genre'\n"), ("bare", "")):
        (tmp_path / f"{name}.toml").write_text(f"{target}naive_gain = false\n")
        tensoe("dataset", "build", str(tmp_path / f"{name}.toml"))
    found = json.loads(tensoe("bench", "scored", "--rows", "300", "--json"))
    assert {s["score"] for s in found["measured"]["scores"]} == {"r2", "mae", "spearman"}
    assert {f["score"] for f in found["published"]} == {"r2"}
    assert all(f["source"] and f["table"] and f["split"] for f in found["published"])
    said = tensoe("bench", "named", "--rows", "200")
    assert "gradient boosting" in said
    assert "Student's t over 5 seeds" in said
    assert "random forest, audio features" in said
    assert "0.544" in said
    assert "github.com/walkerkq" in said
    assert "bare has no target" in tensoe("bench", "bare", code=2)
