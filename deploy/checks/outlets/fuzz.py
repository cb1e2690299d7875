"""Fuzzing: answers of HTTP servers, packets at a broker's port, payloads of others, damaged outboxes.

    python deploy/checks/outlets/fuzz.py [--minutes 10] [--seed N]

Each case comes from a seed (tests/edge/outlets/fuzzing.py). A seed that fails is printed, and belongs into
tests/edge/outlets/test_outlet_fuzz.py.
"""

import argparse
import random
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT / "edge"), str(ROOT)]
from digitlens.outlets.webhook import WebhookTiming  # noqa: E402
from tests.edge.outlets import test_outlet_fuzz as cases  # noqa: E402


def main() -> int:
    """Go through the kinds in turn until the time is over; 0 if nothing failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    options = parser.parse_args()
    crashed: list[str] = []
    threading.excepthook = lambda hook: crashed.append(repr(hook.exc_value))
    # A receiver may ask for an hour of patience, by a date in the next millennium.
    timing = WebhookTiming(pauses=(0.001,), longest_retry_after=0.01)
    kinds: dict[str, Callable[[list[int], Path], object]] = {
        "answers": partial(cases.answers, timing=timing),
        "packets": cases.packets,
        "payloads": cases.payloads,
        "outboxes": cases.outboxes,
    }
    until = monotonic() + 60 * options.minutes
    seed, done, failed = options.seed, dict.fromkeys(kinds, 0), 0
    while monotonic() < until:
        for name, run in kinds.items():
            seeds = list(range(seed, seed + 50))
            try:
                with tempfile.TemporaryDirectory() as folder:
                    run(seeds, Path(folder))
            except Exception:
                failed += 1
                print(f"{name} from {seed}:\n{traceback.format_exc()}", flush=True)
            if crashed:
                failed += 1
                print(f"{name} from {seed}: a thread ended: {crashed}", flush=True)
                crashed.clear()
            done[name] += len(seeds)
            seed += len(seeds)
    print(f"seeds {options.seed} to {seed}: {done}, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
