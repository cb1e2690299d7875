"""The pages of libraries that the start frees; each test in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

SHEET = Path(__file__).parents[3] / "examples" / "sheet.jpg"

pytestmark = pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="needs Linux's /proc")


def ran(program: str) -> list[str]:
    """The program's output by line."""
    start = "import threading\nfrom digitlens import Reader\nfrom digitlens.images import pictures\n"
    start += "from digitlens.live.benchmark import memory\n"
    start += "from digitlens.service.startup_memory import StartupMemory\nfrom pathlib import Path\n"
    start += f"(sheet,) = pictures.load(Path({str(SHEET)!r}))\nreader = Reader()\n"
    done = subprocess.run([sys.executable, "-c", start + program], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_pages_that_only_the_start_needed_are_freed_and_reading_goes_on() -> None:
    before, after, then, same = ran("""
first = reader.read(sheet.pixels).numbers
print(memory("VmRSS"))
memory_of_start = StartupMemory()
assert memory_of_start.release() > 10
print(memory("VmRSS"))
second = reader.read(255 - sheet.pixels).numbers
print(memory("VmRSS"))
print(len({n.text for n in first} & {n.text for n in second}))
""")
    assert float(after) < float(before) - 20
    assert float(then) < float(before) - 5  # some are not needed again
    assert int(same) > 3


def test_while_other_threads_run_nothing_is_done() -> None:
    assert ran("""
until = threading.Event()
other = threading.Thread(target=until.wait)
other.start()
print(StartupMemory().release())
until.set()
other.join()
""") == ["0"]


def test_pages_known_before_other_threads_ran_are_freed_beside_them() -> None:
    count, freed = ran("""
known = StartupMemory()
until = threading.Event()
other = threading.Thread(target=until.wait)
other.start()
reader.read(sheet.pixels)
before = memory("VmRSS")
print(known.release())
print(before - memory("VmRSS"))
until.set()
other.join()
""")
    assert int(count) > 10
    assert float(freed) > 10


def test_freed_memory_between_what_is_used_is_given_back() -> None:
    before, after = ran("""
from digitlens.service.startup_memory import trim_heap
pieces = [bytearray(50_000) for _ in range(1000)]
pieces = pieces[::10]
print(memory("VmRSS"))
trim_heap()
print(memory("VmRSS"))
""")
    assert float(after) < float(before) - 20
