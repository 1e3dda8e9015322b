"""s3://: a prefix in a bucket of any service that speaks S3."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode
from xml.etree.ElementTree import Element

from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.source import RemoteFile, Reply, Request, Web
from stoker_runtime.fetch.sources.amazon import FindCredentials, Signer, bucket_address
from stoker_runtime.fetch.sources.answers import nonsense, read_xml, whole_number
from stoker_runtime.fetch.sources.digests import hexadecimal_of, plain_md5
from stoker_runtime.fetch.sources.listed_prefix import ListedPrefix
from stoker_runtime.fetch.sources.listing import check_length
from stoker_runtime.fetch.sources.prefix import PinnedName, Place, path_below


@dataclass(frozen=True)
class _Object:
    key: str
    size_bytes: int
    etag: str
    has_sha256: bool


class BucketSource(ListedPrefix[_Object]):
    """An object's key is its name."""

    def __init__(
        self,
        place: Place,
        web: Web,
        environment: Mapping[str, str],
        *,
        find_credentials: FindCredentials | None = None,
    ) -> None:
        super().__init__(place, "s3")
        self._web = web
        self._signer = Signer(environment, find_credentials)
        self._base = bucket_address(place.container, self._signer.region, environment)

    def request(self, revision: str, file: RemoteFile) -> Request:  # noqa: ARG002 - the key holds the version
        return self._for_object("GET", PinnedName.read(file.key))

    def _name(self, item: _Object) -> str:
        return item.key

    def _identity(self, item: _Object) -> tuple[object, ...]:
        return item.key, item.size_bytes, item.etag

    def _below(self, prefix: str) -> Iterator[_Object]:
        token, seen = "", set[str]()
        count = 0
        while True:
            query = {"list-type": "2", "prefix": prefix} | ({"continuation-token": token} if token else {})
            url = f"{self._base}?{urlencode(sorted(query.items()), quote_via=quote)}"
            what = f"the listing of {self._place}"
            document = read_xml(self._ask("GET", self._signer.signed("GET", url, {})), what, "ListBucketResult")
            entries = document.findall("Contents")
            count += len(entries)
            check_length(self._place, count)
            yield from (item for entry in entries if not (item := _object(entry, what)).key.endswith("/"))
            if document.findtext("IsTruncated") != "true":
                return
            token = document.findtext("NextContinuationToken") or ""
            if not token or token in seen:
                raise nonsense(what, "a page that is not the last and does not say which follows")
            seen.add(token)

    def _file(self, item: _Object) -> RemoteFile:
        """An ETag is an md5 of the content only if no key service encrypts it, and only a HEAD tells."""
        name = PinnedName(item.key, item.etag)
        file = RemoteFile(path_below(self._prefix, item.key), item.size_bytes, key=str(name))
        if not item.has_sha256 and plain_md5(item.etag) is None:
            return file
        head = self._ask("HEAD", self._for_object("HEAD", name, {"x-amz-checksum-mode": "ENABLED"})).headers
        encrypted = head.get("x-amz-server-side-encryption", "AES256") != "AES256" or any(
            header.startswith("x-amz-server-side-encryption-customer") for header in head
        )
        whole = head.get("x-amz-checksum-type", "FULL_OBJECT") == "FULL_OBJECT"
        return replace(
            file,
            sha256=hexadecimal_of(head.get("x-amz-checksum-sha256", ""), 32) if whole else None,
            md5=None if encrypted else plain_md5(item.etag),
        )

    def _for_object(self, method: str, name: PinnedName, headers: Mapping[str, str] | None = None) -> Request:
        pinned = {**(headers or {}), **({"if-match": name.version} if name.version else {})}
        return self._signer.signed(method, f"{self._base}{quote(name.name, safe='/~')}", pinned)

    def _ask(self, method: str, request: Request) -> Reply:
        try:
            return self._web.ask(request, method=method)
        except WeightsError as error:
            raise self._explained(error) from error

    def _explained(self, error: WeightsError) -> WeightsError:
        reader = "the given credentials" if self._signer.signs else "everybody, and no credentials were found"
        sentences = {
            Reason.FORBIDDEN: f"{self._place} may not be read by {reader}: allow s3:ListBucket on the bucket and"
            " s3:GetObject on the prefix, and look at AWS_REGION",
            Reason.UNAUTHORIZED: f"{self._place} refused the credentials: mend the Secret or the ServiceAccount",
            Reason.NOT_FOUND: f"there is no bucket or object {self._place}: mend the source's name, AWS_REGION or"
            " AWS_ENDPOINT_URL",
        }
        sentence = sentences.get(error.reason)
        return WeightsError(error.reason, f"{sentence} ({error.message})") if sentence else error


def _object(entry: Element, what: str) -> _Object:
    key, size = entry.findtext("Key"), entry.findtext("Size")
    if not key or size is None:
        raise nonsense(what, "an object without a key or a size")
    algorithms = {element.text for element in entry.findall("ChecksumAlgorithm")}
    return _Object(key, whole_number(size, what), entry.findtext("ETag") or "", "SHA256" in algorithms)
