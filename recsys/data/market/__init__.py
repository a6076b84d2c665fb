"""The synthetic market: a catalogue with rendered images and written texts whose buyers' motives are known."""
