"""The live loop's statistics in Prometheus' text format, and whether frames arrive."""

import platform
from collections.abc import Iterator, Mapping

from digitlens.live.benchmark import memory
from digitlens.live.stats import BOUNDS, StatsSnapshot

TYPE = "text/plain; version=0.0.4; charset=utf-8"
OutboxCounts = Mapping[str, Mapping[str, int]]
"""A key of COUNTS -> outlet -> count."""
COUNTS = {
    "pending": ("outbox_entries", "gauge", "Entries that a receiver has not acknowledged yet."),
    "evicted": ("outbox_let_go_total", "counter", "Entries evicted for want of room before they were sent."),
    "dead_letters": ("outbox_set_aside_entries", "gauge", "Entries that their receiver has refused."),
    "reopened": ("outlet_reopened_total", "counter", "Times an outlet failed by an error of its own."),
}
"""What is counted by outlet -> its metric's name, type and help. Metric names are a stable interface."""
MAX_FRAME_AGE = 5.0
"""Age of the newest frame at the most while frames arrive, seconds; for a slow camera three frames' time."""


def outage(stats: StatsSnapshot) -> str:
    """Why no frames arrive; empty while they do."""
    if stats.lost:
        return stats.lost
    if stats.age is None:
        return "no frame has come yet"
    max_age = max(MAX_FRAME_AGE, 3 / stats.frames_per_second) if stats.frames_per_second else MAX_FRAME_AGE
    if stats.age > max_age:
        return f"{stats.camera}: no frame for {stats.age:.0f} s"
    return ""


def exposition(stats: StatsSnapshot, outbox: OutboxCounts, clients: int, version: str) -> str:
    """The exposition text: one line a sample, durations in seconds."""
    return "".join(f"{line}\n" for line in _lines(stats, outbox, clients, version))


def _lines(stats: StatsSnapshot, outbox: OutboxCounts, clients: int, version: str) -> Iterator[str]:
    yield from _one("frames_captured_total", "counter", "Frames that came from the camera.", stats.captured)
    yield from _one("frames_read_total", "counter", "Frames that were read, not known already.", stats.read)
    yield from _one("frames_dropped_total", "counter", "Frames that nobody took in time.", stats.dropped)
    yield from _one("camera_reopened_total", "counter", "Times a lost camera was reopened.", stats.reopened)
    yield from _one("camera_up", "gauge", "1 while frames flow.", int(not outage(stats)))
    yield from _one("frames_per_second", "gauge", "The mean of the last frames.", stats.frames_per_second)
    if stats.age is not None:
        yield from _one("frame_age_seconds", "gauge", "The age of the newest frame.", stats.age)
    yield from _head("stage_seconds", "histogram", "Time by stage; of the stage camera it is CPU time.")
    for stage, histogram in sorted(stats.stages.items()):
        label, total = f'stage="{_quoted(stage)}"', 0
        for bound, count in zip(
            (*(f"{bound / 1000:g}" for bound in BOUNDS), "+Inf"), histogram.counts, strict=True
        ):
            total += count
            yield f'digitlens_stage_seconds_bucket{{{label},le="{bound}"}} {total}'
        yield f"digitlens_stage_seconds_sum{{{label}}} {histogram.sum / 1000:.9g}"
        yield f"digitlens_stage_seconds_count{{{label}}} {total}"
    for state, (name, kind, about) in COUNTS.items():
        yield from _head(name, kind, about)
        for outlet, count in sorted(outbox.get(state, {}).items()):
            yield f'digitlens_{name}{{outlet="{_quoted(outlet)}"}} {count}'
    yield from _one("web_viewers", "gauge", "Pages that are open.", clients)
    yield from _one("memory_bytes", "gauge", "Resident memory of the process.", int(memory("VmRSS") * 2**20))
    yield from _head("build_info", "gauge", "Always 1; the labels say what runs.")
    yield (
        f'digitlens_build_info{{version="{_quoted(version)}",python="{platform.python_version()}",'
        f'machine="{_quoted(platform.machine())}",camera="{_quoted(stats.camera)}"}} 1'
    )


def _head(name: str, kind: str, about: str) -> Iterator[str]:
    yield f"# HELP digitlens_{name} {about}"
    yield f"# TYPE digitlens_{name} {kind}"


def _one(name: str, kind: str, about: str, value: float) -> Iterator[str]:
    yield from _head(name, kind, about)
    yield f"digitlens_{name} {value:.9g}" if isinstance(value, float) else f"digitlens_{name} {value}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
