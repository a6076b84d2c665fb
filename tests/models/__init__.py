import pytest

# The contract holds assertions outside a test file: let their failures show values too.
pytest.register_assert_rewrite("tests.models.contract")
