"""The code that results of models depend on, as roots for `recsys.fingerprints`.

What a cell looks up by name at run time stands here, so that nothing reachable is missed: the model's class and the
functions it is measured with while it tunes. Where a model runs is read off its code, too.
"""

from functools import cache

from recsys.errors import UserError
from recsys.evaluation.metrics.registry import metric_module
from recsys.fingerprints import code_of, names_in, reaches
from recsys.models import registry

DEVICE = "recsys.runtime:device"
CELL = ("recsys.engine.cell:run_cell", "recsys.engine.cell:Cell")
SEARCH = (
    *(f"recsys.tuning.search:{step}" for step in ("tune", "nested", "try_nested", "train")),
    "recsys.tuning.tuner:Tuner",
)


def cell_code(model: str, metric: str) -> str:
    """Hash of the code that a model's cells run; `metric` is what validation measures, such as `ndcg`."""
    return code_of(*cell_roots(model, metric))


def model_code(model: str, metric: str) -> str:
    """Hash of the code of a model's cells and of the search that chooses which cells there are."""
    return code_of(*cell_roots(model, metric), *SEARCH)


def cell_roots(model: str, metric: str) -> tuple[str, ...]:
    """Where the code of a cell begins, with what it looks up by name; UserError where there is no such model."""
    return *CELL, _model_root(model), f"{metric_module(metric)}:{metric}"


@cache
def runs_on_gpu(model: str) -> bool:
    """Whether a model's fit runs on a GPU where there is one: its code asks for the device."""
    return reaches(_model_root(model), DEVICE)


def _model_root(model: str) -> str:
    file = registry.find(model)
    module = file.module
    name = next((name for name in names_in(module) if name.lower() == registry.class_name(model).lower()), None)
    if name is None:
        raise UserError(f"{file.path}: holds no class '{model}'; name the class like the file")
    return f"{module}:{name}"
