"""What every encoder's vectors go through, whoever wrote the encoder."""

import numpy as np
import pytest

from recsys.content.encoder import Context, Encoder
from recsys.content.features import Features
from recsys.errors import UserError
from tests.content.conftest import item_table


class Given(Encoder):
    """Vectors as they are, those of a plug-in that looks at nothing."""

    quick = True

    def __init__(self, rows):
        super().__init__()
        self.rows = np.float32(rows)

    def encode(self, items, context):
        return Features(self.rows, np.ones(len(self.rows), dtype=bool))


def test_vectors_that_cannot_be_computed_with_are_dropped():
    encoder = Given([[1, 2], [3.4e38, 1], [1e-20, 0], [3, 4]])
    features = encoder.vectors(item_table(4), Context())
    assert features.present.tolist() == [True, False, False, True]
    assert features.dropped == (1, 2)
    assert [key is not None for key in encoder.contents(item_table(4), Context())] == [True, False, False, True]


def test_an_encoder_none_of_whose_vectors_can_be_used_is_refused():
    with pytest.raises(UserError, match=r"^encoder 'test_encoder': no vector can be used: 2 hold NaN, .*; use"):
        Given([[1e30], [1e20]]).vectors(item_table(2), Context())


def test_items_without_content_are_no_error():
    assert Given(np.zeros((2, 1))).vectors(item_table(2), Context()).dropped == ()
