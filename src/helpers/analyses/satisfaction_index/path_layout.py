"""Where the boxes, the arrows and the numbers of a path diagram stand, so that none hides another.

Boxes stand on a grid whose rows lie half a box apart, so that an arrow finds its way between two of them. Causes stand
left of, or above, their results. The grid is searched from seeded random starts by steepest descent: short arrows, few
crossings, none through a box. An arrow that has no straight way is bent until it has one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

BOX = np.array([1.4, 0.84])  # inches, of a construct
PITCH = np.array([2.42, 1.5])  # inches from box to box, across and down
NUMBER = np.array([0.42, 0.2])  # inches, of the number on an arrow
CLEAR = 0.08  # inches that an arrow keeps from a box that is not its own
GAP = 0.05  # inches between an arrow's tip and its box
MOST_COLUMNS = 3  # more would not be legible on a phone
STARTS, FEWER_STARTS, STEPS = 24, 6, 60  # fewer for more than `MANY` constructs: each takes longer
MANY = 12
BENDS = (0, 0.12, -0.12, 0.22, -0.22, 0.34, -0.34, 0.48, -0.48, 0.64, -0.64, 0.82, -0.82, 1, -1)
HEAD = 0.16  # inches of an arrow's head that no number may hide
ALONG = np.linspace(0, 1, 201)
# What a fault of a drawing costs, in inches of arrow that one would rather draw.
OVERLAP, BACKWARD, THROUGH, CROSSING, NARROW, HIGH, DOWN = 1000.0, 40.0, 14.0, 5.0, 4.0, 1.0, 0.5
NARROW_ANGLE = np.cos(np.radians(16))  # arrows that leave or reach a box closer together than this are hard to tell


@dataclass(frozen=True)
class Arrow:
    """One arrow: its visible part as a quadratic curve, and where its number stands.

    Parameters
    ----------
    curve : ndarray, shape (3, 2)
        Start, control point and end, in inches.
    number : ndarray, shape (2,)
        Centre of the number, in inches.
    """

    curve: np.ndarray
    number: np.ndarray

    def points(self, along: np.ndarray = ALONG) -> np.ndarray:
        """Return points of the curve, shape (points, 2)."""
        return _curve(self.curve, along)


@dataclass(frozen=True)
class Layout:
    """Where everything stands, in inches from the lower left corner.

    Parameters
    ----------
    boxes : ndarray, shape (constructs, 2)
        Centres; every box is `BOX` wide and high.
    arrows : tuple of Arrow
        In the order of the paths.
    size : ndarray, shape (2,)
        Width and height of the whole.
    """

    boxes: np.ndarray
    arrows: tuple[Arrow, ...]
    size: np.ndarray


def lay_out(constructs: int, paths: np.ndarray) -> Layout:
    """Return a layout of a path model.

    Parameters
    ----------
    constructs : int
        How many boxes.
    paths : ndarray of int, shape (arrows, 2)
        Source and target of each arrow; without cycles.
    """
    paths = np.asarray(paths, dtype=int).reshape(-1, 2)
    places = _places(constructs, paths)
    boxes = places * PITCH
    curves = [_route(boxes, source, target) for source, target in paths]
    arrows = _numbered(boxes, [Arrow(curve, curve[1]) for curve in curves])
    everything = np.concatenate([boxes - BOX / 2, boxes + BOX / 2, *(arrow.points() for arrow in arrows)])
    low, high = everything.min(axis=0), everything.max(axis=0)
    turned = np.array([1.0, -1.0])  # the first row is drawn on top
    corner = np.array([low[0], -high[1]])
    moved = [Arrow(arrow.curve * turned - corner, arrow.number * turned - corner) for arrow in arrows]
    return Layout(boxes * turned - corner, tuple(moved), high - low)


def _places(constructs: int, paths: np.ndarray) -> np.ndarray:
    """Return column and row (a multiple of a half) of each box."""
    columns = min(constructs, MOST_COLUMNS)
    rows = 2 * -(-constructs // columns) + 1
    grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows) / 2), axis=-1).reshape(-1, 2)
    cost = _Cost.of(grid, paths)
    random = np.random.default_rng(0)
    starts = STARTS if constructs <= MANY else FEWER_STARTS
    found = [_descended(random.permutation(len(grid))[:constructs], cost, len(grid)) for _ in range(starts)]
    places = grid[found[int(np.argmin(cost(np.stack(found))))]]
    return _causes_on_top(places, paths)


def _causes_on_top(places: np.ndarray, paths: np.ndarray) -> np.ndarray:
    """Return the drawing, or its mirror image, in which what nothing acts on stands higher."""
    first = np.setdiff1d(np.arange(len(places)), paths[:, 1])
    if places[first, 1].mean() <= places[:, 1].mean():
        return places
    return places * [1, -1]


def _descended(cells: np.ndarray, cost: _Cost, count: int) -> np.ndarray:
    """Move one box, or exchange two, as long as the drawing becomes better."""
    boxes = len(cells)
    moves = np.repeat(np.arange(boxes), count), np.tile(np.arange(count), boxes)
    swaps = np.triu_indices(boxes, 1)
    current = cost(cells[None])[0]
    for _ in range(STEPS):
        moved = np.repeat(cells[None], len(moves[0]), axis=0)
        moved[np.arange(len(moved)), moves[0]] = moves[1]
        swapped = np.repeat(cells[None], len(swaps[0]), axis=0)
        line = np.arange(len(swapped))
        swapped[line, swaps[0]], swapped[line, swaps[1]] = cells[swaps[1]], cells[swaps[0]]
        tried = np.concatenate([moved, swapped])
        costs = cost(tried)
        best = int(np.argmin(costs))
        if costs[best] >= current:
            break
        cells, current = tried[best], costs[best]
    return cells


@dataclass(frozen=True)
class _Cost:
    """What is wrong with a placement, looked up in tables over the cells of the grid."""

    paths: np.ndarray
    cells: int
    rows: np.ndarray  # (cells,)
    overlap: np.ndarray  # (cells, cells)
    arrow: np.ndarray  # (cells * cells,): length and direction
    through: np.ndarray  # (cells, cells, cells): an arrow from, to, through
    pair: np.ndarray  # (cells * cells, cells * cells): two arrows

    @classmethod
    def of(cls, grid: np.ndarray, paths: np.ndarray) -> _Cost:
        cells, place = len(grid), grid * PITCH
        apart = np.abs(grid[:, None] - grid[None])
        overlap = OVERLAP * ((apart[..., 0] < 1) & (apart[..., 1] < 1))
        step = place[None] - place[:, None]
        length = np.hypot(step[..., 0], step[..., 1])
        arrow = length + BACKWARD * (step[..., 0] < 0) + DOWN * (step[..., 0] == 0)
        along = place[:, None, None] + np.linspace(0, 1, 41)[:, None] * step[:, :, None]
        hit = [(np.abs(along - box) < BOX / 2 + CLEAR).all(axis=-1).any(axis=-1) for box in place]
        through = THROUGH * np.stack(hit, axis=-1)
        own = np.arange(cells)
        through[own, :, own] = through[:, own, own] = 0
        return cls(paths, cells, grid[:, 1], overlap, arrow.ravel(), through, _pairs(place))

    def __call__(self, placed: np.ndarray) -> np.ndarray:
        """Return the cost of each placement; placed has shape (placements, boxes)."""
        start, end = placed[:, self.paths[:, 0]], placed[:, self.paths[:, 1]]
        arrow = start * self.cells + end
        total = self.overlap[placed[:, :, None], placed[:, None, :]].sum(axis=(1, 2))
        total += self.arrow[arrow].sum(axis=1)
        total += self.through[start[:, :, None], end[:, :, None], placed[:, None, :]].sum(axis=(1, 2))
        total += self.pair[arrow[:, :, None], arrow[:, None, :]].sum(axis=(1, 2)) / 2
        rows = self.rows[placed]
        total += HIGH * (rows.max(axis=1) - rows.min(axis=1))
        return total.round(6)  # so that equal drawings stay equal on every machine


def _pairs(place: np.ndarray) -> np.ndarray:
    """Return the cost of every two arrows between cells: whether they cross, or lie side by side at a shared box."""
    cells = len(place)
    start, end = np.repeat(place, cells, axis=0), np.tile(place, (cells, 1))
    step = end - start

    def side(point: np.ndarray) -> np.ndarray:
        """On which side of each arrow a point lies; shape (arrows, points)."""
        away = point[None] - start[:, None]
        return np.sign((step[:, None, 0] * away[..., 1] - step[:, None, 1] * away[..., 0]).round(6)).astype(np.int8)

    parts = side(place)
    parts_ends = np.repeat(parts, cells, axis=1) * np.tile(parts, (1, cells)) < 0
    cost = CROSSING * (parts_ends & parts_ends.T)
    length = np.hypot(*step.T)
    unit = step / np.where(length > 0, length, 1)[:, None]
    alike = unit @ unit.T
    index = np.arange(cells)
    a, b = np.repeat(index, cells), np.tile(index, cells)
    away = ((a[:, None] == a) | (b[:, None] == b)) & (alike > NARROW_ANGLE)
    onward = ((a[:, None] == b) | (b[:, None] == a)) & (alike < -NARROW_ANGLE)
    cost += NARROW * (away | onward)
    np.fill_diagonal(cost, 0)
    return cost


def _curve(control: np.ndarray, along: np.ndarray) -> np.ndarray:
    first, middle, last = control
    along = along[:, None]
    return (1 - along) ** 2 * first + 2 * along * (1 - along) * middle + along**2 * last


def _inside(points: np.ndarray, boxes: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return whether each point lies in each box; shape (points, boxes)."""
    return (np.abs(points[:, None] - boxes[None]) < size / 2).all(axis=-1)


