"""The measures, one upon the other, from what packages are when they are installed to what the runtime image does."""

from dataclasses import dataclass, field, replace

FLAGS = (
    "--served-model-name=tiny-llama", "--port=8000", "--max-model-len=512", "--max-num-seqs=2",
    "--enforce-eager", "--dtype=bfloat16", "--distributed-executor-backend=uni", "--kv-cache-memory-bytes=64M",
)  # fmt: skip
# The engine's process imports the main module once more: all of the server, or hardly more than a line.
AS_MODULE = ("python3", "-m", "vllm.entrypoints.openai.api_server", "--model=/model")
AS_COMMAND = ("vllm", "serve", "/model")


@dataclass(frozen=True)
class Measure:
    name: str
    environment: dict[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = AS_MODULE
    seldom_collects: bool = False  # the setting of Python's collector in the image
    from_disk: bool = False  # begins with none of the image's files in the page cache
    reads_ahead: bool = False  # another process reads them while the server starts

    @property
    def arguments(self) -> list[str]:
        return [*self.command, *FLAGS]


# Byte code is looked for in a folder that has none, and no one may write any.
_NO_BYTE_CODE = {"PYTHONPYCACHEPREFIX": "/tmp/no-byte-code", "PYTHONDONTWRITEBYTECODE": "1"}  # noqa: S108 - in there
_NO_MODEL_INFO = {"VLLM_CACHE_ROOT": "/tmp/no-vllm-cache"}  # noqa: S108 - in there
_BYTE_CODE = Measure("byte-compiled", _NO_MODEL_INFO)
_MODEL_INFO = Measure("and model information")
_ONE_IMPORT = replace(_MODEL_INFO, name="and the server imported once", command=AS_COMMAND)
_COLLECTOR = replace(_ONE_IMPORT, name="and garbage seldom collected", seldom_collects=True)
_FROM_DISK = replace(_COLLECTOR, name="all of them, from disk", from_disk=True)

MEASURES = (
    Measure("as installed", _NO_BYTE_CODE | _NO_MODEL_INFO),
    _BYTE_CODE,
    _MODEL_INFO,
    _ONE_IMPORT,
    _COLLECTOR,
    _FROM_DISK,
    replace(_FROM_DISK, name="all of them, from disk, read ahead", reads_ahead=True),
)
