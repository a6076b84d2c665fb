"""What MLflow says of an experiment and of a run, in Markdown, with links to Dagster and the report."""

from collections.abc import Mapping
from textwrap import shorten
from typing import Any

from orchestration import keys
from orchestration.addresses import Addresses
from orchestration.lineage import Event
from orchestration.settings import Settings
from recsys.data.dataset import PARTS
from recsys.engine.stored import StoredCell
from recsys.study.study import Study

LONGEST = 300
OPEN = "*Links open while `modalift ui` runs.*"
STAGES = {
    "tuning": "A **tuning trial**: its validation score helps to choose hyper-parameters, and it never sees the test "
    "part.",
    "final": "A **final training** with the chosen hyper-parameters.",
    "ensemble": "Its members' final lists **added up**, with the weights chosen on validation; nothing was trained.",
}
TESTED = "The primary metric and a few others on the test part are here, all metrics at every cut-off in the asset {}."


def experiment_note(settings: Settings, study: Study, dataset: str, event: Event) -> str:
    """What a dataset is, how it was split, what its results hold for, and where to read on; `event` is its version."""
    spec, counts, go_to = study.datasets[dataset], event.facts["counts"], Addresses(settings)
    parts = ", ".join(f"{counts[part]:,} {part}" for part in PARTS if part in counts)
    stated = {
        "domain": spec.scenario.domain,
        "feedback": spec.scenario.feedback,
        "seen before choosing": ", ".join(spec.scenario.seen_before_choosing) or "not stated",
        "kinds of item": spec.scenario.item_kinds,
        "date of the data": spec.scenario.date_of_data,
    }
    lines = [
        f"**{dataset}**, a dataset of the study *{_plain(study.title)}*",
        f"- {counts['users']:,} users, {counts['items']:,} items, {counts['interactions']:,} interactions "
        f"({parts}), split by `{spec.split.protocol}`; version `{event.content_hash}`",
        "- Scenario: " + "; ".join(f"{name}: {_plain(value)}" for name, value in stated.items()),
        f"- [Dataset in Dagster]({go_to.asset(event.asset)}), [all its assets]({go_to.assets(dataset)}), "
        f"[report]({go_to.report(study.name)}) (written when the study has run)",
        "- Every training is one run. Runs of stage `tuning` chose hyper-parameters on the validation part; only runs "
        "of stage `final` have metrics of the test part. *Views* lists comparisons of models and of arms.",
    ]
    return f"{lines[0]}\n\n" + "\n".join(lines[1:]) + f"\n\n{OPEN}"


def run_note(settings: Settings, study: Study, cell: StoredCell, tags: Mapping[str, str]) -> str:
    """What a cell is and where it belongs; `tags` are those of its run."""
    go_to, record = Addresses(settings), cell.record
    stage = STAGES["ensemble" if record["model"] in study.ensembles else record["stage"]]
    if record["stage"] == "final":
        stage += f" {TESTED.format(_link(go_to, keys.metrics(record['dataset'])))}"
    lines = [
        f"{record['model']} on arm `{record['arm']}` of {record['dataset']}, repeat {tags['repeat']}. {stage}",
        f"- Asset {_link(go_to, tags['asset'])}, made in Dagster's run "
        f"[{tags['dagster_run'][:8]}]({go_to.dagster_run(tags['dagster_run'])})",
        f"- [Report of {study.name}]({go_to.report(study.name)}) (written when the study has run)",
        f"- Fingerprint `{cell.fingerprint}`: its row of the table `cell` in `catalog.duckdb`, trained on version "
        f"`{record['data_version']}` of {_link(go_to, keys.dataset(record['dataset']))}",
    ]
    if cell.pruned:
        lines.append("- **Pruned**: training was stopped early by its validation curve, and it was never chosen")
    if cell.message:
        lines.append(f"- **Failed**: {_plain(cell.message)}")
    return f"{lines[0]}\n\n" + "\n".join(lines[1:]) + f"\n\n{OPEN}"


def _link(go_to: Addresses, asset: str) -> str:
    return f"[{asset}]({go_to.asset(asset)})"


def _plain(text: Any) -> str:
    """Text of a user's own on one line, of bounded length, without markup."""
    short = shorten(str(text), LONGEST, placeholder=" ...")
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|#~" else letter for letter in short)
