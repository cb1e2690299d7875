"""The page in a real browser: Debian's chromium and chromium-driver."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from tests import needs
from tests.edge.outlets.web.viewing import Clients, Showing, until
from tests.edge.pages import write

pytest.importorskip("tornado", reason="needs the extra web")
webdriver = pytest.importorskip("selenium.webdriver", reason="needs the extra test")

pytestmark = pytest.mark.browser

Pixels = npt.NDArray[np.uint8]
Digits = tuple[Pixels, Pixels]
SIZES = [(360, 740), (900, 700), (1680, 1000)]
NUMBERS = ["40716", "27", "593"]
TOKEN = "correct-horse-battery"  # noqa: S105
PLACES = [(120, 60), (700, 240), (300, 520)]
"""Left and top of their strips on the sheet, pixels."""


@pytest.fixture(scope="module")
def paper(digits: Digits) -> Pixels:
    """(720, 1280) gray: three numbers."""
    page = np.full((720, 1280), 220, np.uint8)
    for text, (left, top) in zip(NUMBERS, PLACES, strict=True):
        strip = write(text, digits)
        page[top : top + strip.shape[0], left : left + strip.shape[1]] = strip
    return page


@pytest.fixture
def sheet(tmp_path: Path, paper: Pixels) -> Path:
    path = tmp_path / "sheet.png"
    cv2.imwrite(str(path), paper)
    return path


@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = needs.path("chromium")
    for argument in (
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
        "--disable-background-networking", "--disable-component-update", "--no-first-run",
    ):  # fmt: skip
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(needs.path("chromedriver"))
    browser = webdriver.Chrome(options=options, service=service)
    yield browser
    browser.quit()


class Page:
    """The page as a person sees it."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def ask(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(
            f"const $ = (id) => document.getElementById(id); return {script}", *arguments
        )

    def shape(self, width: int, height: int) -> None:
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )

    @property
    def status(self) -> str:
        return str(self.ask("$('status').textContent"))

    @property
    def numbers(self) -> list[str]:
        return list(
            self.ask(
                "[...document.querySelectorAll('#numbers tbody td:first-child')].map(x => x.textContent)"
            )
        )

    @property
    def count(self) -> int:
        """ShownFrame.count of the picture on the screen."""
        return int(self.ask("$('boxes').dataset.count") or 0)

    def click(self, id_: str) -> None:
        self.driver.find_element("id", id_).click()

    def sign_in(self, token: str) -> None:
        self.driver.find_element("id", "token").send_keys(token)
        self.driver.find_element("tag name", "button").click()

    def errors(self) -> list[str]:
        return [line["message"] for line in self.driver.get_log("browser") if line["level"] == "SEVERE"]


@pytest.fixture
def page(driver: Any) -> Iterator[Page]:
    one = Page(driver)
    one.shape(*SIZES[1])
    one.errors()
    yield one
    driver.get("about:blank")


def test_boxes_lie_on_the_digits(page: Page, sheet: Path) -> None:
    """The truth is the ink in a screenshot with the boxes hidden."""
    with Showing(sheet) as showing, Clients(showing.web.port, 10):
        page.driver.get(showing.web.url)
        until(lambda: page.numbers == NUMBERS, "the table")
        for size in SIZES:
            page.shape(*size)
            page.ask("window.scrollTo(0, 0)")
            canvas = page.ask(
                "(({x, y, width, height}) => [x, y, width, height])($('picture').getBoundingClientRect())"
            )
            assert canvas[2] > 0.5 * min(size[0], 1280)
            until(lambda: len(_boxes(page)) == sum(map(len, NUMBERS)))
            boxes = _boxes(page)
            page.click("marks")
            until(lambda: not _boxes(page))
            truth = _ink(page, canvas)
            page.click("marks")
            assert len(truth) == len(boxes)
            for box, true in zip(sorted(boxes), sorted(truth), strict=True):
                off = np.abs(np.subtract(_edges(box), _edges(true))).max()
                assert off <= 2, f"{size}: {box} on {true}"
            assert page.ask("document.documentElement.scrollWidth") <= size[0]  # nothing to scroll sideways
    assert page.errors() == []


def test_steady_and_unsteady_differ_in_more_than_color(page: Page, sheet: Path) -> None:
    with Showing(sheet, rate=2.0) as showing:  # slow, so that numbers stay unsteady for a while
        page.driver.get(showing.web.url)
        unsteady = (
            "document.querySelector('.unsteady') && document.querySelector('text.reading') &&"
            " [getComputedStyle(document.querySelector('.unsteady rect.reading')).strokeDasharray,"
            " document.querySelector('text.reading').textContent, $('pending').textContent]"
        )
        dashes, label, pending = until(lambda: page.ask(unsteady), "an unsteady number")
        assert dashes != "none"
        assert label.endswith(" ?")
        assert "?" in pending
        until(lambda: page.numbers == NUMBERS)
        assert page.ask("getComputedStyle(document.querySelector('rect.steady')).strokeDasharray") == "none"
        assert page.ask("$('pending').hidden")


def test_the_history_fills_and_can_be_copied(page: Page, sheet: Path) -> None:
    with Showing(sheet) as showing:
        page.driver.get(showing.web.url)
        rows = "[...$('history').tBodies[0].rows].map(row => [...row.cells].map(x => x.textContent))"
        until(lambda: len(page.ask(rows)) == len(NUMBERS))
        assert sorted(row[1] for row in page.ask(rows)) == sorted(NUMBERS)
        assert {row[2] for row in page.ask(rows)} == {"appeared"}
        page.ask(
            "void (document.execCommand = () => { window.copied = document.activeElement.value;"
            " return true })"
        )
        page.ask("void Object.defineProperty(navigator, 'clipboard', { value: undefined })")  # as without TLS
        page.click("copy-numbers")
        until(lambda: page.ask("window.copied") == "\n".join(NUMBERS))
        assert page.ask("$('copy-numbers').textContent") == "Copied"
        page.click("copy-history")
        until(lambda: "appeared" in page.ask("window.copied"))
        csv = page.driver.execute_async_script(
            "fetch(document.getElementById('csv').href).then((x) => x.text()).then(arguments[0])"
        )
        assert sorted(line.split(",")[4] for line in csv.split()[1:]) == sorted(NUMBERS)


