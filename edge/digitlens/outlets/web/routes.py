"""The server's routes."""

from ssl import SSLContext

from tornado.web import Application

from digitlens.outlets.web.api_handlers import (
    FrameHandler,
    HealthHandler,
    HistoryHandler,
    MetricsHandler,
    ReadingHandler,
)
from digitlens.outlets.web.context import AppContext
from digitlens.outlets.web.handler import Handler
from digitlens.outlets.web.page_handlers import AssetHandler, SignInHandler, SignOutHandler
from digitlens.outlets.web.server import LimitedServer
from digitlens.outlets.web.stream_handlers import EventsHandler, LiveHandler

ROUTES: dict[str, type[Handler]] = {
    "/sign-in": SignInHandler,
    "/sign-out": SignOutHandler,
    "/api/reading": ReadingHandler,
    "/api/frame.jpg": FrameHandler,
    "/api/history": HistoryHandler,
    "/api/history.csv": HistoryHandler,
    "/api/events": EventsHandler,
    "/api/live": LiveHandler,
    "/healthz": HealthHandler,
    "/metrics": MetricsHandler,
}


def make_server(context: AppContext, tls: SSLContext | None) -> LimitedServer:
    """The server with all routes and the page's files, encrypted with `tls`; it does not listen yet."""
    routes: dict[str, type[Handler]] = {**ROUTES, **dict.fromkeys(context.assets, AssetHandler)}
    app = Application(
        [(path.replace(".", r"\."), handler, {"context": context}) for path, handler in routes.items()],
        default_handler_class=Handler,
        default_handler_args={"context": context},
        log_function=lambda handler: None,
        websocket_max_message_size=1024,
        websocket_ping_interval=20,
        websocket_ping_timeout=20,
    )
    server = LimitedServer(app, context.limits, context.proxies, tls)
    app.settings["server"] = server
    return server
