"""A few answers before a whole catalogue is asked about: what they look like, and what all would take."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import pandas as pd

from recsys.content.descriptions.answers import parse
from recsys.content.vlm.asking import Asking
from recsys.content.vlm.describer import Describer, UnfinishedError
from recsys.content.vlm.extraction import choose, prepare
from recsys.content.vlm.options import VlmOptions
from recsys.errors import UserError

MILLION = 1_000_000


@dataclass(frozen=True)
class SampledAnswer:
    """One item of a sample: its id, the answer, the prompt's fields that it gives, or why there is none."""

    item_id: str
    answer: str
    values: dict[str, str]
    refused: str


@dataclass(frozen=True)
class Sample:
    """A few answers, and what they say of the rest.

    Attributes:
        answers: one an item.
        fields: that the prompt asks for.
        n_contents: different contents of the catalogue.
        n_pictures: of all contents together, where any shows several; else 0.
        n_asked: how many of the contents were asked about, the sample among them; what came of it is kept.
        n_refused: those of them about which there is no answer.
        n_prompt, n_tokens: mean tokens of a question and of an answer; 0 where a server does not count them.
        seconds: that the rest is going to take.
        cut_off: answers of the sample that were ended by `max_new_tokens`.
        adapted: what had to be asked otherwise than the options say.
    """

    answers: list[SampledAnswer]
    fields: tuple[str, ...]
    n_contents: int
    n_pictures: int
    n_asked: int
    n_refused: int
    n_prompt: float
    n_tokens: float
    seconds: float
    cut_off: int
    adapted: list[str]

    @property
    def n_missing(self) -> int:
        """Contents that are yet to be asked about."""
        return self.n_contents - self.n_asked

    @property
    def compliance(self) -> float:
        """Mean share of the prompt's fields that an answer gives; 1 where it asks for none."""
        given = [len(each.values) / len(self.fields) for each in self.answers if not each.refused and self.fields]
        return fmean(given) if given else float(not self.fields)

    def cost(self, price_in: float, price_out: float) -> float:
        """What the rest costs, by the prices of a million tokens in and out."""
        return self.n_missing * (self.n_prompt * price_in + self.n_tokens * price_out) / MILLION


def sample(items: pd.DataFrame, options: VlmOptions, n: int, folder: Path | None, work: Path) -> Sample:
    """Ask about a few contents, short and long ones, and keep the answers: they are not asked for again.

    Args:
        items: the item table of a dataset.
        options: as a study gives them.
        n: how many.
        folder: what file names in the options are relative to.
        work: where answers are kept, the same as for the whole catalogue.

    Raises:
        UserError: the model cannot be asked, or there is nothing to show it.
    """
    asking, of_items, weights = prepare(items, options, folder, work)
    if not asking.contents:
        wanted = " or ".join(options.inputs)
        raise UserError(f"none of the {len(items)} items has {wanted} to show the model; see the column or `inputs`")
    describer = choose(options, weights, asking.prompt.fields)
    keys, before = asking.sample(n), set(asking.answered)
    try:
        for _ in asking.ask_about([key for key in keys if key not in before], describer, n):
            pass
    except UnfinishedError as error:
        raise UserError(f"{error}: try again, or ask another server") from None
    known = asking.batches.keys()
    keys = [key for key in keys if key in known]
    if not keys:
        raise UserError("no picture of the sample can be read; fix the files, or try a larger --sample")
    item_of = {key: str(item) for item, (key, _) in zip(items["item_id"], of_items, strict=True)}
    return _sampled(asking, keys, item_of, describer)


def _sampled(asking: Asking, keys: Sequence[str], item_of: dict[str, str], describer: Describer) -> Sample:
    batches, fields = asking.batches, asking.prompt.fields
    rows = zip(keys, batches.column("answer", keys), batches.column("refused", keys), strict=True)
    answers = [SampledAnswer(item_of[key], str(said), parse(str(said), fields), str(why)) for key, said, why in rows]
    asked = asking.answered
    each = float(batches.column("seconds", keys).mean())
    seconds = (len(asking.contents) - len(asked)) * each / describer.parallel
    endpoint = asking.options.endpoint
    if endpoint is not None and endpoint.requests_per_minute:
        seconds = max(seconds, 60 * (len(asking.contents) - len(asked)) / endpoint.requests_per_minute)
    pictures = [len(what.images) for what in asking.contents.values()]
    return Sample(
        answers=answers,
        fields=fields,
        n_contents=len(asking.contents),
        n_pictures=sum(pictures) if max(pictures) > 1 else 0,
        n_asked=len(asked),
        n_refused=sum(bool(why) for why in batches.column("refused", asked)),
        n_prompt=float(batches.column("n_prompt", keys).mean()),
        n_tokens=float(batches.column("n_tokens", keys).mean()),
        seconds=seconds,
        cut_off=int(batches.column("cut_off", keys).sum()),
        adapted=describer.adapted,
    )


def forget_refused(items: pd.DataFrame, options: VlmOptions, folder: Path | None, work: Path) -> int:
    """Take out the refusals that are kept, so that these contents are asked about again; tells how many."""
    asking, _, _ = prepare(items, options, folder, work)
    keys = asking.answered
    refused = (
        [key for key, why in zip(keys, asking.batches.column("refused", keys), strict=True) if why] if keys else []
    )
    asking.batches.forget(refused)
    return len(refused)
