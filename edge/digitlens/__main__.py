"""python -m digitlens: the same as the digitlens command."""

import sys

from digitlens.commands.main import main

sys.exit(main())
