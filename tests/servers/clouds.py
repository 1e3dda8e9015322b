"""What Google Cloud Storage and Azure Blob Storage answer: as much of it as is asked for."""

from base64 import b64encode
from collections.abc import Mapping
from xml.sax.saxutils import escape

from tests.servers.contents import digest_of, size_of
from tests.servers.serving import Answer, Asked, Content, json_answer


class GoogleStorage:
    """One bucket. With a token, nobody else may read it."""

    def __init__(self, objects: Mapping[str, Content], *, token: str | None = None, page_size: int = 1000) -> None:
        self.objects = dict(objects)
        self.generation = 1
        self._token, self._page_size = token, page_size

    def answer(self, asked: Asked) -> Answer:
        if self._token and asked.headers.get("authorization") != f"Bearer {self._token}":
            return json_answer({"error": {"code": 401}}, 401)
        _, _, rest = asked.path.partition("/storage/v1/b/")
        _, _, name = rest.partition("/o")
        if not name:
            return self._list(asked)
        content = self.objects.get(name.removeprefix("/"))
        if content is None or asked.query.get("generation") != str(self.generation):
            return json_answer({"error": {"code": 404}}, 404)
        return Answer(200, content, ranges=True)

    def _list(self, asked: Asked) -> Answer:
        names = [name for name in sorted(self.objects) if name.startswith(asked.query.get("prefix", ""))]
        first = int(asked.query.get("pageToken", "0"))
        end = first + self._page_size
        items = [
            {
                "name": name,
                "size": str(size_of(self.objects[name])),
                "md5Hash": b64encode(bytes.fromhex(digest_of(self.objects[name], "md5"))).decode(),
                "generation": str(self.generation),
            }
            for name in names[first:end]
        ]
        # A bucket without objects has no items at all.
        page: dict[str, object] = {"items": items} if items else {}
        return json_answer(page | ({"nextPageToken": str(end)} if end < len(names) else {}))


class AzureStorage:
    """One container. `signature` is the `sig` that must be in the query."""

    def __init__(
        self, blobs: Mapping[str, Content], *, container: str, signature: str | None = None, page_size: int = 1000
    ) -> None:
        self.blobs = dict(blobs)
        self._container, self._signature, self._page_size = container, signature, page_size

    def answer(self, asked: Asked) -> Answer:
        if self._signature and asked.query.get("sig") != self._signature:
            return Answer(403, b"<Error><Code>AuthenticationFailed</Code></Error>")
        if "x-ms-version" not in asked.headers:
            return Answer(400)
        container, _, name = asked.path.lstrip("/").partition("/")
        if container != self._container:
            return Answer(404)
        if not name:
            return self._list(asked)
        content = self.blobs.get(name)
        return Answer(404) if content is None else Answer(200, content, {"ETag": _etag(content)}, ranges=True)

    def _list(self, asked: Asked) -> Answer:
        names = [name for name in sorted(self.blobs) if name.startswith(asked.query.get("prefix", ""))]
        first = int(asked.query.get("marker") or "0")
        end = first + self._page_size
        blobs = "".join(_blob(name, self.blobs[name]) for name in names[first:end])
        marker = f"<NextMarker>{end}</NextMarker>" if end < len(names) else "<NextMarker />"
        text = f'<?xml version="1.0" encoding="utf-8"?><EnumerationResults><Blobs>{blobs}</Blobs>{marker}'
        return Answer(200, f"{text}</EnumerationResults>".encode(), {"Content-Type": "application/xml"})


def _blob(name: str, content: Content) -> str:
    md5 = b64encode(bytes.fromhex(digest_of(content, "md5"))).decode()
    return (
        f"<Blob><Name>{escape(name)}</Name><Properties><Content-Length>{size_of(content)}</Content-Length>"
        f"<Etag>{escape(_etag(content))}</Etag><Content-MD5>{md5}</Content-MD5></Properties></Blob>"
    )


def _etag(content: Content) -> str:
    return f'"0x{digest_of(content)[:16].upper()}"'