def test_it_can_be_frozen(page: Page, sheet: Path) -> None:
    with Showing(sheet) as showing:
        page.driver.get(showing.web.url)
        until(lambda: page.numbers == NUMBERS)
        page.click("freeze")
        until(lambda: page.status == "frozen")
        count, encoder = page.count, showing.web._context.encoder
        until(lambda: (showing.latest.newest() or _never).count > count + 15)
        encoded = encoder.encoded
        until(lambda: (showing.latest.newest() or _never).count > count + 30)
        assert page.count == count
        assert encoder.encoded == encoded  # no client wants a picture
        page.click("freeze")
        until(lambda: page.count > count + 30)
        assert page.status == "live"


def test_it_comes_back_after_the_server(page: Page, sheet: Path) -> None:
    with Showing(sheet) as showing:
        page.driver.get(showing.web.url)
        until(lambda: page.numbers == NUMBERS)
        showing.web.close()
        until(lambda: page.status == "connection lost")
        assert not page.ask("$('notice').hidden")
        assert "tried again" in page.ask("$('notice-why').textContent")
        count = page.count
        showing.open(showing.web.port)
        until(lambda: page.status == "live")
        until(lambda: page.count > count)
        assert page.ask("$('notice').hidden")
        assert page.numbers == NUMBERS
        assert all("ERR_CONNECTION_REFUSED" in line or "WebSocket" in line for line in page.errors())


def test_it_shows_that_the_camera_is_lost(page: Page, sheet: Path) -> None:
    with Showing(sheet) as showing:
        page.driver.get(showing.web.url)
        until(lambda: page.numbers == NUMBERS)
        showing.lose()
        until(lambda: page.status == "camera lost")
        assert "usb:0: unplugged" in page.ask("$('notice-why').textContent")
        assert "camera lost" in page.driver.title
        showing.find()
        until(lambda: page.status == "live")


def test_signing_in_and_out(page: Page, sheet: Path, tmp_path: Path) -> None:
    with Showing(sheet, token=TOKEN, sessions=tmp_path / "sessions") as showing:
        page.driver.get(showing.web.url)
        assert page.driver.title == "Sign in: digitlens"
        page.sign_in("not-the-token")
        until(lambda: page.ask("$('wrong') && !$('wrong').hidden"))
        page.sign_in(TOKEN)
        until(lambda: page.driver.title == "digitlens")
        until(lambda: page.numbers == NUMBERS)
        assert all("401" in line for line in page.errors())
        showing.web.close()
        until(lambda: page.status == "connection lost")
        showing.open(showing.web.port)
        until(lambda: page.status == "live")  # the cookie holds
        page.driver.find_element("css selector", "#sign-out button").click()
        until(lambda: page.driver.title == "Sign in: digitlens")


def test_it_can_be_used_without_seeing_it(page: Page, sheet: Path) -> None:
    """Through the browser's accessibility tree, and by keyboard."""
    with Showing(sheet) as showing:
        page.driver.get(showing.web.url)
        until(lambda: page.numbers == NUMBERS)
        tree = page.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        names = {
            (node["role"]["value"], node.get("name", {}).get("value", ""))
            for node in tree
            if not node["ignored"]
        }
        for role in ("button", "link", "image", "table", "columnheader", "meter"):
            assert all(name for kind, name in names if kind == role), role
        assert ("image", f"Live picture; numbers: {', '.join(NUMBERS)}") in names
        assert ("button", "Copy 40716") in names
        assert {("button", "Freeze"), ("button", "Boxes"), ("heading", "History")} <= names
        body = page.driver.find_element("tag name", "body")
        focused = []
        for _ in range(6):
            body.send_keys("\ue004")
            focused.append(page.ask("document.activeElement.id || document.activeElement.textContent"))
            body = page.driver.switch_to.active_element
        assert {"freeze", "marks", "full", "copy-numbers"} <= set(focused)


class _never:  # noqa: N801
    count = 0


def _boxes(page: Page) -> list[tuple[float, ...]]:
    """The digits' boxes in pixels of the window: x, y, width, height, without the line's own width."""
    found = page.ask(
        "JSON.stringify([...document.querySelectorAll('rect.digit')].map(one => {"
        " const box = one.getBBox(), at = one.getScreenCTM();"
        " return [at.e + at.a * box.x, at.f + at.d * box.y, at.a * box.width, at.d * box.height] }))"
    )
    return [tuple(box) for box in json.loads(found)]


def _ink(page: Page, canvas: list[float]) -> list[tuple[float, ...]]:
    """Where digits are on the screen: x, y, width, height in pixels of the window."""
    shot = cv2.imdecode(np.frombuffer(page.driver.get_screenshot_as_png(), np.uint8), cv2.IMREAD_GRAYSCALE)
    left, top = round(canvas[0]), round(canvas[1])
    part = shot[top : top + int(canvas[3]), left : left + int(canvas[2])]
    _, _, stats, _ = cv2.connectedComponentsWithStats((part < 175).astype(np.uint8))
    return [(left + x, top + y, width, height) for x, y, width, height, area in stats[1:] if area > 12]


def _edges(box: tuple[float, ...]) -> tuple[float, ...]:
    x, y, width, height = box
    return x, y, x + width, y + height
