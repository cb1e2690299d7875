"""DIR/report.html: what a run has read, for people; one file without anything from outside."""

from base64 import b64encode
from collections.abc import Iterable
from html import escape
from pathlib import Path

from digitlens.batch.checking import expected_errors, to_check
from digitlens.batch.crops import Place, crops
from digitlens.batch.manifest import Manifest, require, write_text
from digitlens.batch.rows import FAILED
from digitlens.batch.score import Score, load
from digitlens.batch.survey import BINS, Survey, survey
from digitlens.core.confidence import percent

NAME = "report.html"
BARS = 20
"""Bars of the histogram."""
STYLE = """
:root { color-scheme: light dark; --line: #8886; --bar: #2f6f9f; --soft: #888; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
table { border-collapse: collapse; }
th, td { padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top;
border-bottom: 1px solid var(--line); } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .6rem; margin: 1rem 0; }
dl div { border: 1px solid var(--line); border-radius: .4rem; padding: .5rem .8rem; }
dt { color: var(--soft); font-size: .85rem; } dd { margin: 0; font-size: 1.3rem; }
figure { display: inline-block; margin: 0 .6rem .8rem 0; vertical-align: top; max-width: 15rem; }
figure img { max-width: 15rem; max-height: 7rem; background: #fff; border: 1px solid var(--line); }
figcaption { font-size: .8rem; overflow-wrap: anywhere; } small, .soft { color: var(--soft); }
svg { max-width: 100%; height: auto; } svg rect { fill: var(--bar); }
svg text { fill: currentColor; font-size: 11px; }
td { overflow-wrap: anywhere; }
"""


def write_report(folder: Path) -> str:
    """Write the report anew; where it is.

    Raises:
        BatchError: there is no run, a table cannot be read, or the report not be written.
    """
    manifest = require(folder)
    found, score = survey(folder), load(folder)
    places = [unsure.place for unsure in found.least_sure]
    # Of what has a box the picture was decoded once; what failed may stall or end whoever opens it.
    places += [one for some in found.examples.values() for one in some if one.box is not None]
    pictures = dict(crops(places, ".jpg"))  # a tenth of a PNG
    parts = [
        _counts(found),
        _rates(found, score),
        _histogram(found),
        _check(found, score),
        _reasons(found, pictures),
        _least_sure(found, pictures),
        _made_of(manifest),
    ]
    title = escape(f"digitlens: {', '.join(manifest.sources)}")
    write_text(
        folder / NAME,
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{title}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{STYLE}</style>\n<h1>{title}</h1>\n" + "\n".join(parts) + "\n</html>\n",
    )
    return f"report: {folder / NAME}"


def _counts(found: Survey) -> str:
    numbers = sum(count for state, count in found.states.items() if state != FAILED)
    mean = found.milliseconds / max(found.pages, 1)
    values = {
        "documents": f"{found.documents:,}",
        "pages": f"{found.pages:,}",
        "numbers or fields": f"{numbers:,}",
        "pages that failed": f"{found.failed:,} ({found.failed / max(found.pages, 1):.2%})",
        "pages a second and worker": f"{1000 / mean:.1f}" if mean else "-",
        "slowest page": f"{found.slowest / 1000:.2f} s",
        "read": f"{found.bytes / 1e6:,.1f} MB",
    }
    cells = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in values.items())
    states = ", ".join(f"{escape(state)} {count:,}" for state, count in found.states.most_common())
    return f"<dl>{cells}</dl><p class=soft>Rows by state: {states or 'none'}.</p>"


def _rates(found: Survey, score: Score | None) -> str:
    if score is None:
        guess = float(expected_errors(found, None).sum()) / max(found.rows, 1)
        return (
            f"<h2>Error rate</h2><p>Not measured. The confidences alone say that {guess:.1%} of the numbers "
            "are wrong, and they are not calibrated on this paper. <code>digitlens batch --out DIR --sample "
            "300</code> draws numbers for a person to check.</p>"
        )
    low, high = score.interval
    rows = (
        (
            f"{one.low:g} to {one.high:g}", f"{one.population:,}", f"{one.checked:,}", f"{one.wrong:,}",
            f"{one.rate:.1%}" if one.checked else "?", f"{one.interval[0]:.1%} to {one.interval[1]:.1%}",
        )
        for one in score.strata
        if one.population
    )  # fmt: skip
    heads = ("confidence", "numbers", "checked", "wrong", "error rate", "95 % interval")
    unreadable = f" {score.unreadable} crops that nobody could read are left out." if score.unreadable else ""
    return (
        f"<h2>Error rate</h2><p><b>{score.rate:.2%}</b> of the numbers are wrong (95 % interval {low:.2%} to "
        f"{high:.2%}), by {score.checked:,} that a person has checked.{unreadable} Numbers that were "
        f"not found at all are not in this rate.</p>{_table(heads, rows)}"
    )


