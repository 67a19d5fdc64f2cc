"""Enrolls over resumed TLS 1.3 sessions and prints one line of JSON, as `muster-sim bench load` does.

python3 bench-resumed.py DEV.JSON REQUESTS WARMUP: REQUESTS holds bodies of simpleenroll, one a line. The first
connection makes the session that all others resume. Loopback only.
"""

import json
import os
import socket
import ssl
import sys
import threading
import time
from urllib.parse import urlsplit

CONNECTIONS = 8
TIMEOUT_SECONDS = 30
ANSWER_OCTETS_MAX = 1 << 20
TICK_MILLISECONDS = 1000 / os.sysconf("SC_CLK_TCK")


def cpu(pid):
    """User and system time of a process, in milliseconds."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rpartition(")")[2].split()
    return int(fields[11]) * TICK_MILLISECONDS, int(fields[12]) * TICK_MILLISECONDS


class Client:
    def __init__(self, dev):
        url = urlsplit(dev["urls"]["est"])
        self.address = (url.hostname, url.port)
        if not socket.gethostbyname(url.hostname).startswith("127."):
            sys.exit(f"{url.hostname} is not on this machine")
        self.path = f"/.well-known/est/{dev['fleet']}/simpleenroll"
        self.context = ssl.create_default_context(cafile=dev["files"]["root"])
        self.context.minimum_version = ssl.TLSVersion.TLSv1_3
        self.context.load_cert_chain(dev["files"]["claimCert"], dev["files"]["claimKey"])
        self.session = None
        self.resumed = 0

    def enroll(self, body):
        """The status of the answer."""
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/pkcs10\r\n"
            f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(self.address, TIMEOUT_SECONDS) as plain:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.context.wrap_socket(plain, server_hostname=self.address[0], session=self.session) as tls:
                tls.sendall(head.encode() + body)
                answer = b""
                while len(answer) < ANSWER_OCTETS_MAX:
                    part = tls.recv(65536)
                    if not part:
                        break
                    answer += part
                if self.session is None:
                    self.session = tls.session
                elif tls.session_reused:
                    self.resumed += 1
        return int(answer[9:12] or 0)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        dev = json.load(file)
    with open(sys.argv[2], "rb") as file:
        bodies = [line.strip() for line in file]
    warmup = int(sys.argv[3])
    client = Client(dev)
    statuses, latencies, lock = {}, [], threading.Lock()
    for body in bodies[:warmup]:
        client.enroll(body)
    todo = iter(bodies[warmup:])
    client.resumed = 0
    began, before = time.monotonic(), cpu(dev["pid"])

    def work():
        while True:
            with lock:
                body = next(todo, None)
            if body is None:
                return
            start = time.monotonic()
            try:
                status = client.enroll(body)
            except OSError:
                status = 0
            took = (time.monotonic() - start) * 1000
            with lock:
                statuses[status] = statuses.get(status, 0) + 1
                latencies.append(took)

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds, after = time.monotonic() - began, cpu(dev["pid"])
    count = max(1, statuses.get(200, 0))
    latencies.sort()
    user, system = (after[0] - before[0]) / count, (after[1] - before[1]) / count
    print(
        json.dumps(
            {
                "mode": "resumed",
                "succeeded": count,
                "failed": len(latencies) - statuses.get(200, 0),
                "resumed": client.resumed,
                "seconds": seconds,
                "perSecond": count / seconds,
                "cpuMilliseconds": user + system,
                "cpuUserMilliseconds": user,
                "cpuSystemMilliseconds": system,
                "p50Milliseconds": latencies[len(latencies) // 2],
                "p90Milliseconds": latencies[len(latencies) * 9 // 10],
                "p99Milliseconds": latencies[len(latencies) * 99 // 100],
                "maxMilliseconds": latencies[-1],
            }
        )
    )
    # Every connection but a few that raced for the first ticket must have resumed, or the figure means nothing.
    return 0 if client.resumed >= 0.98 * len(latencies) and count == len(latencies) else 1


sys.exit(main())
