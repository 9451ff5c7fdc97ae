"""``python -m beatbook``: the same as the ``beatbook`` command."""

import sys

from beatbook.command import main

sys.exit(main())
