"""People sign in with a real OpenID Connect provider, `oidc-provider`, through its own pages."""

import json
import pathlib
import subprocess
import unittest
import urllib.parse

from catalog import DEADLINE, Catalog
from slapd import free_port

FOLDER = pathlib.Path(__file__).parent / "oidc"
SECRET = "a secret between the catalog and its provider"
LOCAL_PASSWORD = "seven lamps in the old harbour"
CALLBACK = "/sign-in/oidc/callback"

ANNA = {"name": "Anna Arnold", "preferred_username": "anna", "email": "anna@example.org"}
BERTA = {"name": "Berta Bauer", "preferred_username": "berta", "email": "berta@example.org"}


def groups(person, *names):
    return {**person, "groups": list(names)}


class Provider:
    def __init__(self, catalog_url, port=0):
        self.process = subprocess.Popen(
            ["node", FOLDER / "provider.mjs", catalog_url, str(port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        self.url = self.process.stdout.readline().strip()
        self.port = urllib.parse.urlsplit(self.url).port

    def tell(self, **order):
        """Gives an order; answers with what was asked of the provider since the last one."""
        print(json.dumps(order), file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())["requests"]

    def stop(self):
        self.process.stdin.close()
        self.process.wait(DEADLINE)
        self.process.stdout.close()


class Oidc(unittest.TestCase):
    def setUp(self):
        port = free_port()
        self.provider = Provider(f"http://127.0.0.1:{port}")
        self.addCleanup(lambda: self.provider.stop())
        self.catalog = Catalog(
            GAZETTEER_OIDC_ISSUER=self.provider.url,
            GAZETTEER_OIDC_CLIENT_ID="gazetteer",
            GAZETTEER_OIDC_CLIENT_SECRET=SECRET,
            GAZETTEER_OIDC_NAME="the harbour office",
            GAZETTEER_OIDC_SCOPES="openid profile email groups",
            GAZETTEER_OIDC_ROLES="catalog-admins=admin,stewards=steward,staff=reader",
            GAZETTEER_OIDC_TEAMS="finance-dept=Finance,stewards=Data people",
        )
        self.catalog.port = port
        self.catalog.url = f"http://127.0.0.1:{port}"
        self.addCleanup(self.catalog.remove)
        self.catalog.start()

    def people(self, **people):
        self.provider.tell(people={subject.lstrip("_"): person for subject, person in people.items()})

    def through_the_provider(self, browser, subject, answer, before=None):
        """Fills in the provider's pages until they lead back."""
        while answer.url.startswith(self.provider.url) and answer.action and "/interaction/" in answer.url:
            if 'name="login"' in answer.text:
                answer = browser.post(answer.action, before, prompt="login", login=subject, password="any")
            else:
                answer = browser.post(answer.action, before, prompt="consent")
        return answer

    def sign_in(self, subject, browser=None, next="", before=None):
        browser = browser or self.catalog.browser()
        start = browser.get("/sign-in/oidc" + (f"?{urllib.parse.urlencode({'next': next})}" if next else ""))
        return browser, self.through_the_provider(browser, subject, start, before)

    def callback_of(self, subject):
        """Signs in, but does not come back: answers with the browser and the address to come back to."""
        browser, answer = self.sign_in(subject, before=self.catalog.url + CALLBACK)
        self.assertEqual(answer.status, 303, answer.text)
        return browser, answer.headers["location"]

    def assert_signs_in(self, subject, **more):
        browser, answer = self.sign_in(subject, **more)
        self.assertTrue(browser.is_signed_in(), f"{answer.url} {answer.alert}\n{self.catalog.said()}")
        return browser, answer

    def assert_refused(self, browser, answer, status, sentence):
        self.assertEqual(answer.status, status, f"{answer.url} {answer.title} {answer.alert}\n{self.catalog.said()}")
        self.assertIn(sentence, answer.alert)
        self.assertFalse(browser.is_signed_in())

    def test_the_sign_in_page_leads_to_the_provider_and_back_to_where_somebody_wanted_to_go(self):
        self.people(_1001=groups(ANNA, "catalog-admins", "finance-dept"))
        browser = self.catalog.browser()

        page = browser.get("/search?q=orders")
        self.assertIn("Sign in with the harbour office", page.text)
        self.assertIn("/sign-in/oidc?next&#x3D;%2Fsearch%3Fq%3Dorders", page.text)
        _, answer = self.assert_signs_in("1001", browser=browser, next="/search?q=orders")

        self.assertEqual(answer.path, "/search?q=orders")
        self.assertEqual(self.catalog.accounts(), {"anna": ("admin", "Anna Arnold", {"Finance"})})
        self.assertIsNone(browser.cookie("gazetteer-way"))
        session = browser.cookie("gazetteer")
        self.assertTrue(session.has_nonstandard_attr("HttpOnly"))

    def test_nobody_is_led_to_another_site(self):
        self.people(_1001=groups(ANNA, "staff"))

        _, answer = self.assert_signs_in("1001", next="//elsewhere.example/")

        self.assertEqual(answer.url, f"{self.catalog.url}/")

    def test_a_person_is_known_by_subject_whatever_they_are_called(self):
        self.people(_1001=groups(ANNA, "stewards"))
        self.assert_signs_in("1001")
        self.people(_1001=groups({"name": "Anna Zobel", "preferred_username": "azobel", "email": "az@example.org"}, "stewards"))
        self.assert_signs_in("1001")

        self.assertEqual(list(self.catalog.accounts()), ["anna"])

        # And somebody else who is called what she was called is somebody else.
        self.people(_2002=groups(ANNA, "staff"))
        self.assert_signs_in("2002")

        self.assertEqual(
            {name: role for name, (role, _, _) in self.catalog.accounts().items()}, {"anna": "steward", "anna-2": "reader"}
        )

    def test_an_account_here_is_not_linked_by_name_or_e_mail(self):
        admin = self.catalog.set_up("anna@example.org", LOCAL_PASSWORD)
        self.people(_1001=groups({**ANNA, "preferred_username": "anna@example.org"}, "staff"))

        self.assert_signs_in("1001")

        accounts = self.catalog.accounts()
        self.assertEqual(accounts["anna@example.org"][0], "admin")
        self.assertEqual(accounts["anna@example.org-2"][0], "reader")
        self.assertTrue(admin.is_signed_in())

    def test_an_account_here_is_linked_when_its_owner_says_so(self):
        browser = self.catalog.set_up("operator", LOCAL_PASSWORD)
        self.people(_1001=groups(ANNA, "catalog-admins"))

        answer = self.through_the_provider(browser, "1001", browser.get("/profile/link"))
        self.assertEqual(answer.path, "/profile")
        self.assert_signs_in("1001")

        self.assertEqual(list(self.catalog.accounts()), ["operator"])

    def test_a_link_is_not_made_for_another_site_or_for_somebody_else(self):
        browser = self.catalog.set_up("operator", LOCAL_PASSWORD)
        self.people(_1001=groups(ANNA, "catalog-admins"))

        refused = browser.get("/profile/link", headers={"Sec-Fetch-Site": "cross-site"})
        self.assertEqual(refused.status, 403)

        # Whoever has signed out meanwhile is not who wanted the link.
        back = self.through_the_provider(browser, "1001", browser.get("/profile/link"), self.catalog.url + CALLBACK)
        browser.cookies.clear("127.0.0.1", "/", "gazetteer")
        answer = browser.get(back.headers["location"])
        self.assertEqual(answer.status, 401)
        self.assertEqual(self.catalog.rows("SELECT * FROM identity"), [])

    def test_a_group_that_is_left_takes_role_and_team_along(self):
        self.people(_1001=groups(ANNA, "stewards", "staff", "finance-dept"))
        self.assert_signs_in("1001")
        self.assertEqual(self.catalog.accounts(), {"anna": ("steward", "Anna Arnold", {"Data people", "Finance"})})

        self.people(_1001=groups(ANNA, "staff", "finance-dept"))
        self.assert_signs_in("1001")
        self.assertEqual(self.catalog.accounts(), {"anna": ("reader", "Anna Arnold", {"Finance"})})

        self.people(_1001=groups(ANNA, "choir"))
        browser, answer = self.sign_in("1001")
        self.assert_refused(browser, answer, 403, "None of your groups may use this catalog.")

    def test_nobody_comes_in_without_a_role(self):
        self.people(_1001=groups(ANNA), _2002=BERTA)

        for subject in ("1001", "2002"):
            browser, answer = self.sign_in(subject)
            self.assert_refused(browser, answer, 403, "None of your groups may use this catalog.")

        self.assertEqual(self.catalog.accounts(), {})

    def test_somebody_who_is_locked_stays_out(self):
        self.people(_1001=groups(ANNA, "staff"))
        browser, _ = self.assert_signs_in("1001")

        done = self.catalog.run("user", "lock", "anna")
        self.assertEqual(done.returncode, 0, done.stderr)

        self.assertFalse(browser.is_signed_in())
        other, answer = self.sign_in("1001")
        self.assert_refused(other, answer, 403, "This account is locked.")

    def test_a_way_back_works_once(self):
        self.people(_1001=groups(ANNA, "staff"))
        browser, back = self.callback_of("1001")
        kept = browser.cookie("gazetteer-way")
        self.assertEqual(browser.get(back).status, 200)
        self.assertTrue(browser.is_signed_in())

        other = self.catalog.browser()
        other.cookies.set_cookie(kept)
        self.assert_refused(other, other.get(back), 401, "This sign-in was not begun in this browser")

    def test_a_way_back_belongs_to_the_browser_that_went(self):
        self.people(_1001=groups(ANNA, "staff"), _6666=groups(BERTA, "staff"))
        _, back = self.callback_of("6666")

        # Somebody leads another browser to their own way back, to have it signed in as them.
        victim = self.catalog.browser()
        self.assert_refused(victim, victim.get(back), 401, "This sign-in was not begun in this browser")

        # Even while that browser is on its own way.
        victim, own = self.callback_of("1001")
        self.assert_refused(victim, victim.get(back), 401, "This sign-in was not begun in this browser")

    def test_what_was_changed_on_the_way_back_is_refused(self):
        self.people(_1001=groups(ANNA, "staff"))
        for name, value, sentence in (
            ("state", "another", "This sign-in was not begun in this browser"),
            ("iss", "https://elsewhere.example", "The answer came from another provider"),
            ("iss", None, "The answer came from another provider"),
            ("code", "another", "The provider did not accept this sign-in."),
            ("code", None, "This sign-in was not begun in this browser"),
        ):
            with self.subTest(name=name, value=value):
                browser, back = self.callback_of("1001")
                parts = urllib.parse.urlsplit(back)
                query = dict(urllib.parse.parse_qsl(parts.query))
                self.assertIn(name, query)
                query.pop(name)
                query |= {name: value} if value else {}
                answer = browser.get(parts._replace(query=urllib.parse.urlencode(query)).geturl())
                self.assert_refused(browser, answer, 401, sentence)
        self.assertEqual(self.catalog.accounts(), {})

    def test_a_token_that_is_not_to_be_trusted_lets_nobody_in(self):
        self.people(_1001=groups(ANNA, "catalog-admins"))
        untrue = "The provider’s answer is not to be trusted"
        for fault, sentence in {
            "unsigned": untrue,
            "signed-with-the-secret": untrue,
            "forged": untrue,
            "expired": untrue,
            "other-audience": untrue,
            "for-another-party": untrue,
            "other-issuer": untrue,
            "other-nonce": untrue,
            "no-nonce": untrue,
            "other-access-token": "The provider’s answer does not fit together",
            "other-person": untrue,
        }.items():
            with self.subTest(fault=fault):
                self.provider.tell(fault=fault)
                browser, answer = self.sign_in("1001")
                self.assert_refused(browser, answer, 401, sentence)
        self.assertEqual(self.catalog.accounts(), {})

        self.provider.tell(fault=None)
        self.assert_signs_in("1001")
        # Others may read the token too, if it was made for this catalog.
        self.provider.tell(fault="another-audience-too")
        self.assert_signs_in("1001")

    def test_what_the_provider_refuses_is_told(self):
        self.people(_1001=groups(ANNA, "staff"))
        browser = self.catalog.browser()
        page = browser.get("/sign-in/oidc")

        answer = browser.get(page.url + "/abort")

        self.assert_refused(browser, answer, 401, "The sign-in was broken off at the provider. Begin again.")

    def test_new_keys_of_the_provider_are_fetched(self):
        self.people(_1001=groups(ANNA, "staff"))
        self.assert_signs_in("1001")
        self.provider.tell()

        self.provider.stop()
        self.provider = Provider(self.catalog.url, self.provider.port)
        self.people(_1001=groups(ANNA, "staff"))
        self.assert_signs_in("1001")

        asked = [request["path"] for request in self.provider.tell()]
        self.assertEqual(asked.count("/jwks"), 1)

    def test_the_provider_is_asked_about_itself_once_and_told_the_request(self):
        self.people(_1001=groups(ANNA, "staff"))

        self.assert_signs_in("1001")
        self.assert_signs_in("1001")

        asked = self.provider.tell()
        paths = [request["path"] for request in asked]
        self.assertEqual(paths.count("/.well-known/openid-configuration"), 1)
        self.assertEqual(paths.count("/jwks"), 1)
        for request in asked:
            if request["path"] in ("/token", "/me", "/jwks"):
                self.assertIn(f'"id":"{request["id"]}"', self.catalog.said())
        self.assertNotIn(SECRET, self.catalog.said())

    def test_a_provider_that_is_down_keeps_nobody_else_out(self):
        self.catalog.set_up("operator", LOCAL_PASSWORD)
        self.people(_1001=groups(ANNA, "staff"))
        away, back = self.callback_of("1001")
        port = self.provider.port
        self.provider.stop()

        self.assert_refused(away, away.get(back), 503, "The provider does not answer.")
        # It is not asked at the start either.
        self.catalog.stop()
        self.catalog.start()
        browser = self.catalog.browser()
        self.assert_refused(browser, browser.get("/sign-in/oidc"), 503, "The provider does not answer.")
        browser.sign_in("operator", LOCAL_PASSWORD)
        self.assertTrue(browser.is_signed_in())

        self.provider = Provider(self.catalog.url, port)
        self.people(_1001=groups(ANNA, "staff"))
        self.assert_signs_in("1001")

    def test_a_provider_that_describes_somebody_else_is_not_used(self):
        for fault, status, sentence in (
            ("other-description", 503, "The provider’s description of itself cannot be used."),
            ("broken", 503, "The provider does not answer."),
        ):
            with self.subTest(fault=fault):
                self.provider.tell(fault=fault)
                browser = self.catalog.browser()
                self.assert_refused(browser, browser.get("/sign-in/oidc"), status, sentence)


if __name__ == "__main__":
    unittest.main()
