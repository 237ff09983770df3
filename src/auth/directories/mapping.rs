//! What the groups of a directory mean here: a role, teams.

use std::collections::{BTreeMap, BTreeSet};

use tracing::warn;

use super::Assertion;
use super::seen::Seen;
use super::settings::{given, need};
use crate::auth::{Role, TeamName};
use crate::config::Problems;

/// Directories give longer display names than accounts here have.
const LONGEST_DISPLAY_NAME: usize = 100;

/// Stands for every group, and for everybody whom the directory knows.
const ANY: &str = "*";

/// Which groups give which role and which teams.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Mapping {
    /// The role that everybody has.
    everybody: Option<Role>,
    roles: BTreeMap<String, Role>,
    /// Teams that everybody is in.
    common: BTreeSet<String>,
    /// Every group is a team of its own name.
    all: bool,
    teams: BTreeMap<String, BTreeSet<String>>,
}

impl Mapping {
    /// Reads both settings, whose variables begin with `prefix`.
    pub(super) fn read(
        roles: Option<&String>,
        teams: Option<&String>,
        prefix: &str,
        problems: &mut Problems,
    ) -> Self {
        let mut mapping = Self::default();
        let variable = format!("{prefix}_ROLES");
        let what = "it says who may come in, such as “catalog-admins=admin,*=reader”";
        if let Some(text) = need(roles, &variable, what, problems) {
            for (group, word) in pairs(&text, &variable, problems) {
                mapping.add_role(group, word, &variable, problems);
            }
        }
        let variable = format!("{prefix}_TEAMS");
        if let Some(text) = given(teams) {
            for (group, team) in pairs(&text, &variable, problems) {
                mapping.add_team(group, team, &variable, problems);
            }
        }
        mapping
    }

    fn add_role(&mut self, group: &str, word: &str, variable: &str, problems: &mut Problems) {
        let role = match word.parse::<Role>() {
            Ok(role) => role,
            Err(unknown) => return problems.note(format!("In {variable}: {unknown}")),
        };
        let before = if group == ANY {
            self.everybody.replace(role)
        } else {
            self.roles.insert(group.to_owned(), role)
        };
        if before.is_some_and(|before| before != role) {
            problems.note(format!("{variable} gives “{group}” two roles."));
        }
    }

    fn add_team(&mut self, group: &str, team: &str, variable: &str, problems: &mut Problems) {
        if let (true, Err(bad)) = (team != ANY, team.parse::<TeamName>()) {
            problems.note(format!("In {variable}, “{team}”: {bad}"));
        }
        match (group, team) {
            (ANY, ANY) => self.all = true,
            (ANY, team) => drop(self.common.insert(team.to_owned())),
            (group, ANY) => problems.note(format!(
                "{variable} gives “{group}” the team “*”, which only “*=*” can mean."
            )),
            (group, team) => {
                let teams = self.teams.entry(group.to_owned()).or_default();
                teams.insert(team.to_owned());
            }
        }
    }

    /// Says of a person what they are here, from what they are there.
    pub(super) fn assertion(&self, issuer: &str, person: Person) -> Assertion {
        let groups = &person.groups;
        Assertion {
            role: self.role(groups),
            teams: self.teams(groups).iter().filter_map(team_name).collect(),
            issuer: issuer.to_owned(),
            subject: person.subject,
            name: person.name,
            display_name: person.display_name.as_deref().and_then(one_line),
            seen: person.seen,
        }
    }

    /// Tells whether a group of this name has a meaning here.
    pub(super) fn knows(&self, group: &str) -> bool {
        named(&self.roles, group).is_some() || named(&self.teams, group).is_some()
    }

    /// The highest role that any of the groups gives; none for whom the catalog is not open.
    fn role(&self, groups: &BTreeSet<String>) -> Option<Role> {
        let of_groups = groups.iter().filter_map(|group| named(&self.roles, group));
        of_groups.copied().chain(self.everybody).max()
    }

    /// The names of the teams that the groups put somebody into.
    fn teams(&self, groups: &BTreeSet<String>) -> BTreeSet<String> {
        let given = groups.iter().filter_map(|group| named(&self.teams, group));
        let own = groups.iter().filter(|_| self.all);
        let own = own.filter(|group| named(&self.teams, group).is_none());
        given
            .flatten()
            .chain(&self.common)
            .chain(own)
            .cloned()
            .collect()
    }
}

/// What a group means. Keycloak can write the whole path of a group; `/staff` is the group `staff` at the top, and
/// `/choir/staff` is another one.
fn named<'m, T>(meanings: &'m BTreeMap<String, T>, group: &str) -> Option<&'m T> {
    let at_top = || group.strip_prefix('/').filter(|name| !name.contains('/'));
    meanings.get(group).or_else(|| meanings.get(at_top()?))
}

/// Somebody, as a directory describes them.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) subject: String,
    pub(super) name: String,
    pub(super) display_name: Option<String>,
    pub(super) groups: BTreeSet<String>,
    pub(super) seen: Seen,
}

/// What can be shown of a name: one line that is not too long.
fn one_line(text: &str) -> Option<String> {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let line: String = words.join(" ").chars().take(LONGEST_DISPLAY_NAME).collect();
    (!line.is_empty()).then_some(line)
}

