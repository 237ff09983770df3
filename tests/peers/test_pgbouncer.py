"""Two servers and their commands share a Postgres behind pgbouncer, which gives each transaction another session."""

import collections
import concurrent.futures
import os
import shutil
import subprocess
import tempfile
import time
import unittest

from catalog import DEADLINE, Catalog
from lake import Lake, Program
from slapd import free_port
from test_outage import Cluster


class Bouncer:
    """pgbouncer in front of a cluster. It refuses to run as root; for root it runs as the user `postgres`."""

    def __init__(self, cluster, *settings):
        self.port = free_port()
        self.folder = tempfile.mkdtemp(prefix="gazetteer-bouncer-")
        os.chmod(self.folder, 0o777)
        lines = [
            "[databases]",
            f"postgres = host=127.0.0.1 port={cluster.port} dbname=postgres user=gazetteer",
            "[pgbouncer]",
            "listen_addr = 127.0.0.1",
            f"listen_port = {self.port}",
            "unix_socket_dir =",
            "auth_type = any",
            "pool_mode = transaction",
            "default_pool_size = 4",
            f"logfile = {self.folder}/log",
            *settings,
        ]
        with open(f"{self.folder}/bouncer.ini", "w") as file:
            file.write("\n".join(lines) + "\n")
        as_owner = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"] if os.geteuid() == 0 else []
        program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
        self.process = subprocess.Popen(
            [*as_owner, program, f"{self.folder}/bouncer.ini"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.url = f"postgres://gazetteer@127.0.0.1:{self.port}/postgres"
        self.wait()

    def wait(self):
        deadline = time.monotonic() + DEADLINE
        while "process up" not in self.log():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(self.log())
            time.sleep(0.05)

    def log(self):
        try:
            with open(f"{self.folder}/log") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def stop(self):
        self.process.terminate()
        self.process.wait(DEADLINE)
        shutil.rmtree(self.folder)


class Pooled(unittest.TestCase):
    # A pooler that refuses settings at the start of a session, and one that drops them without a word.
    def test_everything_works_where_settings_are_refused(self):
        self.check()

    def test_everything_works_where_settings_are_ignored(self):
        self.check("ignore_startup_parameters = extra_float_digits, options")

    def check(self, *settings):
        cluster = Cluster()
        self.addCleanup(cluster.remove)
        cluster.start()
        bouncer = Bouncer(cluster, *settings)
        self.addCleanup(bouncer.stop)
        lake = Lake(60)
        self.addCleanup(lake.stop)
        catalogs = [Catalog(GAZETTEER_DATABASE_URL=bouncer.url) for _ in range(2)]
        for catalog in catalogs:
            self.addCleanup(catalog.remove)
        one, two = catalogs

        with concurrent.futures.ThreadPoolExecutor(4) as starts:
            migrated = list(starts.map(lambda number: catalogs[number % 2].run("migrate"), range(4)))
        for start in migrated:
            self.assertEqual(start.returncode, 0, start.stderr)
        loaded = one.run("ingest", "run", "-c", lake.write_recipe(one))
        self.assertEqual(loaded.returncode, 0, loaded.stderr)
        program = Program(one)
        one.start()
        two.start()
        assets = program.tables()

        def edit(number):
            catalog = catalogs[number % 2]
            status, told = program.describe(assets[number % len(assets)], f"uncommonword{number}", catalog)
            return status, program.send("GET", "/search?q=sales", catalog=catalog)[0], told

        with concurrent.futures.ThreadPoolExecutor(12) as people:
            answers = list(people.map(edit, range(len(assets))))
        again = one.run("ingest", "run", "-c", lake.write_recipe(one))
        doctor = two.run("doctor")

        statuses = collections.Counter((status, found) for status, found, _ in answers)
        self.assertEqual(statuses, {(200, 200): len(assets)}, answers)
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual(doctor.returncode, 0, doctor.stdout)
        for number, asset in enumerate(assets):
            self.assertEqual(program.description(asset), f"uncommonword{number}")


if __name__ == "__main__":
    unittest.main()
