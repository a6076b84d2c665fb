"""The reports as `modalift ui` serves them: a list of all, and each with a line on top where its study has changed.

A report is a file and cannot know what happened to its study afterwards, so that is looked up whenever it is served.
"""

import argparse
import functools
import logging
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from jinja2 import Environment

from orchestration import keys
from orchestration.addresses import HOST
from orchestration.cli.changes import outdated
from orchestration.home import Home
from orchestration.settings import Settings
from recsys.errors import UserError
from recsys.report.text import typeset
from recsys.study.file import load_study

logger = logging.getLogger(__name__)
LIST = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Reports of modalift</title><style>
:root { color-scheme: light dark; }
body { margin: 0 auto; padding: 3rem 1.5rem; max-width: 50rem; font: 16px/1.55 system-ui, sans-serif; }
li { margin: 0 0 1.5rem; overflow-wrap: anywhere; } ul { padding: 0; list-style: none; }
small { opacity: .75; } .outdated { border-left: 3px solid #b7791f; padding-left: .8rem; }
</style></head><body><h1>Reports</h1>
<ul>{% for each in listed %}
<li><a href="/{{ each.name | urlencode }}.html" dir="auto">{{ each.title }}</a>
<small>study {{ each.name }}, {{ each.when }}</small>
{% for answer in each.answers %}<p dir="auto">{{ answer | typeset }}</p>{% endfor %}
{% if each.outdated %}<p class="outdated">{{ each.outdated | typeset }}</p>{% endif %}</li>
{% else %}<li>No study has a report yet: <code>modalift run STUDY</code> writes it.</li>{% endfor %}</ul></body></html>
"""


@dataclass(frozen=True)
class Listed:
    """A report in the list."""

    name: str
    title: str
    when: str
    answers: tuple[str, ...]
    outdated: str


def marked(page: str, line: str) -> str:
    """A report with a line above its answers in the place of an earlier one; none where there is nothing to say."""
    plain = re.sub(r'(?<=<main>)\n<p class="outdated" role="status">.*?</p>', "", page, count=1)
    notice = f'<main>\n<p class="outdated" role="status">{typeset(line)}</p>'
    return plain.replace("<main>", notice, 1) if line else plain


def page_list(home: Home) -> str:
    """All reports of a home, the newest first."""
    files = sorted(home.settings.reports.glob("*.html"), key=lambda file: -file.stat().st_mtime)
    environment = Environment(autoescape=True)
    environment.filters["typeset"] = typeset
    return environment.from_string(LIST).render(listed=[_listed(home, file.stem) for file in files])


def report_page(home: Home, name: str) -> str | None:
    """The report of a study as it is to be read now; None where there is none."""
    # From the folder's own list, so that no address leads out of it.
    file = {file.stem: file for file in home.settings.reports.glob("*.html")}.get(name)
    return marked(file.read_text(encoding="utf-8"), _outdated(home, name)) if file else None


def _listed(home: Home, name: str) -> Listed:
    event = home.lineage.latest(keys.report(name))
    answers = event.facts.get("answers", {}) if event else {}
    study = home.study_of(event) if event else None
    when = datetime.fromtimestamp((home.settings.reports / f"{name}.html").stat().st_mtime, UTC).astimezone()
    return Listed(
        name=name,
        title=study["title"] if study else name,
        when=f"{when:%Y-%m-%d %H:%M}",
        answers=tuple(f"{dataset}: {answer}" for dataset, answer in answers.items()),
        outdated=_outdated(home, name),
    )


def _outdated(home: Home, name: str) -> str:
    file = home.settings.study_file(name)
    if file is None:  # a study elsewhere may be run by its path
        return ""
    try:
        return outdated(load_study(file), home, page=True)
    except UserError as error:
        return f"The study file cannot be read any more: {error}"


class Pages(BaseHTTPRequestHandler):
    """Answers a browser."""

    def __init__(self, home: Home, *rest: object) -> None:
        """Pages of a home; the rest is what the server passes."""
        self.home = home
        super().__init__(*rest)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Send a page."""
        self._send(with_body=True)

    def do_HEAD(self) -> None:
        """Say what a page is."""
        self._send(with_body=False)

    def _send(self, *, with_body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        try:
            found = page_list(self.home) if path == "/" else report_page(self.home, path[1:].removesuffix(".html"))
        except Exception:
            logger.exception("%s", path)
            self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR)
            return
        if found is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        body = found.encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if with_body:
            self.wfile.write(body)


def main() -> None:
    """Serve the reports of the home that the environment names, until the process ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    home = Home(Settings())
    ThreadingHTTPServer((HOST, parser.parse_args().port), functools.partial(Pages, home)).serve_forever()


if __name__ == "__main__":
    main()
