from recsys.models.multimodal.attributeitemknn import AttributeItemKNN
from recsys.models.multimodal.hybriditemknn import HybridItemKNN
from tests.models.contract import ModelContract


class TestAttributeItemKNN(ModelContract):
    model = AttributeItemKNN
    params = {"n_neighbours": 10, "shrink": 1.0}
    reference = 0.6536


class TestHybridItemKNN(ModelContract):
    model = HybridItemKNN
    params = {"n_neighbours": 10, "shrink": 1.0, "content_weight": 0.5, "n_content_neighbours": 5}
    reference = 0.6608
