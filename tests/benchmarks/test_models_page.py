"""The page of models with content says what their files say, and what was published."""

import models_page

from recsys.fingerprints import CHECKOUT

PAGE = (CHECKOUT / "docs" / "multimodal.md").read_text(encoding="utf-8")
RENEWED = "python benchmarks/models_page.py --write docs/multimodal.md"


def test_the_page_is_up_to_date() -> None:
    assert models_page.models() in PAGE, RENEWED
    assert models_page.published() in PAGE, RENEWED
    assert models_page.no_targets() in PAGE, RENEWED
