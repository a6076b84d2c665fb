"""What trained models share: sampling, graph operators, the loop, early stopping, tuning."""
