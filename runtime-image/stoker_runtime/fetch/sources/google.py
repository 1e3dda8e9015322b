"""gs://: a prefix in a Google Cloud Storage bucket, by its JSON API."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any
from urllib.parse import quote, urlencode

from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.source import RemoteFile, Request, Web
from stoker_runtime.fetch.sources.answers import nonsense, read_object, size_field, text_field
from stoker_runtime.fetch.sources.digests import hexadecimal_of
from stoker_runtime.fetch.sources.listing import check_length, check_unchanged, fingerprint, labelled
from stoker_runtime.fetch.sources.prefix import PinnedName, Place, nothing_below, path_below, under_or_at

_PUBLIC = "https://storage.googleapis.com"
_SCOPE = "https://www.googleapis.com/auth/devstorage.read_only"
_FIELDS = "items(name,size,md5Hash,generation),nextPageToken"
FindToken = Callable[[], str | None]  # a bearer token that is valid now; None: anonymous


class GoogleSource:
    """A prefix, or one object where the prefix is its whole name. Every object is read at the generation listed."""

    def __init__(
        self,
        place: Place,
        web: Web,
        environment: Mapping[str, str],
        *,
        find_token: FindToken | None = None,
    ) -> None:
        self._prefix, self._label = place.prefix, place.label
        self._place = place.shown("gs")
        self._web = web
        emulator = environment.get("STORAGE_EMULATOR_HOST", "").rstrip("/")
        if emulator and "://" not in emulator:
            emulator = f"http://{emulator}"
        self._base = f"{emulator or _PUBLIC}/storage/v1/b/{quote(place.container, safe='')}/o"
        self._find_token = find_token or ((lambda: None) if emulator else _DefaultCredentials().token)
        self._listed: Sequence[Mapping[str, Any]] | None = None

    def resolve(self) -> str:
        self._listed = self._list()
        return self._revision_of(self._listed)

    def files(self, revision: str) -> Sequence[RemoteFile]:
        objects, self._listed = self._listed or self._list(), None
        check_unchanged(self._place, revision, self._revision_of(objects))
        return tuple(self._file(item) for item in objects)

    def request(self, revision: str, file: RemoteFile) -> Request:  # noqa: ARG002 - the key holds the generation
        name = PinnedName.read(file.key)
        query = {"alt": "media"} | ({"generation": name.version} if name.version else {})
        return self._asking(f"{self._base}/{quote(name.name, safe='')}?{urlencode(query)}")

    def _list(self) -> Sequence[Mapping[str, Any]]:
        objects = under_or_at(self._prefix, self._objects, lambda item: str(item["name"]))
        if not objects:
            raise nothing_below(self._place)
        return objects

    def _objects(self, prefix: str) -> Iterator[Mapping[str, Any]]:
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

    def _revision_of(self, objects: Sequence[Mapping[str, Any]]) -> str:
        entries = ((item["name"], item.get("size"), item.get("generation"), item.get("md5Hash")) for item in objects)
        return labelled(self._label, fingerprint(entries))

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
