"""Which cells an edit of the library moves, and whether all that a cell runs is in its code."""

import ast
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from recsys.content.arms import Arm
from recsys.data.dataset import Dataset
from recsys.engine import cell as engine
from recsys.engine.cell import Cell
from recsys.engine.code import SEARCH, cell_code, cell_roots, model_code
from recsys.evaluation.protocol import Protocol
from recsys.fingerprints import CHECKOUT, PACKAGES, Codebase
from recsys.models import registry
from recsys.testing.market import planted_market
from tests.tuning.test_search import Runner, searched_by

MODELS = {p.stem: registry.find(p.stem) for p in sorted(registry.ROOT.glob("*/*.py")) if p.stem[0] != "_"}
PRIMARY = "ndcg"


class Copy:
    """A copy of the program's packages that tests edit."""

    def __init__(self, root: Path) -> None:
        for package in PACKAGES:
            for file in (CHECKOUT / package).rglob("*.py"):
                place = root / file.relative_to(CHECKOUT)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, place)
        self.root = root
        self.code = Codebase(root)
        self.before = codes(self.code)
        self.reached = {model: self.code.reached(*cell_roots(model, PRIMARY)) for model in MODELS}

    def moved(self, file: str, edit: Callable[[str], str], *, body: str = "") -> set[str]:
        """Models whose cells have another fingerprint once a file's text is edited; the file is put back.

        With `body`, the edit is known to change the body of that definition alone, and all others are not read again.
        """
        place = self.root / file
        text = place.read_text() if place.exists() else None
        place.write_text(edit(text or ""))
        code = Codebase(self.root)
        if body:
            module, _, _ = body.partition(":")
            code._modules = {name: known for name, known in self.code._modules.items() if name != module}
            code._definitions = {name: known for name, known in self.code._definitions.items() if name != body}
        after = codes(code)
        if text is None:
            place.unlink()
        else:
            place.write_text(text)
        return {model for model in MODELS if after[model] != self.before[model]}


def codes(code: Codebase) -> dict[str, str]:
    return {model: code.code_of(*cell_roots(model, PRIMARY)) for model in MODELS}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return Copy(tmp_path_factory.mktemp("checkout"))


def added(text: str) -> Callable[[str], str]:
    return lambda before: f"{before}\n\n{text}\n"


def rewritten(text: str) -> Callable[[str], str]:
    return lambda before: text


def replaced(old: str, new: str) -> Callable[[str], str]:
    def edit(text: str) -> str:
        assert text.count(old) == 1
        return text.replace(old, new)

    return edit


def naming(name: str) -> set[str]:
    """Models whose file, or a file of models or blocks that it imports from, names something: read as text."""
    package = registry.ROOT.parent
    paths = [*registry.ROOT.glob("*/*.py"), *(package / "training").glob("*.py")]
    texts = {".".join(path.relative_to(package.parent).with_suffix("").parts): path.read_text() for path in paths}
    files = {module: text for module, text in texts.items() if f"def {name}(" not in text}
    users = {module for module, text in files.items() if name in text.replace("(", " ").replace(",", " ").split()}
    while more := {m for m, text in files.items() if any(f"from {user} import" in text for user in users)} - users:
        users |= more
    return {stem for stem, file in MODELS.items() if file.module in users}


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("recsys/training/losses.py", "def hinge_loss(x):\n    return x.clamp(min=0).mean()"),
        ("recsys/training/sampling.py", "class PopularSampler(PairSampler):\n    power = 0.75"),
        ("recsys/training/graph.py", "def degrees(graph):\n    return graph.sum(axis=1)"),
        (
            "recsys/evaluation/metrics/accuracy.py",
            "@user_metric(higher_is_better=True)\ndef f1(lists):\n    return recall(lists)",
        ),
        ("recsys/content/arms.py", "EVERYTHING = 'all'"),
        ("recsys/evidence/strata.py", "from recsys.training.losses import bpr_loss\nBOUNDS = (0, 5)"),
        ("recsys/models/graph/lightgcn.py", "SPARE = 1"),
    ],
)
def test_what_is_added_beside_moves_no_cell(copy: Copy, file: str, text: str) -> None:
    assert copy.moved(file, added(text)) == set()


def test_how_a_mistake_is_worded_moves_no_cell(copy: Copy) -> None:
    assert copy.moved("recsys/errors.py", replaced('f"; did you mean', 'f"; perhaps you mean')) == set()


def test_a_changed_loss_moves_its_users(copy: Copy) -> None:
    moved = copy.moved(
        "recsys/training/losses.py",
        replaced("softplus(negative - positive).mean()", "softplus(negative - positive).sum()"),
    )
    users = naming("bpr_loss") | naming("factor_bpr_loss")
    # COHESION imports other things than this loss from the file of its relatives.
    assert users - moved == {"cohesion"}
    assert {"bprmf", "vbpr", "lightgcn", "freedom", "slimbpr", "dragon"} <= moved <= users


def test_a_changed_propagation_moves_the_graph_models_that_use_it(copy: Copy) -> None:
    changed = replaced("total.div_(n_layers + 1) if", "total.div_(n_layers) if")
    moved = copy.moved("recsys/training/propagation.py", changed)
    assert moved == naming("propagate") | naming("GraphNetwork") >= {"lightgcn", "xsimgcl", "freedom", "mgcn"}
    assert "ultragcn" not in moved


