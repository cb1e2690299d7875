"""The wheel that the Pi installs."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest


def test_it_holds_only_the_runtime_and_its_models(root: Path, tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="needs the extra test")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"digitlens"}
    models = root / "edge" / "digitlens" / "models"
    for source in (path for path in models.iterdir() if path.is_file()):
        assert f"digitlens/models/{source.name}" in names
    for source in (root / "edge" / "digitlens" / "outlets" / "web" / "page").iterdir():
        assert f"digitlens/outlets/web/page/{source.name}" in names
    assert wheel.stat().st_size < 2_500_000
