"""Stands in for picamera2 where there is no camera: memory is its buffers, a test is its sensor.

It behaves as picamera2 0.3.38 does over libcamera's virtual camera, as far as the adapter uses it: a few
buffers that come again, counted requests, formats and strides of its own choice, errors of its own kind. It
proves how the adapter handles them, not that a camera is so; deploy/checks/camera has the real library.
"""

import mmap
import threading
import time
from enum import Enum
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np


class Sensor:
    """The sensor, which a test sets up before it opens the camera."""

    def __init__(self) -> None:
        self.cameras = [{"Id": "/base/soc/i2c0mux/i2c@1/imx708@1a", "Model": "imx708"}]
        self.trouble: Exception | None = None  # of the next opening
        self.format = "YUV420"  # whatever is asked
        self.padding = 0  # bytes after each row
        self.size: tuple[int, int] | None = None  # whatever is asked
        self.mirrors = True
        self.first: Any = np.full((720, 1280), 200, np.uint8)  # comes at the start; None: nothing does
        self.controls: dict[str, tuple[Any, Any, Any]] = {"FrameDurationLimits": (16_666, 1_000_000, None)}
        self.hangs = threading.Event()  # clear: opening and closing return
        self.hang_at = ""
        self.no_screen = ""
        self.opened: list[Picamera2] = []

    def wait(self, where: str) -> None:
        if self.hang_at == where:
            self.hangs.wait(60)


sensor = Sensor()


class Request:
    """One buffer for each stream, which is reused."""

    def __init__(self, camera: "Picamera2") -> None:
        self.camera = camera
        self.count = 0
        self.buffers = {
            name: mmap.mmap(-1, stream["framesize"])
            for name, stream in camera.configured.items()
            if name in ("main", "lores") and stream is not None
        }
        self.bytes: dict[str, int] = {}
        self.metadata: dict[str, int] = {}

    def acquire(self) -> None:
        with self.camera.lock:
            assert self.count > 0, "acquired after it went back"
            self.count += 1

    def release(self) -> None:
        with self.camera.lock:
            self.count -= 1
            assert self.count >= 0, "released once too often"

    def get_metadata(self) -> dict[str, int]:
        if self.camera.broken:
            raise RuntimeError("the request was cancelled")
        return dict(self.metadata)


class MappedArray:
    def __init__(self, request: Request, stream: str, reshape: bool = True, write: bool = True) -> None:
        assert not reshape, "not stood in for"
        self._request, self._stream = request, stream
        self.array: Any = None

    def __enter__(self) -> "MappedArray":
        memory = self._request.buffers[self._stream]
        size = self._request.bytes.get(self._stream, len(memory))
        self.array = np.frombuffer(memory, np.uint8)[:size]
        return self

    def __exit__(self, *error: object) -> None:
        assert self._request.count > 0, "unmapped after it went back"
        self.array = None


class _Shown:
    def __init__(self, **options: Any) -> None:
        self.options = options
        self.layers: list[Any] = []

    def set_overlay(self, layer: Any) -> None:
        self.layers.append(layer.copy())


class _Null(_Shown):
    pass


class _Drm(_Shown):
    pass


class Preview(Enum):
    NULL = _Null
    DRM = _Drm


class Picamera2:
    @staticmethod
    def global_camera_info() -> list[dict[str, str]]:
        return sensor.cameras

    def __init__(self) -> None:
        if sensor.trouble is not None:
            trouble = sensor.trouble
            raise RuntimeError("Camera __init__ sequence did not complete.") from trouble
        sensor.wait("open")
        self.lock = threading.Lock()
        self.is_open = True
        self.broken = False
        self.pre_callback: Any = None
        self.camera_properties = {"Model": sensor.cameras[0]["Model"]}
        self.camera_controls = sensor.controls
        self.configured: dict[str, Any] = {}
        self.requests: list[Request] = []
        self.preview: Any = None
        sensor.opened.append(self)

    def create_preview_configuration(self, **asked: Any) -> dict[str, Any]:
        return asked

    def configure(self, asked: dict[str, Any]) -> None:
        self.asked = asked
        self.configured = dict(asked)
        for name in ("main", "lores"):
            stream = asked[name]
            if stream is None:
                continue
            width, height = sensor.size or stream["size"]
            stride = width + sensor.padding
            self.configured[name] = {
                "format": sensor.format,
                "size": (width, height),
                "stride": stride,
                "framesize": stride * height * 3 // 2,
            }
        if not sensor.mirrors:
            self.configured["transform"] = SimpleNamespace(hflip=0, vflip=0)

    def camera_configuration(self) -> dict[str, Any]:
        return self.configured

    def start(self) -> None:
        self.requests = [Request(self) for _ in range(self.asked["buffer_count"])]
        self.start_preview(Preview.NULL)
        if sensor.first is not None:
            assert self.give(sensor.first)

    def give(self, picture: Any, short: str = "", age: float | None = 0.0) -> bool:
        """A frame of (H, W) gray or (H, W, 3) BGR; False: the camera has no buffer to fill.

        `short` names a stream whose buffer is not full.
        """
        with self.lock:
            request = next((request for request in self.requests if request.count == 0), None)
            if request is None:
                return False
            request.count = 1
        for name, memory in request.buffers.items():
            stream = self.configured[name]
            (width, height), stride = stream["size"], stream["stride"]
            planes = np.frombuffer(memory, np.uint8).reshape(height * 3 // 2, stride)
            planes[:] = 77  # the padding is never black by chance
            image = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
            if image.ndim == 2:
                planes[:height, :width] = image
                planes[height:] = 128
            else:
                _fill(planes, image, stride, stream["format"])
            request.bytes[name] = 100 if name == short else len(memory)
        stamp = time.monotonic() - age if age is not None else 0.0
        request.metadata = {} if age is None else {"SensorTimestamp": int(stamp * 1e9)}
        if self.pre_callback is not None:
            self.pre_callback(request)
        request.release()
        return True

    def capture_metadata(self) -> dict[str, int]:
        if sensor.no_screen:
            raise RuntimeError(sensor.no_screen)
        return {}

    def start_preview(self, preview: Any) -> None:
        assert self.preview is None, "An event loop is already running"
        self.preview = preview.value() if isinstance(preview, Preview) else preview

    def stop_preview(self) -> None:
        assert self.preview is not None, "No preview specified."
        self.preview = None

    def set_overlay(self, layer: Any) -> None:
        assert layer.ndim == 3
        assert layer.shape[2] == 4
        self.preview.set_overlay(layer)

    def close(self) -> None:
        sensor.wait("close")
        self.is_open = False
        self.preview = None


def _fill(planes: Any, image: Any, stride: int, layout: str) -> None:
    height, width = image.shape[:2]
    yuv = cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420)
    planes[:height, :width] = yuv[:height]
    blue, red = yuv[height:].reshape(2, height // 2, width // 2)
    if layout == "NV12":
        planes[height:, 0:width:2], planes[height:, 1:width:2] = blue, red
    else:
        both = planes[height:].reshape(2, height // 2, stride // 2)
        both[0, :, : width // 2], both[1, :, : width // 2] = blue, red
