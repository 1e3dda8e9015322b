"""Who asks an S3 service, and where it is."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from stoker_runtime.failure import Reason, WeightsError
from stoker_runtime.fetch.source import Request

FindCredentials = Callable[[], Any]  # botocore's credentials, or None: nobody in particular


class Signer:
    """Signs in the headers, so that no address in a log or in an error opens anything. A signature holds 15 minutes."""

    def __init__(self, environment: Mapping[str, str], find: FindCredentials | None = None) -> None:
        self.region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1"
        self._find = find or (lambda: credentials_of(environment))
        self._found: tuple[Any] | None = None

    @property
    def signs(self) -> bool:
        """Whether credentials were found, where they were looked for."""
        return self._found is not None and self._found[0] is not None

    def signed(self, method: str, url: str, headers: Mapping[str, str]) -> Request:
        if self._found is None:
            self._found = (self._find(),)
        credentials = self._found[0]
        if credentials is None:
            return Request(url, dict(headers))
        request = import_module("botocore.awsrequest").AWSRequest(method, url, headers=dict(headers))
        # Temporary credentials renew themselves when they are frozen.
        frozen = credentials.get_frozen_credentials()
        import_module("botocore.auth").S3SigV4Auth(frozen, "s3", self.region).add_auth(request)
        return Request(url, {name.lower(): str(value) for name, value in request.headers.items()})


def credentials_of(environment: Mapping[str, str]) -> Any:
    """A key in the environment; else the vendor's own chain: web identity, pod identity, profile, instance metadata."""
    key, secret = environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")
    if key and secret:
        return import_module("botocore.credentials").Credentials(key, secret, environment.get("AWS_SESSION_TOKEN"))
    try:
        return import_module("botocore.session").Session().get_credentials()
    except import_module("botocore.exceptions").BotoCoreError as error:
        raise WeightsError(
            Reason.UNAUTHORIZED,
            f"the credentials for S3 cannot be had ({error}): mend the Secret or the ServiceAccount",
        ) from error


def bucket_address(bucket: str, region: str, environment: Mapping[str, str]) -> str:
    """Where the objects of a bucket are, with the slash at the end. Services of one's own rarely have a name each."""
    endpoint = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
    if endpoint:
        return f"{endpoint.rstrip('/')}/{bucket}/"
    domain = f"s3.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"
    # The certificate covers one label: a bucket with a dot in its name cannot be a host.
    return f"https://{domain}/{bucket}/" if "." in bucket else f"https://{bucket}.{domain}/"
