"""A source sends as much as it may: an ingestion takes less than 300 MiB of memory whatever that is."""

import http.server
import json
import os
import pathlib
import subprocess
import tempfile
import threading
import unittest

GAZETTEER = os.path.abspath(os.environ.get("GAZETTEER", "target/debug/gazetteer"))
MOST = 260 << 10  # KiB, beside what a run takes that finds nothing: that is 40 MiB as it is released
DATABASES = 5


def wide(number):
    """Close to the 10,000 columns that a table may have."""
    columns = [{"Name": f"column_{place}_of_{number}", "Type": "string", "Comment": f"Comment {place}"} for place in range(9_900)]
    return {"Name": f"wide_{number}", "StorageDescriptor": {"Columns": columns}}


def told(number):
    """A description of a megabyte, every word of it another."""
    return {"Name": f"told_{number}", "Description": " ".join(f"word{number}x{place}" for place in range(75_000))}


class Glue(http.server.BaseHTTPRequestHandler):
    """Answers as AWS Glue does; every database has the same tables, in pages as large as somebody asks for."""

    protocol_version = "HTTP/1.1"
    tables = []

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.headers["x-amz-target"].endswith("GetDatabases"):
            answer = json.dumps({"DatabaseList": [{"Name": f"database_{number}"} for number in range(DATABASES)]})
        else:
            begin = int(asked.get("NextToken") or 0)
            end = begin + asked["MaxResults"]
            more = f', "NextToken": "{end}"' if end < len(self.tables) else ""
            answer = f'{{"TableList": [{",".join(self.tables[begin:end])}]{more}}}'
        body = answer.encode()
        self.send_response(200)
        self.send_header("content-type", "application/x-amz-json-1.1")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except BrokenPipeError:
            pass  # It is more than is read at once, and is asked for again in smaller pages.

    def log_message(self, *words):
        pass


class Memory(unittest.TestCase):
    def ingest(self, tables):
        """The most memory that a run takes which reads these tables in each database, in KiB, and its last line."""
        glue = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Serving", (Glue,), {"tables": [json.dumps(table) for table in tables]}))
        threading.Thread(target=glue.serve_forever, daemon=True).start()
        self.addCleanup(glue.server_close)
        self.addCleanup(glue.shutdown)
        folder = tempfile.TemporaryDirectory(prefix="gazetteer-memory-")
        self.addCleanup(folder.cleanup)
        recipe = pathlib.Path(folder.name, "lake.yml")
        recipe.write_text(json.dumps({"source": {"type": "glue", "config": {
            "aws_region": "eu-central-1", "aws_access_key_id": "x", "aws_secret_access_key": "y",
            "aws_endpoint_url": f"http://127.0.0.1:{glue.server_port}",
        }}}))
        settings = {"PATH": os.environ["PATH"], "HOME": folder.name, "GAZETTEER_DATA_DIR": f"{folder.name}/data"}
        said = pathlib.Path(folder.name, "said")
        with said.open("wb") as output:
            run = subprocess.Popen([GAZETTEER, "ingest", "run", "-c", str(recipe)], env=settings, stdout=output, stderr=output)
            _, status, used = os.wait4(run.pid, 0)
            run.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(run.returncode, 0, said.read_text())
        return used.ru_maxrss, said.read_text()

    def check(self, tables):
        nothing, _ = self.ingest([])
        memory, said = self.ingest(tables)
        self.assertIn(f"{len(tables)} new", said)
        self.assertLess(memory - nothing, MOST, f"{memory >> 10} MiB, of which {nothing >> 10} for nothing")

    def test_tables_of_ten_thousand_columns(self):
        self.check([wide(number) for number in range(6)])

    def test_descriptions_of_a_megabyte(self):
        self.check([told(number) for number in range(10)])


if __name__ == "__main__":
    unittest.main()
