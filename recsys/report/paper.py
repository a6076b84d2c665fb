"""A dataset's tables for a paper: LaTeX for booktabs, and BibTeX of the models and of the program.

Text of a study is escaped; nothing in it can become a command.
"""

import re
from collections.abc import Mapping, Sequence

import pandas as pd

from recsys.evidence.comparison import Comparison
from recsys.evidence.wording import interval, metric_name, p_cell
from recsys.report import folding
from recsys.report.model import DatasetReport, StudyReport
from recsys.report.rows import ResultRow
from recsys.report.text import plain
from recsys.wording import percent

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "%": r"\%",
    "&": r"\&",
    "#": r"\#",
    "$": r"\$",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}
_PUBLICATION = re.compile(
    r"(?P<authors>[^:;()]+): (?P<title>(?:(?!\b(?:19|20)\d\d\b).)+), (?P<venue>.*?\b(?P<year>\d{4})\b.*)"
)
"""What models name as their source: `authors: title, venue and year`."""


def escape(text: str) -> str:
    """The text as LaTeX prints it; control characters are left out."""
    return "".join(_SPECIAL.get(each, each) for each in plain(text))


def results_table(dataset: DatasetReport, metrics: Sequence[str]) -> str:
    """The test part, best first: means, and the interval of the first metric; of many arms one a model.

    Args:
        dataset: what is tabulated.
        metrics: the primary one first.
    """
    shown, _ = folding.fold_arms(folding.results(dataset), dataset)
    rows = []
    for row in shown:
        interval = row.metrics[metrics[0]]
        rows.append(
            {
                "Model": row.name,
                **{metric_name(m): f"{row.metrics[m].mean:.4f}" if m in row.metrics else "--" for m in metrics},
                f"95 % interval of {metric_name(metrics[0])}": f"{interval.low:.4f} to {interval.high:.4f}",
                "Trials": _trials(row),
            }
        )
    return _table(rows, f"Results on the test part of {dataset.name}, best first.", f"results {dataset.name}")


def _trials(row: ResultRow) -> str:
    if not row.n_trials:
        return "--"
    return f"{row.n_trials} ({row.n_failed} failed)" if row.n_failed else str(row.n_trials)


def comparisons_table(dataset: DatasetReport) -> str:
    """The comparisons that the verdict rests on."""
    rows = [_compared(each) for each in dataset.deciding]
    return _table(rows, f"The comparisons that decide on {dataset.name}.", f"verdict {dataset.name}")


def _compared(each: Comparison) -> dict[str, str]:
    return {
        "Comparison": f"{each.a} over {each.b}",
        "Mean": f"{each.mean_a:.4f}",
        "Against": f"{each.mean_b:.4f}",
        "Lift": percent(each.lift, signed=True),
        "95 % interval": interval(each.lift_low, each.lift_high),
        "p": p_cell(each.p_value),
        "Users": f"{each.n_users:,}",
    }


def _table(rows: Sequence[Mapping[str, str]], caption: str, name: str) -> str:
    if not rows:
        return ""
    frame = pd.DataFrame(rows).map(_cell).rename(columns=escape)
    return frame.to_latex(
        index=False,
        escape=False,
        column_format="l" + "r" * (len(frame.columns) - 1),
        position="t",
        caption=escape(caption),
        label="tab:" + "-".join(re.findall(r"[a-z0-9]+", name.lower())),
    )


def _cell(text: str) -> str:
    """Signs and comparisons are set as mathematics, or they come out as a hyphen and an inverted question mark."""
    return re.sub(r"(?<!\w)-(?=\d)", "$-$", re.sub("[<>]", lambda sign: f"${sign.group()}$", escape(text)))


def bibliography(report: StudyReport) -> str:
    """BibTeX of the program and of each model's source, as far as a source names authors, title, venue and year."""
    program = {
        "author": "{The modalift authors}",
        "title": "{modalift: does item content make recommendations better here?}",
        "year": str(report.date.year),
        "note": f"Version {escape(report.run.versions.get('modalift', 'unknown'))}",
    }
    entries = [_entry("software", "modalift", program)]
    for model, source in sorted(report.sources.items()):
        published = [part for part in source.split("; ") if re.search(r"\b(19|20)\d\d\b", part)]
        for number, part in enumerate(published, start=1):
            key = re.sub(r"\W", "", model.lower(), flags=re.ASCII) + (str(number) if len(published) > 1 else "")
            entries.append(_entry("misc", key, _publication(model, part)))
    return "\n\n".join(entries)


def _publication(model: str, source: str) -> dict[str, str]:
    note = f"Source of the model {escape(model)}"
    match = _PUBLICATION.fullmatch(source)
    if match is None:
        return {"title": f"{{{escape(source)}}}", "note": note}
    return {
        "author": _authors(match["authors"]),
        "title": f"{{{escape(match['title'])}}}",
        **({"howpublished": escape(match["venue"])} if match["venue"] != match["year"] else {}),
        "year": match["year"],
        "note": note,
    }


def _authors(names: str) -> str:
    """`Shen et al.` as `Shen and others`; a name of several words is one name."""
    listed = [
        f"{{{escape(name)}}}" if " " in name else escape(name) for name in names.removesuffix(" et al.").split(", ")
    ]
    return " and ".join([*listed, *(["others"] if names.endswith(" et al.") else [])])


def _entry(kind: str, key: str, fields: Mapping[str, str]) -> str:
    return "\n".join([f"@{kind}{{{key},", *(f"  {name} = {{{value}}}," for name, value in fields.items()), "}"])
