"""Requests of OpenAI's API, read and checked."""

import json
from dataclasses import dataclass, replace

from stoker_runtime.simulated.api_errors import ApiError, bad_body, too_long, unknown_model
from stoker_runtime.simulated.words import tokens_in

_TOKENS_A_MESSAGE = 4  # what a chat template adds: the role and the marks around it
_COMPLETION_TOKENS = 16  # OpenAI's default for completions, and vLLM's
Json = dict[str, object]


@dataclass(frozen=True)
class Limits:
    model: str
    context_length: int


@dataclass(frozen=True)
class Prompt:
    text: str  # what an answer depends on
    tokens: int


@dataclass(frozen=True)
class ToolCall:
    name: str
    arguments: str


@dataclass(frozen=True)
class Generate:
    prompts: tuple[Prompt, ...]
    most_tokens: int | None  # None: to the end of the context
    least_tokens: int
    ignores_end: bool  # generates all tokens that it may
    stops: tuple[str, ...]
    seed: int
    stream: bool
    usage: bool
    usage_in_each_chunk: bool
    chat: bool = False
    tool_call: ToolCall | None = None


@dataclass(frozen=True)
class Embed:
    prompts: tuple[Prompt, ...]
    dimensions: int
    base64: bool


def body_of(content_type: str, body: bytes) -> Json:
    if content_type.split(";", maxsplit=1)[0].strip().lower() != "application/json":
        raise bad_body("Unsupported Media Type: Only 'application/json' is allowed")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise bad_body(f"JSON decode error: {error}", "body") from error
    if not isinstance(value, dict):
        raise bad_body("Input should be a valid dictionary", "body")
    return value


def chat_request(body: Json, limits: Limits) -> Generate:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise bad_body("messages: at least one message is required", "body.messages")
    texts = [_message_text(message, index) for index, message in enumerate(messages)]
    text = "\n".join(texts)
    tokens = sum(map(tokens_in, texts)) + _TOKENS_A_MESSAGE * len(texts)
    most = _whole(body, "max_completion_tokens", least=1)
    if most is None:
        most = _whole(body, "max_tokens", least=1)
    request = _generate(body, (Prompt(text, tokens),), most, limits)
    return replace(request, chat=True, tool_call=_tool_call(body, messages))


def completion_request(body: Json, limits: Limits) -> Generate:
    most = _whole(body, "max_tokens", least=1)
    if "max_tokens" not in body:
        most = _COMPLETION_TOKENS
    return _generate(body, _prompts(body, "prompt"), most, limits)


def embedding_request(body: Json, limits: Limits) -> Embed:
    prompts = _prompts(body, "input")
    _check_model(body, limits)
    _check_length(prompts, limits, 0)
    coding = body.get("encoding_format", "float")
    if coding not in {"float", "base64"}:
        raise bad_body("encoding_format must be 'float' or 'base64'", "body.encoding_format")
    return Embed(prompts, _whole(body, "dimensions", least=1, most=16_384) or 64, coding == "base64")


def _generate(body: Json, prompts: tuple[Prompt, ...], most: int | None, limits: Limits) -> Generate:
    stream = _flag(body, "stream")
    options = body.get("stream_options") or {}
    if not isinstance(options, dict):
        raise bad_body("stream_options must be an object", "body.stream_options")
    if options and not stream:
        raise ApiError("Stream options can only be defined when `stream=True`.", param="stream_options")
    if (body.get("n") or 1) != 1:
        raise ApiError(f"n must be 1: the simulated engine gives one answer, not {body['n']!r}.", param="n")
    temperature = body.get("temperature")
    if isinstance(temperature, (int, float)) and temperature < 0:
        raise ApiError(f"temperature must be non-negative, got {temperature}.", param="temperature")
    _check_model(body, limits)
    if most is not None and most > limits.context_length:
        message = f"max_tokens={most} cannot be greater than max_model_len={limits.context_length}. "
        raise ApiError(message + "Please request fewer output tokens.", param="max_tokens")
    _check_length(prompts, limits, 1)
    return Generate(
        prompts=prompts,
        most_tokens=most,
        least_tokens=_whole(body, "min_tokens", least=0) or 0,
        ignores_end=_flag(body, "ignore_eos"),
        stops=_stops(body),
        seed=_whole(body, "seed") or 0,
        stream=stream,
        usage=_flag(options, "include_usage"),
        usage_in_each_chunk=_flag(options, "include_usage") and _flag(options, "continuous_usage_stats"),
    )


