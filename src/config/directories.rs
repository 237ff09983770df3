//! Settings of the directories that say who people are: an OpenID Connect provider, an LDAP server.
//!
//! They are texts here, an empty one like none; `auth::directories` reads them, and tells every problem at once.

use std::path::PathBuf;

use clap::Args;
use secrecy::SecretString;

use super::secret;

/// Where people come from beside the accounts that the catalog keeps itself.
#[derive(Debug, Clone, Default, Args)]
pub struct Directories {
    #[command(flatten)]
    pub oidc: Oidc,
    #[command(flatten)]
    pub ldap: Ldap,
}

/// Signing in with an OpenID Connect provider.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Signing in with OpenID Connect")]
pub struct Oidc {
    /// The provider's address as it names itself; without one nobody signs in this way
    #[arg(
        id = "oidc_issuer",
        long = "oidc-issuer",
        env = "GAZETTEER_OIDC_ISSUER",
        value_name = "URL"
    )]
    pub issuer: Option<String>,

    /// What the provider knows this catalog as
    #[arg(
        id = "oidc_client_id",
        long = "oidc-client-id",
        env = "GAZETTEER_OIDC_CLIENT_ID",
        value_name = "ID"
    )]
    pub client_id: Option<String>,

    /// The secret that the provider gave this catalog; none for a public client
    #[arg(
        id = "oidc_client_secret",
        long = "oidc-client-secret",
        env = "GAZETTEER_OIDC_CLIENT_SECRET",
        value_name = "SECRET",
        hide_env_values = true,
        value_parser = secret
    )]
    pub client_secret: Option<SecretString>,

    /// What people call the provider; it stands on the button [default: the provider's host]
    #[arg(
        id = "oidc_name",
        long = "oidc-name",
        env = "GAZETTEER_OIDC_NAME",
        value_name = "NAME"
    )]
    pub name: Option<String>,

    /// What is asked of the provider, separated by spaces; many want “groups” too [default: openid profile]
    #[arg(
        id = "oidc_scopes",
        long = "oidc-scopes",
        env = "GAZETTEER_OIDC_SCOPES",
        value_name = "SCOPES"
    )]
    pub scopes: Option<String>,

    /// The claim that lists a person's groups; dots lead into objects [default: groups]
    #[arg(
        id = "oidc_groups_claim",
        long = "oidc-groups-claim",
        env = "GAZETTEER_OIDC_GROUPS_CLAIM",
        value_name = "CLAIM"
    )]
    pub groups_claim: Option<String>,

    /// Which group gives which role, such as `catalog-admins=admin,stewards=steward,*=reader`; `*` is everybody
    #[arg(
        id = "oidc_roles",
        long = "oidc-roles",
        env = "GAZETTEER_OIDC_ROLES",
        value_name = "GROUP=ROLE,…"
    )]
    pub roles: Option<String>,

    /// Which group gives which team, such as `finance-dept=Finance`; `*=*` makes a team of every group
    #[arg(
        id = "oidc_teams",
        long = "oidc-teams",
        env = "GAZETTEER_OIDC_TEAMS",
        value_name = "GROUP=TEAM,…"
    )]
    pub teams: Option<String>,
}

