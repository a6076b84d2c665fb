"""Tests that every plug-in can inherit: `ModelContract`, and `GradientContract` for models trained by gradient.

The only part of the library that needs pytest.
"""

import pytest

# The contract holds assertions outside a test file: let their failures show values too.
pytest.register_assert_rewrite("recsys.testing.contract", "recsys.testing.gradient_contract")
