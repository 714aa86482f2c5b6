"""Smooth displacement fields over a picture: made from a few points, inverted, joined, applied.

A *forward* field says where a point of the photo goes; a *backward* one says, for a place of the
frame, how far off in the photo its colour is found. Both are in pixels, (rows, columns, 2) with
x first, on a coarse grid; pictures are resampled once, by the last backward field.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

# Rounds of the inversion, and the longest way in one of them, in nodes.
INVERSION_ROUNDS = 5
LONGEST_STEP = 1.5
LEAST_DETERMINANT = 0.15
# The part of a field's width and height over which it fades out towards its border.
FADE = 0.12
# Pulls the fit away from noise in neighbouring landmarks (pixels; the kernel is in pixels too).
SMOOTHING_PIXELS = 0.4
CUBIC, NOTHING = cv2.INTER_CUBIC, cv2.BORDER_CONSTANT


def smoothstep(value: NDArray[np.floating[Any]]) -> Floats:
    """0 below 0, 1 above 1, and between them a curve that is level at both ends."""
    clipped = np.clip(value, 0, 1)
    return np.asarray(clipped * clipped * (3 - 2 * clipped), np.float32)


def resampled(
    picture: NDArray[Any],
    places: Floats,
    *,
    kernel: int = cv2.INTER_LINEAR,
    border: int = cv2.BORDER_REPLICATE,
) -> NDArray[Any]:
    """The picture's values at places (rows, columns, 2), x first, in its own pixels and type."""
    # The stub does not know that a map of pairs goes without a second map; an empty array there
    # makes OpenCV 5.0 read memory that is not the picture's.
    found = cv2.remap(picture, places, None, kernel, borderMode=border)  # type: ignore[call-overload]
    return np.asarray(found)


@dataclass(frozen=True)
class Box:
    """A rectangle of whole pixels; `right` and `bottom` are outside it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """The rows and columns, to index a picture with."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def within(self, width: int, height: int) -> Box:
        """The part of the rectangle that lies in a picture of that size."""
        return Box(
            max(0, self.left), max(0, self.top), min(width, self.right), min(height, self.bottom)
        )


@dataclass(frozen=True)
class Grid:
    """Nodes `step` pixels apart; node (0, 0) is the centre of the block of pixels at the origin.

    So cv2.resize by a factor of `step` puts every node's value where the node is.
    """

    left: int
    top: int
    step: int
    columns: int
    rows: int

    @classmethod
    def over(cls, box: Box, step: int) -> Grid:
        """Nodes enough to cover the rectangle, aligned to whole blocks of the picture."""
        left, top = box.left // step * step, box.top // step * step
        columns, rows = -((left - box.right) // step), -((top - box.bottom) // step)
        return cls(left, top, step, columns, rows)

    @property
    def nodes(self) -> Floats:
        """Where the nodes are in the picture: (rows, columns, 2), x first."""
        middle = (self.step - 1) / 2
        x = self.left + middle + self.step * np.arange(self.columns, dtype=np.float32)
        y = self.top + middle + self.step * np.arange(self.rows, dtype=np.float32)
        return np.stack(np.meshgrid(x, y), -1)

    def sample(self, field: Floats, places: Floats) -> Floats:
        """A field of this grid at places of the picture; nothing outside the grid."""
        middle = (self.step - 1) / 2
        origin = np.array((self.left + middle, self.top + middle), np.float32)
        return resampled(field, (places - origin) / np.float32(self.step), border=NOTHING)


class SmoothField:
    """Forward displacement of every node, linear in the displacements of the control points.

    A multiquadric radial basis with an affine part, solved once: the displacement of all nodes
    is one matrix times those of the controls. It fades to nothing at the border of its grid.
    """

    def __init__(self, controls: Floats, grid: Grid, *, softness: float) -> None:
        self.grid = grid
        nodes = grid.nodes.reshape(-1, 2).astype(np.float64)
        fit = _interpolation(controls.astype(np.float64), nodes, softness)
        fade = _faded_at_the_border(grid.rows, grid.columns).reshape(-1, 1)
        self._matrix = np.ascontiguousarray(fit * fade, np.float32)

    def displacement(self, of_controls: Floats) -> Floats:
        """The forward field, given the displacement of every control point (k, 2) in pixels."""
        flat = self._matrix @ of_controls
        return np.asarray(flat.reshape(self.grid.rows, self.grid.columns, 2), np.float32)


def _interpolation(
    controls: NDArray[np.float64], nodes: NDArray[np.float64], softness: float
) -> NDArray[np.float64]:
    """The matrix from values at the controls to values at the nodes."""
    count = len(controls)
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = _kernel(controls, controls, softness)
    # The kernel is conditionally negative definite, so smoothing takes away from the diagonal.
    system[:count, :count] -= SMOOTHING_PIXELS * np.eye(count)
    affine = np.column_stack([np.ones(count), controls])
    system[:count, count:] = affine
    system[count:, :count] = affine.T
    to_nodes = np.column_stack([_kernel(nodes, controls, softness), np.ones(len(nodes)), nodes])
    return np.asarray(np.linalg.solve(system.T, to_nodes.T).T[:, :count])


def _kernel(
    points: NDArray[np.float64], centres: NDArray[np.float64], softness: float
) -> NDArray[np.float64]:
    apart = ((points[:, None] - centres[None]) ** 2).sum(-1)
    return np.asarray(np.sqrt(apart + softness * softness))


def _faded_at_the_border(rows: int, columns: int) -> Floats:
    down = np.minimum(np.arange(rows), np.arange(rows)[::-1]) / max(1.0, FADE * rows)
    across = np.minimum(np.arange(columns), np.arange(columns)[::-1]) / max(1.0, FADE * columns)
    return smoothstep(np.minimum(down[:, None], across[None, :]).astype(np.float32))


def inverted(forward: Floats, step: int) -> Floats:
    """The backward field b of a forward field d, so that d(x + b(x)) = -b(x) at every node.

    By Newton's method: where a lip grows to twice its height, simpler iterations run away.
    """
    rows, columns = forward.shape[:2]
    column, row = np.meshgrid(
        np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32)
    )
    nodes = np.stack([column, row], -1)
    moved = forward * np.float32(1 / step)
    model = np.concatenate([moved, _inverse_jacobian(moved)], -1)
    found = nodes - moved
    for _ in range(INVERSION_ROUNDS):
        at = np.asarray(resampled(model, found), np.float32)
        off = found + at[..., :2] - nodes
        change = np.stack(
            [
                at[..., 2] * off[..., 0] + at[..., 3] * off[..., 1],
                at[..., 4] * off[..., 0] + at[..., 5] * off[..., 1],
            ],
            -1,
        )
        found = found - np.clip(change, -LONGEST_STEP, LONGEST_STEP)
    return (found - nodes) * np.float32(step)


