"""Files that the keys of the live picture save: the picture with its boxes, the reading, the stages."""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from digitlens.core.arrays import Pixels
from digitlens.core.errors import PictureError
from digitlens.core.readings import Reading
from digitlens.core.tracking import Tracked
from digitlens.images import overlay, pictures
from digitlens.images.stages import Stages
from digitlens.reader import Reader


class Snapshots:
    """Writes into `folder`, made when needed, and overwrites nothing."""

    def __init__(self, folder: Path = Path()) -> None:
        self.folder = folder

    def save(self, image: Pixels, reading: Reading, numbers: Sequence[Tracked]) -> Path:
        """Write (H, W) gray or (H, W, 3) BGR with its labels, and its reading; returns the picture's path.

        Args:
            image: the picture.
            reading: of it; its numbers are replaced by those that are tracked.
            numbers: as they are shown.

        Raises:
            PictureError: it cannot be written.
        """
        path = self._free(".png")
        pictures.save(path, overlay.draw_tracked(image, numbers, reading.size))
        reading = msgspec.structs.replace(reading, numbers=tuple(one.number for one in numbers))
        try:
            with path.with_suffix(".json").open("xb") as file:
                file.write(msgspec.json.encode(reading) + b"\n")
        except OSError as error:
            raise PictureError(f"{path.with_suffix('.json')}: cannot be written: {error.strerror}") from error
        return path

    def stages(self, gray: Pixels, reader: Reader) -> Path:
        """Read (H, W) gray once more and write its stage pictures; returns their folder.

        Raises:
            PictureError: it cannot be written.
        """
        folder = self._free("")
        pictures.make_folder(folder)
        reader.watched(Stages(folder)).read(gray)
        return folder

    def _free(self, suffix: str) -> Path:
        pictures.make_folder(self.folder)
        number = 1
        while os.path.lexists(path := self.folder / f"digitlens_{number:04}{suffix}"):
            number += 1
        return path
