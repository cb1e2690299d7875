"""Packages of others, for the tests of the registries."""

import os
from pathlib import Path


def install(folder: Path, group: str, name: str, module: str) -> dict[str, str]:
    """A package with one module and one entry point, as pip leaves it; the environment that sees it."""
    (folder / f"{name}_driver.py").write_text(module)
    info = folder / f"{name}_driver-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-driver\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {name}_driver:DRIVER\n")
    path = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    return os.environ | {"PYTHONPATH": path}
