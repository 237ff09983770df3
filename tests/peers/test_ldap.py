"""People sign in with what a real OpenLDAP knows of them."""

import contextlib
import pathlib
import re
import tempfile
import time
import unittest

from catalog import Catalog
from slapd import BASE, READER, READER_PASSWORD, Slapd, Slowly, entry, make_certificates

PEOPLE = f"ou=people,{BASE}"
GROUPS = f"ou=groups,{BASE}"
PASSWORD = "the tide waits for nobody"
WRONG = "Name or password is wrong."
LOCAL_PASSWORD = "seven lamps in the old harbour"

ROLES = "catalog-admins=admin,stewards=steward,staff=reader,data=steward"
TEAMS = "finance-dept=Finance,stewards=Data people"


def person(uid, name):
    return entry(f"uid={uid},{PEOPLE}", "inetOrgPerson", uid=uid, cn=name, sn=name, userPassword=PASSWORD)


def group(name, *members):
    return entry(f"cn={name},{GROUPS}", "groupOfNames", cn=name, member=[f"uid={uid},{PEOPLE}" for uid in members])


def change_group(name, what, uid):
    return f"dn: cn={name},{GROUPS}\nchangetype: modify\n{what}: member\nmember: uid={uid},{PEOPLE}\n"


STAFF = rf"ou=Staff (ext) \+ more,{PEOPLE}"

# Names of accounts and the DNs of their entries, with all that DNs and filters treat specially.
ODD_NAMES = {
    "jdoe": rf"cn=Doe\, Jane (EXT),{PEOPLE}",
    "astar": rf"cn=Anna \"Ace\" *Star*\\ \=\+\;,{PEOPLE}",
    "jmüller": f"cn=Müller Jörg,{STAFF}",
    "hash": rf"cn=\#1 in line,{PEOPLE}",
    "blank": rf"cn=\ Blank Before\ ,{PEOPLE}",
    "angles": rf"cn=\<Angle\> & é\, ß,{STAFF}",
    "two": rf"cn=Two+uid=two,{PEOPLE}",
}


def odd(uid, dn):
    """An entry whose name is read out of its DN."""
    name = re.match(r"cn=((?:\\.|[^\\,+])*)", dn)[1]
    name = re.sub(r"\\(.)", r"\1", name)
    mail = f"{uid.replace('ü', 'ue')}@example.org"
    return entry(dn, "inetOrgPerson", cn=name, sn="Odd", uid=uid, mail=mail, userPassword="pwd-ü-ß-of-" + uid)


ENTRIES = [
    entry(PEOPLE, "organizationalUnit", ou="people"),
    entry(GROUPS, "organizationalUnit", ou="groups"),
    person("anna", "Anna Arnold"),
    person("berta", "Berta Bauer"),
    person("carl", "Carl Cohen"),
    person("dora", "Dora Diaz"),
    person("emil", "Emil Egger"),
    # A name that means something in a filter.
    entry(f"cn=odd,{PEOPLE}", "inetOrgPerson", cn="Odd One", sn="Odd", uid="o(d*d)", userPassword=PASSWORD),
    # A name that two have.
    entry(f"cn=first twin,{PEOPLE}", "inetOrgPerson", cn="first twin", sn="Twin", uid="twin", userPassword=PASSWORD),
    entry(f"cn=second twin,{PEOPLE}", "inetOrgPerson", cn="second twin", sn="Twin", uid="twin", userPassword=PASSWORD),
    group("catalog-admins", "anna"),
    group("stewards", "berta", "anna"),
    group("staff", "anna", "berta", "carl"),
    entry(f"cn=oddities,{GROUPS}", "groupOfNames", cn="staff", member=f"cn=odd,{PEOPLE}"),
    group("finance-dept", "berta", "carl"),
    group("choir", "dora"),
    entry(STAFF, "organizationalUnit", ou="Staff (ext) + more"),
    *(odd(uid, dn) for uid, dn in ODD_NAMES.items()),
    person("ned", "Nested Ned"),
    group("inner", "ned"),
    entry(f"cn=data,{GROUPS}", "groupOfNames", cn="data", member=[*ODD_NAMES.values(), f"cn=inner,{GROUPS}"]),
]


