"""az://: a prefix in a container of Azure Blob Storage, by its REST API."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode
from xml.etree.ElementTree import Element

from stoker_runtime.fetch.source import RemoteFile, Request, Web
from stoker_runtime.fetch.sources.answers import nonsense, read_xml, whole_number
from stoker_runtime.fetch.sources.azure_access import VERSION, Access, access_of
from stoker_runtime.fetch.sources.digests import hexadecimal_of
from stoker_runtime.fetch.sources.listing import check_length, check_unchanged, fingerprint, labelled
from stoker_runtime.fetch.sources.prefix import PinnedName, Place, nothing_below, path_below, under_or_at


@dataclass(frozen=True)
class _Blob:
    name: str
    size_bytes: int
    etag: str
    md5: str | None


class AzureSource:
    """A prefix, or one blob where the prefix is its whole name."""

    def __init__(
        self,
        account: str,
        place: Place,
        web: Web,
        environment: Mapping[str, str],
        *,
        access: Access | None = None,
    ) -> None:
        self._prefix, self._label = place.prefix, place.label
        self._place = place.shown(f"az://{account}")
        self._web = web
        endpoint = environment.get("AZURE_STORAGE_ENDPOINT") or f"https://{account}.blob.core.windows.net"
        self._base = f"{endpoint.rstrip('/')}/{place.container}"
        self._access = access or access_of(account, place.container, environment)
        self._listed: Sequence[_Blob] | None = None

    def resolve(self) -> str:
        self._listed = self._list()
        return self._revision_of(self._listed)

    def files(self, revision: str) -> Sequence[RemoteFile]:
        blobs, self._listed = self._listed or self._list(), None
        check_unchanged(self._place, revision, self._revision_of(blobs))
        return tuple(
            RemoteFile(
                path_below(self._prefix, blob.name),
                blob.size_bytes,
                md5=blob.md5,
                key=str(PinnedName(blob.name, blob.etag)),
            )
            for blob in blobs
        )

    def request(self, revision: str, file: RemoteFile) -> Request:  # noqa: ARG002 - the key holds the version
        name = PinnedName.read(file.key)
        return self._asking(f"/{quote(name.name)}", {}, {"if-match": name.version} if name.version else {})

    def _list(self) -> Sequence[_Blob]:
        blobs = under_or_at(self._prefix, self._blobs, lambda blob: blob.name)
        if not blobs:
            raise nothing_below(self._place)
        return blobs

    def _blobs(self, prefix: str) -> Iterator[_Blob]:
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

    def _revision_of(self, blobs: Sequence[_Blob]) -> str:
        return labelled(self._label, fingerprint((blob.name, blob.size_bytes, blob.etag) for blob in blobs))

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
