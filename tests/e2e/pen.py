"""An agent that speaks as OpenAI does, and holds its pen in the middle of an answer."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Pen:
    """Answers with `text`, streamed where that is asked; in its middle it waits for `go_on.set()`."""

    def __init__(self, text: str) -> None:
        pen = self
        self.go_on = threading.Event()
        self.has_begun = threading.Event()
        self.asked = 0

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                pen.asked += 1
                is_stream = bool(asked.get("stream"))
                self.send_response(200)
                kind = "text/event-stream" if is_stream else "application/json"
                self.send_header("Content-Type", kind)
                self.end_headers()
                half = len(text) // 2
                if is_stream:
                    self._say({"content": text[:half]})
                pen.has_begun.set()
                pen.go_on.wait(60)
                if is_stream:
                    self._say({"content": text[half:]})
                    self._say({}, "stop")
                    self.wfile.write(b"data: [DONE]\n\n")
                else:
                    message = {"role": "assistant", "content": text}
                    choice = {"index": 0, "message": message, "finish_reason": "stop"}
                    self.wfile.write(json.dumps({"id": "c", "choices": [choice]}).encode())

            def _say(self, delta: dict[str, str], reason: str | None = None) -> None:
                choice = {"index": 0, "delta": delta, "finish_reason": reason}
                chunk = {"id": "c", "object": "chat.completion.chunk", "choices": [choice]}
                self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
                self.wfile.flush()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> "Pen":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.go_on.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
