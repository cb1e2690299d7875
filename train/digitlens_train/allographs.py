"""Allographs: the shapes that digits have in different handwritings, as pen paths of a few points each.

x points right and y down, about in the unit square; digitlens_train.drawn_digits makes curves of them.
Each function draws one shape and its proportions.
"""

from collections.abc import Callable

import numpy as np

PenPath = list[tuple[float, float]]
Allograph = Callable[[np.random.Generator], list[PenPath]]


def _zero(random: np.random.Generator) -> list[PenPath]:
    """Closed, open, with a tail at either end, with a curl in it, or as an a."""
    path: PenPath = [(0.55, 0.02), (0.15, 0.22), (0.08, 0.7), (0.45, 0.98), (0.88, 0.7), (0.85, 0.25)]
    kind = random.random()
    if kind < 0.35:
        path += [(0.55, 0.03), (0.3, 0.12)]
    elif kind < 0.55:
        path += [(0.6, 0.06)]
    elif kind < 0.72:
        path = [(random.uniform(0.75, 1.1), random.uniform(-0.1, 0.05)), *path, (0.5, 0.1)]
    elif kind < 0.82:
        path += [(0.5, 0.04), (0.35, 0.22), (0.6, 0.33), (random.uniform(0.9, 1.3), random.uniform(0, 0.3))]
    elif kind < 0.92:
        top = random.uniform(0.05, 0.2)
        path = [(0.8, top), (0.35, 0.0), (0.05, 0.5), (0.35, 0.98), (0.75, 0.65), (0.85, top)]
        path += [(0.9, 0.7), (random.uniform(1.05, 1.3), random.uniform(0.85, 1.0))]
    else:  # begun at its feet, as a written e that is closed
        start = (random.uniform(-0.3, 0.1), random.uniform(0.75, 1.0))
        path = [start, (0.75, 0.45), (0.82, 0.15), (0.5, 0.0), (0.12, 0.35), (0.15, 0.8), (0.55, 1.0)]
        path += [(0.85, 0.75), (0.85, random.uniform(0.3, 0.5))]
    return [path]


def _one(random: np.random.Generator) -> list[PenPath]:
    """With an upstroke from as low as the baseline; with a loop at the turn; with a hook below."""
    kind = random.random()
    lean = random.normal(0.0, 0.06)
    if kind < 0.6:  # the upstroke straight, hollow or bulging, as long as the stem or half of it
        top = (0.5 + lean, 0.0)
        reach = random.uniform(0.2, 0.9)
        fall = random.uniform(max(0.25, 0.75 * reach), 1.05)
        start = (top[0] - reach, fall)
        bulge = random.normal(0.02, 0.07)
        half = (top[0] - 0.45 * reach + bulge, 0.5 * fall + bulge)
        up: PenPath = [start, half, top]
        if random.random() < 0.25:  # the pen comes in from below
            up = [(start[0] + random.uniform(-0.12, 0.0), fall - random.uniform(0.02, 0.15)), *up]
        foot = (0.5 - lean - random.uniform(-0.05, 0.12), random.uniform(0.95, 1.05))
        stem: PenPath = [top, ((top[0] + foot[0]) / 2, 0.5), foot]
        if random.random() < 0.2:
            stem.append((foot[0] + random.uniform(0.1, 0.3), foot[1] - random.uniform(0.0, 0.1)))
        return [up, stem]
    start = random.uniform(-0.1, 0.3), random.uniform(0.25, 0.85)
    foot_x = random.uniform(0.3, 0.55)
    if kind < 0.85:  # a narrow loop or a wide one, its stem with a hook or none
        wide = random.uniform(0.02, 0.22)
        low = random.uniform(0.1, 0.3)
        loop: PenPath = [start, (0.5, low), (0.5 + 0.8 * wide, 0.04), (0.5, 0.0), (0.5 - wide, 0.06)]
        loop += [(0.5 - 0.7 * wide, low + 0.12), (foot_x + 0.02, 0.6), (foot_x, 1.0)]
        if random.random() < 0.35:
            loop.append((foot_x + random.uniform(0.12, 0.3), random.uniform(0.88, 1.0)))
        return [loop]
    if kind < 0.93:  # as an f that is not crossed, or a long s
        hooked: PenPath = [(0.75, random.uniform(0.05, 0.15)), (0.58, 0.0), (0.48, 0.15), (0.47, 0.6)]
        return [[*hooked, (foot_x, 1.0)]]
    return [[start, (0.5, 0.0)], [(0.5, 0.0), (0.47, 0.5), (foot_x + 0.05, 0.92), (foot_x + 0.2, 0.97)]]


