"""Tests compute with one thread each, as cells do: threads of several processes fight, and cost ten times."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
