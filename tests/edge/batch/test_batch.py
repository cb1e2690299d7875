"""Batch, as Ray, Dask or Daft call it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from digitlens.batch import Batch
from tests.edge.batch.archive import FAILS, GrayOptions, picture

pytest.importorskip("pyarrow", reason="pyarrow is not installed")


def test_bytes_and_paths_become_rows(tmp_path: Path) -> None:
    paths = [picture(tmp_path / "a.tif", 1, 2), picture(tmp_path / "b.png", FAILS)]
    batch = {
        "bytes": np.array([path.read_bytes() for path in paths] + [b"no"], object),
        "path": np.array([*map(str, paths), "s3://bucket/c.png"], object),
    }
    table = Batch(GrayOptions())(batch)
    assert table.column("id").to_pylist() == [str(paths[0])] * 2 + [str(paths[1]), "s3://bucket/c.png"]
    assert table.column("text").to_pylist() == ["1", "2", None, None]
    assert table.column("state").to_pylist() == ["read", "read", "failed", "failed"]
    assert table.column("page").to_pylist() == [1, 2, 1, 1]
    assert str(table.schema.field("confidence").type) == "double"


def test_importing_it_imports_neither_ray_nor_arrow() -> None:
    imports = "import sys, digitlens.batch.batch, digitlens.commands.batch"
    code = f"{imports}; print({{'ray', 'pyarrow'}} & {{*sys.modules}})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"
