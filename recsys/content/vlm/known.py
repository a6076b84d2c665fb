"""Vision-language models that are known to run in this process: those of the published studies, and small ones."""

from recsys.content.encoder import Checkpoint

KNOWN = (
    Checkpoint("market_describer", 128, 2, "that of modalift"),
    Checkpoint("HuggingFaceTB/SmolVLM-256M-Instruct", 576, 513, "Apache-2.0"),
    Checkpoint("Qwen/Qwen2-VL-7B-Instruct", 3584, 16600, "Apache-2.0"),
    Checkpoint("Qwen/Qwen2.5-VL-3B-Instruct", 2048, 7500, "Qwen Research License"),
    Checkpoint("Qwen/Qwen2.5-VL-7B-Instruct", 3584, 16600, "Apache-2.0"),
    Checkpoint("Qwen/Qwen3-VL-2B-Instruct", 2048, 4300, "Apache-2.0"),
    Checkpoint("Qwen/Qwen3-VL-4B-Instruct", 2560, 8900, "Apache-2.0"),
    Checkpoint("Qwen/Qwen3-VL-8B-Instruct", 4096, 17500, "Apache-2.0"),
    Checkpoint("microsoft/Phi-4-multimodal-instruct", 3072, 11200, "MIT"),
)
"""Widths are those of the hidden states, sizes those of the weights in half precision, rounded."""
