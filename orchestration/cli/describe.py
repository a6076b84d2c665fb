"""`modalift describe`: a few answers and what all would take, before a model is asked about a whole catalogue."""

import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestration import keys
from orchestration.cli.app import command
from orchestration.cli.console import complain, err, out, say, table
from orchestration.cli.options import StudyArgument
from orchestration.cli.progress import RichProgress
from orchestration.cli.studies import choose, find_study, read_settings
from recsys.errors import UserError
from recsys.wording import count, duration, whole_percent

if TYPE_CHECKING:
    import pandas as pd

    from orchestration.settings import Settings
    from recsys.content.vlm.estimate import Sample
    from recsys.content.vlm.options import VlmOptions
    from recsys.study.study import Study

LONGEST = 90


@dataclass(frozen=True)
class AskedCorpus:
    """A corpus that a study asks a model for, and what it is asked about."""

    dataset: str
    name: str
    options: "VlmOptions"
    items: "pd.DataFrame"
    folder: Path
    work: Path

    @property
    def asset(self) -> str:
        """Its key."""
        return keys.descriptions(self.dataset, self.name)


@command(
    "describe",
    "modalift describe shop --sample 5",
    "modalift describe shop --price-in 0.15 --price-out 0.60 --yes",
    "modalift describe shop --retry-refused --yes",
)
def describe(
    study: StudyArgument,
    corpus: Annotated[
        str | None, typer.Option(metavar="CORPUS", help="Only this one of the study's descriptions.")
    ] = None,
    sample: Annotated[int, typer.Option(min=1, help="Items to ask about first.")] = 5,
    yes: Annotated[bool, typer.Option("--yes", help="Go on with all items without asking.")] = False,
    price_in: Annotated[
        float | None, typer.Option(min=0, metavar="PRICE", help="Of a million tokens that are sent, for the estimate.")
    ] = None,
    price_out: Annotated[
        float | None, typer.Option(min=0, metavar="PRICE", help="Of a million tokens that are answered.")
    ] = None,
    retry_refused: Annotated[
        bool, typer.Option("--retry-refused", help="Ask again about items that were refused.")
    ] = False,
) -> None:
    """Ask a study's vision-language model about a few items, and say what all would take; then ask about all.

    Answers are kept: the sample, and what a run that was stopped has asked for, is not asked for again.
    """
    settings = read_settings()
    read = find_study(study, settings)
    for each in _corpora(read, settings, corpus):
        if retry_refused:
            _forget(each, settings)
        if _wanted(each, sample, price_in, price_out, yes):
            _ask_all(read, settings, each)


def _corpora(study: "Study", settings: "Settings", wanted: str | None) -> list[AskedCorpus]:
    from recsys.content.vlm.options import VlmOptions

    asked = [
        (name, corpus)
        for name, spec in study.datasets.items()
        for corpus, given in spec.descriptions.items()
        if given.model
    ]
    if not asked:
        raise UserError(
            f"study {study.name} asks no model for descriptions: add `descriptions: {{seen: {{model: ..., prompt: "
            "...}}` to a dataset, or write the study by `modalift new --describe-with`"
        )
    if wanted is not None:
        known = list(dict.fromkeys(corpus for _, corpus in asked))
        wanted = choose(wanted, known, "corpus that a model is asked for called")
        asked = [(name, corpus) for name, corpus in asked if corpus == wanted]
    items = {name: _items(study, settings, name) for name in dict.fromkeys(name for name, _ in asked)}
    return [
        AskedCorpus(
            name,
            corpus,
            VlmOptions.read(study.datasets[name].descriptions[corpus].options),
            items[name],
            settings.source_folder(name, study.datasets[name]) or Path(),
            settings.work / keys.descriptions(name, corpus),
        )
        for name, corpus in asked
    ]


def _items(study: "Study", settings: "Settings", name: str) -> "pd.DataFrame":
    """The items that are left after cleaning, which are those that a run asks about."""
    from recsys.study.preparing import load_items, prepare_dataset

    spec = study.datasets[name]
    with TemporaryDirectory() as scratch:
        prepare_dataset(spec, settings.source_folder(name, spec), Path(scratch))
        return load_items(Path(scratch))


