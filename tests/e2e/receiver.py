"""A small receiver of OpenTelemetry's spans (OTLP/HTTP), on loopback, that answers as a test wants."""

import http.server
import json
import threading
import time


class Receiver:
    """Answers the n-th request with the n-th of `answers` (status, headers, body), and 200 behind them; keeps all requests."""

    def __init__(self, *answers, delay_s=0):
        self.answers, self.delay_s, self.requests, self.stop = list(answers), delay_s, [], threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.requests.append((self.path, self.headers["Content-Type"], body))
                status, headers, answer = outer.answers.pop(0) if outer.answers else (200, {}, b"{}")
                outer.stop.wait(outer.delay_s)
                try:
                    self.send_response(status)
                    for name, value in {**headers, "Content-Length": str(len(answer))}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(answer)
                except OSError:
                    pass  # who asked has gone

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def spans(self):
        """Of all requests."""
        found = []
        for _, _, body in self.requests:
            for resource in json.loads(body)["resourceSpans"]:
                found += [span for scope in resource["scopeSpans"] for span in scope["spans"]]
        return found

    def until(self, holds, timeout_s=60):
        deadline = time.monotonic() + timeout_s
        while not holds() and time.monotonic() < deadline:
            time.sleep(0.05)

    def close(self):
        self.stop.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