def _two(random: np.random.Generator) -> list[PenPath]:
    """With a loop at its foot, small or as large as its head; as a Z; its head curled in or a ring."""
    kind = random.random()
    if kind < 0.25:  # no loop: sharp at the foot, and sometimes at the top
        reach = random.uniform(0.55, 1.3)
        base: PenPath = [
            (0.05, 0.97),
            (reach / 2, random.uniform(0.88, 1.02)),
            (reach, random.uniform(0.9, 1.0)),
        ]
        if random.random() < 0.5:
            top: PenPath = [(random.uniform(0, 0.2), random.uniform(0.02, 0.2)), (0.5, 0.03), (0.88, 0.06)]
            return [top, [(0.88, 0.06), (0.5, 0.5), (0.05, 0.97)], base]
        return [[(0.1, 0.3), (0.35, 0.02), (0.78, 0.1), (0.7, 0.42), (0.05, 0.97)], base]
    head: PenPath = [(0.15, 0.25), (0.35, 0.02), (0.75, 0.06), (0.78, 0.35), (0.5, 0.68)]
    if kind < 0.4:
        head = [(0.42, 0.33), (0.2, 0.25), (0.4, 0.0), (0.75, 0.15), (0.66, 0.5), (0.45, 0.75)]
    elif kind < 0.62:  # a ring, closed or nearly, and the pen continues down from it
        low, left = random.uniform(0.3, 0.52), random.uniform(0.05, 0.25)
        start = (random.uniform(0.35, 0.75), low + random.uniform(-0.1, 0.05))
        head = [start, (left + 0.1, low), (left, 0.6 * low), (0.4, 0.0), (0.78, 0.12)]
        head += [(0.8, 0.4), (0.62, 0.66)]
    size = random.uniform(0.3, 2.0)
    x, y = random.uniform(0.15, 0.3), 0.86
    loop: PenPath = [
        (x, y + 0.08 * size),
        (x - 0.17 * size, y + 0.08 * size),
        (x - 0.16 * size, y - 0.08 * size),
        (x + 0.08 * size, y - 0.08 * size),
        (0.55, random.uniform(0.88, 0.98)),
    ]
    if random.random() < 0.15:  # no loop, but the foot's turn is round
        loop = [(x, y + 0.06), (x - 0.08, y + 0.1), (0.45, random.uniform(0.85, 0.97))]
    ending = random.random()
    if size > 1.2 and ending > 0.6:  # a large ring below, and a short tail down from it
        return [[*head, *loop[:4], (0.55, 0.85), (random.uniform(0.65, 0.95), random.uniform(0.95, 1.15))]]
    if ending < 0.2:  # the pen flies off to the next digit
        return [[*head, *loop, (random.uniform(1.1, 1.6), random.uniform(0.4, 0.8))]]
    if ending < 0.4:  # hardly a foot
        return [[*head, *loop[:4], (random.uniform(0.4, 0.65), random.uniform(0.88, 1.0))]]
    return [[*head, *loop, (random.uniform(0.85, 1.25), random.uniform(0.8, 1.05))]]


def _three(random: np.random.Generator) -> list[PenPath]:
    """With a flat top, or round, or as a Z with a belly; below round, or straight down to the left."""
    if random.random() < 0.25:
        foot = random.uniform(0.35, 0.6)
        upper: PenPath = [(0.12, 0.1), (0.5, 0.0), (0.85, 0.12), (0.4, 0.36)]
        return [[*upper, (0.8, 0.5), (0.68, 0.72), (foot, random.uniform(0.95, 1.2))]]
    if random.random() < 0.25:  # its waist a small loop
        top: PenPath = [(0.15, 0.15), (0.45, 0.0), (0.75, 0.14), (0.5, 0.42), (0.35, 0.45), (0.42, 0.36)]
        return [[*top, (0.8, 0.6), (0.7, 0.92), (0.35, 1.0), (0.05, 0.85)]]
    corner = random.uniform(0.7, 1.05)
    flat: PenPath = [(random.uniform(-0.1, 0.1), random.uniform(0.02, 0.12)), (0.4, 0.03), (corner, 0.03)]
    belly: PenPath = [(corner, 0.03), (0.45, 0.38), (0.8, 0.5), (0.85, 0.78)]
    if random.random() < 0.3:
        return [flat, [*belly[:3], (0.72, 0.75), (random.uniform(0.05, 0.35), random.uniform(1.0, 1.15))]]
    return [flat, [*belly, (0.5, 0.99), (0.08, 0.88)]]


