"""Paths that nobody outside may reach, whatever the engine has there."""

from urllib.parse import unquote_to_bytes

# Verbs of development and of the operator: they put to sleep, change, end or tell what others use.
_NAMES = frozenset(
    {
        # vLLM and SGLang
        b"abort_request",
        b"configure_logging",
        b"dumper",
        b"hicache",
        b"init_weights_send_group_for_remote_instance",
        b"init_weights_update_group",
        b"pd_role_switch",
        b"set_internal_state",
        b"slow_down",
        b"update_weights_from_ipc",
        b"weights_checker",
        b"collective_rpc",
        b"continue_generation",
        b"flush_cache",
        b"is_sleeping",
        b"load_lora_adapter",
        b"pause",
        b"pause_generation",
        b"release_memory_occupation",
        b"reset_encoder_cache",
        b"reset_mm_cache",
        b"reset_prefix_cache",
        b"resume",
        b"resume_memory_occupation",
        b"scale_elastic_ep",
        b"shutdown",
        b"sleep",
        b"start_profile",
        b"stop_profile",
        b"unload_lora_adapter",
        b"update_weights_from_disk",
        b"update_weights_from_distributed",
        b"update_weights_from_tensor",
        b"wake_up",
        # llama.cpp
        b"cors-proxy",
        b"lora-adapters",
        b"props",
        b"slots",
        b"tools",
        # transformers
        b"load_model",
        b"reset",
    }
)
_BELOW = {
    b"api": {b"pull", b"push", b"create", b"delete", b"copy", b"blobs", b"me", b"signout"},  # Ollama
    b"download": {b""},  # TabbyAPI, and the next four
    b"lora": {b"load", b"unload"},
    b"model": {b"load", b"unload"},
    b"sampling": {b"override"},
    b"template": {b"switch", b"unload"},
    b"models": {b"load", b"unload"},  # llama.cpp
}
_MOST_DECODINGS = 8


def is_forbidden(target: bytes) -> bool:
    """However the path is written: at the root, or below /v1 where vLLM has its adapters."""
    path = _decoded(target.partition(b"?")[0]).partition(b"\0")[0]
    segments: list[bytes] = []
    for segment in path.replace(b"\\", b"/").split(b"/"):
        name = segment.partition(b";")[0].strip().lower()
        if name == b"..":
            del segments[-1:]
        elif name not in {b"", b"."}:
            segments.append(name)
    if segments[:1] == [b"v1"]:
        del segments[0]
    if not segments:
        return False
    first, second = (*segments, b"")[:2]
    return first in _NAMES or second in _BELOW.get(first, ())


def _decoded(path: bytes) -> bytes:
    """Once more than needed rather than once less: an engine may decode what a router has decoded before."""
    for _ in range(_MOST_DECODINGS):
        decoded = unquote_to_bytes(path)
        if decoded == path:
            break
        path = decoded
    return path