/// Groups can have names that a team cannot; whoever maps every group does not expect to hear of each.
fn team_name(text: &String) -> Option<TeamName> {
    let name = text.parse();
    if name.is_err() {
        warn!(group = text, "a group has a name that no team can have");
    }
    name.ok()
}

/// Splits `a=b,c=d`. Where a semicolon occurs it separates instead, so that names may have commas; of several “=” the
/// last one counts, so that a group can be named by its DN.
fn pairs<'t>(text: &'t str, variable: &str, problems: &mut Problems) -> Vec<(&'t str, &'t str)> {
    let separator = if text.contains(';') { ';' } else { ',' };
    let mut found = Vec::new();
    for part in text.split(separator).map(str::trim) {
        if part.is_empty() {
            continue;
        }
        let pair = part
            .rsplit_once('=')
            .map(|(group, meaning)| (group.trim(), meaning.trim()));
        match pair {
            Some((group, meaning)) if !group.is_empty() && !meaning.is_empty() => {
                found.push((group, meaning));
            }
            _ => problems.note(format!(
                "In {variable}, “{part}” is not of the form “group=meaning”."
            )),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(roles: &str, teams: &str) -> (Mapping, Problems) {
        let mut problems = Problems::default();
        let (roles, teams) = (roles.to_owned(), teams.to_owned());
        let mapping = Mapping::read(Some(&roles), Some(&teams), "X", &mut problems);
        (mapping, problems)
    }

    fn mapping(roles: &str, teams: &str) -> Mapping {
        let (mapping, problems) = read(roles, teams);
        assert_eq!(problems, Problems::default());
        mapping
    }

    fn names(list: &[&str]) -> BTreeSet<String> {
        list.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn the_highest_role_of_all_groups_counts() {
        let mapping = mapping("admins=admin, stewards=steward, staff=reader", "");

        assert_eq!(
            mapping.role(&names(&["staff", "admins", "stewards"])),
            Some(Role::Admin)
        );
        assert_eq!(
            mapping.role(&names(&["staff", "stewards", "choir"])),
            Some(Role::Steward)
        );
        assert_eq!(mapping.role(&names(&["staff"])), Some(Role::Reader));
    }

    #[test]
    fn nobody_comes_in_whom_no_group_lets_in_unless_everybody_does() {
        let closed = mapping("admins=admin", "");
        let open = mapping("admins=admin;*=reader", "");

        assert_eq!(closed.role(&names(&["choir"])), None);
        assert_eq!(closed.role(&names(&[])), None);
        // Names are as the directory writes them, and the star is no name.
        assert_eq!(closed.role(&names(&["Admins", "admins ", "*"])), None);
        assert_eq!(open.role(&names(&[])), Some(Role::Reader));
        assert_eq!(open.role(&names(&["admins"])), Some(Role::Admin));
    }

    #[test]
    fn groups_give_the_teams_that_are_named_and_no_others() {
        let mapping = mapping("*=reader", "fin=Finance,fin=Audit,ctl=Finance,*=Staff");

        assert_eq!(
            mapping.teams(&names(&["fin", "ctl", "choir"])),
            names(&["Audit", "Finance", "Staff"])
        );
        assert_eq!(mapping.teams(&names(&[])), names(&["Staff"]));
    }

    #[test]
    fn every_group_can_be_a_team_under_its_own_name_unless_it_has_another() {
        let mapping = mapping("*=reader", "fin=Finance,*=*");

        assert_eq!(
            mapping.teams(&names(&["fin", "choir"])),
            names(&["Finance", "choir"])
        );
    }

    #[test]
    fn a_group_at_the_top_may_be_written_with_its_path_and_no_other() {
        let mapping = mapping("staff=reader,/choir/leads=steward", "staff=Everyone");

        assert_eq!(mapping.role(&names(&["/staff"])), Some(Role::Reader));
        assert_eq!(mapping.teams(&names(&["/staff"])), names(&["Everyone"]));
        assert_eq!(mapping.role(&names(&["/choir/leads"])), Some(Role::Steward));
        for other in ["/choir/staff", "//staff", "choir/staff", "leads", "/"] {
            assert_eq!(mapping.role(&names(&[other])), None, "{other}");
        }
    }

    #[test]
    fn a_group_can_be_named_by_its_dn() {
        let mapping = mapping("cn=admins,ou=groups,dc=x=admin; *=reader", "");

        let groups = names(&["cn=admins,ou=groups,dc=x"]);
        assert_eq!(mapping.role(&groups), Some(Role::Admin));
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let (_, problems) = read("admins,b=owner,c=reader,c=admin,=x", "fin=*,=Finance");

        insta::assert_snapshot!(problems, @"
        6 settings need a look.
          In X_ROLES, “admins” is not of the form “group=meaning”.
          In X_ROLES, “=x” is not of the form “group=meaning”.
          In X_ROLES: There is no role named “owner”: it is reader, steward or admin.
          X_ROLES gives “c” two roles.
          In X_TEAMS, “=Finance” is not of the form “group=meaning”.
          X_TEAMS gives “fin” the team “*”, which only “*=*” can mean.
        ");
    }
}
