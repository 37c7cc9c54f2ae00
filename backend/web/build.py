"""Builds the studio: `python -m backend.web.build`. Nothing is done while its sources are as they were.

With `--check` its types are made from the API's own description and everything is checked against them; nothing is built.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from backend.web import STUDIO
from backend.web.building import FRONTEND, BuildError, Tools, digest_of_sources, install, tools

_STAMP = ".stamp"


def build(*, folder: Path = STUDIO) -> bool:
    """Build the pages where their sources changed; whoever serves the old ones sees the new ones at once, never half of them.

    Args:
        folder: where they go.

    Returns:
        Whether there was anything to do.

    Raises:
        BuildError: they cannot be built; what was there stays.
    """
    wanted, stamp = digest_of_sources(), folder / _STAMP
    if stamp.is_file() and stamp.read_text() == wanted:
        return False
    with_ = tools()
    install(with_)
    draft = Path(tempfile.mkdtemp(prefix="studio.", dir=folder.parent))
    try:
        with_.run("run", "build", "--", "--outDir", str(draft), "--emptyOutDir", "--logLevel", "warn")
        (draft / _STAMP).write_text(wanted)
        draft.chmod(0o755)  # another user may serve it
        _replace(folder, draft)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return True


def _replace(folder: Path, draft: Path) -> None:
    old = draft.with_name(f"{draft.name}.old")
    if folder.exists():
        folder.rename(old)
    draft.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def check(with_: Tools) -> None:
    """Check all types of the studio against the API as it is now.

    Raises:
        BuildError: something does not fit.
    """
    install(with_)
    said = subprocess.run([sys.executable, "-m", "backend.routes.openapi"], capture_output=True, check=True)
    (FRONTEND / "openapi.json").write_bytes(said.stdout)
    with_.run("run", "types")
    with_.run("run", "check")


def main() -> int:
    """Build or check.

    Returns:
        The exit code: 1 when it failed; a sentence says why.
    """
    parser = argparse.ArgumentParser(prog="python -m backend.web.build", description="Build the studio's pages.")
    parser.add_argument("--check", action="store_true", help="check types instead of building")
    asked = parser.parse_args()
    if not FRONTEND.is_dir():
        sys.stderr.write("The studio is built from a clone of the repository: frontend/ is not here.\n")
        return 1
    try:
        if asked.check:
            check(tools())
        elif build():
            sys.stdout.write("The studio's pages are built.\n")
    except BuildError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
