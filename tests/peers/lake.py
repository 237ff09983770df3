"""A small Glue to read, and what a program needs to edit what was read."""

import json
import logging
import re
import urllib.error
import urllib.request

import boto3
from moto.server import ThreadedMotoServer

REGION = "eu-west-1"


class Lake:
    """moto with one database `sales` of tables `table_0`, `table_1` and so on."""

    def __init__(self, tables):
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self.server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self.server.start()
        host, port = self.server.get_host_and_port()
        self.url = f"http://{host}:{port}"
        self.forget()
        glue = boto3.client(
            "glue", endpoint_url=self.url, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x"
        )
        glue.create_database(DatabaseInput={"Name": "sales"})
        for number in range(tables):
            columns = [{"Name": "id", "Type": "bigint"}]
            table = {"Name": f"table_{number}", "StorageDescriptor": {"Columns": columns}}
            glue.create_table(DatabaseName="sales", TableInput=table)

    def forget(self):
        """moto keeps what it holds for as long as the process runs."""
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/moto-api/reset", method="POST")).close()

    def stop(self):
        self.forget()
        self.server.stop()

    def write_recipe(self, catalog):
        recipe = catalog.folder / "lake.yml"
        recipe.write_text(
            "source:\n  type: glue\n  config:\n"
            f"    aws_region: {REGION}\n    aws_endpoint_url: {self.url}\n"
            "    aws_access_key_id: x\n    aws_secret_access_key: x\n"
        )
        return str(recipe)


class Program:
    """Asks the API of a catalog with a token of its own."""

    def __init__(self, catalog):
        self.catalog = catalog
        catalog.run("user", "add", "bot", "--role", "admin", "--service")
        made = catalog.run("token", "add", "bot", "--name", "t", "--scope", "read", "--scope", "write")
        self.token = re.search(r"gaz_\S+", made.stdout + made.stderr)[0]

    def send(self, method, path, content=None, catalog=None):
        """Answers the status and the JSON."""
        request = urllib.request.Request(
            f"{(catalog or self.catalog).url}/api/v1{path}",
            method=method,
            data=None if content is None else json.dumps(content).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, json.load(refusal)

    def tables(self):
        """The ids of the tables in the one database."""
        database = self.send("GET", "/databases")[1]["items"][0]["id"]
        return [table["id"] for table in self.send("GET", f"/assets?parent={database}&limit=50")[1]["items"]]

    def describe(self, table, text, catalog=None):
        _, known = self.send("GET", f"/assets/{table}", catalog=catalog)
        said = known["human"]["description"]
        content = {"text": text, "version": said["version"] if said else 0}
        return self.send("PUT", f"/assets/{table}/description", content, catalog)

    def description(self, table):
        said = self.send("GET", f"/assets/{table}")[1]["human"]["description"]
        return said["text"] if said else None
