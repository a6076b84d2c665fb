"""Random interactions for property tests."""

import pandas as pd
from hypothesis import strategies as st

from recsys.data.raw import RawData

PAIRS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 9)), min_size=1, max_size=120)


@st.composite
def raw_data(draw: st.DrawFn) -> RawData:
    """A catalogue of ten items with up to 120 rated and dated interactions, repeated pairs among them."""
    pairs = draw(PAIRS)
    several = {"min_size": len(pairs), "max_size": len(pairs)}
    frame = pd.DataFrame(pairs, columns=["user_id", "item_id"]).astype("str")
    frame["rating"] = draw(st.lists(st.sampled_from([1.0, 2.5, 4.0]), **several))
    frame["timestamp"] = draw(st.lists(st.integers(0, 30), **several))
    frame["row"] = range(2, len(pairs) + 2)
    return catalogue(frame, n_items=10)


def catalogue(interactions: pd.DataFrame, n_items: int) -> RawData:
    items = pd.DataFrame({"item_id": [str(index) for index in range(n_items)]})
    return RawData(items.assign(title=None, text=None, image_path=None, image_digest=None), interactions)
