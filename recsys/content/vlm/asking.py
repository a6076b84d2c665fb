"""Asking a model about contents, batch by batch: what is said is kept at once, and the first answers are judged.

A model that does not do what the prompt asks shows it in its first answers, and is not paid for the rest.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from recsys.content.batch_store import BatchStore, Column
from recsys.content.descriptions.answers import parse
from recsys.content.texts import unwrap
from recsys.content.thinking import without_thinking
from recsys.content.vlm.contents import NOTHING, opened
from recsys.content.vlm.declining import DECLINED, declines
from recsys.content.vlm.describer import Describer, UnfinishedError, VlmInput, VlmOutput
from recsys.content.vlm.options import SPEAKS_FOR_ALL, VlmOptions
from recsys.content.vlm.prompts import Prompt
from recsys.content.vlm.unusable import UnusableError
from recsys.wording import whole_percent

FEWEST_ALIKE = 3
"""So many different pictures with the very same vector are no chance."""
ADDRESSES = "addresses.txt"
"""Beside the answers: where they come from, on which nothing depends."""
NOISE = 1e-4
"""Share of a vector's length by which batches may change it."""
LONGEST = 120
"""Characters of an answer that stand as an example."""


class Asking:
    """The contents of a catalogue, and what is known of them."""

    def __init__(
        self,
        contents: dict[str, VlmInput],
        options: VlmOptions,
        prompt: Prompt,
        batches: BatchStore,
        weights: str | None,
    ) -> None:
        """Contents by key, where the answers about them are kept, and the digest of the weights that are run here."""
        self.contents, self.options, self.prompt, self.batches = contents, options, prompt, batches
        self.weights = weights

    @property
    def answered(self) -> list[str]:
        """Keys of the contents that were asked about, refused ones among them, in their order."""
        known = self.batches.keys()
        return [key for key in self.contents if key in known]

    @property
    def addresses(self) -> list[str]:
        """Where the answers were had, in the order in which servers were asked; none for weights that are run here."""
        file = self.batches.folder / ADDRESSES
        return file.read_text(encoding="utf-8").splitlines() if file.is_file() else []

    @cached_property
    def order(self) -> list[str]:
        """All contents; those of like length stand together, so that little of a batch is padding."""
        return sorted(
            self.contents, key=lambda key: (-len(self.contents[key].images), len(self.contents[key].text or ""))
        )

    def sample(self, n: int) -> list[str]:
        """So many contents, evenly spaced over short and long ones."""
        places = np.linspace(0, len(self.order) - 1, min(n, len(self.order))).round().astype(int)
        return [self.order[place] for place in dict.fromkeys(places.tolist())]

    def ask(self, describer: Describer, size: int) -> Iterator[int]:
        """Ask about all that is not answered, and keep what is said; tells after each batch how many are done.

        Raises:
            UnusableError: the first answers do not do what was asked.
            UnfinishedError: the describer had to stop.
        """
        before = self.answered
        self.judge(before)
        known = set(before)
        first = [key for key in self.sample(SPEAKS_FOR_ALL) if key not in known]
        first = first[: max(SPEAKS_FOR_ALL - len(before), 0)]
        known.update(first)
        rest = [key for key in self.order if key not in known]
        done = len(before)
        for keys in (first, rest):
            for n in self.ask_about(keys, describer, size):
                yield done + n
            done += len(keys)
            self.judge(self.answered, enough=1 if keys is rest else SPEAKS_FOR_ALL)

    def ask_about(self, keys: Sequence[str], describer: Describer, size: int) -> Iterator[int]:
        """Ask about some contents, and keep what is said; tells after each batch how many are done."""
        with opened([self.contents[key].images for key in keys]) as opens:
            for start in range(0, len(keys), size):
                batch = keys[start : start + size]
                seen = {key: replace(self.contents[key], images=next(opens)) for key in batch}
                asked = {key: what for key, what in seen.items() if what != NOTHING}
                if asked:
                    self._ask(asked, describer)
                yield start + len(batch)

    def _ask(self, asked: dict[str, VlmInput], describer: Describer) -> None:
        try:
            said = describer.describe(self.prompt.text, list(asked.values()))
        except UnfinishedError as error:
            self._keep([list(asked.items())[row] for row in error.rows], error.said, describer.adapted)
            raise
        self._keep(list(asked.items()), said, describer.adapted)

    def _keep(self, asked: list[tuple[str, VlmInput]], said: VlmOutput, adapted: list[str]) -> None:
        if not asked:
            return
        n = len(asked)
        if self.options.endpoint is not None:
            self._remember(self.options.endpoint.address)
        declined = [self._declined(answer) for answer in said.answers]
        columns: dict[str, Column] = {
            "answer": said.answers,
            "refused": [why or words for why, words in zip(said.refused or [""] * n, declined, strict=True)],
            "adapted": ["\n".join(adapted)] * n,
            "model": [", ".join(said.models)] * n,
            "n_tokens": np.array(said.n_tokens or [0] * n, dtype=np.int32)[:, None],
            "n_prompt": np.array(said.n_prompt or [0] * n, dtype=np.int32)[:, None],
            "cut_off": np.array(said.cut_off or [False] * n, dtype=np.int8)[:, None],
            "seconds": np.array(said.seconds or [0.0] * n)[:, None],
            "pictured": np.array([[len(what.images)] for _, what in asked], dtype=np.int8),
        }
        # An excuse has states that are about no item; those of the prompt and the image are as good as ever.
        without = np.array([bool(words) for words in declined])[:, None]
        hidden = {
            name: np.where(without, np.float32(np.nan), vectors) if name.startswith("answer") else vectors
            for name, vectors in said.hidden.items()
        }
        self.batches.add([key for key, _ in asked], {**columns, **hidden})

    def _remember(self, address: str) -> None:
        if address not in self.addresses:
            with (self.batches.folder / ADDRESSES).open("a", encoding="utf-8") as file:
                file.write(f"{address}\n")

    def _declined(self, answer: str) -> str:
        """Why a text is no answer, though it is there; empty where it is one."""
        return DECLINED if declines(answer) and not parse(answer, self.prompt.fields) else ""

    def judge(self, keys: Collection[str], enough: int = SPEAKS_FOR_ALL) -> None:
        """Stop where what was said about these contents is of no use, once there are enough answers.

        Raises:
            UnusableError: too few of the prompt's fields are given, or vectors are all the same, or none; with an
                example.
        """
        if not keys:
            return
        refused = dict(zip(keys, self.batches.column("refused", list(keys)), strict=True))
        said = [key for key, why in refused.items() if why in ("", DECLINED)]
        if not said or len(said) < min(enough, len(self.contents)):
            return
        if self.options.max_new_tokens and self.options.min_compliance:
            self._judge_answers({key: bool(refused[key]) for key in said})
        given = [key for key in said if not refused[key]]
        for name in self.options.hidden if given else ():
            self._judge_vectors(name, given)

    def _judge_answers(self, declined: dict[str, bool]) -> None:
        """By key, whether a model declines in words: such an answer gives nothing."""
        keys = list(declined)
        raw = [str(answer) for answer in self.batches.column("answer", keys)]
        answers = [
            "" if declined[key] else without_thinking(unwrap(answer), self.prompt.fields)
            for key, answer in zip(keys, raw, strict=True)
        ]
        fields, wanted = self.prompt.fields, self.options.min_compliance
        if fields:
            share = float(np.mean([len(parse(answer, fields)) / len(fields) for answer in answers]))
            what = f"give {whole_percent(share)} of the fields that prompt '{self.prompt.name}' asks for"
        else:
            share = float(np.mean([bool(answer) for answer in answers]))
            what = f"give words beside thinking and excuses in {whole_percent(share)} of the cases"
            if share >= wanted and len(answers) >= SPEAKS_FOR_ALL and len(set(answers)) == 1:
                share, what = 0.0, "are all the same"
        if share >= wanted:
            return
        cut_off = float(np.mean(self.batches.column("cut_off", keys)))
        example = " ".join(next(filter(None, raw), "").split())[:LONGEST]
        cause = ""
        if cut_off >= 0.5:
            limit = f"`max_new_tokens: {self.options.max_new_tokens}`"
            cause = f" ({whole_percent(cut_off)} were cut off at {limit}: raise it)"
        raise UnusableError(
            f"model '{self.options.model}': {len(answers)} answers {what}{cause}, such as '{example}'; take another "
            "model or prompt, or go on with `min_compliance: 0`"
        )

    def _judge_vectors(self, name: str, keys: list[str]) -> None:
        vectors = self.batches.column(name, keys)
        known = ~np.isnan(vectors).any(axis=1)
        shown = [self.contents[key].images if name.startswith("image") else key for key in keys]
        n_shown = len({what for what, there in zip(shown, known, strict=True) if there})
        n_asked = sum(bool(what) for what in shown)
        if n_shown >= FEWEST_ALIKE and _are_one(vectors[known]):
            wrong = f"is one and the same vector for {n_shown} different items"
        elif n_asked >= FEWEST_ALIKE and not known.any():
            wrong = f"is nothing for {n_asked} items, none of which has such hidden states"
        else:
            return
        raise UnusableError(
            f"model '{self.options.model}': '{name}' {wrong}; take another of the `poolings`, or another model"
        )


def _are_one(vectors: np.ndarray) -> bool:
    """Whether rows differ by no more than the noise of computing one of them in different batches."""
    spread = np.linalg.norm(vectors - vectors.mean(axis=0), axis=1).max()
    return bool(spread <= NOISE * np.linalg.norm(vectors, axis=1).mean())
