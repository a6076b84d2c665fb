"""What others published: figures of models on the data sets of the field, and how they came about."""
