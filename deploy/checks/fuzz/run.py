"""Runs each target on one seed after the other, in a process of its own that may crash, hang or grow.

It passes if no seed found anything. What one has found is said with the seed; after the mend it stays in
tests/edge/test_fuzz_seeds.py.
"""

import argparse
import faulthandler
import os
import selectors
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "edge"), str(Path(__file__).parent)]

DEADLINE = 20.0
"""Seconds for one case."""
START = 60.0
"""Seconds until the first."""
MOST = 300.0
"""MB of memory, all in all."""
GIVE_UP = 20
"""Finds of one target after which it is mended first."""


def main() -> int:
    """Run them; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="for each target")
    parser.add_argument("--target", action="append", help="only this one; may be given again")
    parser.add_argument("--seed", type=int, default=0, help="the first")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    from targets import TARGETS

    if options.child:
        child(options.target[0], options.seed)
        return 0
    found = 0
    for target in options.target or list(TARGETS):
        found += fuzz(target, options.seed, options.minutes * 60)
    print("well" if not found else f"{found} seeds found something")
    return 1 if found else 0


def child(target: str, seed: int) -> None:
    """Case after case, until the parent ends it; a line before each and after it."""
    from targets import Found, run

    from digitlens.terminal import silence_opencv

    faulthandler.enable()
    os.environ["OPENCV_FFMPEG_LOGLEVEL"] = "-8"
    silence_opencv()
    reset, status = Path("/proc/self/clear_refs"), Path("/proc/self/status")
    with tempfile.TemporaryDirectory(prefix="digitlens-fuzz-") as folder:
        while True:
            reset.write_text("5")  # the peak begins anew
            print(f"begin {seed}", flush=True)
            said = ""
            try:
                run(target, seed, Path(folder))
            except Found as found:
                said = str(found)
            except Exception as error:
                said = f"{type(error).__name__}: {error}"
            peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
            megabytes = int(peak.split()[1]) * 1024 / 1e6
            if not said and megabytes > MOST:
                said = f"memory: {megabytes:.0f} MB"
            print(f"end {seed} {megabytes:.0f} {' '.join(said.split())}", flush=True)
            seed += 1


def fuzz(target: str, seed: int, seconds: float) -> int:
    """One target; how many seeds found something."""
    begin = monotonic()
    cases, most, found, slowest = 0, 0.0, 0, 0.0
    while monotonic() - begin < seconds and found < GIVE_UP:
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__)), "--child", "--target", target, "--seed", str(seed)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT,
            env=os.environ | {"OMP_NUM_THREADS": "1", "OPENCV_FOR_THREADS_NUM": "1"},
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        lines = selectors.DefaultSelector()
        lines.register(process.stdout, selectors.EVENT_READ)
        os.set_blocking(process.stdout.fileno(), False)
        os.set_blocking(process.stderr.fileno(), False)
        rest, since, limit, running = b"", monotonic(), START, False
        while monotonic() - begin < seconds:
            if not lines.select(1.0):
                if monotonic() - since > limit:
                    found += say(target, seed, f"hangs, more than {limit:.0f} s")
                    seed += 1
                    break
                continue
            data = process.stdout.read()
            process.stderr.read()  # what libraries say; only the end of it would be kept
            if not data:
                if process.wait() or running:
                    found += say(target, seed, f"ended with {process.returncode}")
                seed += 1
                break
            *whole, rest = (rest + data).split(b"\n")
            for line in whole:
                word, number, *more = line.decode().split(" ", 3)
                seed = int(number)
                if word == "begin":
                    since, limit, running = monotonic(), DEADLINE, True
                    continue
                running = False
                cases += 1
                slowest = max(slowest, monotonic() - since)
                most = max(most, float(more[0]))
                if len(more) > 1 and more[1]:
                    found += say(target, seed, more[1])
                seed += 1
        lines.close()
        process.kill()
        process.communicate()
    print(
        f"{target}: {cases} cases in {(monotonic() - begin) / 60:.1f} minutes, {found} found something; the "
        f"slowest {slowest:.1f} s, the most memory {most:.0f} MB",
        flush=True,
    )
    return found


def say(target: str, seed: int, what: str) -> int:
    """Say it."""
    print(f"{target} seed {seed}: {what}", flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