class Ldap(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.slapd = Slapd(ENTRIES)
        cls.addClassCleanup(cls.slapd.remove)

    def catalog(self, start=True, **settings):
        catalog = Catalog(
            **{
                "GAZETTEER_LDAP_URL": self.slapd.url,
                "GAZETTEER_LDAP_BIND_DN": READER,
                "GAZETTEER_LDAP_BIND_PASSWORD": READER_PASSWORD,
                "GAZETTEER_LDAP_BASE_DN": PEOPLE,
                "GAZETTEER_LDAP_GROUP_BASE_DN": GROUPS,
                "GAZETTEER_LDAP_ROLES": ROLES,
                "GAZETTEER_LDAP_TEAMS": TEAMS,
                **settings,
            }
        )
        self.addCleanup(catalog.remove)
        if start:
            catalog.start()
        return catalog

    def assert_signs_in(self, catalog, name, password=PASSWORD):
        browser = catalog.browser()
        answer = browser.sign_in(name, password)
        self.assertTrue(browser.is_signed_in(), f"{answer.status} {answer.title} {answer.alert}\n{catalog.said()}")
        return browser

    def assert_refused(self, catalog, name, password, status, sentence):
        browser = catalog.browser()
        answer = browser.sign_in(name, password)
        self.assertEqual(answer.status, status, f"{answer.title} {answer.alert}\n{catalog.said()}")
        self.assertIn(sentence, answer.alert)
        self.assertFalse(browser.is_signed_in())
        return answer

    @contextlib.contextmanager
    def changed(self, ldif, back):
        self.slapd.modify(ldif)
        try:
            yield
        finally:
            self.slapd.modify(back)

    def test_groups_give_role_and_teams(self):
        catalog = self.catalog()

        for name in ("anna", "berta", "carl"):
            self.assert_signs_in(catalog, name)

        self.assertEqual(
            catalog.accounts(),
            {
                "anna": ("admin", "Anna Arnold", {"Data people"}),
                "berta": ("steward", "Berta Bauer", {"Data people", "Finance"}),
                "carl": ("reader", "Carl Cohen", {"Finance"}),
            },
        )

    def test_what_was_wrong_is_not_told(self):
        catalog = self.catalog()

        wrong = self.assert_refused(catalog, "anna", "not the password of anna", 401, WRONG)
        unknown = self.assert_refused(catalog, "nobody-at-all", PASSWORD, 401, WRONG)
        twin = self.assert_refused(catalog, "twin", PASSWORD, 401, WRONG)

        self.assertEqual(wrong.alert, unknown.alert)
        self.assertEqual(wrong.alert, twin.alert)
        self.assertEqual(catalog.accounts(), {})

    def test_an_empty_password_lets_nobody_in(self):
        catalog = self.catalog()

        # A server says yes to a name with an empty password: it takes it for an anonymous visitor.
        self.assert_refused(catalog, "anna", "", 401, WRONG)

        self.assertEqual(catalog.accounts(), {})

    def test_what_is_typed_never_becomes_a_part_of_the_filter(self):
        catalog = self.catalog()

        for name in ("*", "anna*", "*)(uid=*", "anna)(cn=*", r"ann\61", "an\0na"):
            self.assert_refused(catalog, name, PASSWORD, 401, WRONG)
        self.assertEqual(catalog.accounts(), {})

    def test_a_name_with_characters_of_filters_is_a_name(self):
        catalog = self.catalog()

        self.assert_signs_in(catalog, "o(d*d)")

        self.assertEqual([(role, name) for role, name, _ in catalog.accounts().values()], [("reader", "Odd One")])

    def test_names_and_dns_may_hold_what_filters_and_dns_treat_specially(self):
        catalog = self.catalog()

        for uid in ODD_NAMES:
            with self.subTest(uid=uid):
                self.assert_signs_in(catalog, uid, "pwd-ü-ß-of-" + uid)
                self.assertEqual(catalog.accounts()[uid][0], "steward")

    def test_a_group_in_a_group_is_not_read_unless_the_filter_does(self):
        catalog = self.catalog()

        self.assert_refused(catalog, "ned", PASSWORD, 403, "None of your groups may use this catalog.")

        self.assertIn("no role here", catalog.said())
        self.assertIn("inner", catalog.said())

    def test_people_may_type_their_e_mail_address(self):
        for filter in ("(|(uid={name})(mail={name}))", "|(uid={name})(mail={name})"):
            with self.subTest(filter=filter):
                catalog = self.catalog(GAZETTEER_LDAP_USER_FILTER=filter)

                self.assert_signs_in(catalog, "jdoe@example.org", "pwd-ü-ß-of-jdoe")
                self.assert_signs_in(catalog, "jdoe", "pwd-ü-ß-of-jdoe")

                self.assertEqual(list(catalog.accounts()), ["jdoe"])

    def test_a_place_that_is_not_there_is_named(self):
        for variable in ("GAZETTEER_LDAP_BASE_DN", "GAZETTEER_LDAP_GROUP_BASE_DN"):
            with self.subTest(variable=variable):
                catalog = self.catalog(**{variable: f"ou=elsewhere,{BASE}"})

                answer = self.assert_refused(catalog, "anna", PASSWORD, 503, "does not have the place")
                doctor = catalog.run("doctor")

                self.assertIn("GAZETTEER_LDAP_BASE_DN", answer.alert)
                self.assertNotIn("elsewhere", answer.alert)
                for text in (catalog.said(), doctor.stdout):
                    self.assertIn(f"{variable} is “ou=elsewhere,{BASE}”", text)
                self.assertEqual(doctor.returncode, 1, doctor.stdout)

        catalog = self.catalog(start=False)
        catalog.run("migrate")
        well = catalog.run("doctor")
        self.assertEqual(well.returncode, 0, well.stdout + well.stderr)
        self.assertIn("The LDAP server answers.", well.stdout)

    def test_admins_see_what_the_directory_said(self):
        catalog = self.catalog()
        admin = self.assert_signs_in(catalog, "anna")
        self.assert_refused(catalog, "dora", PASSWORD, 403, "None of your groups")
        self.assert_refused(catalog, "berta", "a wrong password", 401, WRONG)

        page = admin.get("/sign-in-check").text
        looked_up = admin.post("/sign-in-check", name="berta").text
        nobody = admin.post("/sign-in-check", name="nobody-at-all")

        for words in ("Wrong name or password", "no group of theirs has a role here", "choir", "Signed in", "catalog-admins"):
            self.assertIn(words, page)
        self.assertIn('<dd id="role">steward</dd>', looked_up)
        self.assertIn("finance-dept", looked_up)
        self.assertEqual(nobody.status, 422)
        self.assertIn("finds nobody of this name", nobody.alert)
        self.assertNotIn(PASSWORD, page)

    def test_a_wrong_password_is_on_record_under_the_right_name(self):
        catalog = self.catalog(GAZETTEER_LDAP_USER_FILTER="(|(uid={name})(mail={name}))")
        admin = self.assert_signs_in(catalog, "anna")
        self.assert_signs_in(catalog, "jdoe", "pwd-ü-ß-of-jdoe")

        self.assert_refused(catalog, "jdoe@example.org", "a wrong password", 401, WRONG)

        self.assertIn("A sign-in as “jdoe” from 127.0.0.1 was refused", admin.get("/audit").text)

    def test_an_outage_counts_as_no_try(self):
        catalog = self.catalog()
        self.slapd.stop()
        try:
            for _ in range(8):
                self.assert_refused(catalog, "anna", PASSWORD, 503, "The directory does not answer")
        finally:
            self.slapd.start()

        self.assert_signs_in(catalog, "anna")

    def test_a_name_with_a_password_here_takes_as_long_as_one_of_the_directory(self):
        with Slowly(self.slapd.port, 0.2) as way:
            catalog = self.catalog(GAZETTEER_LDAP_URL=way.url)
            catalog.set_up("operator", LOCAL_PASSWORD)
            took = {}
            for name in ("operator", "anna", "nobody-at-all"):
                began = time.monotonic()
                self.assert_refused(catalog, name, "a wrong password", 401, WRONG)
                took[name] = time.monotonic() - began

        # Three questions to the directory take long here: a name for which it is not asked is seen at once.
        self.assertGreater(min(took.values()), 0.5 * max(took.values()), took)

    def test_nobody_comes_in_without_a_role(self):
        catalog = self.catalog()

        self.assert_refused(catalog, "dora", PASSWORD, 403, "None of your groups may use this catalog.")
        self.assert_refused(catalog, "emil", PASSWORD, 403, "None of your groups may use this catalog.")

        self.assertEqual(catalog.accounts(), {})

    def test_a_group_that_is_left_takes_role_and_team_along(self):
        catalog = self.catalog()
        self.assert_signs_in(catalog, "berta")

        with self.changed(change_group("stewards", "delete", "berta"), change_group("stewards", "add", "berta")):
            self.assert_signs_in(catalog, "berta")

        self.assertEqual(catalog.accounts(), {"berta": ("reader", "Berta Bauer", {"Finance"})})

    def test_a_person_who_gets_another_name_stays_the_same(self):
        catalog = self.catalog()
        self.assert_signs_in(catalog, "carl")
        renamed = (
            f"dn: uid=carl,{PEOPLE}\nchangetype: modrdn\nnewrdn: uid=charles\ndeleteoldrdn: 1\n\n"
            + change_group("staff", "add", "charles")
        )
        back = (
            f"dn: uid=charles,{PEOPLE}\nchangetype: modrdn\nnewrdn: uid=carl\ndeleteoldrdn: 1\n\n"
            + change_group("staff", "delete", "charles")
        )

        with self.changed(renamed, back):
            self.assert_signs_in(catalog, "charles")

        # One account still, found by what the server calls the entry for good.
        self.assertEqual(list(catalog.accounts()), ["carl"])

    def test_an_account_here_is_never_taken_over(self):
        catalog = self.catalog()
        catalog.set_up("anna", LOCAL_PASSWORD)

        # The account here has a password, which decides alone.
        self.assert_refused(catalog, "anna", PASSWORD, 401, WRONG)
        self.assert_signs_in(catalog, "anna", LOCAL_PASSWORD)

        self.assertEqual(list(catalog.accounts()), ["anna"])
        self.assertEqual(catalog.rows("SELECT * FROM identity"), [])

    def test_guessing_is_slowed_down(self):
        catalog = self.catalog()

        for _ in range(5):
            self.assert_refused(catalog, "anna", "a wrong password", 401, WRONG)

        self.assert_refused(catalog, "anna", PASSWORD, 429, "Try again in")

    def test_the_way_is_encrypted_and_the_server_has_to_prove_itself(self):
        with tempfile.TemporaryDirectory() as folder:
            make_certificates(folder, "stranger")
            stranger = str(pathlib.Path(folder, "stranger.pem"))
            ours = str(self.slapd.folder / "ca.pem")
            starttls = {"GAZETTEER_LDAP_STARTTLS": "true"}
            ldaps = {"GAZETTEER_LDAP_URL": self.slapd.tls_url}
            for way in (starttls, ldaps):
                with self.subTest(way=way):
                    good = self.catalog(GAZETTEER_LDAP_CA_FILE=ours, **way)
                    bad = self.catalog(GAZETTEER_LDAP_CA_FILE=stranger, **way)
                    unknown = self.catalog(**way)

                    self.assert_signs_in(good, "anna")
                    for catalog in (bad, unknown):
                        self.assert_refused(catalog, "anna", PASSWORD, 503, "The directory does not answer")
                        self.assertIn("invalid peer certificate", catalog.said())
                        self.assertNotIn(PASSWORD, catalog.said())

    def test_accounts_here_sign_in_while_the_server_is_down(self):
        catalog = self.catalog()
        catalog.set_up("operator", LOCAL_PASSWORD)
        self.slapd.stop()
        try:
            self.assert_refused(catalog, "anna", PASSWORD, 503, "The directory does not answer")
            self.assert_signs_in(catalog, "operator", LOCAL_PASSWORD)
        finally:
            self.slapd.start()

        self.assert_signs_in(catalog, "anna")

    def test_a_catalog_that_may_not_search_says_so(self):
        catalog = self.catalog(GAZETTEER_LDAP_BIND_PASSWORD="not the one")

        self.assert_refused(catalog, "anna", PASSWORD, 503, "The directory does not let this catalog search")

        self.assertIn("invalidCredentials", catalog.said())

    def test_all_that_is_wrong_with_the_settings_is_told_before_anything_starts(self):
        catalog = self.catalog(
            start=False,
            GAZETTEER_LDAP_URL="ldap://ldap.example",
            GAZETTEER_LDAP_BIND_PASSWORD="",
            GAZETTEER_LDAP_BASE_DN="",
            GAZETTEER_LDAP_ROLES="anna=owner",
            GAZETTEER_OIDC_ISSUER="http://login.example",
        )

        done = catalog.run("serve")

        self.assertEqual(done.returncode, 2, done.stderr)
        for variable in (
            "GAZETTEER_LDAP_URL", "GAZETTEER_LDAP_BASE_DN", "GAZETTEER_LDAP_BIND_PASSWORD", "GAZETTEER_LDAP_ROLES",
            "GAZETTEER_OIDC_ISSUER", "GAZETTEER_OIDC_CLIENT_ID", "GAZETTEER_OIDC_ROLES",
        ):
            self.assertIn(variable, done.stderr)


if __name__ == "__main__":
    unittest.main()