def _inverse_jacobian(moved: Floats) -> Floats:
    """The inverse of 1 + the gradient of the field, (rows, columns, 4), row by row."""
    down, right = (np.asarray(np.gradient(moved, axis=axis), np.float32) for axis in (0, 1))
    a, b = 1 + right[..., 0], down[..., 0]
    c, d = right[..., 1], 1 + down[..., 1]
    determinant = np.maximum(a * d - b * c, np.float32(LEAST_DETERMINANT))
    return np.asarray(np.stack([d, -b, -c, a], -1) / determinant[..., None], np.float32)


def least_stretch(displacement: Floats, step: int) -> float:
    """The smallest Jacobian determinant of the map; a map with a positive one cannot fold."""
    right = np.diff(displacement, axis=1)[:-1] / step
    down = np.diff(displacement, axis=0)[:, :-1] / step
    determinant = (1 + right[..., 0]) * (1 + down[..., 1]) - right[..., 1] * down[..., 0]
    return float(determinant.min())


class Canvas:
    """Brings backward fields of one grid over a whole picture to its pixels."""

    def __init__(self, width: int, height: int, grid: Grid) -> None:
        self._grid = grid
        x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
        self._pixels = np.stack(np.meshgrid(x, y), -1)

    def places(self, backward: Floats, box: Box) -> Floats:
        """Where in the photo every pixel of the box is found."""
        return np.asarray(
            cv2.add(self._enlarged(backward, box), self._pixels[box.slices]), np.float32
        )

    def _enlarged(self, backward: Floats, box: Box) -> Floats:
        """The field at the pixels of the box; one node more on each side joins it seamlessly."""
        step = self._grid.step
        left, top = max(0, box.left // step - 1), max(0, box.top // step - 1)
        right = min(self._grid.columns, -(-box.right // step) + 1)
        bottom = min(self._grid.rows, -(-box.bottom // step) + 1)
        part = backward[top:bottom, left:right]
        size = ((right - left) * step, (bottom - top) * step)
        whole = cv2.resize(part, size, interpolation=cv2.INTER_LINEAR)
        row, column = box.top - top * step, box.left - left * step
        rows, columns = box.bottom - box.top, box.right - box.left
        return np.asarray(whole[row : row + rows, column : column + columns], np.float32)
