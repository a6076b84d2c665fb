"""One catalogue of a study: where its data come from, how content is made of them, and what is asked of it."""

from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from recsys.content.arms import INTERACTIONS_ONLY, Arm, Control, content_arm, control_arm
from recsys.content.encoders import registry as encoders
from recsys.content.provenance import SPEED_AND_PLACE
from recsys.content.vlm.options import CHANGES_NO_ANSWER, VlmOptions
from recsys.content.weights import own_folder
from recsys.data.cleaning import CleaningRules
from recsys.data.readers import registry
from recsys.data.splits import SplitRule
from recsys.errors import hint
from recsys.fingerprints import code_of
from recsys.study.judgement_spec import Published, Question, Scenario
from recsys.study.spec import Open, Strict

CORPUS = "corpus.parquet"
"""The table of a description corpus: `item_id`, `answer`, and one column per field."""
OWN_COLUMNS = ("item_id", "answer")
"""Columns of that table that no field can be called."""
RAW_MODALITIES = ("text", "image", "audio")


class DatasetSource(Open):
    """Where interactions and items come from: a reader, its folder, and the reader's own options."""

    reader: str
    folder: str | None = None

    def places(self, folder: Path) -> list[Path]:
        """The files and folders that the options name, where they name all of them; else the whole folder.

        Pictures that a column names may be anywhere in it.
        """
        needed = registry.load(self.reader).options.names_files
        are_all_named = "images" in self.options or "image_column" not in self.options
        is_complete = bool(needed) and all(option in self.options for option in needed) and are_all_named
        return (super().places(folder) if is_complete else []) or [folder]


class ContentSource(Open):
    """How one source of content becomes vectors: an encoder and its own options."""

    sentences = ("instruction", "prompt")
    encoder: str
    corpus: str | None = None

    @property
    def identity(self) -> dict[str, Any]:
        """What the vectors depend on: all options but those of speed, and where a server runs."""
        return self.model_dump(exclude=SPEED_AND_PLACE)


class CorpusSpec(Open):
    """Descriptions of items, one an item: from a file, or asked of a vision-language model.

    Attributes:
        file: of descriptions that were made elsewhere; `id_column` and `text_column` name its columns.
        fields: that the answers of a file are asked to have; a model's are those of its prompt.
        model: asked for the descriptions; every further key is an option of the asking (`recsys.content.vlm`).
        truth: columns of the item table that tell what a field should say, by field.
    """

    file: str | None = None
    fields: tuple[str, ...] = ()
    id_column: str | None = None
    text_column: str | None = None
    model: str | None = None
    truth: dict[str, str] = Field(default_factory=dict)

    @field_validator("fields")
    @classmethod
    def _names_of_columns(cls, fields: tuple[str, ...]) -> tuple[str, ...]:
        if odd := [field for field in fields if not field.strip() or field in OWN_COLUMNS]:
            raise ValueError(f"a field cannot be called '{odd[0]}': name what the answers are asked to have")
        if len(set(fields)) < len(fields):
            raise ValueError("name each field once")
        return fields

    @model_validator(mode="after")
    def _one_origin(self) -> "CorpusSpec":
        if (self.file is None) == (self.model is None):
            raise ValueError("descriptions come from a 'file' or from a 'model': give one of the two")
        if self.file is not None and self.model_extra:
            raise ValueError(f"'{next(iter(self.model_extra))}' means nothing to descriptions from a file")
        if self.model is not None and (self.fields or self.id_column or self.text_column):
            raise ValueError(
                "'fields', 'id_column' and 'text_column' belong to a file; a model has those of its prompt"
            )
        return self

    @property
    def options(self) -> dict[str, Any]:
        """Options of the asked model."""
        return {"model": self.model, **super().options}

    def places(self, folder: Path) -> list[Path]:
        """The folder of a model's own weights; the prompt counts by what it says."""
        weights = own_folder(self.model, folder) if self.model else None
        return [weights] if weights is not None else []

    @property
    def identity(self) -> dict[str, Any]:
        """What the answers depend on: all but options of speed and place, and the known truth."""
        return self.model_dump(exclude={"truth": True, "prompt": True, **CHANGES_NO_ANSWER})


