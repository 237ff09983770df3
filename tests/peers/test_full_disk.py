"""The disk of a SQLite catalog fills up: everybody is told, nothing that was answered with success is lost, and with
room again all goes on without a restart.

A small file system is mounted where that is allowed, which is for root as a rule. Where it is not, the process of the
server may write no longer files than it has, which SQLite meets at the same places."""

import hashlib
import json
import os
import pathlib
import resource
import shutil
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

from catalog import DEADLINE, Catalog
from lake import Lake, Program
from test_outage import Cluster

# Longer than a page of the database, and nothing that Postgres can press together.
WORDS = " ".join(hashlib.md5(str(number).encode()).hexdigest() for number in range(1_500))

# How long SQLite's log is when it is folded into the file, in bytes (`wal_autocheckpoint`).
LOG = 4_000 * 4_096


class Disk:
    """A file system of 48 MB in memory."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gazetteer-disk-"))
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", self.folder], check=True)

    @staticmethod
    def is_possible():
        try:
            Disk().remove()
        except (OSError, subprocess.CalledProcessError):
            return False
        return True

    def fill(self, leaving=0):
        with open(self.folder / "fill", "ab", buffering=0) as fill:
            for size in (1 << 20, 1 << 16, 1 << 12, 1 << 9):
                try:
                    while os.statvfs(self.folder).f_bavail * 4096 - leaving >= size or not leaving:
                        if not fill.write(b"x" * size):
                            break
                except OSError:
                    pass

    def make_room(self):
        (self.folder / "fill").unlink()

    def remove(self):
        subprocess.run(["umount", "-l", self.folder], check=True)
        self.folder.rmdir()


def readiness(catalog):
    try:
        with urllib.request.urlopen(f"{catalog.url}/readyz", timeout=DEADLINE) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, json.load(answer)


def catalog_folder(test):
    folder = tempfile.mkdtemp(prefix="gazetteer-limit-")
    test.addCleanup(shutil.rmtree, folder)
    return folder


class FullDisk(unittest.TestCase):
    def until(self, condition, what):
        deadline = time.monotonic() + DEADLINE
        while not condition():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.1)

    def serve(self, data, database=None):
        more = {"GAZETTEER_DATABASE_URL": database} if database else {}
        catalog = Catalog(GAZETTEER_DATA_DIR=str(data), **more)
        self.addCleanup(catalog.remove)
        lake = Lake(20)
        self.addCleanup(lake.stop)
        loaded = catalog.run("ingest", "run", "-c", lake.write_recipe(catalog))
        self.assertEqual(loaded.returncode, 0, loaded.stderr)
        program = Program(catalog)
        catalog.start()
        return catalog, program, program.tables()

    def check_full(self, catalog, program, tables):
        """Edits until the disk has told several; answers what was answered with success."""
        kept = {}
        refused = 0
        for number, table in enumerate(tables):
            status, told = program.describe(table, f"{number} {WORDS}")
            if status == 200:
                kept[table] = f"{number} {WORDS}".strip()
            else:
                self.assertEqual(status, 507, told)
                self.assertIn("disk of the catalog is full", told["detail"])
                refused += 1
        self.assertGreater(refused, 5)
        return kept

    def check_healed(self, catalog, program, tables, kept):
        self.until(lambda: readiness(catalog)[0] == 200, "not ready though there is room")
        for table in {tables[0], *(table for table in tables if table not in kept)}:
            status, told = program.describe(table, "roomtotellagain")
            self.assertEqual(status, 200, told)
            kept[table] = "roomtotellagain"
        found = lambda: program.send("GET", "/search?q=roomtotellagain")[1]["total"] > 0
        self.until(found, "what was saved is not found")
        catalog.stop()
        catalog.start()
        for table, text in kept.items():
            self.assertEqual(program.description(table), text)

    @unittest.skipUnless(Disk.is_possible(), "file systems cannot be mounted here")
    def test_edits_are_refused_in_a_sentence_and_go_on_with_room(self):
        disk = Disk()
        self.addCleanup(disk.remove)
        catalog, program, tables = self.serve(disk.folder / "data")
        admin = catalog.run("user", "add", "ana", "--role", "admin")
        self.assertEqual(admin.returncode, 0, admin.stderr)
        disk.fill()

        kept = self.check_full(catalog, program, tables)
        status, ready = readiness(catalog)
        doctor = catalog.run("doctor")
        added = catalog.run("user", "add", "ben")
        signed_in = catalog.browser().sign_in("ana", "not her password")
        disk.make_room()

        self.assertEqual((status, ready["writing"]), (503, "the disk is full"))
        self.assertEqual(doctor.returncode, 1)
        self.assertIn("full", doctor.stdout)
        self.assertEqual(added.returncode, 1)
        self.assertIn("make room", added.stderr.lower())
        self.assertEqual(signed_in.status, 507, signed_in.text)
        self.check_healed(catalog, program, tables, kept)

    @unittest.skipUnless(Disk.is_possible(), "file systems cannot be mounted here")
    def test_an_end_on_a_full_disk_loses_nothing(self):
        disk = Disk()
        self.addCleanup(disk.remove)
        catalog, program, tables = self.serve(disk.folder / "data")
        before = {table: f"before {number}" for number, table in enumerate(tables)}
        for table, text in before.items():
            self.assertEqual(program.describe(table, text)[0], 200)
        disk.fill()
        kept = self.check_full(catalog, program, tables)

        # The log cannot be folded into the file, which has no room to grow.
        catalog.stop()
        disk.make_room()
        catalog.start()

        for table, text in {**before, **kept}.items():
            self.assertEqual(program.description(table), text)

    @unittest.skipUnless(Disk.is_possible(), "file systems cannot be mounted here")
    def test_a_migration_and_a_run_are_refused_and_succeed_with_room(self):
        disk = Disk()
        self.addCleanup(disk.remove)
        catalog = Catalog(GAZETTEER_DATA_DIR=str(disk.folder / "data"))
        self.addCleanup(catalog.remove)
        lake = Lake(20)
        self.addCleanup(lake.stop)
        recipe = lake.write_recipe(catalog)
        (disk.folder / "data").mkdir()
        for room in (0, 64, 200, 400):
            disk.fill(leaving=room * 1024)
            refused = catalog.run("migrate")
            self.assertEqual(refused.returncode, 1, refused.stdout)
            self.assertIn("hint: ", refused.stderr)
            self.assertNotIn("panicked", refused.stderr)
            disk.make_room()
        migrated = catalog.run("migrate")
        disk.fill()
        failed = catalog.run("ingest", "run", "-c", recipe)
        disk.make_room()
        loaded = catalog.run("ingest", "run", "-c", recipe)

        self.assertEqual(migrated.returncode, 0, migrated.stderr)
        self.assertEqual(failed.returncode, 1, failed.stdout)
        self.assertRegex(failed.stderr, "full|No space left")
        self.assertNotIn("panicked", failed.stderr)
        self.assertEqual(loaded.returncode, 0, loaded.stderr)

    @unittest.skipUnless(Disk.is_possible(), "file systems cannot be mounted here")
    def test_a_full_disk_of_postgres_is_told_and_goes_on_with_room(self):
        cluster = Cluster()
        self.addCleanup(cluster.remove)
        disk = Disk()
        self.addCleanup(disk.remove)
        space = disk.folder / "space"
        space.mkdir()
        disk.folder.chmod(0o755)
        if os.geteuid() == 0:
            shutil.chown(space, "postgres", "postgres")
        cluster.start()
        server = f"postgres://gazetteer@127.0.0.1:{cluster.port}"
        # Only this database is on the small disk: without room for its own log, Postgres ends.
        for statement in (f"CREATE TABLESPACE small LOCATION '{space}'", "CREATE DATABASE small TABLESPACE small"):
            subprocess.run(["psql", "-qc", statement, f"{server}/postgres"], check=True)
        catalog, program, tables = self.serve(pathlib.Path(catalog_folder(self), "data"), f"{server}/small")
        disk.fill()

        kept = self.check_full(catalog, program, tables)
        status, ready = readiness(catalog)
        doctor = catalog.run("doctor")
        disk.make_room()

        self.assertEqual((status, ready["writing"]), (503, "the disk is full"))
        self.assertEqual(doctor.returncode, 1, doctor.stdout)
        self.check_healed(catalog, program, tables, kept)

    @unittest.skipUnless(Disk.is_possible(), "file systems cannot be mounted here")
    def test_a_log_that_cannot_be_folded_into_its_file_loses_nothing(self):
        disk = Disk()
        self.addCleanup(disk.remove)
        catalog, program, tables = self.serve(disk.folder / "data")
        disk.fill(leaving=LOG + (6 << 20))
        file, log = (disk.folder / "data" / name for name in ("catalog.db", "catalog.db-wal"))
        before = file.stat().st_size

        kept = {}
        refused = 0
        longest = 0
        for number in range(1_000):
            table = tables[number % len(tables)]
            status, told = program.describe(table, f"{number} {WORDS}")
            if status == 200:
                kept[table] = f"{number} {WORDS}".strip()
                longest = max(longest, log.stat().st_size)
            else:
                self.assertEqual(status, 507, told)
                refused += 1
            if refused > 5:
                break
        after = file.stat().st_size
        disk.make_room()

        self.assertGreater(refused, 5)
        # Edits went on though the log was due to be folded into the file, which found no room to grow by as much.
        self.assertGreater(longest, LOG + (1 << 20))
        self.assertLess(after - before, LOG)
        self.check_healed(catalog, program, tables, kept)

    @unittest.skipUnless(Disk.is_possible(), "file systems cannot be mounted here")
    def test_a_full_disk_of_the_index_keeps_nobody_from_editing(self):
        disk = Disk()
        self.addCleanup(disk.remove)
        data = pathlib.Path(catalog_folder(self), "data")
        data.mkdir()
        (data / "index").symlink_to(disk.folder)
        catalog, program, tables = self.serve(data)
        many = Lake(400)
        self.addCleanup(many.stop)
        disk.fill()

        kept = {}
        for number, table in enumerate(tables):
            kept[table] = f"editedmeanwhile {number}"
            self.assertEqual(program.describe(table, kept[table])[0], 200)
        found = lambda: program.send("GET", "/search?q=editedmeanwhile")[1]["total"]
        self.assertEqual(found(), len(tables))
        # So many at once go to the disk of the index.
        loaded = catalog.run("ingest", "run", "-c", many.write_recipe(catalog))
        self.assertEqual(loaded.returncode, 3, loaded.stderr)
        self.assertIn("The catalog has what was read", loaded.stderr)
        self.until(lambda: readiness(catalog)[1]["index"] == "behind", "the index can be written though its disk is full")
        disk.make_room()

        self.check_healed(catalog, program, tables, kept)
        self.assertEqual(found(), len(tables) - 1)
        self.until(lambda: program.send("GET", "/search?q=table_399")[1]["total"] > 0, "what was read is not found")

    def test_a_file_that_may_not_grow_is_a_full_disk(self):
        folder = catalog_folder(self)
        catalog, program, tables = self.serve(pathlib.Path(folder, "data"))
        process = catalog.process.pid
        _, most = resource.prlimit(process, resource.RLIMIT_FSIZE)
        log = pathlib.Path(folder, "data", "catalog.db-wal").stat().st_size
        resource.prlimit(process, resource.RLIMIT_FSIZE, (log + 20_000, most))

        kept = self.check_full(catalog, program, tables)
        resource.prlimit(process, resource.RLIMIT_FSIZE, (most, most))

        self.check_healed(catalog, program, tables, kept)


if __name__ == "__main__":
    unittest.main()