def _route(boxes: np.ndarray, source: int, target: int) -> np.ndarray:
    """Return the least bent curve from box to box that lies on no other."""
    others = np.delete(boxes, [source, target], axis=0)
    hits = []
    for bend in BENDS:
        curve = _bent(boxes[source], boxes[target], bend)
        hits.append(_inside(_curve(curve, ALONG), others, BOX + 2 * CLEAR).sum())
        if not hits[-1]:
            break
    curve = _bent(boxes[source], boxes[target], BENDS[int(np.argmin(hits))])
    return _clipped(curve, boxes[source], boxes[target])


def _bent(start: np.ndarray, end: np.ndarray, bend: float) -> np.ndarray:
    across = np.array([-(end - start)[1], (end - start)[0]])
    return np.stack([start, (start + end) / 2 + bend * across, end])


def _clipped(curve: np.ndarray, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the part of a curve between its two boxes."""
    points = _curve(curve, ALONG)
    start = ALONG[_inside(points, source[None], BOX)[:, 0]].max()
    end = ALONG[_inside(points, target[None], BOX + 2 * GAP)[:, 0]].min()
    middle = (1 - start) * (1 - end) * curve[0] + (start + end - 2 * start * end) * curve[1] + start * end * curve[2]
    first, last = _curve(curve, np.array([start, end]))
    return np.stack([first, middle, last])


def _numbered(boxes: np.ndarray, arrows: list[Arrow]) -> list[Arrow]:
    """Put each number on its arrow where it lies on no box, on no other number and, if it can be, on no other arrow."""
    along = np.linspace(0.14, 0.8, 23)
    tips = np.array([arrow.curve[2] for arrow in arrows])
    arrows = [replace(arrow, number=arrow.points(np.array([0.5]))[0]) for arrow in arrows]
    for _ in range(4):  # a number may make room for another that came later
        for place, arrow in enumerate(arrows):
            others = [other for each, other in enumerate(arrows) if each != place]
            spots = arrow.points(along)
            cost = 0.3 * np.abs(along - 0.47) + 50.0 * _inside(spots, boxes, BOX + NUMBER).sum(axis=1)
            cost += 10.0 * _inside(spots, tips, NUMBER + 2 * HEAD).sum(axis=1)
            if others:
                numbers = np.array([other.number for other in others])
                lines = np.concatenate([other.points(ALONG[::2]) for other in others])
                cost += 30.0 * _inside(spots, numbers, 2 * NUMBER).sum(axis=1)
                cost += 0.06 * _inside(spots, lines, NUMBER + 0.04).sum(axis=1)
            arrows[place] = replace(arrow, number=spots[int(np.argmin(cost.round(9)))])
    return arrows
