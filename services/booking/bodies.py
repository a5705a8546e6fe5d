"""Request bodies, taken in no further than their limit."""

from fastapi import Request

from shared.http import Answered
from shared.refusals import Refusal


async def read_body(request: Request, most: int) -> bytes:
    """The whole body, read as it comes. Refused with 413 as soon as it is longer than `most` bytes."""
    chunks: list[bytes] = []
    length = 0
    async for chunk in request.stream():
        length += len(chunk)
        if length > most:
            raise Answered(413, f"The body is longer than {most:,} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


async def read_text(request: Request, most: int) -> str:
    """A CSV body as text; UTF-8, with or without a byte order mark."""
    require_media_type(request, "text/csv")
    body = await read_body(request, most)
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as malformed:
        line = body.count(b"\n", 0, malformed.start) + 1
        raise Refusal("The file is not UTF-8 text", code="not-utf-8", where=f"line {line}") from None


def require_media_type(request: Request, *accepted: str) -> None:
    """Refused with 415 if the request says that its body is something else."""
    sent = request.headers.get("Content-Type", accepted[0]).partition(";")[0].strip().lower()
    if sent not in accepted:
        raise Answered(415, f"The body must be {' or '.join(accepted)}")
