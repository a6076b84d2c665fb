import numpy as np
import torch

from recsys.content.features import Features
from recsys.training.content import ContentConfig, Source, Sources, scaled_features

PRESENT = np.array([True, True, False, True])
FEATURES = Features(np.array([[3, 4], [0, 1], [0, 0], [0, 0]], dtype=np.float32), PRESENT)


def test_scales_of_features() -> None:
    raw, unit_mean, rows = (scaled_features(FEATURES, scaling) for scaling in ("raw", "unit_mean", "rows"))
    np.testing.assert_array_equal(raw, FEATURES.matrix)
    torch.testing.assert_close(unit_mean, raw / 2)  # the mean norm of 5, 1 and 0
    torch.testing.assert_close(rows, torch.tensor([[0.6, 0.8], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]]))
    assert (FEATURES.matrix[0] == [3, 4]).all()


def test_training_leaves_the_features_themselves_alone() -> None:
    for scaling in ("raw", "unit_mean", "rows"):
        source = Source(FEATURES, 3, scaling)
        with torch.no_grad():
            source.table.fill_(7)
        assert FEATURES.matrix.max() == 4


def test_a_source_maps_its_rows_and_is_silent_where_an_item_lacks_it() -> None:
    source = Source(FEATURES, 3, "raw")
    mapped = source()
    torch.testing.assert_close(mapped[0], source.table[0] @ source.linear.weight.T + source.linear.bias)
    assert not mapped[2].any()
    assert mapped[3].any()  # present, though a row of zeros
    torch.testing.assert_close(source(torch.tensor([2, 0])), mapped[[2, 0]])


def test_sources_stand_in_their_order_and_on_the_chosen_scale() -> None:
    louder = Features(FEATURES.matrix * 10, PRESENT)
    sources = Sources({"b": FEATURES, "a": louder}, ContentConfig(n_factors=5, feature_scaling="raw"))
    assert [source.table.max().item() for source in sources] == [4, 40]
    assert [source.linear.out_features for source in sources] == [5, 5]


def test_frozen_features_are_no_parameter_and_all_items_are_mapped_once_where_a_batch_has_more() -> None:
    features = Features(np.diag([1, 1, 0]).astype(np.float32), np.array([True, True, False]))
    source = Source(features, 2, "raw", trained=False)
    assert {name for name, _ in source.named_parameters()} == {"linear.weight", "linear.bias"}
    items = torch.tensor([2, 1, 1, 0])
    torch.testing.assert_close(source(items), source()[items])
    torch.testing.assert_close(source(items[:2]), source()[items[:2]])
    assert not source(items)[0].any()
