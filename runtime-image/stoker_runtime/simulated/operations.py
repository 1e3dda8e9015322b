"""The routes beside the model's own: what kubelets, scrapers, operators and tests ask."""

import asyncio
import json
import time
from urllib.parse import parse_qs

from stoker_runtime.simulated.api_errors import ApiError, bad_body
from stoker_runtime.simulated.connection import Exchange, Handler
from stoker_runtime.simulated.engine import Engine
from stoker_runtime.simulated.faults import FaultError, Injector
from stoker_runtime.simulated.metrics import Metrics
from stoker_runtime.simulated.settings import Settings
from stoker_runtime.simulated.sleep import MODES, Sleep

VERSION = "0.31.0+simulated"  # of the vLLM whose behaviour this is
_METRICS = "text/plain; version=0.0.4; charset=utf-8"


class Operations:
    def __init__(self, settings: Settings, engine: Engine, metrics: Metrics, injector: Injector) -> None:
        self._settings = settings
        self._engine = engine
        self._metrics = metrics
        self._injector = injector
        self._sleep = Sleep(engine, settings.sleep_seconds, settings.wake_seconds)
        self._created = int(time.time())
        self.faults_changed = asyncio.Event()

    def routes(self) -> dict[tuple[str, str], Handler]:
        routes: dict[tuple[str, str], Handler] = {
            ("GET", "/v1/models"): self._models,
            ("GET", "/health"): self._health,
            ("GET", "/ping"): self._health,
            ("POST", "/ping"): self._health,
            ("GET", "/version"): self._version,
            ("GET", "/metrics"): self._metrics_text,
            ("GET", "/faults"): self._show_faults,
            ("POST", "/faults"): self._set_faults,
        }
        if self._settings.development:
            routes[("POST", "/sleep")] = self._fall_asleep
            routes[("POST", "/wake_up")] = self._wake_up
            routes[("GET", "/is_sleeping")] = self._is_sleeping
            routes[("POST", "/collective_rpc")] = self._call_workers
        return routes

    async def _health(self, exchange: Exchange) -> None:
        exchange.answer(200)

    async def _version(self, exchange: Exchange) -> None:
        exchange.answer_json(200, {"version": VERSION})

    async def _models(self, exchange: Exchange) -> None:
        name = self._settings.served_model_name
        card = {
            "id": name,
            "object": "model",
            "created": self._created,
            "owned_by": "vllm",
            "root": name,
            "parent": None,
            "max_model_len": self._settings.context_length,
            "permission": [],
        }
        exchange.answer_json(200, {"object": "list", "data": [card]})

    async def _metrics_text(self, exchange: Exchange) -> None:
        if self._injector.faults.metrics_gone:
            exchange.answer_json(404, {"detail": "Not Found"})
            return
        gauges = {
            "vllm:num_requests_running": self._engine.running,
            "vllm:num_requests_waiting": self._engine.waiting,
            "vllm:kv_cache_usage_perc": self._engine.cache_usage,
        }
        level = self._sleep.level
        exchange.answer(200, self._metrics.text(gauges, level, self._engine.preemptions).encode(), _METRICS)

    async def _fall_asleep(self, exchange: Exchange) -> None:
        query = parse_qs(exchange.request.query)
        level = query.get("level", ["1"])[-1]
        mode = query.get("mode", ["abort"])[-1]
        if level not in {"0", "1", "2"}:
            raise bad_body(f"level must be 0, 1 or 2, not {level!r}", "query.level")
        if mode not in MODES:
            raise bad_body(f"mode must be one of {', '.join(MODES)}, not {mode!r}", "query.mode")
        await self._sleep.sleep(int(level), mode)
        exchange.answer_json(200, {"status": "sleeping", "level": int(level)})

    async def _wake_up(self, exchange: Exchange) -> None:
        tags = parse_qs(exchange.request.query).get("tags")
        awake = await self._sleep.wake(tags)
        exchange.answer_json(200, {"status": "awake" if awake else "sleeping", "tags": tags})

    async def _is_sleeping(self, exchange: Exchange) -> None:
        exchange.answer_json(200, {"is_sleeping": self._sleep.asleep})

    async def _call_workers(self, exchange: Exchange) -> None:
        try:
            method = json.loads(exchange.request.body)["method"]
        except (ValueError, KeyError, TypeError):
            method = None
        if method != "reload_weights":
            raise ApiError("of vLLM's methods only reload_weights is here")
        if not self._injector.faults.wrong_weights:
            self._sleep.reload_weights()
        exchange.answer_json(200, {"results": [None]})

    async def _show_faults(self, exchange: Exchange) -> None:
        exchange.answer_json(200, self._injector.faults.as_object())

    async def _set_faults(self, exchange: Exchange) -> None:
        try:
            wanted = json.loads(exchange.request.body)
            faults = self._injector.faults.changed_by(wanted)
        except (ValueError, FaultError) as wrong:
            raise ApiError(str(wrong)) from wrong
        self._engine.set_faults(faults)
        self.faults_changed.set()
        exchange.answer_json(200, faults.as_object())
        self._injector.without_tokens()