@pytest.mark.parametrize(
    ("model", "field"), [("ease", "l2"), ("bprmf", "norm_weight"), ("lightgcn", "n_layers"), ("freedom", "drop_rate")]
)
def test_a_changed_default_moves_the_models_that_inherit_it(copy: Copy, model: str, field: str) -> None:
    config = registry.load(model).Config
    file = str(MODELS[model].path.relative_to(CHECKOUT))
    default = config.model_fields[field].default
    line = next(line for line in MODELS[model].path.read_text().splitlines() if line.startswith(f"    {field}: "))
    heirs = {other for other in MODELS if issubclass(registry.load(other).Config, config)}
    assert copy.moved(file, replaced(line, f"{line}\n    {field} = searched({default} + 1)")) == heirs


def test_the_primary_metric_moves_all_and_another_metric_none(copy: Copy) -> None:
    metrics = "recsys/evaluation/metrics/accuracy.py"
    assert copy.moved(metrics, replaced("1 / np.log2(np.arange(2, k + 2))", "np.ones(k)")) == set(MODELS)
    assert (
        copy.moved(metrics, replaced("lists.hits.sum(axis=1) / lists.hits.shape[1]", "lists.hits.mean(axis=1)"))
        == set()
    )


def test_words_and_layout_of_the_whole_library_move_nothing(copy: Copy, tmp_path: Path) -> None:
    for file in copy.root.rglob("*.py"):
        tree = ast.parse(file.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
                node.body[0] = ast.Expr(ast.Constant("Rewritten."))
        place = tmp_path / file.relative_to(copy.root)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(ast.unparse(tree))
    assert codes(Codebase(tmp_path)) == copy.before


def functions(file: Path) -> Iterator[tuple[str, ast.Module]]:
    """Each top-level name of a file that holds a function, once for every function, whose body is changed."""
    tree = ast.parse(file.read_text())
    for node in tree.body:
        for each in ast.walk(node):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and isinstance(each, ast.FunctionDef):
                each.body.insert(0, ast.parse("assert True").body[0])
                yield node.name, tree
                each.body.pop(0)


@pytest.mark.parametrize("place", ["training", "models"])
def test_a_changed_function_moves_exactly_the_models_that_reach_it(copy: Copy, place: str) -> None:
    changed = 0
    for path in sorted((copy.root / "recsys" / place).rglob("*.py")):
        file = str(path.relative_to(copy.root))
        module = file.removesuffix(".py").replace("/", ".")
        for name, tree in functions(path):
            text, definition = ast.unparse(tree), f"{module}:{name}"
            users = {model for model in MODELS if definition in copy.reached[model]}
            assert copy.moved(file, rewritten(text), body=definition) == users, definition
            changed += 1
    assert changed > 40


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Cell:
    """A cell on a small saved dataset with ratings and two sources, both shuffled; the model is left to be named."""
    planted, folder = planted_market(), tmp_path_factory.mktemp("market")
    train, rest = planted.train.tocoo(), planted.held_out.tocoo()
    held = {"user": rest.coords[0], "item": rest.coords[1], "part": np.resize(["valid", "test"], rest.nnz)}
    seen = {"user": train.coords[0], "item": train.coords[1], "part": "train", "rating": planted.ratings.data}
    n_users, n_items = planted.train.shape
    items = pd.DataFrame({"item_id": range(n_items), "image_path": None})
    Dataset(
        pd.concat([pd.DataFrame(seen), pd.DataFrame(held)]),
        pd.DataFrame({"user_id": range(n_users)}),
        items,
        pd.DataFrame({"reason": []}),
    ).save(folder)
    for source, features in planted.content.items():
        features.save(folder / f"{source}.safetensors", [str(item) for item in range(n_items)])
    sources = tuple(planted.content)
    content = {source: str(folder / f"{source}.safetensors") for source in sources}
    arm = Arm("shuffled", sources, "shuffled", sources)
    return Cell(str(folder), 1, content, "", {}, arm, 0, "final", Protocol(ks=(5,)))


def executed(work: Callable[[], Any]) -> set[str]:
    """First-party definitions whose code runs, as `package.module:Name`."""
    codes = set()

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            codes.add(frame.f_code)

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    found = set()
    for code in codes:
        file = Path(code.co_filename)
        if file.is_relative_to(CHECKOUT / "recsys") and code.co_name != "<module>":
            module = ".".join(file.relative_to(CHECKOUT).with_suffix("").parts).removesuffix(".__init__")
            found.add(f"{module}:{code.co_qualname.split('.')[0]}")
    return found


@pytest.mark.parametrize("model", MODELS)
def test_all_that_a_cell_runs_is_in_its_code(market: Cell, model: str, tmp_path: Path) -> None:
    registry.load_all()
    wanted = registry.load(model).Config.model_fields
    quick = {"max_epochs": 2, "n_factors": 4, "batch_size": 64}
    params = {name: value for name, value in quick.items() if name in wanted}
    cell = replace(market, model=model, params=params)
    engine._whole.cache_clear()
    engine._dataset.cache_clear()
    engine._features.cache_clear()
    engine._evaluator.cache_clear()
    ran = executed(lambda: engine.run_cell(cell, tmp_path))
    assert len(ran) > 10
    assert ran - Codebase(CHECKOUT).reached(*cell_roots(model, "ndcg")) == set()


def test_a_model_s_code_is_not_another_s_and_cells_outlive_a_change_of_the_search() -> None:
    codes = {code for model in MODELS for code in (cell_code(model, PRIMARY), model_code(model, PRIMARY))}
    assert len(codes) == 2 * len(MODELS)


def test_all_that_a_search_runs_is_in_its_code() -> None:
    ran = executed(lambda: searched_by(Runner(), n_repeats=2))
    assert {"recsys.tuning.search:train", "recsys.tuning.trials:ranked", "recsys.tuning.budget:most_nested"} <= ran
    assert ran - Codebase(CHECKOUT).reached(*SEARCH) == set()
