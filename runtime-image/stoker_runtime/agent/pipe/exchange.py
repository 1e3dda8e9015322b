"""One request on its way to the engine, and its answer on the way back."""

from typing import TYPE_CHECKING

from stoker_runtime.agent.framing.bodies import (
    BodyReader,
    ChunkReader,
    CloseReader,
    LengthReader,
    Span,
    chunk,
    last_chunk,
)
from stoker_runtime.agent.framing.heads import head_end
from stoker_runtime.agent.framing.requests import RequestHead
from stoker_runtime.agent.framing.responses import Extent, ResponseHead, read_response_head
from stoker_runtime.agent.framing.unreadable import UnreadableError
from stoker_runtime.agent.pipe.engine import EngineConnection
from stoker_runtime.agent.pipe.plumbing import Plumbing
from stoker_runtime.agent.pipe.progress import Progress
from stoker_runtime.agent.pipe.refusals import Refusal
from stoker_runtime.agent.tally import Outcome

if TYPE_CHECKING:
    from stoker_runtime.agent.pipe.client import ClientConnection


class Exchange:
    """Ends in exactly one way: answered, failed, cut, or left by its client."""

    __slots__ = (
        "_answer",
        "_answer_head",
        "_body",
        "_client",
        "_clock",
        "_engine",
        "_extent",
        "_head",
        "_over",
        "_plumbing",
        "_progress",
        "_reader",
        "_sent",
        "began",
        "closes",
    )

    def __init__(self, client: "ClientConnection", head: RequestHead, plumbing: Plumbing, now_seconds: float) -> None:
        self._client = client
        self._head = head
        self._plumbing = plumbing
        self._clock = plumbing.clock
        self._progress = Progress(plumbing.tally, now_seconds) if head.counts else None
        self._body: BodyReader = ChunkReader() if head.length is None else LengthReader(head.length)
        self._engine: EngineConnection | None = None
        # As long as it may have to be sent, or sent again.
        self._sent: bytearray | None = bytearray(head.to_engine(plumbing.told_host))
        self._answer_head = bytearray()
        self._answer: ResponseHead | None = None
        self._extent = Extent.NONE  # of the answer as the client gets it
        self._reader: BodyReader | None = None
        self._over = False
        self.began = now_seconds
        self.closes = False

    @property
    def request_ended(self) -> bool:
        return self._body.ended

    @property
    def answer_began(self) -> bool:
        """Whether the client has got the answer's head."""
        return self._answer is not None

    # The way there.

    def request_bytes(self, data: bytes) -> bytes:
        """What of `data` is behind the request."""
        spans: list[Span] = []
        end = self._body.read(data, 0, spans)
        if self._progress is not None:
            self._progress.asked(sum(stop - start for start, stop in spans))
        if self._head.length is not None:
            self._send(data if end == len(data) else data[:end])
        else:
            # In chunks of our own: what the sender wrote between them cannot mislead the engine.
            parts = [chunk(data[start:stop]) for start, stop in spans]
            if self._body.ended:
                parts.append(last_chunk(self._body.trailers))
            self._send(b"".join(parts))
        return data[end:]

    def start(self) -> None:
        engine = self._plumbing.pool.take()
        if engine is not None:
            self.engine_ready(engine)
        else:
            self._plumbing.pool.connect(self)

    def engine_ready(self, engine: EngineConnection) -> None:
        if self._over:
            self._plumbing.pool.give(engine)  # the client left meanwhile
            return
        if engine.is_closing:
            self.engine_unreachable("the engine closed a new connection at once")
            return
        self._engine = engine
        engine.exchange = self
        engine.write(bytes(self._sent or b""))
        self._keep_what_may_be_sent_again()
        if self._client.write_paused:
            engine.pause_answer()
        if not engine.write_paused:
            self._client.resume_request()

    def engine_unreachable(self, sentence: str) -> None:
        self._fail(Refusal(502, sentence))

    def _send(self, data: bytes) -> None:
        if self._sent is not None:
            self._sent += data
        if self._engine is not None:
            self._engine.write(data)
            self._keep_what_may_be_sent_again()
        elif self._sent is not None and len(self._sent) > self._plumbing.limits.high_water_bytes:
            self._client.pause_request()

    def _keep_what_may_be_sent_again(self) -> None:
        """A new connection that is lost was no connection that had grown old."""
        engine, sent = self._engine, self._sent
        if engine is None or sent is None:
            return
        if not engine.reused or len(sent) > self._plumbing.limits.retry_bytes:
            self._sent = None

    # The way back.

    def answer_bytes(self, data: bytes) -> None:
        if self._reader is None:
            data = self._read_head(data)
            if self._reader is None:
                return
        if data:
            self._pass_on(data)
        elif self._reader.ended:
            self._finish(rest=False)

    def _pass_on(self, data: bytes) -> None:
        reader = self._reader
        if reader is None:
            return
        spans: list[Span] = []
        try:
            end = reader.read(data, 0, spans)
        except UnreadableError:
            self._cut()
            return
        if spans and self._progress is not None:
            self._progress.content(data, spans, self._clock())
        if end:
            self._client.write(self._framed(data, end, spans))
        if reader.ended:
            self._finish(rest=end < len(data))

    def _framed(self, data: bytes, end: int, spans: list[Span]) -> bytes:
        """As it came, unless the client needs another framing than the engine chose."""
        if self._answer is None or self._answer.extent is self._extent:
            return data if end == len(data) else data[:end]
        if self._extent is Extent.CHUNKED:
            return b"".join([chunk(data[start:stop]) for start, stop in spans])
        return b"".join([data[start:stop] for start, stop in spans])

    def _read_head(self, data: bytes) -> bytes:
        """What is behind the head, once it is there."""
        limits, buffer = self._plumbing.limits, self._answer_head
        self._sent = None
        looked_at = len(buffer)
        buffer += data
        try:
            while (end := head_end(buffer, looked_at, limits.answer_head_bytes)) >= 0:
                looked_at = 0
                answer = read_response_head(bytes(buffer[:end]), self._head.method, limits.header_fields)
                del buffer[:end]
                if not answer.is_interim:
                    self._begin_answer(answer)
                    rest = bytes(buffer)
                    buffer.clear()
                    return rest
                if self._head.is_new and answer.status != 100:
                    self._client.write(answer.to_client(Extent.NONE, b""))
        except UnreadableError as unreadable:
            self._fail(Refusal(502, f"the engine's answer cannot be read: {unreadable}"))
        return b""

    def _begin_answer(self, answer: ResponseHead) -> None:
        head, extent = self._head, answer.extent
        if extent in {Extent.CHUNKED, Extent.CLOSE}:
            extent = Extent.CHUNKED if head.is_new else Extent.CLOSE
        self._answer, self._extent = answer, extent
        self.closes = not head.keep_alive or extent is Extent.CLOSE or self._plumbing.sends_away
        word = b"close" if self.closes else b"" if head.is_new else b"keep-alive"
        self._client.write(answer.to_client(extent, word))
        if self._progress is not None:
            self._progress.head(answer.status, answer.content_type)
        if answer.extent is Extent.CHUNKED:
            self._reader = ChunkReader()
        elif answer.extent is Extent.CLOSE:
            self._reader = CloseReader()
        else:
            self._reader = LengthReader(answer.length if answer.extent is Extent.LENGTH else 0)

    # The ends.

    def engine_lost(self, *, clean: bool, unread: bool) -> None:
        """`unread` where the engine cannot have all that was sent."""
        self._engine = None
        if self._over:
            return
        if self._answer is not None:
            if self._answer.extent is not Extent.CLOSE or not clean:
                self._cut()
                return
            if self._extent is Extent.CHUNKED:
                self._client.write(last_chunk([]))
            self._finish(rest=False)
        elif self._sent is not None and (unread or not self._head.counts or not self._body.ended):
            # What the engine has in part, or what changes nothing, is not done twice by being sent twice.
            self._plumbing.pool.connect(self)
        else:
            self._fail(Refusal(502, "the engine closed the connection before it answered"))

    def client_left(self) -> None:
        self.abandon(Outcome.CLIENT_LEFT)

    def abandon(self, outcome: Outcome) -> None:
        """The engine need not go on: closing its connection is what cancels there."""
        if not self._end(outcome):
            return
        self._abort_engine()

    def late(self) -> None:
        """No answer in time."""
        self._fail(Refusal(504, "the engine did not begin to answer in time"))

    def _finish(self, *, rest: bool) -> None:
        if not self._end(Outcome.FINISHED):
            return
        engine, self._engine = self._engine, None
        if engine is not None:
            answer = self._answer
            keeps = answer is not None and answer.keep_alive and answer.extent is not Extent.CLOSE
            if keeps and self.request_ended and not rest and not engine.write_paused:
                self._plumbing.pool.give(engine)
            else:
                engine.abort()
        self._client.exchange_ended(closes=self.closes or not self.request_ended)

    def _fail(self, refusal: Refusal) -> None:
        if not self._end(Outcome.ENGINE_FAILED):
            return
        self._abort_engine()
        self._client.refuse(refusal, with_body=self._head.method != b"HEAD")

    def _cut(self) -> None:
        """The client must not take what it got for the whole answer."""
        if not self._end(Outcome.ENGINE_FAILED):
            return
        self._abort_engine()
        self._client.cut(reset=self._extent is Extent.CLOSE)

    def _end(self, outcome: Outcome) -> bool:
        if self._over:
            return False
        self._over = True
        if self._progress is not None:
            self._progress.end(outcome)
        return True

    def _abort_engine(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.abort()

    # Who does not read is not written to without end.

    def pause_answer(self) -> None:
        if self._engine is not None:
            self._engine.pause_answer()

    def resume_answer(self) -> None:
        if self._engine is not None:
            self._engine.resume_answer()

    def pause_request(self) -> None:
        self._client.pause_request()

    def resume_request(self) -> None:
        self._client.resume_request()
