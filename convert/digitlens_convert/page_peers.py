"""Other readers on the same pages, in the same run: RapidOCR with and without its detector, Tesseract."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import cv2

from digitlens.core.errors import DependencyError
from digitlens_convert.pages import Page, Score, labels

Read = Callable[[Path], str]


def scores(folder: Path) -> list[Score]:
    """Each peer's score on the labeled pages of `folder`.

    Raises:
        DependencyError: RapidOCR is not installed.
        LabelsError: see digitlens_convert.pages.score.
    """
    return [
        Score(f"{folder.name}, {name}", [_page(folder / page, truth, read) for page, truth in labels(folder)])
        for name, read in readers().items()
    ]


def rapidocr() -> Any:
    """RapidOCR's engine, one thread.

    Raises:
        DependencyError: RapidOCR is not installed.
    """
    try:
        from rapidocr import RapidOCR
    except ImportError as error:
        raise DependencyError("peers need rapidocr: pip install 'digitlens[peers]'") from error
    return RapidOCR(
        params={
            "Global.log_level": "error",
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def detect_and_read(engine: Any, picture: Any) -> str:
    """The digits of a picture (a path, or pixels) by RapidOCR's detection and recognition."""
    return _digits("".join(engine(picture).txts or ()))  # its boxes are sorted into rows


def lines(engine: Any, picture: Any) -> list[tuple[str, float]]:
    """The lines of text that RapidOCR's detector finds in a picture, and the confidence of each."""
    found = engine(picture)
    if found.txts is None:
        return []
    return [(str(text), float(score)) for text, score in zip(found.txts, found.scores, strict=True)]


def readers() -> dict[str, Read]:
    """Functions from a picture file to its digits, by the peers' names; one thread each where possible.

    Raises:
        DependencyError: RapidOCR is not installed.
    """
    engine = rapidocr()

    def row(path: Path) -> str:
        found = engine(cv2.imread(str(path)), use_det=False, use_cls=False, use_rec=True)
        return _digits("".join(found.txts or ()))

    peers: dict[str, Read] = {
        "RapidOCR": lambda path: detect_and_read(engine, str(path)),
        "RapidOCR without its detector": row,
    }
    if tesseract := shutil.which("tesseract"):
        peers["Tesseract"] = lambda path: _tesseract(tesseract, path)
    return peers


def _tesseract(program: str, path: Path) -> str:
    command = [program, str(path), "-", "--psm", "6", "-c", "tessedit_char_whitelist=0123456789"]
    done = subprocess.run(  # noqa: S603
        command, capture_output=True, text=True, check=False, env={"OMP_THREAD_LIMIT": "1"}
    )
    return _digits(done.stdout)


def _digits(text: str) -> str:
    """The digits alone; letters are not taken for similar digits."""
    return re.sub(r"[^0-9]", "", text)


def _page(path: Path, truth: str, read: Read) -> Page:
    started = perf_counter()
    text = read(path)
    return Page(path.name, truth, text, (perf_counter() - started) * 1000)
