"""A small shop with photos: two kinds of goods, told apart by their colour, and people who buy one kind."""

import base64
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from tests.content.vlm.server import Handler, completion, gives

N_ITEMS, N_USERS = 24, 40
COLOURS = [(200, 40, 40), (40, 40, 200)]
WORDS = [{"Category": "chair", "Main Color": "red"}, {"Category": "tent", "Main Color": "blue"}]
REST = {"Material": "wood", "Style": "plain", "Use": "outdoors"}


def write_shop(folder: Path) -> None:
    """`orders.csv`, `goods.csv` and `photos/`."""
    (folder / "photos").mkdir(parents=True)
    rows = ["user_id,item_id"]
    random = np.random.default_rng(0)
    for user in range(N_USERS):
        kind = random.permutation(np.arange(user % 2, N_ITEMS, 2))[:8]
        rows += [f"u{user},{item}" for item in kind]
    (folder / "orders.csv").write_text("\n".join(rows) + "\n")
    goods = [f"{item},Thing number {item}" for item in range(N_ITEMS)]
    (folder / "goods.csv").write_text("\n".join(["item_id,title", *goods]) + "\n")
    for item in range(N_ITEMS):
        picture = np.full((32, 32, 3), COLOURS[item % 2], dtype=np.uint8)
        picture[:4, : item + 1] = 255  # no two are the same
        Image.fromarray(picture).save(folder / "photos" / f"{item}.png")


def seen(handler: Handler) -> int:
    """The kind of the item whose picture was sent."""
    picture = next(part for part in handler.body["messages"][0]["content"] if part["type"] == "image_url")
    data = base64.b64decode(picture["image_url"]["url"].split(",")[1])
    red, _, blue = np.asarray(Image.open(BytesIO(data)).convert("RGB"))[20:].mean(axis=(0, 1))
    return int(blue > red)


def described(handler: Handler) -> str:
    """What a good model says of it."""
    return ", ".join(f"[{field}] {{{value}}}" for field, value in (WORDS[seen(handler)] | REST).items())


def answer(handler: Handler, words: str, finish_reason: str = "stop", **message: object) -> None:
    usage = {"usage": {"prompt_tokens": 100, "completion_tokens": 20}, "model": "served-2026-01"}
    gives(completion(words, finish_reason, **message) | usage)(handler)


def well(handler: Handler) -> None:
    answer(handler, described(handler))


def garbage(handler: Handler) -> None:
    answer(handler, "Lorem ipsum dolor sit amet, consectetur.")


def thinking_aloud(handler: Handler) -> None:
    answer(handler, f"Perhaps [Category] {{lamp}}, [Main Color] {{green}}? No.\n</think>\n{described(handler)}")


def endless_thinking(handler: Handler) -> None:
    answer(handler, "<think>Perhaps [Category] {lamp}, [Main Color] {green}? Or", "length")
