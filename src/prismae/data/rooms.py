"""A room with an object in it, seen by rays: how much of each pixel is floor, wall, object and sky, and how lit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SIDE = 64  # pixels
SIZES = (8, 4, 15)  # scales, shapes, orientations
SCALES = np.linspace(0.75, 1.25, SIZES[0])
SHAPES = ("cube", "cylinder", "sphere", "capsule")
ANGLES = np.linspace(-30, 30, SIZES[2])  # degrees
LAYERS = ("floor", "wall", "object", "sky")

# In lengths of a room from -3.5 to 3.5; as the pictures of 3D Shapes show them.
ROOM, WALL = 3.5, 2.23
DISTANCE, HEIGHT, PITCH, FOCAL = 3.3, 1.12, 0.041, 70.0  # of the camera; pixels
CUBE, BALL, ROD, CAPSULE = (
    0.916,
    0.55,
    (0.44, 0.99),
    (0.41, 0.88),
)  # side; radius; radius and height, at scale 1
REACH = SCALES[-1] * CUBE / np.sqrt(2)  # from the middle, of the widest object
FLOOR_LIGHT, BACK_LIGHT, SIDE_LIGHT, SKY_LIGHT = 0.95, 0.97, 0.70, 1.0
SHADE, LIGHT = (
    0.65,
    np.array([-0.5, -0.6, 0.6]) / np.linalg.norm([-0.5, -0.6, 0.6]),
)  # of the object; to the light
_FINER = 2  # rays along each side of a pixel


def render() -> NDArray[np.uint8]:
    """Masks [scale, shape, orientation, layer, 64, 64], of 255: the light that each layer sends through each pixel."""
    masks = np.empty((*SIZES, len(LAYERS), SIDE, SIDE), np.uint8)
    for k, angle in enumerate(np.deg2rad(ANGLES)):
        eye, rays = _camera(angle)
        around = _room(eye, rays)
        near = np.abs(eye[0] * rays[:, 1] - eye[1] * rays[:, 0]) < REACH * np.hypot(rays[:, 0], rays[:, 1])
        for i, scale in enumerate(SCALES):
            for j, shape in enumerate(SHAPES):
                hit, light = _object(shape, scale, eye, rays[near])
                layers = around.copy()
                layers[:, near] *= ~hit
                layers[LAYERS.index("object"), near] = np.where(hit, light, 0.0)
                fine = layers.reshape(len(LAYERS), SIDE, _FINER, SIDE, _FINER).mean(axis=(2, 4))
                masks[i, j, k] = np.rint(255 * fine)
    return masks


def _camera(angle: float) -> tuple[Floats, Floats]:
    """Where the camera stands [3], on a circle around the middle, and the directions [n, 3] of its rays."""
    eye = np.array([DISTANCE * np.sin(angle), -DISTANCE * np.cos(angle), HEIGHT])
    right = np.array([np.cos(angle), np.sin(angle), 0.0])
    ahead = np.array([-np.sin(angle) * np.cos(PITCH), np.cos(angle) * np.cos(PITCH), -np.sin(PITCH)])
    up = np.cross(right, ahead)
    places = ((np.arange(SIDE * _FINER) + 0.5) / _FINER - SIDE / 2) / FOCAL
    y, x = np.meshgrid(-places, places, indexing="ij")
    return eye, ahead + x.reshape(-1, 1) * right + y.reshape(-1, 1) * up


def _room(eye: Floats, rays: Floats) -> Floats:
    """Light [layer, n] of floor, walls and sky along rays; the light comes from the camera's side of the room."""
    with np.errstate(divide="ignore"):
        far = (np.sign(rays) * ROOM - eye) / rays
        down = np.where(rays[:, 2] < 0, -eye[2] / rays[:, 2], np.inf)
    wall = far[:, :2].min(axis=1)
    floor = down < wall
    high = eye[2] + wall * rays[:, 2] > WALL
    back = far[:, 1] < far[:, 0]
    light = np.zeros((len(LAYERS), len(rays)))
    light[0] = np.where(floor, FLOOR_LIGHT, 0)
    light[1] = np.where(floor | high, 0, np.where(back, BACK_LIGHT, SIDE_LIGHT))
    light[3] = np.where(high & ~floor, SKY_LIGHT, 0)
    return light


