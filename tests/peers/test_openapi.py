"""schemathesis makes requests of what the OpenAPI document says, and of what it forbids, and holds every answer against
it: no server error, and only the statuses, content types and shapes that are written there."""

import json
import os
import subprocess
import sys
import unittest

from catalog import Catalog

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance"
)


class OpenApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Everything at once comes from one address here.
        cls.catalog = Catalog(GAZETTEER_RATE_LIMIT="0")
        cls.addClassCleanup(cls.catalog.remove)
        cls.catalog.start("demo")

    def token(self, role, *scopes):
        for words in (
            ("user", "add", role, "--role", role, "--service"),
            ("token", "add", role, "--name", "schemathesis", *(word for scope in scopes for word in ("--scope", scope))),
        ):
            done = self.catalog.run(*words)
            self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.split()[-1]

    def statuses(self):
        """What the API has answered so far, by method."""
        lines = (json.loads(line) for line in self.catalog.said().splitlines() if line.startswith("{"))
        return {(line["method"], line["status"]) for line in lines if line.get("path", "").startswith("/api/v1/")}

    def run_as(self, role, *scopes):
        done = subprocess.run(
            [
                os.path.join(os.path.dirname(sys.executable), "schemathesis"), "run",
                f"{self.catalog.url}/api/openapi.json",
                "--header", f"Authorization: Bearer {self.token(role, *scopes)}",
                "--checks", CHECKS, "--max-examples", "25", "--generation-deterministic",
                "--workers", "1", "--no-color",
            ],
            cwd=self.catalog.folder, capture_output=True, text=True, timeout=300,
        )
        self.assertEqual(done.returncode, 0, done.stdout[-8000:] + done.stderr[-2000:])
        return self.statuses()

    def test_what_a_reader_can_ask_for_is_answered_as_it_is_written(self):
        statuses = self.run_as("reader", "read")

        self.assertLessEqual({("GET", 200), ("GET", 404), ("GET", 422), ("POST", 403)}, statuses)

    def test_what_an_admin_can_ask_for_is_answered_as_it_is_written(self):
        statuses = self.run_as("admin", "read", "write", "ingest")

        self.assertLessEqual({("GET", 200), ("GET", 404), ("GET", 422), ("POST", 202)}, statuses)


if __name__ == "__main__":
    unittest.main()
