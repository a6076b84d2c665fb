"""A report in a browser: what a reader sees that the HTML does not say."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
PAPER = 688
"""Width of a page of A4 between its margins, in pixels."""

CUT_OFF = """() => {
  const shown = each => each.checkVisibility({contentVisibilityAuto: true, visibilityProperty: true});
  const scrolls = each => each.closest(".scroll, figure, pre") !== null;
  const width = document.documentElement.clientWidth;
  return [...document.querySelectorAll("body *:not(svg *, option)")].filter(shown).filter(each => {
    const box = each.getBoundingClientRect();
    const clips = getComputedStyle(each).overflowX !== "visible" && !scrolls(each);
    const hides = clips && each.scrollWidth > each.clientWidth + 1;
    return hides || (!scrolls(each.parentElement) && box.width > 0 && (box.right > width + 1 || box.left < -1));
  }).map(each => `${each.tagName} ${each.className} ${each.textContent.slice(0, 40)}`);
}"""
"""Elements that reach out of the window, or hide what they hold, without a box that shows that it scrolls."""

OVER_PAPER = """() => [...document.querySelectorAll("table, figure, svg, pre, p, h1, h2")]
  .filter(each => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map(each => `${each.tagName} ${each.getBoundingClientRect().width} ${each.textContent.slice(0, 40)}`)"""


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@contextmanager
def opened(
    browser: Browser,
    file: Path,
    width: int = 1440,
    scheme: Literal["light", "dark"] = "light",
    media: Literal["screen", "print"] = "screen",
) -> Iterator[Page]:
    """The page of a file; leaving it fails on anything that the browser complained of."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url) if request.url != file.as_uri() else None)
    page.emulate_media(media=media)
    page.goto(file.as_uri())
    yield page
    page.close()
    assert complaints == []


def violations(page: Page) -> list[Any]:
    """What axe finds against accessibility, each with the elements it found it in."""
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
    return [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found]
