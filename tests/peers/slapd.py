"""A throw-away OpenLDAP: its own folder, its own ports of this machine, its own certificate."""

import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time

DEADLINE = 30
BASE = "dc=example,dc=org"
READER = f"cn=catalog,{BASE}"
READER_PASSWORD = "reads the directory"
ADMIN = f"cn=admin,{BASE}"
ADMIN_PASSWORD = "rules the directory"
SLAPD = shutil.which("slapd", path=os.environ["PATH"] + ":/usr/sbin:/usr/lib/openldap")

CONFIGURATION = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
argsfile {folder}/slapd.args
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
TLSCACertificateFile {folder}/ca.pem
sizelimit 500

database mdb
suffix "{base}"
rootdn "{admin}"
rootpw "{admin_password}"
directory {folder}/data
index objectClass,uid,member eq
# People may prove who they are, and see nothing; whoever searches sees everything but passwords.
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{reader}" read by * none
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def entry(dn, *classes, **attributes):
    """One entry as LDIF; every value in base64, so that any character can be in it."""
    import base64

    def lines(name, value):
        values = value if isinstance(value, list) else [value]
        return [f"{name}:: {base64.b64encode(each.encode()).decode()}" for each in values]

    text = lines("dn", dn)
    for one in classes:
        text += lines("objectClass", one)
    for name, value in attributes.items():
        text += lines(name, value)
    return "\n".join(text) + "\n"


def make_certificates(folder, name="ca"):
    """A certificate authority, and a certificate by it for 127.0.0.1."""
    folder = pathlib.Path(folder)
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(
        ["openssl", "req", "-x509", *new_key, "-days", "2", "-subj", f"/CN={name} of a test",
         "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"],
        **quiet,
    )
    subprocess.run(
        ["openssl", "req", *new_key, "-subj", "/CN=127.0.0.1",
         "-keyout", folder / "server.key", "-out", folder / "server.csr"],
        **quiet,
    )
    (folder / "server.ext").write_text("subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
    subprocess.run(
        ["openssl", "x509", "-req", "-days", "2", "-in", folder / "server.csr", "-CA", folder / f"{name}.pem",
         "-CAkey", folder / f"{name}.key", "-CAcreateserial", "-extfile", folder / "server.ext",
         "-out", folder / "server.pem"],
        **quiet,
    )


class Slapd:
    def __init__(self, entries):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gazetteer-slapd-"))
        (self.folder / "data").mkdir()
        make_certificates(self.folder)
        configuration = CONFIGURATION.format(
            folder=self.folder, base=BASE, admin=ADMIN, admin_password=ADMIN_PASSWORD, reader=READER
        )
        self.configuration = self.folder / "slapd.conf"
        self.configuration.write_text(configuration)
        everything = [
            entry(BASE, "dcObject", "organization", dc="example", o="Example"),
            entry(READER, "organizationalRole", "simpleSecurityObject", cn="catalog", userPassword=READER_PASSWORD),
            *entries,
        ]
        # `slapadd` is slapd under another name, which need not be where it is.
        self.run("-T", "add", "-q", "-f", self.configuration, stdin="\n".join(everything))
        self.port, self.tls_port = free_port(), free_port()
        self.url = f"ldap://127.0.0.1:{self.port}"
        self.tls_url = f"ldaps://127.0.0.1:{self.tls_port}"
        self.process = None
        self.start()

    def run(self, *words, stdin=""):
        done = subprocess.run(
            [SLAPD, *map(str, words)], input=stdin, capture_output=True, text=True, timeout=DEADLINE
        )
        if done.returncode != 0:
            raise AssertionError(f"slapd {words}: {done.stdout}{done.stderr}")

    def start(self):
        log = open(self.folder / "log", "a")
        # In the foreground, as a child of ours: it ends when we end it, and nothing else does.
        self.process = subprocess.Popen(
            [SLAPD, "-d", "0", "-h", f"{self.url} {self.tls_url}", "-f", str(self.configuration)],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL,
        )
        log.close()
        deadline = time.monotonic() + DEADLINE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError((self.folder / "log").read_text())
                time.sleep(0.02)

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(DEADLINE)
            self.process = None

    def modify(self, ldif):
        """Changes entries, as the directory's own admin."""
        subprocess.run(
            ["ldapmodify", "-x", "-H", self.url, "-D", ADMIN, "-w", ADMIN_PASSWORD],
            input=ldif, text=True, check=True, stdout=subprocess.DEVNULL, timeout=DEADLINE,
        )

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder)


class Slowly:
    """A way to a server of this machine on which every answer takes a while longer; ends with its block."""

    def __init__(self, port, seconds):
        self.port, self.seconds = port, seconds
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"ldap://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.port))
            for source, target, wait in ((client, server, 0), (server, client, self.seconds)):
                threading.Thread(target=self.pass_on, args=(source, target, wait), daemon=True).start()

    def pass_on(self, source, target, wait):
        try:
            while chunk := source.recv(65536):
                time.sleep(wait)
                target.sendall(chunk)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        finally:
            source.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
