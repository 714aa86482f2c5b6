"""Fields that move points smoothly, their inverses, and pictures drawn through them."""

from __future__ import annotations

import numpy as np

from talkingphoto.integrations.video.engine.warp import (
    Box,
    Canvas,
    Grid,
    SmoothField,
    inverted,
    least_stretch,
    resampled,
)

GRID = Grid.over(Box(0, 0, 200, 160), 5)
CONTROLS = np.array([(60, 60), (100, 80), (140, 60), (100, 120), (40, 130)], np.float32)
MOVES = np.array([(3, 1), (-2, 4), (0, -3), (2, 2), (-1, 0)], np.float32)


def test_a_field_moves_its_control_points_as_told() -> None:
    field = SmoothField(CONTROLS, GRID, softness=10).displacement(MOVES)
    moved = GRID.sample(field, CONTROLS[None])[0]
    assert np.abs(moved - MOVES).max() < 0.6


def test_a_field_is_still_at_its_border() -> None:
    field = SmoothField(CONTROLS, GRID, softness=10).displacement(MOVES)
    border = np.concatenate([field[0], field[-1], field[:, 0], field[:, -1]])
    assert np.abs(border).max() == 0


def test_the_inverse_leads_back_to_where_a_point_came_from() -> None:
    forward = SmoothField(CONTROLS, GRID, softness=10).displacement(MOVES)
    backward = inverted(forward, GRID.step)
    places = GRID.nodes
    there = places + backward
    again = there + GRID.sample(forward, there)
    assert np.abs(again - places)[3:-3, 3:-3].max() < 0.05


def test_the_inverse_holds_where_a_lip_swells_to_twice_its_height() -> None:
    lip = np.array([(x, y) for y in (72, 92) for x in (70, 100, 130)], np.float32)
    skin = np.array([(x, y) for y in (20, 140) for x in (20, 100, 180)], np.float32)
    moves = np.array([(0, -10)] * 3 + [(0, 10)] * 3 + [(0, 0)] * 6, np.float32)
    forward = SmoothField(np.concatenate([lip, skin]), GRID, softness=5).displacement(moves)
    # No fold, and yet steeper than the simplest inversion, repeated substitution, can follow.
    assert least_stretch(forward, GRID.step) > 0
    assert np.diff(forward[..., 1], axis=0).max() / GRID.step > 1
    there = GRID.nodes + inverted(forward, GRID.step)
    assert np.abs(there + GRID.sample(forward, there) - GRID.nodes)[3:-3, 3:-3].max() < 0.5


def test_no_movement_gives_the_picture_back() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (160, 200, 3)).astype(np.uint8)
    whole = Box(0, 0, 200, 160)
    places = Canvas(200, 160, GRID).places(np.zeros((*GRID.nodes.shape[:2], 2), np.float32), whole)
    assert np.array_equal(resampled(picture, places), picture)


def test_a_box_of_a_field_is_the_same_as_that_box_of_the_whole() -> None:
    canvas = Canvas(203, 161, Grid.over(Box(0, 0, 203, 161), 5))
    grid = Grid.over(Box(0, 0, 203, 161), 5)
    field = np.random.default_rng(2).normal(0, 3, (grid.rows, grid.columns, 2)).astype(np.float32)
    box = Box(37, 18, 121, 93)
    whole = canvas.places(field, Box(0, 0, 203, 161))
    assert np.abs(canvas.places(field, box) - whole[box.slices]).max() < 1e-3


def test_a_fold_is_seen_as_one() -> None:
    nodes = GRID.nodes
    fold = np.zeros_like(nodes)
    fold[..., 0] = 30 * np.exp(-(((nodes[..., 0] - 100) / 12) ** 2))
    assert least_stretch(fold.astype(np.float32), GRID.step) < 0
