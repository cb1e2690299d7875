"""digitlens read, as a user starts it: real files, good and bad."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw, ImageFont

from digitlens.models import cards
from tests.edge.commands.reading import read, started, texts
from tests.edge.ink import YOUNG
from tests.edge.pages import write

Digits = tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]


def test_the_table_for_people(good: Path) -> None:
    run = started(good)
    assert run.returncode == 0
    assert run.stderr == ""
    assert run.stdout.splitlines()[0] == str(good)
    assert "40716" in run.stdout


def test_a_separator_is_written_on_demand(tmp_path: Path, page: npt.NDArray[np.uint8]) -> None:
    cv2.circle(page, (155, 86), 4, (40,), -1)
    path = tmp_path / "amount.png"
    cv2.imwrite(str(path), page)
    assert texts(read("--json", path)) == [["40716"]]
    assert texts(read("--json", "--separator", ".", path)) == [["40.716"]]


def test_a_file_name_of_any_bytes_is_read_and_printed(tmp_path: Path, good: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/a\xff\x1b[31m.png"))
    path.write_bytes(good.read_bytes())
    table, lines = read(path), read("--json", path)
    assert (table.returncode, table.stderr) == (lines.returncode, lines.stderr) == (0, "")
    assert table.stdout.splitlines()[0] == f"{tmp_path}/a\ufffd?[31m.png"
    assert json.loads(lines.stdout)["source"] == f"{tmp_path}/a\ufffd\x1b[31m.png"
    assert texts(lines) == [["40716"]]
    path.write_bytes(b"")
    empty = read(path)
    assert empty.returncode == 1
    assert empty.stderr.startswith(f"digitlens: {tmp_path}/a??[31m.png: ")
    assert len(empty.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["pipe.png", "pipe.avi"])
def test_a_pipe_is_refused_at_once(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    os.mkfifo(path)
    run = read(path)
    assert run.returncode == 1
    assert run.stderr == f"digitlens: {path}: not a file, but a pipe or a device\n"


def test_the_json_is_the_contract(good: Path) -> None:
    run = read("--json", good)
    reading = json.loads(run.stdout)
    assert list(reading) == ["source", "page", "time", "size", "numbers", "milliseconds"]
    assert (reading["source"], reading["page"]) == (str(good), 1)
    assert list(reading["milliseconds"]) == ["glyphs", "rows", "numbers", "total"]
    (number,) = reading["numbers"]
    assert list(number) == ["text", "confidence", "box", "digits"]
    assert number["text"] == "40716"
    assert 0 <= number["confidence"] <= 1
    assert len(number["box"]) == 4
    assert [digit["value"] for digit in number["digits"]] == [4, 0, 7, 1, 6]
    assert list(number["digits"][0]) == ["value", "confidence", "box"]


@pytest.mark.parametrize(("turn", "given"), [(90, "90"), (180, "auto"), (270, "auto")])
def test_a_turned_page_keeps_its_own_pixels(
    tmp_path: Path, page: npt.NDArray[np.uint8], turn: int, given: str
) -> None:
    lying = np.ascontiguousarray(np.rot90(page, -turn // 90))
    path = tmp_path / "turned.png"
    cv2.imwrite(str(path), lying)
    run = read("--json", "--turn", given, "--overlay", tmp_path / "out", path)
    assert texts(run) == [["40716"]]
    reading = json.loads(run.stdout)
    assert reading["size"] == [lying.shape[1], lying.shape[0]]
    for digit in reading["numbers"][0]["digits"]:
        x, y, width, height = digit["box"]
        assert np.mean(lying[y : y + height, x : x + width] < 130) > 0.1
    drawn = cv2.imread(str(tmp_path / "out" / "turned.png.png"))
    assert drawn.shape[:2] == lying.shape
    assert np.ptp(drawn.astype(int), axis=2)[y : y + height].max() > 50  # the last digit's box


def test_a_turn_that_is_none_is_refused(good: Path) -> None:
    run = read("--turn", "45", good)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.splitlines()[-1].endswith("argument --turn: 45: take auto, 0, 90, 180 or 270")


@YOUNG
def test_printed_numbers_are_read_on_demand_and_marked(tmp_path: Path, page: npt.NDArray[np.uint8]) -> None:
    form = Image.new("L", (700, 400), 220)
    ImageDraw.Draw(form).text((40, 40), "2938", font=ImageFont.load_default(56), fill=30)
    form.paste(Image.fromarray(page), (150, 220))
    path = tmp_path / "form.png"
    form.save(path)
    assert texts(read("--json", path)) == [["40716"]]
    run = read("--json", "--printed", path)
    assert [(number["text"], number.get("printed")) for number in json.loads(run.stdout)["numbers"]] == [
        ("2938", True),
        ("40716", None),
    ]
    _, one, other = read("--printed", path).stdout.splitlines()
    assert (one.split()[0], one.split()[-1]) == ("2938", "printed")
    assert other.split()[0] == "40716"
    assert "printed" not in other


def test_the_overlay_is_written(good: Path, tmp_path: Path) -> None:
    run = read(good, "--overlay", tmp_path / "new" / "folder")
    assert run.returncode == 0
    drawn = cv2.imread(str(tmp_path / "new" / "folder" / "good.png.png"))
    assert drawn.shape[:2] == cv2.imread(str(good)).shape[:2]
    assert np.ptp(drawn.astype(int), axis=2).max() > 50  # colored boxes on gray paper


def test_a_folder_in_order(tmp_path: Path, digits: Digits) -> None:
    for name, text in (("b.jpg", "27"), ("a.png", "314"), ("c.bmp", "90")):
        cv2.imwrite(str(tmp_path / name), write(text, digits))
    (tmp_path / "notes.txt").write_text("not a picture")
    assert texts(read("--json", tmp_path)) == [["314"], ["27"], ["90"]]


def test_a_video_frame_by_frame(tmp_path: Path, digits: Digits) -> None:
    path = tmp_path / "film.avi"
    frames = [cv2.cvtColor(write(text, digits), cv2.COLOR_GRAY2BGR) for text in ("27", "27", "90")]
    height, width = frames[0].shape[:2]
    film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (width, height))
    for frame in frames:
        film.write(frame)
    film.release()
    assert texts(read("--json", path)) == [["27"], ["27"], ["90"]]
    assert read(path).stdout.count(str(path)) == 2  # for people, what stays the same is one entry


@pytest.mark.parametrize("model", cards.names())
def test_every_shipped_model_can_be_chosen(good: Path, model: str) -> None:
    assert texts(read("--json", "--model", model, good)) == [["40716"]]


def bad(tmp_path: Path, kind: str) -> tuple[Path, str]:
    """A path that cannot be read, and a part of the message."""
    path = tmp_path / f"{kind}.jpg"
    if kind == "missing":
        return path, "no such file"
    if kind == "folder":
        path.mkdir()
        (path / "notes.txt").write_text("x")
        return path, "no pictures in this folder"
    if kind == "text":
        path.write_text("hello, world\n" * 100)
        return path, "not a picture"
    if kind == "empty":
        path.touch()
        return path, "not a picture"
    if kind == "truncated":
        complete = io.BytesIO()
        Image.effect_noise((300, 200), 50).save(complete, "JPEG")
        path.write_bytes(complete.getvalue()[: len(complete.getvalue()) // 2])
        return path, "truncated"
    if kind == "large":
        Image.new("1", (20_000, 20_000)).save(path, "PNG")
        return path, "too large"
    if kind == "larger":
        Image.new("1", (11_000, 10_000)).save(path, "PNG")
        return path, "too large"
    assert kind == "video"
    path = tmp_path / "broken.mp4"
    path.write_bytes(bytes(1000))
    return path, "not a video"


@pytest.mark.parametrize(
    "kind", ["missing", "folder", "text", "empty", "truncated", "large", "larger", "video"]
)
def test_bad_input_is_one_line_and_the_others_are_read(tmp_path: Path, good: Path, kind: str) -> None:
    path, message = bad(tmp_path, kind)
    run = read("--json", path, good)
    assert run.returncode == 1
    (line,) = run.stderr.splitlines()
    assert line.startswith(f"digitlens: {path}: ")
    assert message in line
    assert texts(run) == [["40716"]]


@pytest.mark.slow
def test_a_huge_picture_costs_no_memory(tmp_path: Path) -> None:
    path, _ = bad(tmp_path, "large")
    assert _peak(path) < 50_000


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    run = read(tmp_path / "missing.jpg", DIGITLENS_DEBUG="1")
    assert run.returncode == 1
    assert "Traceback" in run.stderr


@pytest.mark.parametrize("level", [0, 255])
def test_a_page_of_one_color_has_no_numbers(tmp_path: Path, level: int) -> None:
    path = tmp_path / "page.png"
    cv2.imwrite(str(path), np.full((480, 640), level, np.uint8))
    run = read(path)
    assert (run.returncode, run.stderr) == (0, "")
    assert "no numbers" in run.stdout


def test_one_pixel(tmp_path: Path) -> None:
    path = tmp_path / "dot.png"
    cv2.imwrite(str(path), np.zeros((1, 1), np.uint8))
    run = read("--json", "--overlay", tmp_path / "out", path)
    assert (run.returncode, run.stderr, texts(run)) == (0, "", [[]])


def test_sixteen_bits(tmp_path: Path, page: npt.NDArray[np.uint8]) -> None:
    path = tmp_path / "deep.png"
    cv2.imwrite(str(path), page.astype(np.uint16) * 257)
    color = tmp_path / "deep color.png"
    cv2.imwrite(str(color), cv2.cvtColor(page.astype(np.uint16) * 257, cv2.COLOR_GRAY2BGR))
    assert texts(read("--json", path, color)) == [["40716"]] * 2


@pytest.mark.parametrize("hidden", [0, 255])
def test_transparent_paper_is_white(tmp_path: Path, page: npt.NDArray[np.uint8], hidden: int) -> None:
    """Ink is opaque; the color under full transparency does not count."""
    path = tmp_path / "clear.png"
    alpha = np.where(page < 200, 255, 0).astype(np.uint8)
    gray = np.where(alpha > 0, page, hidden).astype(np.uint8)
    cv2.imwrite(str(path), cv2.merge([gray, gray, gray, alpha]))
    assert texts(read("--json", path)) == [["40716"]]
    palette = tmp_path / "palette.png"
    image = Image.fromarray(np.where(alpha > 0, 1, 0).astype(np.uint8), mode=None).convert("P")
    image.putpalette([hidden] * 3 + [20] * 3 + [0] * 762)
    image.save(palette, transparency=0)
    assert texts(read("--json", palette)) == [["40716"]]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_phone_photo_is_turned_as_a_viewer_would(
    tmp_path: Path, page: npt.NDArray[np.uint8], orientation: int
) -> None:
    upright = Image.fromarray(page)
    # What the camera stored, so that this orientation shows it upright.
    undo = {
        1: (),
        2: (Image.Transpose.FLIP_LEFT_RIGHT,),
        3: (Image.Transpose.ROTATE_180,),
        4: (Image.Transpose.FLIP_TOP_BOTTOM,),
        5: (Image.Transpose.TRANSPOSE,),
        6: (Image.Transpose.ROTATE_90,),
        7: (Image.Transpose.TRANSVERSE,),
        8: (Image.Transpose.ROTATE_270,),
    }
    for step in undo[orientation]:
        upright = upright.transpose(step)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "phone.jpg"
    upright.save(path, exif=exif, quality=95)
    run = read("--json", path)
    assert texts(run) == [["40716"]]
    assert json.loads(run.stdout)["size"] == [page.shape[1], page.shape[0]]


def test_a_large_photo_keeps_its_own_pixels(tmp_path: Path, page: npt.NDArray[np.uint8]) -> None:
    """A JPEG that is decoded at a fraction of its size still has boxes in its own pixels."""
    path = tmp_path / "large.jpg"
    cv2.imwrite(str(path), cv2.resize(page, None, fx=12, fy=12, interpolation=cv2.INTER_CUBIC))
    reading = json.loads(read("--json", path).stdout)
    assert reading["size"] == [page.shape[1] * 12, page.shape[0] * 12]
    x, y, width, height = reading["numbers"][0]["box"]
    small = np.argwhere(page < 130)
    (top, left), (bottom, right) = small.min(axis=0) * 12, small.max(axis=0) * 12
    assert abs(x - left) < 40
    assert abs(y - top) < 40
    assert abs(x + width - right) < 40
    assert abs(y + height - bottom) < 40


def test_a_model_that_does_not_fit_its_card(good: Path, tmp_path: Path) -> None:
    seed = cards.find("seed")
    (tmp_path / "mine.json").write_bytes(seed.with_suffix(".json").read_bytes())
    (tmp_path / "mine.tflite").write_bytes(seed.read_bytes()[:-1])
    run = read("--model", tmp_path / "mine.tflite", good)
    assert run.returncode == 1
    (line,) = run.stderr.splitlines()
    assert "do not fit its card" in line


def test_an_overlay_folder_that_cannot_be_made(good: Path) -> None:
    run = read("--overlay", good / "sub", good)
    assert run.returncode == 1
    (line,) = run.stderr.splitlines()
    assert "cannot be made" in line


def test_the_reader_of_our_output_may_leave(good: Path) -> None:
    command = f"{sys.executable} -m digitlens read {' '.join([str(good)] * 50)} | head -1"
    run = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)  # noqa: S607
    assert run.stderr == ""


def test_memory_of_one_photo(root: Path) -> None:
    assert _peak(root / "examples" / "sheet.jpg") < 95_000


def _peak(path: Path) -> int:
    """Kilobytes of its own that reading this file takes at the most, in a fresh process.

    Without the libraries' file pages: how many of those the kernel maps at once depends on how they lie in
    its cache, 20 MB more or less from one hour to the next.
    """
    program = (
        "import sys; from digitlens.commands.main import main; main(['read', sys.argv[1]]);"
        # Not getrusage: its maximum is inherited from the process that started this one.
        "print(*(line for line in open('/proc/self/status') if line.startswith(('VmHWM', 'RssFile'))))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )
    peak, files = (int(run.stdout.split(name)[1].split()[0]) for name in ("VmHWM:", "RssFile:"))
    return peak - files


def test_the_stages_are_written(good: Path, tmp_path: Path) -> None:
    run = read("--stages", tmp_path / "stages", good, tmp_path / "missing.png")
    assert (run.returncode, len(run.stderr.splitlines())) == (1, 1)
    folder = tmp_path / "stages" / "good.png"
    names = ["1-ink", "2-kept", "3-glyphs", "4-cuts", "5-digits", "6-crops", "7-row-1"]
    assert sorted(path.name for path in folder.iterdir()) == [f"{name}.png" for name in names]
    page = cv2.imread(str(good), cv2.IMREAD_GRAYSCALE)
    pictures = {name: cv2.imread(str(folder / f"{name}.png")) for name in names}
    assert all(picture.shape[:2] == page.shape for name, picture in pictures.items() if name < "6")
    ink = cv2.cvtColor(pictures["1-ink"], cv2.COLOR_BGR2GRAY) < 255
    assert np.mean(page[ink] < 200) > 0.9
    assert pictures["6-crops"].max() == 255
