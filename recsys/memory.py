"""How the process handles memory that a training step frees."""

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h
_LARGEST_HEAP_BLOCK = 32 * 2**20  # the most that glibc takes for this threshold
_KEPT = 2**30


def keep_freed_memory() -> None:
    """Let the process keep up to 1 GiB of freed memory instead of handing it back to the system at once.

    Each step frees the megabytes that the next one asks for again. glibc returns them in between, and the page
    faults of getting them back take as long as the arithmetic: an epoch of LightGCN on Amazon Baby caused 370,000,
    and takes half the processor time without them. Where the C library is another one, nothing changes.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(_M_MMAP_THRESHOLD, _LARGEST_HEAP_BLOCK)
    mallopt(_M_TRIM_THRESHOLD, _KEPT)