def _check_model(body: Json, limits: Limits) -> None:
    name = body.get("model")
    if name not in (None, "", limits.model):
        raise unknown_model(name, limits.model)


def _check_length(prompts: tuple[Prompt, ...], limits: Limits, room: int) -> None:
    for prompt in prompts:
        if prompt.tokens + room > limits.context_length:
            raise too_long(limits.context_length, prompt.tokens)


def _whole(body: Json, name: str, least: int | None = None, most: int | None = None) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise bad_body(f"{name}: Input should be a valid integer", f"body.{name}")
    if least is not None and value < least:
        raise ApiError(f"{name} must be at least {least}, got {value}.", param=name)
    if most is not None and value > most:
        raise ApiError(f"{name} must be at most {most}, got {value}.", param=name)
    return value


def _flag(body: Json, name: str) -> bool:
    value = body.get(name)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise bad_body(f"{name}: Input should be a valid boolean", f"body.{name}")


def _stops(body: Json) -> tuple[str, ...]:
    stop = body.get("stop")
    stops = [stop] if isinstance(stop, str) else stop or []
    if not isinstance(stops, list) or not all(isinstance(one, str) for one in stops):
        raise bad_body("stop: Input should be a string or a list of strings", "body.stop")
    if "" in stops:
        raise ApiError("stop cannot contain an empty string.", param="stop")
    return tuple(stops)


def _message_text(message: object, index: int) -> str:
    if not isinstance(message, dict) or not isinstance(message.get("role"), str):
        raise bad_body(f"messages.{index}: a message needs a role", f"body.messages.{index}")
    content = message.get("content")
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        return "\n".join(part["text"] for part in content if isinstance(part.get("text"), str))
    raise bad_body(f"messages.{index}.content: Input should be a valid string", f"body.messages.{index}.content")


def _prompts(body: Json, name: str) -> tuple[Prompt, ...]:
    value = body.get(name)
    if isinstance(value, str):
        return (_text_prompt(value),)
    if isinstance(value, list) and value:
        if all(isinstance(one, str) for one in value):
            return tuple(map(_text_prompt, value))
        if _is_tokens(value):
            return (Prompt(repr(value), len(value)),)
        if all(isinstance(one, list) and one and _is_tokens(one) for one in value):
            return tuple(Prompt(repr(one), len(one)) for one in value)
    raise bad_body(f"{name}: a text, a list of texts, tokens or a list of those is required", f"body.{name}")


def _text_prompt(text: str) -> Prompt:
    # A tokenizer marks the beginning, so that no prompt is empty.
    return Prompt(text, tokens_in(text) + 1)


def _is_tokens(value: list[object]) -> bool:
    return all(isinstance(one, int) and not isinstance(one, bool) and one >= 0 for one in value)


def _tool_call(body: Json, messages: list[Json]) -> ToolCall | None:
    """A call of the tool that is asked for, or of the first, with the user's words; none to answer a tool's result."""
    tools = body.get("tools") or []
    choice = body.get("tool_choice") or "auto"
    if not isinstance(tools, list) or not all(_function(tool) for tool in tools):
        raise bad_body("tools: each needs a function with a name", "body.tools")
    if not tools or choice == "none" or (choice == "auto" and messages[-1].get("role") == "tool"):
        return None
    functions = [_function(tool) for tool in tools]
    if isinstance(choice, dict):
        functions = [function for function in functions if function.get("name") == _function(choice).get("name")]
        if not functions:
            raise ApiError("tool_choice names no function of `tools`", param="tool_choice")
    elif choice not in {"auto", "required"}:
        raise bad_body("tool_choice: 'none', 'auto', 'required' or a function is required", "body.tool_choice")
    asked = [_message_text(message, 0) for message in messages if message.get("role") == "user"]
    arguments = {_first_parameter(functions[0]): asked[-1] if asked else ""}
    return ToolCall(str(functions[0]["name"]), json.dumps(arguments))


def _function(tool: object) -> Json:
    function = tool.get("function") if isinstance(tool, dict) else None
    return function if isinstance(function, dict) and isinstance(function.get("name"), str) else {}


def _first_parameter(function: Json) -> str:
    parameters = function.get("parameters")
    properties = parameters.get("properties") if isinstance(parameters, dict) else None
    return next(iter(properties), "input") if isinstance(properties, dict) else "input"
