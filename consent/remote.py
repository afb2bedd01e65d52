"""Asking another's server: one request, its answer within a time and a size. Nothing that visitors meet imports it."""

import http.client
import time
import urllib.request


def fetched(url: str, body: bytes | None = None, *, media_type: str = "", patience: float, largest: int) -> bytes:
    """An answer's first `largest` bytes, `body` posted first where there is one. Raises OSError.

    `patience` is in seconds and for the whole of it: an answer that comes in drops is given up in time.
    """
    headers = {"User-Agent": "consent", **({"Content-Type": media_type} if media_type else {})}
    end, data = time.monotonic() + patience, bytearray()
    try:
        request = urllib.request.Request(url, body, headers)
        with urllib.request.urlopen(request, timeout=patience) as answer:
            while len(data) < largest and (piece := answer.read1(65_536)):
                data += piece
                if time.monotonic() > end:
                    raise TimeoutError("it takes too long")
    except (ValueError, http.client.HTTPException) as error:
        raise OSError(str(error) or type(error).__name__) from None
    return bytes(data[:largest])
