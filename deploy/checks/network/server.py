#!/usr/bin/python3
"""An RTSP camera by GStreamer, run by Debian's Python: server.py PORT [USER PASSWORD].

apt install python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

PLAYED = "videotestsrc is-live=true ! video/x-raw,width=640,height=480,framerate=15/1"
PIPELINE = f"( {PLAYED} ! videoconvert ! video/x-raw,format=I420 ! jpegenc ! rtpjpegpay name=pay0 pt=26 )"


def main() -> None:
    """Serve rtsp://127.0.0.1:PORT/stream until the process is ended."""
    Gst.init(None)
    port, login = sys.argv[1], sys.argv[2:4]
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(PIPELINE)
    factory.set_shared(True)
    if login:
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "user")
        access = GstRtspServer.RTSPAuth()
        access.add_basic(GstRtspServer.RTSPAuth.make_basic(*login), token)
        server.set_auth(access)
        factory.add_role_from_structure(
            Gst.Structure.new_from_string("user,media.factory.access=true,media.factory.construct=true")[0]
            if isinstance(Gst.Structure.new_from_string("user"), tuple)
            else Gst.Structure.new_from_string(
                "user,media.factory.access=(boolean)true,media.factory.construct=(boolean)true"
            )
        )
    server.get_mount_points().add_factory("/stream", factory)
    server.attach(None)
    print("ready", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
