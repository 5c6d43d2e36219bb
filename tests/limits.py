"""How much longer than elsewhere do tests wait on Windows for what must come?

A process starts there in seconds, under Wine in more than ten when the machine is busy: a node has
three workers, and a lost one is started anew. What is waited for comes as soon as it comes; only a
test that fails takes longer.
"""

import sys

STRETCH = 4.0 if sys.platform == "win32" else 1.0
