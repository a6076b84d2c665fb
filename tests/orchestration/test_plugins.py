"""A user's own files beside the studies: found, imported in workers, measured without training, named if broken."""

import shutil
from pathlib import Path

import pytest

from orchestration.settings import Settings
from recsys import plugins
from recsys.errors import UserError
from recsys.recommender import Recommender, TrainingData
from recsys.study.model_settings import check_settings
from recsys.study.study import Study
from tests.orchestration.conftest import TINY, cells
from tests.orchestration.plugins import modalift, write

METRIC = '''
"""Whether the first item is right."""

import numpy as np

from recsys.evaluation.metrics.registry import Lists, user_metric


@user_metric(higher_is_better=True)
def first_is_right(lists: Lists) -> np.ndarray:
    """Whether the first item of the list is a held-out one."""
    return lists.hits[:, 0].astype(np.float64)
'''
ANALYSIS = '''
"""How many held-out items users have."""

import numpy as np
import pandas as pd

from recsys.analyses.base import Analysis, Inputs, Table


class HeldOut(Analysis):
    """Held-out items of users."""

    title = "Held-out items"
    needs = ("dataset",)
    tables = ("counts",)

    def compute(self, inputs: Inputs) -> dict[str, pd.DataFrame]:
        """One row."""
        return {"counts": pd.DataFrame({"median": [np.median(np.diff(inputs.dataset.test.indptr))]})}

    def show(self, tables: dict[str, pd.DataFrame]) -> list[Table]:
        """One table."""
        median = tables["counts"]["median"][0]
        return [Table(title="Items held out of a user", columns=["Median"], rows=[[f"{median:g}"]])]
'''
MODEL = '''
"""Popularity once more."""

import numpy as np

from recsys.models.registry import register
from recsys.recommender import Recommender, TrainingData
from {shared} import popularity


@register
class {name}(Recommender):
    """Popularity."""

    source = "made for a test"

    def fit(self, data: TrainingData) -> None:
        """Count."""
        self.scores, self.n_users = popularity(data.train), data.train.shape[0]

    def score(self, users: np.ndarray) -> np.ndarray:
        """The same for all."""
        return np.tile(self.scores, (len(users), 1))

    def state(self) -> dict[str, np.ndarray]:
        """The counts."""
        return {{"scores": self.scores}}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Take them back."""
        self.scores = state["scores"]
'''
SHARED = '''
"""What plug-ins share."""

import numpy as np
from scipy import sparse


def popularity(train: sparse.csr_array) -> np.ndarray:
    """Interactions of each item."""
    return np.asarray(train.sum(axis=0), dtype=np.float32)
'''
UNNAMED = "scale = undefined_name\n"
Finished = tuple[Settings, Study]


def copied(finished: Finished, folder: Path) -> Settings:
    """A working folder with the home of the finished study."""
    shutil.copytree(finished[0].home, folder / "home")
    (folder / "tiny.yaml").write_text(TINY, encoding="utf-8")
    return Settings(home=folder / "home", studies=folder)


def test_a_new_metric_and_a_new_analysis_train_nothing(finished: Finished, tmp_path: Path) -> None:
    settings = copied(finished, tmp_path)
    before = cells(settings)
    write(tmp_path, "metrics/mine.py", METRIC)
    write(tmp_path, "analyses/held_out.py", ANALYSIS)
    done = modalift(tmp_path, "run", "tiny")
    assert done.returncode == 0, done.stderr
    assert cells(settings) == before
    page = (settings.reports / "tiny.html").read_text(encoding="utf-8")
    assert "Items held out of a user" in page and "first_is_right" in page.lower().replace(" ", "_")
    assert "first_is_right_at_20" in modalift(tmp_path, "results", "tiny", "--json").stdout
    assert "first_is_right" in modalift(tmp_path, "results", "tiny").stdout