def _object(shape: str, scale: float, eye: Floats, rays: Floats) -> tuple[NDArray[np.bool_], Floats]:
    """Which rays [n] meet the object, which stands on the floor in the middle, and how lit it is there."""
    if shape == "cube":
        half = CUBE * scale / 2
        parts = [_box(eye - [0, 0, half], rays, half)]
    elif shape == "sphere":
        parts = [_ball(eye, rays, BALL * scale, BALL * scale)]
    elif shape == "cylinder":
        radius, height = (length * scale for length in ROD)
        parts = [_tube(eye, rays, radius, 0, height), _lid(eye, rays, radius, height)]
    else:
        radius, height = (length * scale for length in CAPSULE)
        ends = [_ball(eye, rays, radius, radius + end) for end in (0, height)]
        parts = [_tube(eye, rays, radius, radius, radius + height), *ends]
    distance = np.stack([far for far, _ in parts])
    nearest = distance.argmin(axis=0)
    normal = np.stack([each for _, each in parts])[nearest, np.arange(len(rays))]
    return np.isfinite(distance.min(axis=0)), SHADE + (1 - SHADE) * np.maximum(normal @ LIGHT, 0)


def _roots(a: Floats, b: Floats, c: Floats) -> Floats:
    """The lesser root of a t² + 2 b t + c; infinite where there is none."""
    inside = b**2 - a * c
    return np.where(inside > 0, (-b - np.sqrt(np.maximum(inside, 0))) / a, np.inf)


def _ball(eye: Floats, rays: Floats, radius: float, height: float) -> tuple[Floats, Floats]:
    """Distance along each ray, and the normal there, of a ball with its centre at this height."""
    start = eye - [0, 0, height]
    t = _roots((rays**2).sum(1), rays @ start, np.full(len(rays), start @ start - radius**2))
    return t, (start + np.where(np.isfinite(t), t, 0)[:, None] * rays) / radius


def _tube(eye: Floats, rays: Floats, radius: float, low: float, high: float) -> tuple[Floats, Floats]:
    """The same of an upright tube between two heights."""
    flat = rays * [1, 1, 0]
    t = _roots((flat**2).sum(1), flat @ eye, np.full(len(rays), eye[:2] @ eye[:2] - radius**2))
    point = eye + np.where(np.isfinite(t), t, 0)[:, None] * rays
    t = np.where((point[:, 2] >= low) & (point[:, 2] <= high), t, np.inf)
    return t, point * [1, 1, 0] / radius


def _lid(eye: Floats, rays: Floats, radius: float, height: float) -> tuple[Floats, Floats]:
    """The same of a disc that lies at a height below the eye."""
    t = (height - eye[2]) / np.where(rays[:, 2] == 0, -1e-9, rays[:, 2])
    point = eye + t[:, None] * rays
    t = np.where((t > 0) & ((point[:, :2] ** 2).sum(1) <= radius**2), t, np.inf)
    return t, np.tile([0.0, 0.0, 1.0], (len(rays), 1))


def _box(start: Floats, rays: Floats, half: float) -> tuple[Floats, Floats]:
    """The same of a cube whose centre is the origin of `start`."""
    with np.errstate(divide="ignore"):
        entries = (-np.sign(rays) * half - start) / rays
        leaves = ((np.sign(rays) * half - start) / rays).min(axis=1)
    side = entries.argmax(axis=1)
    t = entries.max(axis=1)
    normal = np.zeros_like(rays)
    normal[np.arange(len(rays)), side] = -np.sign(rays[np.arange(len(rays)), side])
    return np.where(t < leaves, t, np.inf), normal
