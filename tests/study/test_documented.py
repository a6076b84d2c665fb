"""The study that `docs/studies.md` shows is one that loads."""

import re
from pathlib import Path

from recsys.study.file import load_study

PAGE = Path(__file__).resolve().parents[2] / "docs" / "studies.md"


def test_the_example_loads(tmp_path: Path) -> None:
    example = next(re.finditer(r"^```yaml\n(title: .*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S))[1]
    (tmp_path / "shown.yaml").write_text(example.replace(", ...}", "}"), encoding="utf-8")
    study = load_study(tmp_path / "shown.yaml")
    assert list(study.datasets) == ["shop"]
