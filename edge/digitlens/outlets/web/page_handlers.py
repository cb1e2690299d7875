"""Handlers of the page's files, and of signing in and out."""

from tornado.web import HTTPError

from digitlens.outlets.web.handler import POLICY, Handler
from digitlens.outlets.web.sessions import LIFETIME

PAGE_POLICY = f"{POLICY}; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'"


class AssetHandler(Handler):
    """A file of the page."""

    methods = ("GET", "HEAD")

    def get(self) -> None:
        """The file, or 304."""
        asset = self.context.assets[self.request.path]
        self.set_header("Content-Type", asset.type)
        self.set_header("Cache-Control", "no-cache")
        self.set_header("Etag", asset.tag)
        if asset.type.startswith("text/html"):
            self.set_header("Content-Security-Policy", PAGE_POLICY)
        if self.check_etag_header():
            self.set_status(304)
            self.finish()
            return
        self.finish(asset.content)

    head = get


class SignInHandler(Handler):
    """Exchanges the token from the sign-in form for a session cookie."""

    methods = ("POST",)
    requires_access = False

    def post(self) -> None:
        """303 to the page, or 401."""
        access = self.context.access
        verdict = access.check_token(self.address, self.get_body_argument("token", ""), "sign-in")
        if verdict == "throttled":
            self.refuse_until(access.retry_after(self.address, "sign-in"))
        if verdict != "granted":
            raise HTTPError(401, log_message="wrong token")
        self.set_cookie(
            self.context.cookie_name,
            access.sessions.begin(),
            expires_days=None,
            max_age=LIFETIME,
            httponly=True,
            secure=self.encrypted,
            samesite="Strict",
        )
        self.redirect("/", status=303)


class SignOutHandler(Handler):
    """Ends the session, and what it has open."""

    methods = ("POST",)

    def post(self) -> None:
        """303 to the page."""
        if (session := self.session) is not None:
            self.context.access.sessions.end(session)
            self.context.end_revoked()
        self.clear_cookie(self.context.cookie_name, httponly=True, secure=self.encrypted, samesite="Strict")
        self.redirect("/", status=303)
