#!/usr/bin/env python3
"""A client written from docs/protocol.md alone pays, and proves to itself what happened.

The client (stranger/) shares no code with Quorate. It needs PyNaCl: this Python, or Debian's.
"""

import contextlib
import http.server
import json
import pathlib
import subprocess
import sys
import threading
import unittest
import urllib.request

from harness import SOURCE, Net

CLIENT = pathlib.Path(__file__).resolve().parent / "stranger"


def python_with_nacl():
    for python in (sys.executable, "/usr/bin/python3"):
        probe = subprocess.run([python, "-c", "import nacl.bindings"], capture_output=True, check=False)
        if probe.returncode == 0:
            return python
    raise AssertionError("no Python here has PyNaCl: apt-get install python3-nacl")


def stranger(program, *args, timeout=240):
    return subprocess.run([python_with_nacl(), str(CLIENT / program), *args], text=True,
                          capture_output=True, timeout=timeout, check=False)


def client(url, chain_id):
    return stranger("client.py", "--rpc-url", url, "--chain-id", chain_id)


@contextlib.contextmanager
def liar(url, method, alter):
    """A node that passes everything on, and alters the answers of one method."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            request = urllib.request.Request(url, body, {"content-type": "application/json"})
            with urllib.request.urlopen(request, timeout=60) as reply:
                answer = json.load(reply)
            if json.loads(body)["method"] == method and "result" in answer:
                alter(answer["result"])
            text = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


class Stranger(unittest.TestCase):
    def assert_refuses(self, done, sentence):
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn(sentence, done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def test_the_documents_worked_example_is_what_the_client_computes(self):
        done = stranger("example.py")
        self.assertEqual(done.returncode, 0, done.stderr)
        document = (SOURCE / "docs" / "protocol.md").read_text(encoding="utf-8")
        self.assertIn(done.stdout, document)

    def test_the_documents_example_of_work_is_what_the_client_computes(self):
        done = stranger("work.py")
        self.assertEqual(done.returncode, 0, done.stderr)
        document = (SOURCE / "docs" / "protocol.md").read_text(encoding="utf-8")
        self.assertIn(done.stdout, document)

    def test_it_pays_and_verifies_and_believes_no_liar(self):
        with Net(up_args=["--load-accounts", "16"]) as net:
            pinned = json.loads((net.data / "testnet.json").read_text())["chain_id"]
            for node in (0, 2):
                done = client(net.url(node), pinned)
                print(done.stdout, flush=True)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertTrue(done.stdout.endswith("all of it holds\n"))

            done = stranger("order.py", "--rpc-url", net.url(1), "--chain-id", pinned)
            print(done.stdout, flush=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

            other = "0x" + "00" * 32
            self.assert_refuses(client(net.url(1), other), "it is a node of another chain, or lies")
            self.assert_refuses(client("http://127.0.0.1:1", pinned), "http://127.0.0.1:1: ")

            def richer(result):
                leaf = result["proof"]["leaf"]
                if leaf is not None:
                    leaf["balance"] = str(int(leaf["balance"]) + 1)

            def other_key(result):
                result["genesis"]["validators"][3]["validator_key"] = other

            def unsealed(result):
                result["certificate"]["seals"] = result["certificate"]["seals"][:2]

            def malformed(result):
                result["receipt"]["outcome"] = []

            for method, alter, sentence in (
                    ("account_getProof", richer, "does not lead to the state root"),
                    ("chain_getGenesis", other_key, "it is a node of another chain, or lies"),
                    ("tx_getProof", malformed, "an answer has not the documented form"),
                    ("tx_getProof", unsealed, "2 seals, a quorum is 3")):
                with liar(net.url(3), method, alter) as url:
                    self.assert_refuses(client(url, pinned), sentence)
            net.check_agreement()


if __name__ == "__main__":
    unittest.main(verbosity=2)
