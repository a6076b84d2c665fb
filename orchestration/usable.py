"""A study without the sources of content that turned out to be of no use: the rest is answered."""

from orchestration import keys
from orchestration.home import Home
from recsys.study.preparing import UNUSABLE
from recsys.study.study import Study


def unusable_sources(study: Study, name: str, home: Home) -> dict[str, str]:
    """Why a source of a dataset can be of no use, by source; those that were not made yet count as usable."""
    events = {source: home.lineage.latest(keys.embeddings(name, source)) for source in study.datasets[name].content}
    return {
        source: str(event.facts[UNUSABLE]) for source, event in events.items() if event and UNUSABLE in event.facts
    }


def usable_study(study: Study, name: str, home: Home) -> Study:
    """The study as far as its sources on a dataset are of use."""
    return study.without_sources(name, unusable_sources(study, name, home))
