"""MMRec's training of one model, timed: `python train_mmrec.py JOB`, run in `src` of a checkout of MMRec.

The checkout is imported as it is; nothing of it is copied. What it needs of old packages stands in here: `cuda()` on a
machine without a GPU, names that numpy and scipy no longer have, `scatter` of torch_scatter, and modules that it
imports and does not use. The job is that of `train_modalift.py`, with MMRec's own names of hyper-parameters.
"""

import importlib.util
import json
import logging
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from protocol import write_training
from scipy import sparse

N_USER_NEIGHBOURS = 200
FILES = {"vision_feature_file": "image_feat.npy", "text_feature_file": "text_feat.npy"}


def stand_in() -> None:
    """What MMRec needs that this machine, or this year's packages, do not have."""
    if not torch.cuda.is_available():
        torch.Tensor.cuda = lambda tensor, *_args, **_options: tensor  # type: ignore[method-assign]
        # As on a GPU, where what a parameter is moved to is none; DualGNN and DRAGON rely on it.
        torch.nn.Parameter.to = lambda parameter, *args, **options: torch.Tensor.to(
            parameter, *args, **options
        ).clone()
    if not hasattr(sparse.dok_matrix, "_update"):
        sparse.dok_matrix._update = lambda matrix, entries: matrix._dict.update(entries)
    for name, kind in {"float": float, "int": int}.items():
        if not hasattr(np, name):
            setattr(np, name, kind)
    scatter = ModuleType("torch_scatter")
    scatter.scatter_add = _scatter_add
    scatter.scatter = _scatter_add
    unused = {name: ModuleType(name) for name in ("lmdb", "sparsesvd")}
    unused["sparsesvd"].sparsesvd = None
    for name, module in {"torch_scatter": scatter, **unused}.items():
        if importlib.util.find_spec(name) is None:
            sys.modules[name] = module


def _scatter_add(source: torch.Tensor, index: torch.Tensor, dim: int = 0, dim_size: int | None = None) -> torch.Tensor:
    shape = list(source.shape)
    shape[dim] = int(index.max()) + 1 if dim_size is None else dim_size
    return torch.zeros(shape, dtype=source.dtype).scatter_add_(dim, index, source)


def write_user_graph(folder: Path) -> None:
    """For each user those with most items in common and how many, as DualGNN's and DRAGON's file has it."""
    rows = np.genfromtxt(folder / "data.inter", delimiter="\t", names=True)
    train = rows[rows["x_label"] == 0]
    pairs = train["userID"].astype(int), train["itemID"].astype(int)
    shape = int(rows["userID"].max()) + 1, int(rows["itemID"].max()) + 1
    matrix = sparse.csr_array((np.ones(len(train), dtype=np.float32), pairs), shape=shape)
    shared = sparse.csr_array(matrix @ matrix.T)
    graph = {}
    for user in range(shape[0]):
        others, counts = (
            each[shared.indptr[user] : shared.indptr[user + 1]] for each in (shared.indices, shared.data)
        )
        others, counts = others[others != user], counts[others != user]
        order = np.argsort(-counts, kind="stable")[:N_USER_NEIGHBOURS]
        graph[user] = [others[order].tolist(), counts[order].tolist()]
    np.save(folder / "user_graph_dict.npy", graph, allow_pickle=True)


def config_of(job: dict[str, Any], folder: Path) -> Any:
    """MMRec's configuration of one setting."""
    from utils.configurator import Config

    own = {
        "data_path": f"{folder.parent}/",
        "inter_file_name": "data.inter",
        "user_graph_dict_file": "user_graph_dict.npy",
        "USER_ID_FIELD": "userID",
        "ITEM_ID_FIELD": "itemID",
        "TIME_FIELD": "timestamp",
        "field_separator": "\t",
        "use_gpu": False,
        "train_batch_size": job["batch_size"],
        "epochs": job["max_epochs"],
        "stopping_step": job["patience"] - 1,  # it stops where there were more evaluations without gain than this
        "learning_rate": job["learning_rate"],
        "topk": [20],
        "metrics": ["Recall", "NDCG"],
        "save_recommended_topk": False,
        "seed": job["seed"],
        **FILES,
        **job["params"],
    }
    return Config(job["model"], folder.name, own)


def main() -> None:
    """Train as `quick_start` does, with clocks around each part."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    torch.set_num_threads(1)
    logging.disable(logging.CRITICAL)
    stand_in()
    sys.path.insert(0, str(Path.cwd()))
    folder = Path(job["folder"])
    if job["model"] in ("DualGNN", "DRAGON"):
        write_user_graph(folder)
    from utils.dataloader import EvalDataLoader, TrainDataLoader
    from utils.dataset import RecDataset
    from utils.utils import get_model, get_trainer, init_seed

    config = config_of(job, folder)
    init_seed(job["seed"])
    parts = RecDataset(config).split()
    for part in parts:
        str(part)  # counts its interactions
    train = TrainDataLoader(config, parts[0], batch_size=config["train_batch_size"], shuffle=True)
    held_out = [
        EvalDataLoader(config, part, additional_dataset=parts[0], batch_size=config["eval_batch_size"])
        for part in parts[1:]
    ]
    train.pretrain_setup()
    network = get_model(job["model"])(config, train).to(config["device"])
    trainer = get_trainer()(config, network)
    epochs: list[float] = []
    evaluations: list[float] = []
    before_epoch, train_epoch, evaluate = network.pre_epoch_processing, trainer._train_epoch, trainer.evaluate

    def timed_epoch(*args: Any) -> Any:
        start = time.process_time()
        before_epoch()
        result = train_epoch(*args)
        epochs.append(time.process_time() - start)
        return result

    def timed_evaluation(*args: Any) -> Any:
        start = time.process_time()
        result = evaluate(*args)
        evaluations.append(time.process_time() - start)
        return result

    network.pre_epoch_processing = lambda: None
    trainer._train_epoch, trainer.evaluate = timed_epoch, timed_evaluation
    _, _, test = trainer.fit(train, valid_data=held_out[0], test_data=held_out[1])
    write_training(job, epochs, evaluations, recall=test["recall@20"], ndcg=test["ndcg@20"])


if __name__ == "__main__":
    main()