def _forget(corpus: AskedCorpus, settings: "Settings") -> None:
    """Take refusals out of what is kept, and the version that was made of them out of the store."""
    from orchestration.home import Home
    from recsys.content.vlm.estimate import forget_refused

    n = forget_refused(corpus.items, corpus.options, corpus.folder, corpus.work)
    home = Home(settings)
    event = home.lineage.latest(corpus.asset)
    if n and event is not None and home.folder(event).is_dir():
        home.store.remove(corpus.asset, event.fingerprint)
    say(f"{corpus.asset}: {count(n, 'refused content')} to be asked about again")


def _wanted(corpus: AskedCorpus, n: int, price_in: float | None, price_out: float | None, yes: bool) -> bool:
    """Show a sample and what the rest would take; whether the rest is wanted."""
    from recsys.content.vlm.estimate import sample

    say(f"{corpus.asset}: asking {corpus.options.model} about {count(n, 'item')}")
    found = sample(corpus.items, corpus.options, n, corpus.folder, corpus.work)
    _show(found)
    for line in said(corpus.options, found, price_in, price_out):
        say(line)
    if not found.n_missing:
        return True
    if yes:
        return True
    if not sys.stdin.isatty():
        say("Nothing more was asked: `--yes` asks about all.")
        return False
    return typer.confirm(f"Ask about the other {found.n_missing:,}?")


def _show(sample: "Sample") -> None:
    from recsys.report.text import shortened

    shown = table("item", "answer", "fields that it gives")
    for each in sample.answers:
        parts = ["refused", each.refused, each.answer] if each.refused else [each.answer]
        words = shortened(": ".join(filter(None, parts)), LONGEST)
        given = ", ".join(f"{field}: {value}" for field, value in each.values.items())
        shown.add_row(each.item_id, words, given or "none")
    out.print(shown)


def said(options: "VlmOptions", sample: "Sample", price_in: float | None, price_out: float | None) -> list[str]:
    """What a sample says of the whole catalogue, a line each."""
    lines = [f"Note: {line}." for line in sample.adapted]
    if sample.fields and any(not each.refused for each in sample.answers):
        lines.append(f"The answers give {whole_percent(sample.compliance)} of the fields that the prompt asks for.")
    if sample.cut_off:
        lines.append(f"{sample.cut_off} of them were cut off: raise `max_new_tokens: {options.max_new_tokens}`.")
    refused = f" and {sample.n_refused:,} refused" if sample.n_refused else ""
    pictures = f" with {count(sample.n_pictures, 'picture')}" if sample.n_pictures else ""
    if not sample.n_missing:
        return [*lines, f"{sample.n_contents:,} different items{pictures}, all of them asked about{refused}."]
    lines.append(
        f"{sample.n_contents:,} different items{pictures}, {sample.n_asked:,} of them asked about{refused}; "
        f"the other {sample.n_missing:,} take about {duration(sample.seconds)}."
    )
    if sample.n_prompt:
        sent, answered = sample.n_missing * sample.n_prompt, sample.n_missing * sample.n_tokens
        lines.append(
            f"That is {sent:,.0f} tokens sent and {answered:,.0f} answered ({sample.n_prompt:,.0f} and "
            f"{sample.n_tokens:,.0f} an item)."
        )
    if price_in is None and price_out is None:
        if options.endpoint:
            lines.append("`--price-in` and `--price-out`, of a million tokens, estimate the cost.")
    elif sample.n_prompt:
        lines.append(f"At these prices it costs about {sample.cost(price_in or 0, price_out or 0):,.2f}.")
    else:
        lines.append("The server does not count tokens, so that the cost cannot be estimated.")
    return lines


def _ask_all(study: "Study", settings: "Settings", corpus: AskedCorpus) -> None:
    from orchestration.home import Home
    from orchestration.materialise import materialise

    with RichProgress(err) as progress:
        done = materialise(study, settings, progress, f'+key:"{corpus.asset}"')
    event = Home(settings).lineage.latest(corpus.asset) if corpus.asset in done.assets else None
    if event is not None:
        for line in outcome_lines(corpus.asset, event.facts):
            say(line)
    failures = [*done.failures, *(event.failures if event else ())]
    for failure in failures:
        complain(failure)
    if failures:
        raise typer.Exit(1)


def outcome_lines(asset: str, facts: dict[str, Any]) -> list[str]:
    """What came of a corpus, in a line; none where it came from a file or is of no use."""
    from recsys.report.descriptions import outcome

    if "provenance" not in facts or "model" not in facts["provenance"]:
        return []
    return [f"{asset}: {', '.join(f'{what}: {words}' for what, words in outcome(facts).items())}"]
