"""What counts as the code of a result."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestration import fingerprints
from orchestration.fingerprints import cell_code, code_version, library_code, model_code
from orchestration.settings import CHECKOUT
from recsys.models import registry

MODEL = '"""A model."""\nfrom recsys.shared import scale\nLAYERS = 2  # as published\n'
SHARED = "def scale(x):\n    return 2 * x\n"


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """The code of `recsys/model.py` in a checkout of two files, with these texts in their place."""
    monkeypatch.setattr(fingerprints, "CHECKOUT", tmp_path)
    (tmp_path / "recsys").mkdir()

    def version(model: str = MODEL, shared: str = SHARED) -> str:
        (tmp_path / "recsys" / "model.py").write_text(model)
        (tmp_path / "recsys" / "shared.py").write_text(shared)
        library_code.cache_clear()
        code_version.cache_clear()
        return library_code("recsys/model.py")

    yield version
    library_code.cache_clear()
    code_version.cache_clear()


def test_code_is_a_file_with_all_that_it_imports(code: Callable[..., str]) -> None:
    assert code() == code()
    assert code(model=MODEL.replace("2", "3")) != code()
    assert code(shared=SHARED.replace("2", "3")) != code()


def test_words_and_layout_do_not_count(code: Callable[..., str]) -> None:
    told = MODEL.replace("A model", "A good model").replace("  # as published", '\n"""Of the network."""')
    assert code(model=told) == code()
    assert code(shared=SHARED.replace("(x):", "(x):\n    'Twice.'").replace("2 * x", "2*x")) == code()


def test_a_model_s_code_is_not_another_s_and_cells_outlive_a_change_of_the_search() -> None:
    codes = {model: (cell_code(model), model_code(model)) for model in ("EASE", "VBPR", "BPRMF")}
    assert len({each for pair in codes.values() for each in pair}) == 6
    imported = {str(file.relative_to(CHECKOUT)) for file in fingerprints._imported(registry.find("VBPR").path)}
    assert "recsys/models/factorisation/bprmf.py" in imported
