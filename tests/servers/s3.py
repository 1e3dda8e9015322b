"""An S3 service: buckets, pages, conditions, checksums, and signatures that are really checked."""

import hmac
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import parse_qsl, quote
from xml.sax.saxutils import escape

from tests.servers.contents import digest_of, size_of
from tests.servers.serving import Answer, Asked, Content

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<day>\d{8})/(?P<region>[^/]+)/s3/aws4_request,"
    r"\s*SignedHeaders=(?P<headers>[^,]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)
_SKEW = timedelta(minutes=15)
_REGION = "us-east-1"


@dataclass
class Bucket:
    """`encryption` is what HEAD says of all objects; a key service makes ETags that are no md5."""

    objects: dict[str, Content] = field(default_factory=dict)
    public: bool = False
    checksums: bool = False
    encryption: str | None = None


class S3:
    """Path style. `keys` are what may sign."""

    def __init__(self, keys: Mapping[str, str] | None = None) -> None:
        self.buckets: dict[str, Bucket] = {}
        self.page_size = 1000
        self.session_token: str | None = None  # what signed requests must carry too
        self._keys = dict(keys or {})

    def answer(self, asked: Asked) -> Answer:
        name, _, key = asked.path.lstrip("/").partition("/")
        bucket = self.buckets.get(name)
        if bucket is None:
            return _error(404, "NoSuchBucket")
        refusal = self._refusal(bucket, asked)
        if refusal:
            return _error(403, refusal)
        return self._object(bucket, key, asked) if key else self._list(bucket, asked)

    def _object(self, bucket: Bucket, key: str, asked: Asked) -> Answer:
        content = bucket.objects.get(key)
        if content is None:
            return _error(404, "NoSuchKey")
        headers = {"ETag": etag_of(bucket, content)}
        if bucket.encryption:
            headers["x-amz-server-side-encryption"] = bucket.encryption
        if bucket.checksums and asked.headers.get("x-amz-checksum-mode") == "ENABLED":
            headers["x-amz-checksum-sha256"] = b64encode(bytes.fromhex(digest_of(content))).decode()
            headers["x-amz-checksum-type"] = "FULL_OBJECT"
        return Answer(200, content, headers, ranges=True)

    def _list(self, bucket: Bucket, asked: Asked) -> Answer:
        if asked.query.get("list-type") != "2":
            return _error(400, "InvalidArgument")
        prefix, after = asked.query.get("prefix", ""), asked.query.get("continuation-token", "")
        keys = [key for key in sorted(bucket.objects) if key.startswith(prefix) and key > after]
        page, more = keys[: self.page_size], len(keys) > self.page_size
        algorithm = "<ChecksumAlgorithm>SHA256</ChecksumAlgorithm>" if bucket.checksums else ""
        entries = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{size_of(bucket.objects[key])}</Size>"
            f"<ETag>{escape(etag_of(bucket, bucket.objects[key]))}</ETag>{algorithm}</Contents>"
            for key in page
        )
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        text = (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{entries}</ListBucketResult>"
        )
        return Answer(200, text.encode(), {"Content-Type": "application/xml"})

    def _refusal(self, bucket: Bucket, asked: Asked) -> str | None:
        header = asked.headers.get("authorization")
        if header is None:
            return None if bucket.public else "AccessDenied"
        match = _AUTHORIZATION.fullmatch(header)
        secret = self._keys.get(match["key"]) if match else None
        if match is None or secret is None:
            return "InvalidAccessKeyId"
        if match["region"] != _REGION:
            return "AuthorizationHeaderMalformed"
        if self.session_token and asked.headers.get("x-amz-security-token") != self.session_token:
            return "InvalidToken"
        return _wrong_signature(asked, match, secret)


def etag_of(bucket: Bucket, content: Content) -> str:
    digest = digest_of(content, "md5")
    return f'"{digest[::-1] if bucket.encryption == "aws:kms" else digest}"'


def _wrong_signature(asked: Asked, match: re.Match[str], secret: str) -> str | None:
    """The signature is made anew of what arrived."""
    signed, stamp = match["headers"].split(";"), asked.headers.get("x-amz-date", "")
    needed = {"host", *(name for name in asked.headers if name.startswith("x-amz-"))}
    if not needed <= set(signed) or not stamp.startswith(match["day"]):
        return "AccessDenied"
    sent = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if abs(datetime.now(UTC) - sent) > _SKEW:
        return "RequestTimeTooSkewed"
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in _pairs(asked.raw_query))
    canonical = "\n".join(
        (
            asked.method,
            quote(asked.path, safe="/-_.~"),
            "&".join(f"{name}={value}" for name, value in pairs),
            *(f"{name}:{' '.join(asked.headers.get(name, '').split())}" for name in signed),
            "",
            match["headers"],
            asked.headers.get("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
        )
    )
    scope = f"{match['day']}/{match['region']}/s3/aws4_request"
    told = "\n".join(("AWS4-HMAC-SHA256", stamp, scope, sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    right = hmac.digest(key, told.encode(), "sha256").hex()
    return None if hmac.compare_digest(right, match["signature"]) else "SignatureDoesNotMatch"


def _pairs(raw_query: str) -> list[tuple[str, str]]:
    return parse_qsl(raw_query, keep_blank_values=True)


def _error(status: int, code: str) -> Answer:
    return Answer(status, f"<Error><Code>{code}</Code></Error>".encode(), {"Content-Type": "application/xml"})
