"""Pictures of the market's items: every image attribute is visible, and no two pictures are alike."""

import colorsys
import io
import math

import numpy as np
from PIL import Image, ImageChops, ImageDraw

SIDE = 64
SCALE = 2
"""Pictures are drawn this many times larger and reduced, for smooth edges."""
HUES = {
    "red": 0.02,
    "orange": 0.1,
    "yellow": 0.16,
    "green": 0.37,
    "cyan": 0.5,
    "blue": 0.61,
    "violet": 0.78,
    "pink": 0.9,
}
BACKGROUNDS = {
    "white": (240, 240, 240),
    "black": (24, 24, 24),
    "grey": (150, 150, 150),
    "sand": (226, 186, 130),
    "teal": (20, 96, 90),
}
RADIUS = 0.42
"""Radius of the shape, as a share of the picture's side."""
PERIOD = 0.14
"""Width of a stripe and its gap, as a share of the picture's side."""

Colour = tuple[int, int, int]
Point = tuple[float, float]


def render(attributes: dict[str, str], rng: np.random.Generator) -> bytes:
    """A PNG of SIDE x SIDE pixels with small random changes of place, angle, hue and light."""
    side = SIDE * SCALE
    background = _shifted(BACKGROUNDS[attributes["background"]], rng)
    hue = (HUES[attributes["colour"]] + rng.normal(0, 0.008)) % 1
    colour = _rgb(hue, 0.85 + rng.uniform(-0.1, 0.1), 0.85 + rng.uniform(-0.1, 0.1))
    dark = _rgb(hue, 0.9, 0.4)
    centre = (side / 2 + rng.normal(0, side / 50), side / 2 + rng.normal(0, side / 50))
    radius = RADIUS * side * (1 + rng.uniform(-0.06, 0.06))
    outline = _outline(attributes["shape"], centre, radius, math.radians(rng.normal(0, 5)))
    pattern = _pattern(attributes["pattern"], side, rng.uniform(0, PERIOD) * side)
    picture = Image.new("RGB", (side, side), background)
    picture.paste(colour, mask=outline)
    picture.paste(dark, mask=ImageChops.multiply(outline, pattern))
    file = io.BytesIO()
    picture.reduce(SCALE).save(file, format="PNG")
    return file.getvalue()


def _outline(shape: str, centre: Point, radius: float, turn: float) -> Image.Image:
    """Mask of the shape, white inside."""
    side = SIDE * SCALE
    mask = Image.new("L", (side, side), 0)
    draw = ImageDraw.Draw(mask)
    if shape in ("circle", "ring"):
        draw.ellipse(_box(centre, radius), fill=255)
        if shape == "ring":
            draw.ellipse(_box(centre, radius * 0.55), fill=0)
    elif shape == "cross":
        for angle in (turn, turn + math.pi / 2):
            draw.polygon(_bar(centre, radius, angle), fill=255)
    else:
        draw.polygon(_corners(shape, centre, radius, turn), fill=255)
    return mask


def _corners(shape: str, centre: Point, radius: float, turn: float) -> list[Point]:
    radii = {"square": [1.0] * 4, "triangle": [1.0] * 3, "star": [1.0, 0.42] * 5}[shape]
    start = turn - math.pi / 2 + (math.pi / 4 if shape == "square" else 0)
    step = 2 * math.pi / len(radii)
    return [_at(centre, radius * share, start + k * step) for k, share in enumerate(radii)]


def _bar(centre: Point, radius: float, angle: float) -> list[Point]:
    half = 0.3
    return [_at(centre, radius, angle + turn) for turn in (-half, half, math.pi - half, math.pi + half)]


def _at(centre: Point, radius: float, angle: float) -> Point:
    return centre[0] + radius * math.cos(angle), centre[1] + radius * math.sin(angle)


def _box(centre: Point, radius: float) -> tuple[float, float, float, float]:
    return centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius


def _pattern(pattern: str, side: int, offset: float) -> Image.Image:
    """Mask of the pattern over the whole picture, white where it is dark."""
    period = PERIOD * side
    phase = np.arange(side) + offset
    on = phase % period < period / 2
    if pattern == "dots":
        near = ((phase % period) - period / 2) ** 2
        marks = near[:, None] + near[None, :] < (0.3 * period) ** 2
    else:
        marks = {
            "plain": np.zeros((side, side), dtype=bool),
            "stripes": np.broadcast_to(on[:, None], (side, side)),
            "bars": np.broadcast_to(on[None, :], (side, side)),
            "checks": on[:, None] ^ on[None, :],
        }[pattern]
    return Image.fromarray(marks.astype(np.uint8) * 255)


def _rgb(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def _shifted(colour: Colour, rng: np.random.Generator) -> Colour:
    light = round(rng.normal(0, 4))
    red, green, blue = (min(max(channel + light, 0), 255) for channel in colour)
    return red, green, blue
