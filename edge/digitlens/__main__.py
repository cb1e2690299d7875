"""python -m digitlens: the same as the digitlens command."""

import sys

from digitlens.cli import main

sys.exit(main())
