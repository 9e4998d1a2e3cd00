"""What the desk serves: metrics, and whether the server lives and takes calls.

Owns paths and status codes. /healthz is for whoever would start the server again, /readyz for whoever would send it
calls.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from b2bua.operator.desk.feed import Feed
from b2bua.operator.desk.metrics import CONTENT_TYPE, Exposition
from b2bua.operator.desk.readiness import reasons
from b2bua.operator.desk.source import SilentError, Source


def pages(source: Source, feeds: Sequence[Feed] = ()) -> Starlette:
    """The application. `feeds` are those who are told of calls that ended."""

    async def metrics(_: Request) -> Response:
        try:
            exposition = Exposition(await source.measures(), feeds)
        except SilentError:
            exposition = Exposition(None, feeds)
        return Response(exposition.text(), media_type=CONTENT_TYPE)

    async def healthy(_: Request) -> Response:
        try:
            await source.measures()
        except SilentError as error:
            return JSONResponse({"healthy": False, "why": [str(error)]}, 503)
        return JSONResponse({"healthy": True, "why": []})

    async def ready(_: Request) -> Response:
        try:
            why = reasons(await source.measures())
        except SilentError as error:
            why = [str(error)]
        return JSONResponse({"ready": not why, "why": why}, 503 if why else 200)

    return Starlette(routes=[Route("/metrics", metrics), Route("/healthz", healthy), Route("/readyz", ready)])
