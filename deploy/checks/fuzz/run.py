"""Runs each target on one seed after another, in a child process that may crash, hang or grow.

It passes if no seed has a finding. Findings are printed with their seed; once fixed, the seed goes into
tests/deploy/test_fuzz_seeds.py.
"""

import argparse
import ctypes
import faulthandler
import gc
import os
import selectors
import subprocess
import sys
import tempfile
from pathlib import Path
from time import monotonic, process_time

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "edge"), str(Path(__file__).parents[1]), str(ROOT)]

DEADLINE = 10.0
"""CPU time limit of a case, in seconds; its wall time may be longer on a busy machine."""
STUCK = 300.0
"""Wall time after which a case without CPU time counts as hanging, in seconds."""
START = 120.0
"""CPU time limit of making a case, in seconds."""
MOST = 300.0
"""Memory limit of the child process, in MB."""
GIVE_UP = 20
"""Findings after which a target stops, to be fixed first."""


def main() -> int:
    """Run the targets; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="for each target")
    parser.add_argument("--target", action="append", help="only this one; may be given again")
    parser.add_argument("--seed", type=int, default=0, help="the first")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    from fuzz.targets import TARGETS

    if options.child:
        child(options.target[0], options.seed)
        return 0
    found = 0
    for target in options.target or list(TARGETS):
        found += fuzz(target, options.seed, options.minutes * 60)
    print("no findings" if not found else f"{found} seeds with findings")
    return 1 if found else 0


def child(target: str, seed: int) -> None:
    """Run cases until the parent kills the process; prints a line before and after each."""
    from digitlens.images.opencv_log import silence_opencv
    from fuzz.cases import Found
    from fuzz.targets import run

    faulthandler.enable()
    os.environ["OPENCV_FFMPEG_LOGLEVEL"] = "-8"
    silence_opencv()
    reset, status = Path("/proc/self/clear_refs"), Path("/proc/self/status")
    begun = process_time()
    trim = ctypes.CDLL(None).malloc_trim
    with tempfile.TemporaryDirectory(prefix="digitlens-fuzz-") as folder:
        while True:
            print(f"make {seed}", flush=True)

            def ready(seed: int = seed) -> None:
                nonlocal begun
                gc.collect()  # the case's leftovers are not the product's
                trim(0)
                reset.write_text("5")  # resets the peak
                begun = process_time()
                print(f"begin {seed}", flush=True)

            said = ""
            try:
                run(target, seed, Path(folder), ready)
            except Found as found:
                said = str(found)
            except Exception as error:
                said = f"{type(error).__name__}: {error}"
            taken = process_time() - begun
            peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
            megabytes = int(peak.split()[1]) * 1024 / 1e6
            if not said and megabytes > MOST:
                said = f"memory: {megabytes:.0f} MB"
            print(f"end {seed} {taken:.2f} {megabytes:.0f} {' '.join(said.split())}", flush=True)
            seed += 1


def fuzz(target: str, seed: int, seconds: float) -> int:
    """Run one target; returns the number of seeds with findings."""
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
        rest, since, limit, running, used = b"", monotonic(), START, False, 0.0
        while monotonic() - begin < seconds:
            if not lines.select(1.0):
                if cpu(process.pid) - used > limit or monotonic() - since > STUCK:
                    found += say(target, seed, f"hangs, more than {limit:.0f} s")
                    seed += 1
                    break
                continue
            data = process.stdout.read()
            process.stderr.read()  # libraries' messages, discarded
            if not data:
                if process.wait() or running:
                    found += say(target, seed, f"ended with {process.returncode}")
                seed += 1
                break
            *complete, rest = (rest + data).split(b"\n")
            for line in complete:
                word, number, *more = line.decode().split(" ", 2)
                seed = int(number)
                if word in ("make", "begin"):
                    since, limit, running = monotonic(), START if word == "make" else DEADLINE, True
                    used = cpu(process.pid)
                    continue
                running = False
                cases += 1
                taken, memory, *said = more[0].split(" ", 2)
                slowest, most = max(slowest, float(taken)), max(most, float(memory))
                if said and said[0]:
                    found += say(target, seed, said[0])
                seed += 1
        lines.close()
        process.kill()
        process.communicate()
    print(
        f"{target}: {cases} cases in {(monotonic() - begin) / 60:.1f} minutes, {found} with findings; the "
        f"slowest {slowest:.1f} s, the most memory {most:.0f} MB",
        flush=True,
    )
    return found


def cpu(pid: int) -> float:
    """CPU time of a process, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def say(target: str, seed: int, what: str) -> int:
    """Print a finding; returns 1."""
    print(f"{target} seed {seed}: {what}", flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
