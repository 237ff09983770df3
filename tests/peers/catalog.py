"""A Gazetteer that serves, and browsers that sign in to it."""

import html
import http.cookiejar
import os
import pathlib
import re
import shutil
import sqlite3
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

from slapd import free_port

GAZETTEER = os.path.abspath(os.environ.get("GAZETTEER", "target/debug/gazetteer"))
DEADLINE = 30


class Answer:
    """What came back, after the redirects that were followed."""

    def __init__(self, response):
        self.status = response.status
        self.url = response.url
        self.headers = response.headers
        self.text = response.read().decode()

    @property
    def path(self):
        parts = urllib.parse.urlsplit(self.url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    @property
    def alert(self):
        """What the page says went wrong, as one line."""
        found = re.search(r'<p[^>]*role="alert"[^>]*>(.*?)</p>', self.text, re.S)
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", found[1])).split()) if found else ""

    @property
    def title(self):
        return html.unescape(re.search(r"<title>(.*?)</title>", self.text)[1])

    @property
    def action(self):
        """Where the page's first form that does something goes."""
        forms = (form for form in re.findall(r"<form[^>]*>", self.text) if 'method="post"' in form)
        found = re.search(r'action="([^"]*)"', next(forms, ""))
        return urllib.parse.urljoin(self.url, html.unescape(found[1])) if found else None


class Stop(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but none whose address begins with `before`."""

    def __init__(self):
        self.before = None

    def redirect_request(self, request, fp, code, msg, headers, newurl):
        if self.before and newurl.startswith(self.before):
            return None
        return super().redirect_request(request, fp, code, msg, headers, newurl)


class Browser:
    """Keeps cookies, follows redirects, and sends what a browser sends."""

    def __init__(self, catalog):
        self.catalog = catalog
        self.cookies = http.cookiejar.CookieJar()
        self.stop = Stop()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies), self.stop)

    def get(self, url, headers=None, before=None):
        return self.send(urllib.request.Request(self.absolute(url), headers=headers or {}), before)

    def post(self, url, before=None, **fields):
        body = urllib.parse.urlencode(fields).encode()
        return self.send(urllib.request.Request(self.absolute(url), data=body), before)

    def absolute(self, url):
        return urllib.parse.urljoin(self.catalog.url, url)

    def send(self, request, before):
        self.stop.before = before
        try:
            with self.opener.open(request, timeout=DEADLINE) as response:
                return Answer(response)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return Answer(refusal)

    def sign_in(self, name, password, next=""):
        return self.post("/sign-in", name=name, password=password, next=next)

    def is_signed_in(self):
        return self.get("/search", before=self.absolute("/sign-in")).status == 200

    def cookie(self, name):
        return next((cookie for cookie in self.cookies if cookie.name == name), None)


class Catalog:
    """`gazetteer serve` on a port of its own, with an empty catalog."""

    def __init__(self, **settings):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gazetteer-catalog-"))
        (self.folder / "recipes").mkdir()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = settings
        self.process = None

    def environment(self):
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "GAZETTEER_DATA_DIR": str(self.folder / "data"),
            "GAZETTEER_RECIPES": str(self.folder / "recipes"),
            "GAZETTEER_LISTEN": f"127.0.0.1:{self.port}",
            **self.settings,
        }

    def start(self, command="serve"):
        self.log = open(self.folder / "log", "a")
        self.process = subprocess.Popen(
            [GAZETTEER, command],
            env=self.environment(),
            stdout=self.log,
            stderr=self.log,
            stdin=subprocess.DEVNULL,
            # Python ignores the signal for too long a file; so does the server, and hears of it from its writes.
            restore_signals=False,
        )
        deadline = time.monotonic() + DEADLINE
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/readyz", timeout=5).close()
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(self.said())
                time.sleep(0.05)

    def run(self, *words, **more):
        """Runs another command on the same catalog."""
        return subprocess.run(
            [GAZETTEER, *words], env=self.environment(), capture_output=True, text=True, timeout=60, **more
        )

    def said(self):
        """What the server has written."""
        return (self.folder / "log").read_text()

    def rows(self, query, *values):
        """What stands in the database."""
        with sqlite3.connect(f"file:{self.folder}/data/catalog.db?mode=ro", uri=True) as db:
            return db.execute(query, values).fetchall()

    def accounts(self):
        """Every person by account name: role, display name, teams."""
        return {
            name: (role, display_name, {team for (team,) in self.rows(
                "SELECT team.name FROM membership JOIN team ON team.id = team_id WHERE account_id = ?", id)})
            for id, name, role, display_name in self.rows("SELECT id, name, role, display_name FROM account")
        }

    def browser(self):
        return Browser(self)

    def set_up(self, name, password):
        """Makes the first account, an admin, with the address that the server told; answers with its browser."""
        address = re.search(r"http://\S+/set-up\?code=[\w-]+", self.said())[0]
        browser = self.browser()
        page = browser.get(address)
        fields = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page.text))
        done = browser.post(page.action, name=name, password=password, **fields)
        assert browser.is_signed_in(), done.text
        return browser

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(DEADLINE)
            self.log.close()
            self.process = None

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder)