class DatasetSpec(Strict):
    """One catalogue of a study."""

    source: DatasetSource
    cleaning: CleaningRules = CleaningRules()
    split: SplitRule = SplitRule()
    descriptions: dict[str, CorpusSpec] = Field(default_factory=dict)
    content: dict[str, ContentSource] = Field(default_factory=dict)
    both: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    questions: tuple[Question, ...] = ()
    scenario: Scenario = Scenario()
    published: Published | None = None

    @model_validator(mode="after")
    def _sources_exist(self) -> "DatasetSpec":
        for source, content in self.content.items():
            corpus = content.corpus
            if corpus is not None and corpus not in self.descriptions:
                meant = hint(corpus, self.descriptions)
                raise ValueError(f"content '{source}' names corpus '{corpus}', which 'descriptions' lacks{meant}")
        for source in self.both or ():
            if source not in self.content:
                raise ValueError(f"'both' names '{source}', which 'content' lacks{hint(source, self.content)}")
        if len(set(self.both or ())) < len(self.both or ()):
            raise ValueError("'both' names a source twice")
        arms = {"both", INTERACTIONS_ONLY, *self.content}
        for question in self.questions:
            for arm, allowed in ((question.better, arms), (question.than, arms | {"shuffled"})):
                if arm not in allowed:
                    raise ValueError(f"question '{question.ask}' names '{arm}'{hint(arm, sorted(allowed))}")
        # Holm's correction would count it twice.
        asked = Counter((question.better, question.than) for question in self.questions)
        if twice := [arms for arms, n in asked.items() if n > 1]:
            raise ValueError(f"two questions compare '{twice[0][0]}' with '{twice[0][1]}': ask once")
        return self

    def reads(self, source: str) -> frozenset[str]:
        """What of an item a source is made of: `image`, columns of words, or itself where nothing says so.

        Of descriptions that is what the model was shown that wrote them.
        """
        content = self.content[source]
        if content.corpus is None:
            encoder = encoders.load(content.encoder).from_options(content.encoder, content.options)
            return encoder.reads or frozenset({source})
        corpus = self.descriptions[content.corpus]
        if corpus.model is None:
            return frozenset({source})
        defaults = VlmOptions.model_fields
        inputs = corpus.options.get("inputs", defaults["inputs"].default)
        words = corpus.options.get("text_fields", defaults["text_fields"].default) if "text" in inputs else ()
        return frozenset({*words, *(("image",) if "image" in inputs else ())})

    @property
    def comparison_identity(self) -> list[Any]:
        """What decides which arms are compared, beside results: the fused sources, and how each source is made.

        From how a source is made follows what it reads. `reads` itself is not asked: options may be wrong, and assets
        get their versions before anything says so.
        """
        sources = []
        for source, content in self.content.items():
            corpus = self.descriptions[content.corpus].identity if content.corpus else None
            sources.append((source, content.identity, corpus, code_of(encoders.module(content.encoder))))
        return [repr(self.fused), sources]

    def without_sources(self, sources: Collection[str]) -> "DatasetSpec":
        """The dataset without some of its sources, and without the corpora that only these read."""
        content = {source: given for source, given in self.content.items() if source not in sources}
        read = {given.corpus for given in content.values()}
        lost = {self.content[source].corpus for source in sources} - read
        both = None if self.both is None else tuple(source for source in self.both if source in content)
        left = self.model_copy(
            update={
                "content": content,
                "descriptions": {corpus: given for corpus, given in self.descriptions.items() if corpus not in lost},
                "both": both or None,
            }
        )
        arms = {"both", INTERACTIONS_ONLY, "shuffled", *content}
        asked = [each for each in self.questions if {each.better, each.than} <= arms]
        renamed = [
            each.model_copy(update={"better": left.name_now(each.better), "than": left.name_now(each.than)})
            for each in asked
        ]
        return left.model_copy(update={"questions": tuple(each for each in renamed if each.better != each.than)})

    def name_now(self, arm: str) -> str:
        """What an arm is called here: `both` is called by its source where a single one is left to be fused."""
        return self.fused.name if arm == "both" and self.fused else arm

    @property
    def fused(self) -> Arm | None:
        """The arm that shows the raw modalities together; None without content."""
        sources = self.both or tuple(s for s in self.content if s in RAW_MODALITIES) or tuple(self.content)
        if not sources:
            return None
        return content_arm("both", sources) if len(sources) > 1 else content_arm(sources[0], sources)

    def arms(self, controls: tuple[Control, ...], of_each: tuple[Control, ...] = ()) -> list[Arm]:
        """All arms of a model that takes content, each once: fused, each source, interactions only, controls.

        Args:
            controls: of all that the fused arm shows.
            of_each: of one source of the fused arm, the others as they are.
        """
        fused = self.fused
        if fused is None:
            return [Arm(INTERACTIONS_ONLY)]
        single = [content_arm(source, (source,)) for source in self.content if (source,) != fused.sources]
        altered = fused.sources if len(fused.sources) > 1 else ()
        return [
            fused,
            *single,
            Arm(INTERACTIONS_ONLY),
            *(control_arm(fused, control, name=control) for control in controls),
            *(control_arm(fused, control, (source,)) for control in of_each for source in altered),
        ]
