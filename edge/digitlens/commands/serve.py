"""digitlens serve: the options, the settings file, and how it ends."""

import argparse
import logging
import os
from pathlib import Path
from typing import Any, get_args

from digitlens.config import settings_file
from digitlens.config.settings import RowNetworkUse, Settings
from digitlens.config.settings_file import Place
from digitlens.core.errors import DependencyError, DigitLensError, ModelError, SettingsError
from digitlens.images.opencv_log import silence_opencv
from digitlens.service import logs

CONFIGURATION = 78
"""EX_CONFIG of sysexits.h: a person must fix the settings, or the model."""
SOFTWARE = 70
"""EX_SOFTWARE: a fault of our own."""

PLACES: dict[str, Place] = {
    "name": ("name",),
    "log": ("log",),
    "camera": ("camera", "source"),
    "rate": ("camera", "rate"),
    "rotation": ("camera", "rotation"),
    "flip": ("camera", "flip"),
    "repeat": ("camera", "repeat"),
    "hold": ("camera", "hold"),
    "model": ("reader", "model"),
    "threads": ("reader", "threads"),
    "separator": ("reader", "separator"),
    "whole": ("reader", "whole"),
    "journal": ("journal", "file"),
    "web": ("web", "listen"),
    "web_token": ("web", "token_file"),
    "mqtt": ("mqtt", "broker"),
    "webhook": ("webhook", "url"),
}
"""Options that override a setting, and the setting."""

_log = logging.getLogger(__name__)


def add_options(serve: argparse.ArgumentParser) -> None:
    """The options of digitlens serve."""
    serve.set_defaults(run=run)
    serve.add_argument(
        "--config", type=Path, metavar="FILE",
        help=f"the settings file (default: {settings_file.DEFAULT}, if it is there)",
    )  # fmt: skip
    serve.add_argument("--check", action="store_true", help="say whether the settings are ok, and end")
    serve.add_argument("--json", action="store_true", help="one JSON object an entry and line on stdout, too")
    above = serve.add_argument_group("options that stand above the settings of the same name")
    above.add_argument("--name", help="of this device, in topics and ids")
    above.add_argument("--log", choices=list(logs.LEVELS), help="how much is logged")
    above.add_argument("--camera", metavar="auto|picamera|usb:N|PATH", help="[camera] source")
    above.add_argument("--rate", type=float, metavar="N", help="frames a second")
    above.add_argument("--rotation", type=int, metavar="N", help="degrees clockwise: 0, 90, 180, 270")
    above.add_argument("--flip", help="horizontal, vertical or both")
    above.add_argument("--repeat", type=int, metavar="N", help="play a replay N times; 0: always")
    above.add_argument("--hold", type=int, metavar="N", help="show each picture of a replay for N frames")
    above.add_argument("--model", metavar="NAME|PATH", help="the network")
    above.add_argument("--threads", type=int, metavar="N", help="of the network")
    above.add_argument("--separator", metavar="SIGN", help="written where a decimal point or comma stands")
    above.add_argument("--whole", choices=get_args(RowNetworkUse), help="which rows are read whole as well")
    above.add_argument("--journal", metavar="FILE", help="[journal] file")
    above.add_argument("--web", metavar="HOST:PORT", help="[web] listen")
    above.add_argument("--web-token", metavar="FILE", help="[web] token_file")
    above.add_argument("--mqtt", metavar="HOST", help="[mqtt] broker")
    above.add_argument("--webhook", metavar="URL", help="[webhook] url")


def load(options: argparse.Namespace) -> Settings:
    """The settings of the file, with the options above them.

    Raises:
        SettingsError: see settings_file.load.
    """
    given = {place: getattr(options, name) for name, place in PLACES.items()}
    overrides: dict[Place, Any] = {place: value for place, value in given.items() if value is not None}
    return settings_file.chosen(options.config, overrides)


def run(options: argparse.Namespace) -> int:
    """Serve until a signal; the exit status."""
    environment = os.environ
    debug = environment.get("DIGITLENS_DEBUG") == "1"
    logs.begin("info", environment)
    try:
        settings = load(options)
        if options.check:
            return _check(options, settings)
        logs.begin(settings.log, environment)
        if not debug:
            silence_opencv()
        return _serve(options)
    except (SettingsError, ModelError, DependencyError) as error:
        _log.error("%s", error)
        return CONFIGURATION
    except DigitLensError as error:
        _log.error("%s", error)
        return 1
    except BrokenPipeError:
        raise
    except Exception:
        _log.critical("ended by a fault of its own", exc_info=True)
        return SOFTWARE


def _serve(options: argparse.Namespace) -> int:
    from digitlens.service.notify import open_notify
    from digitlens.service.service import Service
    from digitlens.service.signals import Stop

    stop = Stop()
    with stop.signals(reload=True):
        notify = open_notify(os.environ)
        os.environ.pop("NOTIFY_SOCKET", None)  # no child process may notify in our name
        try:
            Service(lambda: load(options), stop, notify, options.json).run()
        finally:
            notify.close()
    return 0


def _check(options: argparse.Namespace, settings: Settings) -> int:
    from digitlens.outlets.assembly import unready
    from digitlens.service.service import make_reader

    make_reader(settings.reader)
    problems = unready(settings)
    for line in problems:
        _log.error("%s", line)
    if problems:
        return CONFIGURATION
    file = options.config or settings_file.DEFAULT
    print(f"{file}: ok" if file.exists() else f"{file}: not there; the defaults are ok")
    return 0
