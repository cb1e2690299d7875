"""The live loop's vitals in Prometheus' text format, and in two words: do frames flow?"""

import platform
from collections.abc import Iterator, Mapping

from digitlens.live.benchmark import memory
from digitlens.live.stats import BOUNDS, StatsSnapshot

TYPE = "text/plain; version=0.0.4; charset=utf-8"
Outbox = Mapping[str, Mapping[str, int]]
"""The keys of OUTBOX -> how many entries, by outlet."""
OUTBOX = {
    "waiting": ("outbox_entries", "gauge", "Entries that a receiver has not acknowledged yet."),
    "let_go": ("outbox_let_go_total", "counter", "Entries let go for want of room before they were sent."),
    "set_aside": ("outbox_set_aside_entries", "gauge", "Entries that their receiver has refused."),
}
PATIENCE = 5.0
"""Seconds that the newest frame may be old; of a slow camera, three frames' time."""


def trouble(vitals: StatsSnapshot) -> str:
    """Why no frames flow; empty if they do."""
    if vitals.lost:
        return vitals.lost
    if vitals.age is None:
        return "no frame has come yet"
    patience = max(PATIENCE, 3 / vitals.frames_per_second) if vitals.frames_per_second else PATIENCE
    if vitals.age > patience:
        return f"{vitals.camera}: no frame for {vitals.age:.0f} s"
    return ""


def exposition(vitals: StatsSnapshot, outbox: Outbox, viewers: int, version: str) -> str:
    """The text; one line a sample, durations in seconds."""
    return "".join(f"{line}\n" for line in _lines(vitals, outbox, viewers, version))


def _lines(vitals: StatsSnapshot, outbox: Outbox, viewers: int, version: str) -> Iterator[str]:
    yield from _one("frames_captured_total", "counter", "Frames that came from the camera.", vitals.captured)
    yield from _one("frames_read_total", "counter", "Frames that were read, not known already.", vitals.read)
    yield from _one("frames_dropped_total", "counter", "Frames that nobody took in time.", vitals.dropped)
    yield from _one("camera_reopened_total", "counter", "Times a lost camera was reopened.", vitals.reopened)
    yield from _one("camera_up", "gauge", "1 while frames flow.", int(not trouble(vitals)))
    yield from _one("frames_per_second", "gauge", "The mean of the last frames.", vitals.frames_per_second)
    if vitals.age is not None:
        yield from _one("frame_age_seconds", "gauge", "The age of the newest frame.", vitals.age)
    yield from _head("stage_seconds", "histogram", "Time by stage; of the stage camera it is CPU time.")
    for stage, histogram in sorted(vitals.stages.items()):
        label, total = f'stage="{_quoted(stage)}"', 0
        for bound, count in zip(
            (*(f"{bound / 1000:g}" for bound in BOUNDS), "+Inf"), histogram.counts, strict=True
        ):
            total += count
            yield f'digitlens_stage_seconds_bucket{{{label},le="{bound}"}} {total}'
        yield f"digitlens_stage_seconds_sum{{{label}}} {histogram.sum / 1000:.9g}"
        yield f"digitlens_stage_seconds_count{{{label}}} {total}"
    for what, (name, kind, about) in OUTBOX.items():
        yield from _head(name, kind, about)
        for outlet, count in sorted(outbox.get(what, {}).items()):
            yield f'digitlens_{name}{{outlet="{_quoted(outlet)}"}} {count}'
    yield from _one("web_viewers", "gauge", "Pages that are open.", viewers)
    yield from _one("memory_bytes", "gauge", "Resident memory of the process.", int(memory("VmRSS") * 2**20))
    yield from _head("build_info", "gauge", "Always 1; the labels say what runs.")
    yield (
        f'digitlens_build_info{{version="{_quoted(version)}",python="{platform.python_version()}",'
        f'machine="{_quoted(platform.machine())}",camera="{_quoted(vitals.camera)}"}} 1'
    )


def _head(name: str, kind: str, about: str) -> Iterator[str]:
    yield f"# HELP digitlens_{name} {about}"
    yield f"# TYPE digitlens_{name} {kind}"


def _one(name: str, kind: str, about: str, value: float) -> Iterator[str]:
    yield from _head(name, kind, about)
    yield f"digitlens_{name} {value:.9g}" if isinstance(value, float) else f"digitlens_{name} {value}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