def test_a_broken_metric_or_analysis_is_named_and_the_others_work(finished: Finished, tmp_path: Path) -> None:
    copied(finished, tmp_path)
    write(tmp_path, "metrics/mine.py", UNNAMED)
    write(tmp_path, "metrics/twice.py", METRIC.replace("first_is_right", "ndcg"))
    write(tmp_path, "analyses/half.py", "def broken(:\n")
    done = modalift(tmp_path, "run", "tiny")
    assert done.returncode == 0, done.stderr
    passed_over = [line for line in done.stderr.splitlines() if line.startswith("passed over ")]
    assert passed_over[0] == (
        "passed over plugins/metrics/mine.py, line 1: cannot be imported: "
        "NameError: name 'undefined_name' is not defined"
    )
    assert passed_over[1].startswith("passed over plugins/metrics/twice.py, line ")
    assert "there is a metric 'ndcg' in recsys.evaluation.metrics.accuracy already" in passed_over[1]
    assert passed_over[2].startswith("passed over plugins/analyses/half.py: cannot be imported: SyntaxError")
    assert len(passed_over) == 3
    assert "0 of 15 assets to do" in modalift(tmp_path, "run", "tiny", "--dry-run").stdout


def test_models_and_encoders_that_are_broken_are_named(tmp_path: Path) -> None:
    write(tmp_path, "models/linear/mine.py", UNNAMED)
    write(tmp_path, "models/linear/ease.py", UNNAMED)
    write(tmp_path, "encoders/text/mine_too.py", UNNAMED)
    listed = modalift(tmp_path, "models")
    assert listed.returncode == 0 and "EASE" in listed.stdout
    assert "plugins/models/linear/mine.py: holds no model that can be read: there is no class called" in listed.stderr
    assert "passed over plugins/models/linear/ease.py: the name is taken by " in listed.stderr
    listed = modalift(tmp_path, "encoders")
    assert listed.returncode == 0 and "tfidf_svd" in listed.stdout
    assert "passed over plugins/encoders/text/mine_too.py, line 1: cannot be imported: NameError" in listed.stderr


def test_a_model_of_ones_own_trains_in_workers_and_is_followed_by_its_code(tmp_path: Path) -> None:
    write(
        tmp_path,
        "models/baselines/mostseen.py",
        MODEL.format(name="MostSeen", shared="modalift_plugins.models.baselines._shared"),
    )
    helper = write(tmp_path, "models/baselines/_shared.py", SHARED)
    study = TINY.replace("  HybridItemKNN:\n", "  MostSeen:\n").replace("controls: [shuffled]\n", "")
    (tmp_path / "tiny.yaml").write_text(study, encoding="utf-8")
    done = modalift(tmp_path, "run", "tiny", "--workers", "2")
    assert done.returncode == 0, done.stderr
    before = cells(Settings(home=tmp_path / "home"))
    helper.write_text(SHARED.replace("sum(axis=0)", "sum(axis=0) + 1"), encoding="utf-8")
    planned = modalift(tmp_path, "run", "tiny", "--dry-run").stdout
    assert [line.split()[1] for line in planned.splitlines() if "code or settings have changed" in line] == [
        "tiny/models/MostSeen"
    ]
    helper.write_text(SHARED + "\n\nUNUSED = 1\n", encoding="utf-8")
    assert " 0 of " in " " + modalift(tmp_path, "run", "tiny", "--dry-run").stdout.splitlines()[-1]
    assert cells(Settings(home=tmp_path / "home")) == before


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    done = modalift(tmp_path, "models", MODALIFT_PLUGINS="nowhere")
    assert done.returncode == 2
    assert done.stderr.splitlines() == ["MODALIFT_PLUGINS: there is no folder nowhere; fix or unset it"]


def test_a_file_where_none_is_looked_for_is_named_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fine = "models/linear/fine.py", "models/linear/_shared/parts.py", "other/x.py"
    for place in ("encoders/mine.py", "models/mine.py", "metrics/deep/mine.py", *fine):
        write(tmp_path, place, "")
    monkeypatch.setenv("MODALIFT_PLUGINS", str(tmp_path / "plugins"))
    said = [line for line in plugins.unusable() if "nothing is looked for there" in line]
    assert said == [
        f"{tmp_path}/plugins/models/mine.py: nothing is looked for there; move it to plugins/models/<family>/",
        f"{tmp_path}/plugins/encoders/mine.py: nothing is looked for there; move it to plugins/encoders/<kind>/",
        f"{tmp_path}/plugins/metrics/deep/mine.py: nothing is looked for there; move it to plugins/metrics/",
    ]


def test_a_model_that_lacks_what_models_do_is_named_before_it_is_trained() -> None:
    class Half(Recommender):
        def fit(self, data: TrainingData) -> None:
            """Learn nothing."""

    with pytest.raises(UserError, match="^its class lacks restore and score and state; write what"):
        check_settings(Half, {})
