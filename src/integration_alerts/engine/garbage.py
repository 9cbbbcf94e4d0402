"""Python's search for cyclic garbage, made rare: a batch makes thousands of objects, none cyclic.

As Python comes, it looks through all of them again and again: nearly half of a batch's time.
"""

import gc

_NEW_OBJECTS = 50_000  # more than a batch makes; a search then takes some milliseconds


def search_rarely() -> None:
    """Leave what is loaded by now out of every search, and search less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, 10, 10)
