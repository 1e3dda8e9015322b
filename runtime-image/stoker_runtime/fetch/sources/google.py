"""gs://: a prefix in a Google Cloud Storage bucket, by its JSON API."""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any
from urllib.parse import quote, urlencode

from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.source import RemoteFile, Request, Web
from stoker_runtime.fetch.sources.answers import nonsense, read_object, size_field, text_field
from stoker_runtime.fetch.sources.digests import hexadecimal_of
from stoker_runtime.fetch.sources.listed_prefix import ListedPrefix
from stoker_runtime.fetch.sources.listing import check_length
from stoker_runtime.fetch.sources.prefix import PinnedName, Place, path_below

_PUBLIC = "https://storage.googleapis.com"
_SCOPE = "https://www.googleapis.com/auth/devstorage.read_only"
_FIELDS = "items(name,size,md5Hash,generation),nextPageToken"
FindToken = Callable[[], str | None]  # a bearer token that is valid now; None: anonymous


class GoogleSource(ListedPrefix[Mapping[str, Any]]):
    """Every object is read at the generation listed."""

    def __init__(
        self,
        place: Place,
        web: Web,
        environment: Mapping[str, str],
        *,
        find_token: FindToken | None = None,
    ) -> None:
        super().__init__(place, "gs")
        self._web = web
        emulator = environment.get("STORAGE_EMULATOR_HOST", "").rstrip("/")
        if emulator and "://" not in emulator:
            emulator = f"http://{emulator}"
        self._base = f"{emulator or _PUBLIC}/storage/v1/b/{quote(place.container, safe='')}/o"
        self._find_token = find_token or ((lambda: None) if emulator else _DefaultCredentials().token)

    def request(self, revision: str, file: RemoteFile) -> Request:  # noqa: ARG002 - the key holds the generation
        name = PinnedName.read(file.key)
        query = {"alt": "media"} | ({"generation": name.version} if name.version else {})
        return self._asking(f"{self._base}/{quote(name.name, safe='')}?{urlencode(query)}")

    def _name(self, item: Mapping[str, Any]) -> str:
        return str(item["name"])

    def _identity(self, item: Mapping[str, Any]) -> tuple[object, ...]:
        return item["name"], item.get("size"), item.get("generation"), item.get("md5Hash")

    def _below(self, prefix: str) -> Iterator[Mapping[str, Any]]:
        token, seen, count = "", set[str](), 0
        what = f"the listing of {self._place}"
        while True:
            query = {"prefix": prefix, "fields": _FIELDS} | ({"pageToken": token} if token else {})
            page = read_object(self._web.ask(self._asking(f"{self._base}?{urlencode(query)}")), what)
            items = page.get("items") or []
            if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
                raise nonsense(what, "items that are no objects")
            count += len(items)
            check_length(self._place, count)
            yield from (item for item in items if not text_field(item, "name", what).endswith("/"))
            token = str(page.get("nextPageToken") or "")
            if not token:
                return
            if token in seen:
                raise nonsense(what, "a list that goes round in a circle")
            seen.add(token)

    def _file(self, item: Mapping[str, Any]) -> RemoteFile:
        name = str(item["name"])
        return RemoteFile(
            path_below(self._prefix, name),
            size_field(item, "size", f"the listing of {self._place}"),
            md5=hexadecimal_of(str(item.get("md5Hash") or ""), 16),
            key=str(PinnedName(name, str(item.get("generation") or ""))),
        )

    def _asking(self, url: str) -> Request:
        token = self._find_token()
        return Request(url, {"authorization": f"Bearer {token}"} if token else {})


class _DefaultCredentials:
    """Workload identity, a key file or the metadata server, as the vendor's library finds them."""

    def __init__(self) -> None:
        self._found: tuple[Any] | None = None

    def token(self) -> str | None:
        errors = import_module("google.auth.exceptions")
        try:
            if self._found is None:
                self._found = (import_module("google.auth").default(scopes=[_SCOPE])[0],)
            credentials = self._found[0]
            if credentials is not None and not credentials.valid:
                credentials.refresh(import_module("google.auth.transport.requests").Request())
        except errors.DefaultCredentialsError:
            self._found = (None,)
            return None
        except errors.GoogleAuthError as error:
            raise WeightsError(
                Reason.UNAUTHORIZED,
                f"the credentials for gs:// cannot be had ({error}): mend the Secret or the ServiceAccount",
            ) from error
        return str(credentials.token) if credentials is not None else None
