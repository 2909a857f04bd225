"""Serves app.py as an ASGI application under uvicorn, with security headers.

`streamlit run app.py` works too, but leaves TCP_NODELAY off, so that bursts of messages stall for 40 ms, and sends
no security headers. Here the listening socket is ours: it turns delays off, and a port in use gets a clear message.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import re
import secrets
import socket
import sys
import threading
import webbrowser
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
import uvicorn
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, PlainTextResponse

from quiz.ui import context
from quiz.ui.shortcuts import SCRIPT
from quiz.ui.visitors import BROWSER

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from quiz.settings import Settings

APP = Path(__file__).parents[2] / "app.py"
NOT_FOUND = Path(__file__).parent / "assets" / "not_found.html"
PAGES = frozenset({"", "practice", "study", "lab", "runs", "progress", "data", "profiles", "diagnostic"})  # those of app.py
FOLDERS = frozenset({"_stcore", "media", "component", "static", "app"})  # what Streamlit serves besides; from /study it asks /study/_stcore first
CLOSED = ("/_stcore/metrics", "/_stcore/agent")  # figures on sessions and memory, and a remote control: nobody's business


class CannotListen(OSError):
    """The address cannot be listened on; the message says why and what to do."""


def _inline_script_hashes() -> str:
    """CSP sources for the inline scripts of Streamlit's own index.html and for ours, so that no others may run."""
    html = (Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    return " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in (*scripts, SCRIPT))


def security_headers() -> dict[str, str]:
    """Headers for every answer: only our own scripts, no embedding elsewhere, no guessing of types, no referrer outside.

    Styles may be inline, as emotion and KaTeX write them; that runs no code.
    """
    policy = {
        "default-src": "'self'",
        "script-src": f"'self' {_inline_script_hashes()}".strip(),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return {
        "content-security-policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "x-frame-options": "DENY",
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    }


class SecurityHeaders:
    """Plain ASGI middleware: adds the headers and closes the paths that are for nobody."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.headers = [(name.encode(), value.encode()) for name, value in security_headers().items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 404 where the path is closed."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *self.headers]
            await send(message)

        closed = str(scope["path"]).startswith(CLOSED)
        answer = PlainTextResponse("Not found", status_code=404) if closed else self.app
        await answer(scope, receive, send_with_headers)


class KnownPages:
    """Plain ASGI middleware: answers for a page that is not there. Streamlit would open a dialog over the first page instead.

    Everything that is no page (scripts, downloads, the connection itself) is passed on: it is of a folder of Streamlit's, or has a dot in its name.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.answer = HTMLResponse(NOT_FOUND.read_text(encoding="utf-8"), status_code=404)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 404 with a way back."""
        unknown = scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and not _is_known(str(scope["path"]))
        await (self.answer if unknown else self.app)(scope, receive, send)


def _is_known(path: str) -> bool:
    first, *rest = path.strip("/").split("/")
    return "." in path or first in FOLDERS or (first in PAGES and (not rest or rest[0] in FOLDERS)) or bool(st.get_option("server.baseUrlPath"))


class BrowserName:
    """Plain ASGI middleware: gives every browser a random name in a cookie, by which it is known again until it is closed."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; with a page for a browser that has no name goes one."""
        if scope["type"] != "http" or not _wants_page(Headers(scope=scope)):
            await self.app(scope, receive, send)
            return

        async def send_with_name(message: Message) -> None:
            if message["type"] == "http.response.start":
                cookie = f"{BROWSER}={secrets.token_urlsafe(16)}; Path=/; HttpOnly; SameSite=Lax"
                message["headers"] = [*message.get("headers", []), (b"set-cookie", cookie.encode())]
            await send(message)

        await self.app(scope, receive, send_with_name)


def _wants_page(headers: Headers) -> bool:
    """Whether a browser without a name asks for a page (scripts and pictures are asked for in several requests at once)."""
    return "text/html" in headers.get("accept", "") and f"{BROWSER}=" not in headers.get("cookie", "")


@asynccontextmanager
async def _lifespan(app: st.App) -> AsyncIterator[None]:
    yield
    context.close()


def create_app() -> st.App:
    """The ASGI application, for uvicorn or any other server."""
    return st.App(APP, middleware=[Middleware(SecurityHeaders), Middleware(KnownPages), Middleware(BrowserName)], lifespan=_lifespan)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Errors: CannotListen when the port is taken or the host is not this machine's.

    The protocol is named because asyncio turns TCP_NODELAY on only for sockets that say they are TCP.
    """
    family, kind, _, _, address = _resolve(host, port)
    listener = socket.socket(family, kind, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise CannotListen(_why_not(error, host, port)) from error
    return listener


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple]:
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise CannotListen(f"Carousel cannot listen on {host}: {error.strerror}. Set CAROUSEL_HOST to an address of this machine.") from error


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is already in use: Carousel may be running already. Stop what runs there, or set CAROUSEL_PORT to another port."
    if error.errno == errno.EACCES:
        return f"Port {port} on {host} may not be opened by this user. Set CAROUSEL_PORT to a port from 1024 up."
    return f"Carousel cannot listen on {host}:{port}: {error.strerror}. Set CAROUSEL_HOST to an address of this machine."


class _Announcing(uvicorn.Server):
    """Calls `ready` once the server accepts connections."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        if self.started:
            self._ready()


def at_a_desktop(environment: Mapping[str, str], platform: str, terminal: bool) -> bool:
    """Whether somebody sits before this: a terminal, and a screen a browser can open on (otherwise a text browser might take the terminal)."""
    screen = platform in ("darwin", "win32") or bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))
    return terminal and screen and not environment.get("SSH_CONNECTION")


def serve(settings: Settings) -> None:
    """Serve until interrupted, printing the address once it is ready; exit with 1 and the reason when that cannot be."""
    try:
        listener = listen(settings.host, settings.port)
    except CannotListen as error:
        sys.exit(str(error))
    host, port = listener.getsockname()[:2]
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def ready() -> None:
        sys.stdout.write(f"Carousel is running at {url}\n")
        sys.stdout.flush()
        if at_a_desktop(os.environ, sys.platform, sys.stdout.isatty()) if settings.open_browser is None else settings.open_browser:
            # On a thread: some browsers keep the caller waiting until they are closed.
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()

    config = uvicorn.Config(
        create_app(),
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,  # open pages hold their connection for ever
    )
    with suppress(KeyboardInterrupt):
        _Announcing(config, ready).run(sockets=[listener])
