"""Gazetteer reads moto, a Glue that other people wrote.

moto gives all tables of a database on one page, so paging is tested elsewhere, against the project's own endpoint; what
is tested here is that names, fields and headers are Glue's and not merely our own idea of them.
"""

import base64
import json
import logging
import os
import pathlib
import subprocess
import tempfile
import unittest

import boto3
from moto.server import ThreadedMotoServer

REGION = "eu-west-1"
ACCOUNT = "123456789012"  # the one that moto plays
TABLES = 240
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}

GAZETTEER = os.environ.get("GAZETTEER", "target/debug/gazetteer")


def columns(**types):
    return [{"Name": name, "Type": type} for name, type in types.items()]


def table(name, **more):
    storage = {
        "Columns": columns(id="bigint", created_at="timestamp"),
        "Location": f"s3://lake/{name}/",
        "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
    }
    storage.update(more.pop("StorageDescriptor", {}))
    return {"Name": name, "TableType": "EXTERNAL_TABLE", "StorageDescriptor": storage, **more}


def trino_view(name, sql):
    view = {"originalSql": sql, "catalog": "awsdatacatalog", "schema": "sales", "columns": [{"name": "country", "type": "varchar"}]}
    encoded = base64.b64encode(json.dumps(view).encode()).decode()
    return {
        "Name": name,
        "TableType": "VIRTUAL_VIEW",
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
        "StorageDescriptor": {"Columns": columns(country="string")},
        "ViewOriginalText": f"/* Presto View: {encoded} */",
        "ViewExpandedText": "/* Presto View */",
    }


class Moto(unittest.TestCase):
    def setUp(self):
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self.server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self.server.start()
        self.addCleanup(self.server.stop)
        host, port = self.server.get_host_and_port()
        self.endpoint = f"http://{host}:{port}"
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.recipe = self.folder / "moto.yml"
        self.write_recipe()
        self.glue = self.client("glue")
        # moto keeps its state in this process, from one server to the next.
        for database in self.glue.get_databases()["DatabaseList"]:
            self.glue.delete_database(Name=database["Name"])

    def client(self, service):
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

    def write_recipe(self, more=""):
        self.recipe.write_text(
            f"""source:
  type: glue
  config:
    aws_region: {REGION}
    aws_endpoint_url: {self.endpoint}
{more}"""
        )

    def database(self, name, *tables, **more):
        self.glue.create_database(DatabaseInput={"Name": name, **more})
        for each in tables:
            self.glue.create_table(DatabaseName=name, TableInput=each)

    def gazetteer(self, *arguments, status=0):
        """Runs the program with nothing in its environment but its folder and the credentials."""
        done = subprocess.run(
            [GAZETTEER, *map(str, arguments)],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.folder),
                "GAZETTEER_DATA_DIR": str(self.folder / "data"),
                "GAZETTEER_RECIPES": str(self.folder),
                **CREDENTIALS,
            },
            capture_output=True,
            text=True,
            timeout=120,
        )
        self.assertEqual(done.returncode, status, f"{arguments}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def run_recipe(self, status=0):
        return json.loads(self.gazetteer("ingest", "run", "-c", self.recipe, "--json", status=status))

    def assert_counts(self, report, **counts):
        zeros = dict.fromkeys(("new", "changed", "unchanged", "gone", "skipped"), 0)
        self.assertEqual({key: report[key] for key in zeros}, zeros | counts, json.dumps(report, indent=1)[:3000])

    def test_everything_is_read_once_and_found(self):
        self.database("sales", *(table(f"orders_{number:03}") for number in range(TABLES)))
        self.database(
            "people",
            table("customers", StorageDescriptor={"Columns": columns(id="bigint", loyalty_tier="string")},
                  PartitionKeys=columns(country="string")),
            trino_view("by_country", "SELECT country FROM sales.orders_000 GROUP BY country"),
            Description="Who buys.",
        )

        first = self.run_recipe()
        again = self.run_recipe()

        everything = TABLES + 2
        self.assert_counts(first, new=everything)
        self.assert_counts(again, unchanged=everything)
        self.assertEqual(sorted(database["name"] for database in first["databases"]), ["people", "sales"])
        self.assertIn("customers", self.gazetteer("search", "loyalty", "tier"))
        self.assertIn("by_country", self.gazetteer("search", "by_country"))
        self.assertIn(f"orders_{TABLES - 1}", self.gazetteer("search", f"orders_{TABLES - 1}"))

    def test_what_changed_and_what_went_is_told_apart(self):
        self.database("sales", *(table(f"orders_{number}") for number in range(10)))
        self.run_recipe()

        self.glue.update_table(
            DatabaseName="sales",
            TableInput=table("orders_3", StorageDescriptor={"Columns": columns(id="bigint", voucher="string")}),
        )
        self.glue.delete_table(DatabaseName="sales", Name="orders_7")
        self.glue.create_table(DatabaseName="sales", TableInput=table("refunds"))
        report = self.run_recipe()

        self.assert_counts(report, new=1, changed=1, gone=1, unchanged=8)
        self.assertIn("orders_3", self.gazetteer("search", "voucher"))

    def test_a_database_that_is_suddenly_empty_loses_nothing(self):
        self.database("sales", *(table(f"orders_{number}") for number in range(10)))
        self.run_recipe()

        for number in range(10):
            self.glue.delete_table(DatabaseName="sales", Name=f"orders_{number}")
        report = self.run_recipe(status=3)

        self.assertEqual(report["gone"], 0)
        self.assertTrue(report["findings"])
        self.assertIn("orders_4", self.gazetteer("search", "orders_4"))

    def test_a_role_is_taken_on_before_reading(self):
        self.database("sales", table("orders"))
        self.write_recipe(f"    aws_role: arn:aws:iam::{ACCOUNT}:role/catalog-reader\n")

        report = self.run_recipe()

        self.assert_counts(report, new=1)

    def test_only_what_the_patterns_allow_is_read(self):
        self.database("sales", table("orders"), table("orders_tmp"))
        self.database("scratch", table("anything"))
        self.write_recipe(
            '    database_pattern: {deny: ["scratch"]}\n    table_pattern: {deny: [".*_tmp$"]}\n'
        )

        report = self.run_recipe()

        self.assert_counts(report, new=1)
        self.assertNotIn("orders_tmp", self.gazetteer("search", "orders"))


if __name__ == "__main__":
    unittest.main()
