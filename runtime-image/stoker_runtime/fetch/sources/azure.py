"""az://: a prefix in a container of Azure Blob Storage, by its REST API."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode
from xml.etree.ElementTree import Element

from stoker_runtime.fetch.source import RemoteFile, Request, Web
from stoker_runtime.fetch.sources.answers import nonsense, read_xml, whole_number
from stoker_runtime.fetch.sources.azure_access import VERSION, access_of
from stoker_runtime.fetch.sources.digests import hexadecimal_of
from stoker_runtime.fetch.sources.listed_prefix import ListedPrefix
from stoker_runtime.fetch.sources.listing import check_length
from stoker_runtime.fetch.sources.prefix import PinnedName, Place, path_below


@dataclass(frozen=True)
class _Blob:
    name: str
    size_bytes: int
    etag: str
    md5: str | None


class AzureSource(ListedPrefix[_Blob]):
    """Its objects are called blobs."""

    def __init__(
        self,
        account: str,
        place: Place,
        web: Web,
        environment: Mapping[str, str],
    ) -> None:
        super().__init__(place, f"az://{account}")
        self._web = web
        endpoint = environment.get("AZURE_STORAGE_ENDPOINT") or f"https://{account}.blob.core.windows.net"
        self._base = f"{endpoint.rstrip('/')}/{place.container}"
        self._access = access_of(account, place.container, environment)

    def request(self, revision: str, file: RemoteFile) -> Request:  # noqa: ARG002 - the key holds the version
        name = PinnedName.read(file.key)
        return self._asking(f"/{quote(name.name)}", {}, {"if-match": name.version} if name.version else {})

    def _name(self, item: _Blob) -> str:
        return item.name

    def _identity(self, item: _Blob) -> tuple[object, ...]:
        return item.name, item.size_bytes, item.etag

    def _file(self, item: _Blob) -> RemoteFile:
        key = str(PinnedName(item.name, item.etag))
        return RemoteFile(path_below(self._prefix, item.name), item.size_bytes, md5=item.md5, key=key)

    def _below(self, prefix: str) -> Iterator[_Blob]:
        marker, seen, count = "", set[str](), 0
        what = f"the listing of {self._place}"
        while True:
            query = {"restype": "container", "comp": "list", "prefix": prefix}
            request = self._asking("", query | ({"marker": marker} if marker else {}), {})
            document = read_xml(self._web.ask(request), what, "EnumerationResults")
            entries = document.findall("Blobs/Blob")
            count += len(entries)
            check_length(self._place, count)
            yield from (blob for entry in entries if (blob := _blob(entry, what)) is not None)
            marker = document.findtext("NextMarker") or ""
            if not marker:
                return
            if marker in seen:
                raise nonsense(what, "a list that goes round in a circle")
            seen.add(marker)

    def _asking(self, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Request:
        access = self._access()
        text = "&".join(part for part in (urlencode(query, quote_via=quote), access.query) if part)
        return Request(
            f"{self._base}{path}{'?' if text else ''}{text}",
            {"x-ms-version": VERSION, **headers, **({"authorization": access.bearer} if access.bearer else {})},
        )


def _blob(entry: Element, what: str) -> _Blob | None:
    """None for folders, which accounts with a hierarchy list as well."""
    name, size = entry.findtext("Name"), entry.findtext("Properties/Content-Length")
    if not name or size is None:
        raise nonsense(what, "a blob without a name or a length")
    if name.endswith("/") or entry.findtext("Properties/ResourceType") == "directory":
        return None
    md5 = hexadecimal_of(entry.findtext("Properties/Content-MD5") or "", 16)
    return _Blob(name, whole_number(size, what), entry.findtext("Properties/Etag") or "", md5)
