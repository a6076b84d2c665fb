"""Tests compute with one thread each, as cells do: threads of several processes fight, and cost ten times."""

import os

from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
# How long an example takes depends on what else the machine does.
settings.register_profile("any_machine", deadline=None)
settings.load_profile("any_machine")