def _four(random: np.random.Generator) -> list[PenPath]:
    """Open or closed, pointed or round, its stem of any length and reach; as an h turned over, as a y."""
    bar = random.uniform(0.45, 0.75)
    foot = random.uniform(0.85, 1.15)
    kind = random.random()
    if kind > 0.82:  # the stem apart from the corner, and leaning
        start = (random.uniform(0.6, 0.95), random.uniform(0.0, 0.45))
        bent: PenPath = [(random.uniform(0.2, 0.6), 0.0), (0.2, 0.5 * bar), (0.05, bar)]
        flat: PenPath = [(0.05, bar), (0.5, bar), (random.uniform(0.8, 1.2), bar - random.uniform(0, 0.2))]
        return [bent, flat, [start, (start[0] - random.uniform(0.0, 0.35), foot + random.uniform(0.0, 0.25))]]
    if kind > 0.67:  # in one go: down, up to the right, and down again, as a y or a u with a stem
        low = random.uniform(0.4, 0.65)
        end = random.uniform(0.5, 0.95)
        cup: PenPath = [
            (random.uniform(0.1, 0.35), random.uniform(0.0, 0.12)),
            (0.08, 0.5 * low),
            (0.12, low),
        ]
        cup += [(0.4, low + random.uniform(-0.05, 0.05)), (0.8, random.uniform(0.0, 0.3))]
        return [cup, [cup[-1], (0.5 * (0.8 + end), 0.6), (end - random.uniform(0.05, 0.3), foot + 0.1)]]
    if kind < 0.22:  # a 9, but for its bar
        top = (random.uniform(0.5, 0.65), random.uniform(0.0, 0.06))
        bow = random.uniform(0.12, 0.3)
        corner: PenPath = [top, (bow + 0.12, 0.12), (bow - 0.06, bar * 0.7), (bow, bar)]
    elif kind < 0.5:
        corner = [(random.uniform(0.2, 0.5), 0.0), (0.22, bar / 2), (0.08, bar)]
        top = (random.uniform(0.6, 0.85), random.uniform(0.0, 0.4))
        if random.random() < 0.35:  # with a loop where it turns
            round_ = random.uniform(0.04, 0.14)
            corner[-1:] = [(0.15, bar), (0.15 - round_, bar + round_), (0.12 - round_, bar - round_)]
            corner.append((0.25, bar - 0.02))
    else:
        top = (random.uniform(0.55, 0.75), 0.0)
        corner = [top, (0.35, bar / 2), (0.05, bar)]
    across: PenPath = [corner[-1], (0.5, bar), (random.uniform(0.75, 1.2), bar - random.uniform(-0.02, 0.12))]
    return [corner, across, [top, (top[0] - 0.02, 0.5), (top[0] - random.uniform(0, 0.2), foot)]]


def _five(random: np.random.Generator) -> list[PenPath]:
    """Its flag short or far, joined or not; as an S, round or of corners; as a root; as a J with a flag."""
    kind = random.random()
    if kind < 0.25:
        top: PenPath = [(random.uniform(0.75, 1.2), random.uniform(-0.05, 0.15)), (0.45, 0.02), (0.2, 0.25)]
        belly: PenPath = [(0.55, 0.48), (random.uniform(0.7, 0.9), 0.72), (0.45, 0.99)]
        return [[*top, *belly, (random.uniform(-0.05, 0.15), random.uniform(0.7, 0.95))]]
    if kind < 0.38:  # of corners, nearly a mirrored Z
        neck = random.uniform(0.35, 0.5)
        left, right = random.uniform(0.05, 0.3), random.uniform(0.65, 0.95)
        corners: PenPath = [(left + 0.05, 0.04), (left, neck), (0.5, neck + random.uniform(-0.05, 0.08))]
        corners += [(right, neck + 0.15), (right - 0.05, 0.85), (random.uniform(0.2, 0.5), 0.98)]
        corners += [(random.uniform(-0.15, 0.1), random.uniform(0.88, 1.02))]
        return [[(random.uniform(0.75, 1.15), random.uniform(-0.05, 0.1)), (left + 0.05, 0.04)], corners]
    if kind < 0.49:
        hook = random.uniform(0.45, 0.8)
        stem: PenPath = [(0.6, 0.05), (0.45, 0.5), (0.3, 0.96), (0.12, 0.5 + 0.5 * hook), (0.03, hook)]
        return [stem, [(0.6, 0.05), (0.85, 0.02), (random.uniform(0.9, 1.6), random.uniform(-0.12, 0.05))]]
    if kind < 0.6:  # the stem falls straight into the belly, its flag over it or through it
        deep = random.uniform(0.75, 0.92)
        fall: PenPath = [(0.42, 0.0), (0.4, 0.4), (0.6, 0.55), (0.62, deep), (0.3, 1.0), (0.0, deep)]
        high = random.uniform(0.0, 0.14)
        left = random.uniform(-0.2, 0.42)
        return [fall, [(left, high + 0.03), (random.uniform(0.7, 1.3), high + random.uniform(-0.1, 0.03))]]
    body: PenPath = [(0.28, 0.05), (0.2, 0.42), (0.5, 0.36), (0.85, 0.6), (0.65, 0.93), (0.08, 0.92)]
    start = 0.28 + max(0.0, random.normal(0, 0.06))
    reach = random.uniform(0.7, 1.5)
    return [body, [(start, 0.05), ((start + reach) / 2, 0.03), (reach, random.uniform(-0.08, 0.08))]]