def _histogram(found: Survey) -> str:
    if not found.rows:
        return "<h2>Confidences</h2><p>None.</p>"
    counts = found.confidences.reshape(BARS, BINS // BARS).sum(axis=1)
    tallest = float(counts.max())
    bars = []
    for index, count in enumerate(counts):
        height = 120 * float(count) / tallest
        bars.append(
            f'<rect x="{index * 34 + 2}" y="{140 - height:.1f}" width="30" height="{height:.1f}">'
            f"<title>{index / BARS:g} to {(index + 1) / BARS:g}: {int(count):,}</title></rect>"
            f'<text x="{index * 34 + 17}" y="{134 - height:.1f}" text-anchor="middle">'
            f"{_short(int(count))}</text>"
        )
    ticks = "".join(
        f'<text x="{2 + index * 34}" y="156" text-anchor="middle">{index / BARS:g}</text>'
        for index in range(0, BARS + 1, 4)
    )
    return (
        "<h2>Confidences</h2><svg viewBox='-8 0 704 160' width='704' height='160' role='img' "
        f"aria-label='histogram of confidences'>{''.join(bars)}{ticks}</svg>"
    )


def _check(found: Survey, score: Score | None) -> str:
    if not found.rows:
        return ""
    errors = expected_errors(found, score)
    rows = (
        (f"{rate:.1%}", f"{count:,}", f"{count / found.rows:.1%}")
        for rate, count in to_check(found.confidences, errors)
    )
    by = "the checked sample's error rates" if score else "the confidences, not checked on this paper"
    return (
        "<h2>To reach an error rate</h2><p>How many numbers a person must look at, the least sure first, "
        f"by {by}.</p>"
        f"{_table(('error rate', 'numbers to look at', 'of all'), rows)}"
    )


def _reasons(found: Survey, pictures: dict[Place, bytes]) -> str:
    if not found.reasons:
        return "<h2>Failures</h2><p>None.</p>"
    parts = ["<h2>Failures, by their reasons</h2>"]
    for text, count in found.reasons.most_common():
        shown = [
            f"<figure>{_image(pictures.get(place))}<figcaption>{_where(place)}</figcaption></figure>"
            for place in found.examples[text]
        ]
        parts.append(f"<h3>{count:,} &times; {escape(text)}</h3>{''.join(shown)}")
    return "\n".join(parts)


def _least_sure(found: Survey, pictures: dict[Place, bytes]) -> str:
    shown = [
        f"<figure>{_image(pictures.get(one.place))}<figcaption><b>{escape(one.text)}</b> "
        f"{percent(one.confidence)}<br>"
        f"{_where(one.place)}</figcaption></figure>"
        for one in found.least_sure
    ]
    return f"<h2>The least sure {len(shown)}</h2>{''.join(shown)}" if shown else ""


def _made_of(manifest: Manifest) -> str:
    rows = ((escape(name), escape(value)) for name, value in manifest.fingerprint.items())
    return f"<h2>Read with</h2>{_table(('what', 'value'), rows)}"


def _where(place: Place) -> str:
    return f"<small>{escape(place.id)}, page {place.page}</small>"


def _image(jpeg: bytes | None) -> str:
    if jpeg is None:
        return ""
    return f'<img alt="" src="data:image/jpeg;base64,{b64encode(jpeg).decode()}">'


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    def line(tag: str, cells: Iterable[str]) -> str:
        return "".join(
            f"<{tag}{' class=n' if index else ''}>{cell}</{tag}>" for index, cell in enumerate(cells)
        )

    body = "".join(f"<tr>{line('td', row)}</tr>" for row in rows)
    return f"<table><tr>{line('th', heads)}</tr>{body}</table>"


def _short(count: int) -> str:
    """A count in at most four characters, about."""
    for unit, sign in ((1_000_000, "M"), (1_000, "k")):
        if count >= unit:
            return f"{count / unit:.3g}{sign}"
    return str(count) if count else ""
