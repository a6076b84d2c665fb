"""Size of what is behind each source against its lift."""

from types import SimpleNamespace

from recsys.analyses.base import Inputs
from recsys.analyses.sizes import Sizes, behind
from recsys.study.dataset_spec import ContentSource, CorpusSpec


def spec(**content: ContentSource) -> SimpleNamespace:
    return SimpleNamespace(
        content=content, descriptions={"seen": CorpusSpec(model="blip"), "read": CorpusSpec(file="a")}
    )


def test_what_is_behind_a_source() -> None:
    sources = spec(
        text=ContentSource(encoder="tfidf_svd"),
        image=ContentSource(encoder="torchvision_backbone", model="resnet18"),
        looks=ContentSource(encoder="vision_transformer"),
        titles=ContentSource(encoder="sentence_transformer"),
        lost=ContentSource(encoder="gone"),
        lvlm=ContentSource(encoder="hidden_states", corpus="seen"),
        words=ContentSource(encoder="keywords", corpus="read"),
        given=ContentSource(encoder="matrix_file", file="image.npy"),
    )
    found = [behind(sources, source) for source in sources.content]  # type: ignore[arg-type]
    assert found == [
        "",
        "resnet18",
        "google/vit-base-patch16-224",
        "sentence-transformers/all-MiniLM-L6-v2",
        "",
        "blip",
        "descriptions from a file",
        "vectors from a file",
    ]


def test_a_row_a_source(trained: Inputs) -> None:
    sources = spec(
        text=ContentSource(encoder="tfidf_svd"), image=ContentSource(encoder="torchvision_backbone", model="resnet50")
    )
    study = SimpleNamespace(**vars(trained.study) | {"datasets": {"d": sources}})
    inputs = Inputs(study, "d", {}, trained.cell)  # type: ignore[arg-type]
    inputs.__dict__.update({name: trained.__dict__[name] for name in ("features", "results", "selection", "scores")})
    (table,) = Sizes().show(Sizes().compute(inputs))
    assert [row[:5] for row in table.rows] == [
        ["text", "tfidf_svd", "none", "none", "8"],
        ["image", "torchvision_backbone", "resnet50", "103 MB", "6"],
    ]


def test_a_vision_language_model_has_its_own_size(trained: Inputs) -> None:
    corpora = {"asked": CorpusSpec(model="Qwen/Qwen3-VL-2B-Instruct", prompt="movies_fields")}
    sources = SimpleNamespace(
        content={"text": ContentSource(encoder="keywords", corpus="asked")}, descriptions=corpora
    )
    study = SimpleNamespace(**vars(trained.study) | {"datasets": {"d": sources}})
    inputs = Inputs(study, "d", {}, trained.cell)  # type: ignore[arg-type]
    inputs.__dict__.update({name: trained.__dict__[name] for name in ("features", "results", "selection", "scores")})
    (table,) = Sizes().show(Sizes().compute(inputs))
    assert [row[2:4] for row in table.rows] == [["Qwen/Qwen3-VL-2B-Instruct", "4,300 MB"]]
