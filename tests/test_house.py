"""The house stands: every import goes to a lower floor, none in a circle, lazy imports counted."""

import ast
import shutil
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

FLOORS = {
    "core": 0,
    "config": 1, "images": 1, "models": 1,
    "paper": 2,
    "glyphs": 3,
    "rows": 4,
    "numbers": 5,
    "reader": 6, "cameras": 6, "displays": 6,
    "sheets": 7, "hand": 7, "live": 7,
    "outlets": 8, "batch": 8,
    "service": 9,
    "commands": 10,
    "__init__": 11, "__main__": 11,
}  # fmt: skip
"""Each package of edge/digitlens, and the modules beside them -> its floor."""
WORKSTATION = ("digitlens_train", "digitlens_convert", "tensorflow", "keras", "torch", "sklearn")
"""What the runtime must not import; tensorflow's interpreter, a fallback, is named as text alone."""


def modules(source: Path) -> dict[str, Path]:
    """The modules below a source root by their dotted names; a package's own is its name."""
    found = {}
    for path in sorted(source.rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 2 else parts)] = path
    return found


def imports(path: Path, known: dict[str, Path]) -> Iterator[str]:
    """The names of the modules that a file imports, at its top, in functions or for types alone."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the floor"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in known else str(node.module)


def wrong_imports(source: Path) -> list[str]:
    """Each import that does not go down, as "importer -> imported"."""
    known = modules(source)
    wrong = []
    for name, path in known.items():
        own = name.split(".")[1] if name.count(".") else "__init__"
        for target in imports(path, known):
            if target.split(".")[0] in WORKSTATION:
                wrong.append(f"{name} -> {target}")
            if target.split(".")[0] != "digitlens" or target == "digitlens":
                continue
            other = target.split(".")[1]
            if other != own and FLOORS[other] >= FLOORS[own]:
                wrong.append(f"{name} -> {target}")
    return wrong


def circle(source: Path) -> list[str]:
    """The modules of one circle of imports; empty if there is none."""
    known = modules(source)
    graph = {name: {one for one in imports(path, known) if one in known} for name, path in known.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.fixture
def copied(root: Path, tmp_path: Path) -> Path:
    """A copy of the runtime's source root, to break."""
    shutil.copytree(
        root / "edge", tmp_path / "edge", ignore=shutil.ignore_patterns("__pycache__", "*.tflite")
    )
    return tmp_path / "edge"


def test_every_import_goes_to_a_lower_floor(root: Path) -> None:
    assert wrong_imports(root / "edge") == []


def test_no_circle(root: Path) -> None:
    assert circle(root / "edge") == []


def test_every_package_has_a_floor(root: Path) -> None:
    here = {path.stem for path in (root / "edge" / "digitlens").iterdir() if path.suffix in ("", ".py")}
    assert here - {"__pycache__", "py"} <= FLOORS.keys()


def test_an_import_upwards_is_found(copied: Path) -> None:
    file = copied / "digitlens" / "core" / "readings.py"
    file.write_text(f"{file.read_text()}\n\ndef late():\n    from digitlens.live import loop\n")
    assert wrong_imports(copied) == ["digitlens.core.readings -> digitlens.live.loop"]


def test_an_import_of_the_workstation_is_found(copied: Path) -> None:
    file = copied / "digitlens" / "reader.py"
    file.write_text(f"{file.read_text()}\nimport keras\n")
    assert wrong_imports(copied) == ["digitlens.reader -> keras"]


def test_a_circle_is_found(copied: Path) -> None:
    file = copied / "digitlens" / "live" / "motion.py"
    file.write_text(f"{file.read_text()}\n\ndef late():\n    from digitlens.live import tracker\n")
    assert {"digitlens.live.motion", "digitlens.live.tracker"} <= set(circle(copied))