def _six(random: np.random.Generator) -> list[PenPath]:
    """Its loop closed or not; as a G; straight as a b; begun with a hook, its loop far to the right."""
    kind = random.random()
    if kind < 0.08:  # as a G
        back: PenPath = [(random.uniform(0.7, 0.95), random.uniform(0.05, 0.2)), (0.45, 0.0), (0.08, 0.4)]
        back += [(0.2, 0.9), (0.55, 1.0), (0.85, 0.8), (0.8, random.uniform(0.5, 0.65))]
        return [[*back, (random.uniform(0.35, 0.6), random.uniform(0.5, 0.7))]]
    if kind < 0.5:
        close = random.uniform(0.15, 0.4)
        return [[(0.75, 0.0), (0.3, 0.35), (0.1, 0.72), (0.4, 0.99), (0.8, 0.8), (0.6, 0.52), (close, 0.68)]]
    if kind < 0.75:
        path: PenPath = [(random.uniform(0.15, 0.35), 0.0), (0.12, 0.6), (0.3, 0.97), (0.75, 0.85)]
        return [[*path, (0.7, 0.6), (0.4, 0.58), (random.uniform(0.15, 0.35), 0.72)]]
    hook: PenPath = [(random.uniform(0.0, 0.15), 0.12), (0.22, 0.0), (0.22, 0.5), (0.45, 0.96)]
    return [[*hook, (0.88, 0.85), (0.9, 0.62), (0.65, 0.58), (random.uniform(0.35, 0.55), 0.75)]]


def _seven(random: np.random.Generator) -> list[PenPath]:
    """With a hook where the pen came in, a wave or a cup as its top, a bar through its stem at any height."""
    if random.random() < 0.17:  # nearly a t: hardly a top, a far bar
        lean, height = random.uniform(-0.05, 0.3), random.uniform(0.3, 0.6)
        stem_: PenPath = [(0.5 + lean, 0.0), (0.5, 0.5), (0.5 - lean, 1.0)]
        hook: PenPath = [(0.5 + lean - random.uniform(0.05, 0.35), random.uniform(0, 0.15)), stem_[0]]
        far = random.uniform(0.3, 0.75)
        return [hook, stem_, [(0.5 - random.uniform(0.15, 0.5), height + 0.04), (0.5 + far, height)]]
    corner = random.uniform(0.7, 1.0)
    wave = random.normal(0, 0.06)
    top: PenPath = [(0.1, 0.1), (0.32, 0.06 + wave), (0.58, 0.1 - wave), (corner, 0.04)]
    kind = random.random()
    if kind < 0.2:
        cup = random.uniform(0.18, 0.42)
        top = [(random.uniform(0.0, 0.3), -0.02), (0.08, cup - 0.08), (0.38, cup), (corner, 0.02)]
    elif kind < 0.35:  # its top far to the left and falling, the corner a narrow one
        top = [
            (random.uniform(-0.4, -0.05), random.uniform(-0.05, 0.15)),
            (0.25, 0.02 + wave),
            (corner, 0.04),
        ]
    elif kind < 0.8:
        top = [(random.uniform(-0.02, 0.14), random.uniform(0.15, 0.4)), *top]
    foot = random.uniform(0.2, 0.75)
    bend = random.normal(0, 0.07)
    stem: PenPath = [(corner, 0.04), ((corner + foot) / 2 + bend, 0.5), (foot, random.uniform(0.95, 1.15))]
    if random.random() < 0.15:
        stem.append((foot - random.uniform(0.05, 0.25), 1.0))
    paths = [top, stem]
    if random.random() < 0.75:
        height = random.uniform(0.32, 0.8)
        x = corner + (foot - corner) * height + bend
        left, right = random.uniform(0.12, 0.6), random.uniform(0.1, 0.6)
        if random.random() < 0.4:  # begun far to the left, ended where it has met the stem
            left, right = random.uniform(0.4, 0.8), random.uniform(-0.03, 0.2)
        slope = random.normal(0.1, 0.2)
        bar: PenPath = [(x - left, height + slope * left), (x, height), (x + right, height - slope * right)]
        if random.random() < 0.25:  # the bar hangs together with the top or the foot
            bar[0] = (x - left, height - random.uniform(0.05, 0.2))
        paths.append(bar)
    return paths


