"""Names of assets: `<dataset>/<kind>[/<name>]`."""

import re


def dataset(name: str) -> str:
    """A cleaned and split catalogue."""
    return f"{name}/dataset"


def descriptions(name: str, corpus: str) -> str:
    """A description corpus, parsed."""
    return f"{name}/descriptions/{corpus}"


def embeddings(name: str, source: str) -> str:
    """An embedding set."""
    return f"{name}/embeddings/{source}"


def model(name: str, model_name: str) -> str:
    """A model, tuned and trained on each of its arms."""
    return f"{name}/models/{plain(model_name)}"


def plain(row: str) -> str:
    """A row's name in letters that a key may have: a preset's is not among them."""
    return re.sub(r"[^A-Za-z0-9]+", "_", row)


def controls(name: str) -> str:
    """The controls that the verdict needs of the chosen models."""
    return f"{name}/controls"


def metrics(name: str) -> str:
    """Every (model, arm) on the test part."""
    return f"{name}/metrics"


def analysis(name: str, analysis_name: str) -> str:
    """One analysis of a dataset's results."""
    return f"{name}/analyses/{analysis_name}"


def verdict(name: str) -> str:
    """What holds for this catalogue."""
    return f"{name}/verdict"


def report(study: str) -> str:
    """The page that says so."""
    return f"{study}/report"
