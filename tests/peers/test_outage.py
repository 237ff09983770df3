"""Postgres is stopped and started again under load: the server says so meanwhile, shows nothing of its insides, and is
well again by itself."""

import concurrent.futures
import json
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

GAZETTEER = os.path.abspath(os.environ.get("GAZETTEER", "target/debug/gazetteer"))
DEADLINE = 30


def programs():
    """The folder of Postgres' programs: Debian keeps them out of the PATH; the newest version wins."""
    folders = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name.split(".")[0]))
    if folders:
        return folders[-1]
    return pathlib.Path(shutil.which("pg_ctl")).parent


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cluster:
    """A throw-away Postgres. It refuses to run as root; for root it runs as the user `postgres`."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="gazetteer-outage-")
        self.port = free_port()
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        self.run("initdb", "-D", f"{self.folder}/data", "-U", "gazetteer", "--auth=trust", "--no-sync")

    def run(self, program, *words):
        as_owner = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"] if os.geteuid() == 0 else []
        command = [*as_owner, str(programs() / program), *words]
        subprocess.run(command, cwd=self.folder, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    def start(self):
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-l", f"{self.folder}/log", "-o", options, "-w", "start")

    def stop(self):
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-m", "immediate", "-w", "stop")

    def remove(self):
        if pathlib.Path(self.folder, "data", "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Outage(unittest.TestCase):
    def setUp(self):
        self.cluster = Cluster()
        self.addCleanup(self.cluster.remove)
        self.cluster.start()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.server = subprocess.Popen(
            [GAZETTEER, "serve", "--listen", "127.0.0.1:0", "--data-dir", folder.name, "--recipes", f"{folder.name}/none"],
            env={
                **os.environ,
                "GAZETTEER_DATABASE_URL": f"postgres://gazetteer@127.0.0.1:{self.cluster.port}/postgres",
                "GAZETTEER_ANONYMOUS_READ": "true",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.addCleanup(self.end)
        self.address = self.server.stdout.readline().split()[-1].rstrip("/")

    def end(self):
        self.server.terminate()
        self.server.wait(timeout=DEADLINE)
        self.server.stdout.close()

    def get(self, path):
        try:
            with urllib.request.urlopen(self.address + path, timeout=DEADLINE) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, answer.headers, answer.read().decode()

    def until(self, status, path):
        """Asks until the answer has this status; fails after the deadline."""
        begun = time.monotonic()
        while True:
            answer = self.get(path)
            if answer[0] == status:
                return answer
            self.assertLess(time.monotonic() - begun, DEADLINE, f"{path} still answers {answer[0]}")

    def test_503_with_a_request_id_meanwhile_then_well_again(self):
        self.until(200, "/readyz")
        self.assertEqual(self.get("/ingestion/runs")[0], 200)

        with concurrent.futures.ThreadPoolExecutor(8) as load:
            self.cluster.stop()
            answers = list(load.map(lambda _: self.get("/api/v1/databases"), range(40)))
        page_status, page_headers, page = self.get("/browse")
        ready_status, _, _ = self.get("/readyz")
        alive_status, _, _ = self.get("/healthz")
        self.cluster.start()

        for status, headers, body in answers:
            self.assertEqual(status, 503, body)
            problem = json.loads(body)
            self.assertEqual(problem["request_id"], headers["X-Request-Id"])
            for inside in ["Postgres", "sqlx", "127.0.0.1", str(self.cluster.port), "SELECT"]:
                self.assertNotIn(inside, body)
        self.assertEqual((page_status, ready_status, alive_status), (503, 503, 200))
        self.assertIn(page_headers["X-Request-Id"], page)
        self.until(200, "/readyz")
        self.until(200, "/api/v1/databases")
        self.until(200, "/browse")


if __name__ == "__main__":
    unittest.main()
