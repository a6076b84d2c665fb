"""Vision-language models: what they are shown, what they answer, and the hidden states behind the answer."""
