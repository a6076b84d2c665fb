"""What models trained by gradient share: networks and their steps, the loop, graphs, blocks, losses, samplers."""