def _eight(random: np.random.Generator) -> list[PenPath]:
    """In one go; of two rings; or two crossing strokes that are closed below and open above."""
    kind = random.random()
    over = random.uniform(0.1, 0.3)
    if kind < 0.25:
        left, right = random.uniform(0.05, 0.25), random.uniform(0.75, 0.95)
        path: PenPath = [(right, 0.04), (0.48, 0.5), (0.18, 0.8), (0.45, 1.0), (0.72, 0.8)]
        return [[*path, (0.5, 0.5), (left, random.uniform(0.0, 0.15))]]
    if kind < 0.45:
        waist = random.uniform(0.35, 0.55)
        upper: PenPath = [(0.5, 0.0), (0.2, waist / 2), (0.5, waist), (0.8, waist / 2), (0.5, 0.0)]
        lower: PenPath = [
            (0.5, waist),
            (0.1, (1 + waist) / 2),
            (0.5, 1.0),
            (0.9, (1 + waist) / 2),
            (0.5, waist),
        ]
        return [upper, lower]
    if kind < 0.6:  # begun at the waist; the pen goes off to the right
        begun: PenPath = [(0.75, 0.3), (0.7, 0.05), (0.35, 0.02), (0.25, 0.28), (0.7, 0.62), (0.72, 0.92)]
        begun += [(0.4, 1.0), (0.2, 0.8), (0.45, 0.5), (0.8, random.uniform(0.1, 0.35))]
        return [[*begun, (random.uniform(0.8, 1.2), random.uniform(-0.05, 0.3))]]
    down: PenPath = [(0.8, 0.18), (0.5, 0.0), (0.2, 0.2), (0.5, 0.47), (0.85, 0.76), (0.5, 1.0)]
    return [[*down, (0.12, 0.76), (0.5, 0.48), (0.78, over)]]


def _nine(random: np.random.Generator) -> list[PenPath]:
    """Its stem straight, curved, or curled far to the left; a stalk under its head; its head left open."""
    kind = random.random()
    if kind < 0.25:
        low, x = random.uniform(0.35, 0.5), random.uniform(0.3, 0.5)
        ring: PenPath = [(0.3, low), (0.12, 0.2), (0.4, 0.0), (0.75, 0.12), (0.72, 0.32), (x, low)]
        return [ring, [(x, low), (x - 0.05, 0.7), (x - random.uniform(0.0, 0.25), 1.0)]]
    if kind < 0.4:  # in one go from the stem's top, as a g or a q
        shut = random.uniform(0.05, 0.3)
        ring = [(0.8, shut), (0.5, 0.0), (0.12, 0.22), (0.3, random.uniform(0.42, 0.55)), (0.75, 0.25)]
        stem: PenPath = [(0.75, 0.25), (0.78, 0.7), (random.uniform(0.5, 0.85), random.uniform(0.95, 1.15))]
        return [ring, stem]
    head: PenPath = [(0.82, 0.18), (0.5, 0.02), (0.15, 0.22), (0.32, 0.48), (0.7, 0.38), (0.82, 0.16)]
    if kind < 0.6:
        stem = [(0.82, 0.16), (0.8, 0.6), (random.uniform(0.55, 0.85), 1.0)]
    else:
        stem = [
            (0.82, 0.16),
            (0.86, 0.66),
            (0.62, 0.98),
            (random.uniform(0.05, 0.3), random.uniform(0.8, 0.98)),
        ]
    return [head, stem]


ALLOGRAPHS: tuple[Allograph, ...] = (_zero, _one, _two, _three, _four, _five, _six, _seven, _eight, _nine)
