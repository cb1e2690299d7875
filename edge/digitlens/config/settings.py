"""Every setting, typed, with its default, its limits and a sentence; settings_file reads them from a file.

The sections of outlets are not here: each outlet brings its own (digitlens.outlets.base).
"""

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from digitlens.config.parameters.reader import LEAST_CONFIDENCE

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""A device's or a region's name, which stands in topics and ids."""

RowNetworkUse = Literal["doubtful", "all", "none"]
SignUse = Literal["part", "keep"]
"""Which rows the network `numbers` reads besides the lattice."""
Turn = Literal["auto", 0, 90, 180, 270]
"""Degrees counterclockwise by which a picture is turned to read it; "auto" finds out which way is up."""
Fraction = Annotated[float, Meta(ge=0, le=1)]
Port = Annotated[int, Meta(ge=0, le=65535)]


class CameraSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[camera]: see cameras.registry.open_camera."""

    source: Annotated[
        str,
        Meta(
            description='"picamera" is the Pi\'s own camera, "usb:N" is /dev/videoN, "auto" the first of all '
            "that opens, an address that begins with rtsp:// or http:// a network camera; anything else is "
            "the path of a video, a picture or a folder, which are replayed."
        ),
    ] = "auto"
    login_file: Annotated[
        str,
        Meta(description="File with USER:PASSWORD of a network camera, readable by its group alone."),
    ] = ""
    rate: Annotated[
        Annotated[float, Meta(ge=0, le=1000)] | None,
        Meta(
            description="Frames a second, 0 to 1000. Without it the camera's own rate; a replay takes the "
            "video's, or 30, and with 0 plays as fast as frames are read.",
            examples=[30.0],
        ),
    ] = None
    rotation: Annotated[
        Literal[0, 90, 180, 270],
        Meta(description="Degrees clockwise by which the picture is turned: 0, 90, 180 or 270."),
    ] = 0
    flip: Annotated[
        Literal["", "horizontal", "vertical", "both"],
        Meta(description='"", "horizontal", "vertical" or "both", after the rotation.'),
    ] = ""
    width: Annotated[
        int, Meta(ge=64, le=8192, description="Width asked of a camera, in pixels; it may give another.")
    ] = 1280
    height: Annotated[
        int, Meta(ge=64, le=8192, description="Height asked of a camera, in pixels; it may give another.")
    ] = 720
    patience: Annotated[
        float,
        Meta(
            ge=1,
            le=3600,
            description="Seconds without a frame after which a camera that reports no error is reopened, "
            "1 to 3600.",
        ),
    ] = 5.0
    repeat: Annotated[
        int, Meta(ge=0, le=1_000_000, description="How many times a replay is played; 0 repeats without end.")
    ] = 0
    hold: Annotated[
        int, Meta(ge=1, le=1_000_000, description="For how many frames a replay shows each picture.")
    ] = 30


class ReaderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[reader]: see reader.Reader."""

    model: Annotated[
        str,
        Meta(description="A model by its name, or the path of a model file with its card beside it."),
    ] = "digits"
    threads: Annotated[int, Meta(ge=1, le=64, description="Threads of the network, 1 to 64.")] = 1
    separator: Annotated[
        str,
        Meta(
            max_length=1,
            description="The sign written for a decimal point or comma. Empty writes the digits alone.",
        ),
    ] = ""
    signs: Annotated[
        SignUse,
        Meta(description='part: signs part numbers. keep: numbers keep their signs, "8/12/2025", "-264".'),
    ] = "part"
    least_confidence: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="Numbers with a confidence below this are left out, 0 to 1.",
        ),
    ] = LEAST_CONFIDENCE
    row_network: Annotated[
        RowNetworkUse,
        Meta(description='The rows that the network `numbers` reads as well: "doubtful", "all" or "none".'),
    ] = "doubtful"
    printed: Annotated[
        bool, Meta(description="Whether printed digits are read as well as handwritten ones.")
    ] = False
    every_frame: Annotated[
        bool,
        Meta(
            description="Whether every frame of a moving picture is read. Otherwise numbers that only move "
            "are followed, and read again twice a second and where anything changes."
        ),
    ] = False
    turn: Annotated[
        Turn,
        Meta(
            description="Degrees counterclockwise by which the picture is turned to read it: 0, 90, 180 or "
            '270. "auto" finds out which way is up. Pictures and boxes are shown as the camera gives them.'
        ),
    ] = "auto"


class SheetSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[sheet]: forms that are laid under the camera, and read instead of single numbers."""

    template: Annotated[
        str,
        Meta(
            description="The template of a form, a TOML file. Each sheet of it that is laid under the camera "
            "becomes a row, once. Empty reads numbers."
        ),
    ] = ""
    beep: Annotated[bool, Meta(description="Whether a sheet that is taken makes a sound.")] = False


class JournalSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[journal]: where readings are kept until all outlets have acknowledged them."""

    file: Annotated[
        str,
        Meta(
            description="The file that keeps readings until all outlets have acknowledged them. "
            "Empty keeps none."
        ),
    ] = ""
    megabytes: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000_000,
            description="Largest size of the file, in MB. Beyond it the oldest readings are evicted.",
        ),
    ] = 64
    keep_days: Annotated[
        int,
        Meta(
            ge=0,
            le=36_500,
            description="Days after which a reading is deleted from the file, and damaged copies of it are; "
            "one that an outlet has still to send is kept until then. 0 keeps readings while there is room.",
        ),
    ] = 0


class RegionSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[region.NAME]: a part of the picture, and what a number that stands there must be."""

    corners: Annotated[
        tuple[Fraction, Fraction, Fraction, Fraction],
        Meta(
            description="Left, top, right, bottom, as fractions of the picture's width and height, 0 to 1. "
            "The only setting that a region must have.",
            examples=[(0.0, 0.0, 1.0, 1.0)],
        ),
    ]
    digits: Annotated[
        Annotated[int, Meta(ge=1, le=15)] | None,
        Meta(description="Number of digits that a value must have. Without it any number.", examples=[5]),
    ] = None
    smallest: Annotated[
        float | None, Meta(description="The smallest value. Without it there is no limit.", examples=[0.0])
    ] = None
    largest: Annotated[
        float | None, Meta(description="The largest value. Without it there is no limit.", examples=[99999.0])
    ] = None
    decimals: Annotated[
        int, Meta(ge=0, le=10, description="How many of the digits are decimals, 0 to 10.")
    ] = 0
    rising: Annotated[bool, Meta(description="Whether a value below the last one is refused.")] = False
    change_per_hour: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(description="The largest change in an hour. Without it there is no limit.", examples=[10.0]),
    ] = None
    unit: Annotated[
        str, Meta(max_length=20, description="Its unit, as Home Assistant is to show it.", examples=["m³"])
    ] = ""
    device_class: Annotated[
        str,
        Meta(
            max_length=40,
            description="The class of its sensors in Home Assistant, which must go with the unit.",
            examples=["water"],
        ),
    ] = ""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings; `outlets` holds the section of each installed outlet by its name."""

    name: Annotated[
        str,
        Meta(
            description="The device's name, in topics and ids: letters, digits, - and _. "
            "Empty takes the host's name."
        ),
    ] = ""
    log: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meta(
            description='How much the service logs: "debug", "info", "warning" or "error". With "debug" '
            "every reading is in the log, and so in the system's journal."
        ),
    ] = "info"
    camera: CameraSettings = CameraSettings()
    reader: ReaderSettings = ReaderSettings()
    sheet: SheetSettings = SheetSettings()
    journal: JournalSettings = JournalSettings()
    outlets: dict[str, msgspec.Struct] = {}
    region: dict[str, RegionSettings] = {}