/// Signing in with a password that an LDAP server checks.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Signing in with LDAP")]
pub struct Ldap {
    /// `ldaps://HOST` or `ldap://HOST`, with a port if need be; without one nobody signs in this way
    #[arg(
        id = "ldap_url",
        long = "ldap-url",
        env = "GAZETTEER_LDAP_URL",
        value_name = "URL"
    )]
    pub url: Option<String>,

    /// Encrypt what begins as `ldap://` before anything is said
    #[arg(
        id = "ldap_starttls",
        long = "ldap-starttls",
        env = "GAZETTEER_LDAP_STARTTLS",
        value_name = "true|false",
        num_args = 0..=1,
        default_missing_value = "true"
    )]
    pub starttls: Option<String>,

    /// File with the certificates that the server's must be signed by [default: those of the system]
    #[arg(
        id = "ldap_ca_file",
        long = "ldap-ca-file",
        env = "GAZETTEER_LDAP_CA_FILE",
        value_name = "FILE"
    )]
    pub ca_file: Option<PathBuf>,

    /// Send passwords without encryption to another machine
    #[arg(
        id = "ldap_insecure",
        long = "ldap-insecure",
        env = "GAZETTEER_LDAP_INSECURE",
        value_name = "true|false",
        num_args = 0..=1,
        default_missing_value = "true"
    )]
    pub insecure: Option<String>,

    /// Who searches for people [default: nobody, the search is anonymous]
    #[arg(
        id = "ldap_bind_dn",
        long = "ldap-bind-dn",
        env = "GAZETTEER_LDAP_BIND_DN",
        value_name = "DN"
    )]
    pub bind_dn: Option<String>,

    /// The password of whoever searches
    #[arg(
        id = "ldap_bind_password",
        long = "ldap-bind-password",
        env = "GAZETTEER_LDAP_BIND_PASSWORD",
        value_name = "PASSWORD",
        hide_env_values = true,
        value_parser = secret
    )]
    pub bind_password: Option<SecretString>,

    /// Below what people are searched for
    #[arg(
        id = "ldap_base_dn",
        long = "ldap-base-dn",
        env = "GAZETTEER_LDAP_BASE_DN",
        value_name = "DN"
    )]
    pub base_dn: Option<String>,

    /// Finds a person by the name they typed, `{name}` [default: (uid={name})]
    #[arg(
        id = "ldap_user_filter",
        long = "ldap-user-filter",
        env = "GAZETTEER_LDAP_USER_FILTER",
        value_name = "FILTER"
    )]
    pub user_filter: Option<String>,

    /// The attribute that holds the name of an account [default: uid]
    #[arg(
        id = "ldap_name_attribute",
        long = "ldap-name-attribute",
        env = "GAZETTEER_LDAP_NAME_ATTRIBUTE",
        value_name = "ATTRIBUTE"
    )]
    pub name_attribute: Option<String>,

    /// The attribute that holds what a person is called [default: cn]
    #[arg(
        id = "ldap_display_name_attribute",
        long = "ldap-display-name-attribute",
        env = "GAZETTEER_LDAP_DISPLAY_NAME_ATTRIBUTE",
        value_name = "ATTRIBUTE"
    )]
    pub display_name_attribute: Option<String>,

    /// Below what groups are searched for [default: where people are]
    #[arg(
        id = "ldap_group_base_dn",
        long = "ldap-group-base-dn",
        env = "GAZETTEER_LDAP_GROUP_BASE_DN",
        value_name = "DN"
    )]
    pub group_base_dn: Option<String>,

    /// Finds the groups of a person, `{dn}` or `{name}` [default: (member={dn})]
    #[arg(
        id = "ldap_group_filter",
        long = "ldap-group-filter",
        env = "GAZETTEER_LDAP_GROUP_FILTER",
        value_name = "FILTER"
    )]
    pub group_filter: Option<String>,

    /// The attribute that holds the name of a group [default: cn]
    #[arg(
        id = "ldap_group_attribute",
        long = "ldap-group-attribute",
        env = "GAZETTEER_LDAP_GROUP_ATTRIBUTE",
        value_name = "ATTRIBUTE"
    )]
    pub group_attribute: Option<String>,

    /// Which group gives which role, such as `catalog-admins=admin,stewards=steward,*=reader`; `*` is everybody
    #[arg(
        id = "ldap_roles",
        long = "ldap-roles",
        env = "GAZETTEER_LDAP_ROLES",
        value_name = "GROUP=ROLE,…"
    )]
    pub roles: Option<String>,

    /// Which group gives which team, such as `finance-dept=Finance`; `*=*` makes a team of every group
    #[arg(
        id = "ldap_teams",
        long = "ldap-teams",
        env = "GAZETTEER_LDAP_TEAMS",
        value_name = "GROUP=TEAM,…"
    )]
    pub teams: Option<String>,
}
