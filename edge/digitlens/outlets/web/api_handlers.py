"""Handlers for programs: the reading, the picture, the history, health and metrics."""

from math import isfinite
from typing import Any

from tornado.iostream import StreamClosedError
from tornado.web import HTTPError

from digitlens.core.errors import DigitLensError
from digitlens.core.version import __version__
from digitlens.outlets.web import metrics
from digitlens.outlets.web.frames import number_json
from digitlens.outlets.web.handler import Handler
from digitlens.outlets.web.history import PAGE_SIZE, as_csv


class ReadingHandler(Handler):
    """The newest reading."""

    methods = ("GET", "HEAD")

    def get(self) -> None:
        """The JSON reading of the newest frame, with `id`, `steady` and `age` (frames) of each number."""
        shown, stats = self.context.latest.newest(), self.context.stats.snapshot()
        if shown is None:
            raise HTTPError(503, log_message=metrics.outage(stats) or "no frame has come yet")
        self.send_json(
            {
                "source": stats.camera,
                "time": shown.frame.time,
                "size": shown.size,
                "numbers": [number_json(number) for number in shown.numbers],
                "milliseconds": {
                    name: round(stats.last[stage], 3)
                    for name in ("glyphs", "rows", "numbers", "total")
                    if (stage := "read" if name == "total" else name) in stats.last
                },
                "age": None if stats.age is None else round(stats.age, 3),
                "trouble": metrics.outage(stats),
            }
        )

    head = get


class FrameHandler(Handler):
    """The newest picture."""

    methods = ("GET", "HEAD")

    async def get(self) -> None:
        """A JPEG, or 503 while no frames arrive."""
        outage = metrics.outage(self.context.stats.snapshot())
        frame = None if outage else await self.run_in_executor(self.context.encoder.newest)
        if frame is None:
            raise HTTPError(503, log_message=outage or "no frame has come yet")
        self.set_header("Content-Type", "image/jpeg")
        self.finish(frame.jpeg)

    head = get


class HistoryHandler(Handler):
    """Past entries."""

    methods = ("GET", "HEAD")

    async def get(self) -> None:
        """JSON, newest first, with the `before` of the next page; `format=csv` gives all in one file."""
        filters = self._filters()
        if self.get_query_argument("format", "json") == "csv" or self.request.path.endswith(".csv"):
            await self._csv(filters)
            return
        limit = self._number("limit", 100, int)
        if not 1 <= limit <= PAGE_SIZE:
            raise HTTPError(400, log_message=f"limit: take 1 to {PAGE_SIZE}")
        entries = await self._page(limit + 1, filters)
        following = entries[limit - 1].id if len(entries) > limit else None
        self.send_json({"entries": entries[:limit], "next": following, "journal": self.context.persistent})

    head = get

    async def _csv(self, filters: dict[str, Any]) -> None:
        self.set_header("Content-Type", "text/csv; charset=utf-8")
        self.set_header("Content-Disposition", 'attachment; filename="digitlens.csv"')
        self.extend_deadline()
        entries = await self._page(PAGE_SIZE, filters)
        self.write(as_csv(entries, head=True))
        try:
            while len(entries) == PAGE_SIZE and self.request.method != "HEAD":
                await self.drain()
                entries = await self._page(PAGE_SIZE, {**filters, "before": entries[-1].id}, True)
                self.write(as_csv(entries, head=False))
        except StreamClosedError:
            return
        self.finish()

    async def _page(self, limit: int, filters: dict[str, Any], begun: bool = False) -> list[Any]:
        if not begun and self.context.searches >= self.context.limits.searches:
            self._headers["Retry-After"] = "1"
            raise HTTPError(503, log_message="too many searches at once; try again")
        self.context.searches += 1
        try:
            return await self.look_up(lambda: self.context.history.history(limit, **filters))
        except DigitLensError as error:
            self.context.say(f"web page: {error}")
            raise HTTPError(503, log_message="the journal cannot be read") from error
        finally:
            self.context.searches -= 1

    def _filters(self) -> dict[str, Any]:
        filters: dict[str, Any] = {}
        for name in ("before", "containing", "region", "kind"):
            filters[name] = self.get_query_argument(name, "")
            if len(filters[name]) > 200 or "\0" in filters[name]:
                raise HTTPError(400, log_message=f"{name}: take at most 200 signs")
        for name in ("since", "until"):
            filters[name] = self._number(name, None, float)
        return filters

    def _number(self, name: str, default: Any, kind: type) -> Any:
        text = self.get_query_argument(name, None)
        if text is None:
            return default
        try:
            number = kind(text[:40])
        except ValueError:
            number = float("nan")
        if not isfinite(number):
            raise HTTPError(400, log_message=f"{name}: take a number")
        return number


class HealthHandler(Handler):
    """Whether frames arrive, for supervisors that restart unhealthy services."""

    methods = ("GET", "HEAD")

    def get(self) -> None:
        """200, or 503 with the reason."""
        outage = metrics.outage(self.context.stats.snapshot())
        self.set_status(503 if outage else 200)
        self.send_json({"frames": not outage, "why": outage})

    head = get


class MetricsHandler(Handler):
    """Metrics for Prometheus."""

    methods = ("GET", "HEAD")

    async def get(self) -> None:
        """See metrics.exposition."""
        context = self.context
        try:
            outbox = await self.run_in_executor(context.outbox_counts)
        except DigitLensError:  # an unreadable journal is logged elsewhere; the other metrics are still right
            outbox = {}
        self.set_header("Content-Type", metrics.TYPE)
        self.finish(metrics.exposition(context.stats.snapshot(), outbox, len(context.clients), __version__))

    head = get
