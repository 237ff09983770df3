//! What addresses that work once lead to: setting the catalog up, and choosing a password.

use actix_web::web::{Data, Form};
use actix_web::{HttpRequest, HttpResponse};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::sign_in::let_in;
use crate::auth::links::{self as once, Purpose};
use crate::auth::sessions::{Begun, Origin};
use crate::auth::{self, AccountName, Password};
use crate::db::Db;
use crate::web::access::{self, Access};
use crate::web::failure::Failure;
use crate::web::forms::{self, Answer};
use crate::web::links;
use crate::web::parameters::Parameters;
use crate::web::view::{Page, Refusal, Section, View};

/// `GET /set-up`: the form for the first admin, behind the address that the server wrote to its log.
pub(crate) async fn show_set_up(
    db: Data<Db>,
    parameters: Parameters,
) -> Result<Page<SetUpPage>, Failure> {
    let code = SecretString::from(parameters.text("code"));
    match once::find(&db, &code, chrono::Utc::now()).await? {
        Purpose::SetUp => Ok(Page(SetUpPage::new(&code, "", ""))),
        Purpose::Choose(_) => Err(auth::Error::SpentLink.into()),
    }
}

/// What the form for the first admin sends.
#[derive(Debug, Deserialize)]
pub(crate) struct SetUp {
    code: SecretString,
    name: String,
    #[serde(default)]
    display_name: String,
    password: SecretString,
}

/// `POST /set-up`: makes the first admin, and signs them in.
pub(crate) async fn set_up(
    db: Data<Db>,
    access: Data<Access>,
    request: HttpRequest,
    from: Origin,
    Form(form): Form<SetUp>,
) -> Answer<HttpResponse, SetUpPage> {
    let begun = form.carry_out(&db, &access, &from).await;
    let begun = begun
        .map(|begun| access::begin_session(&request, &begun, access.lifetimes, &links::home()));
    let again = async |refusal| {
        let refusal = Some(refusal);
        let page = SetUpPage::new(&form.code, &form.name, &form.display_name);
        Ok(SetUpPage { refusal, ..page })
    };
    forms::answer(begun, again).await
}

impl SetUp {
    async fn carry_out(
        &self,
        db: &Db,
        access: &Access,
        from: &Origin,
    ) -> Result<Begun, auth::Error> {
        let name: AccountName = self.name.parse()?;
        let admin = once::FirstAdmin {
            name,
            display_name: &self.display_name,
            password: &self.password,
        };
        let passwords = &access.passwords;
        once::set_up(db, passwords, &self.code, admin, (from, access.lifetimes)).await
    }
}

/// What `templates/set_up.hbs` can show.
#[derive(Serialize)]
pub(crate) struct SetUpPage {
    code: String,
    name: String,
    display_name: String,
    shortest: usize,
    refusal: Option<Refusal>,
}

impl View for SetUpPage {
    const TEMPLATE: &'static str = "set_up";

    fn title(&self) -> &'static str {
        "Set up"
    }

    fn section(&self) -> Option<Section> {
        Some(Section::WayIn)
    }

    fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }
}

impl SetUpPage {
    fn new(code: &SecretString, name: &str, display_name: &str) -> Self {
        Self {
            code: code.expose_secret().to_owned(),
            name: name.to_owned(),
            display_name: display_name.to_owned(),
            shortest: Password::SHORTEST,
            refusal: None,
        }
    }
}

/// `GET /choose-password`: the form behind a link that an admin made.
pub(crate) async fn show_choose(
    db: Data<Db>,
    parameters: Parameters,
) -> Result<Page<ChoosePage>, Failure> {
    let code = SecretString::from(parameters.text("code"));
    Ok(Page(ChoosePage::read(&db, &code).await?))
}

/// What the form for a password sends.
#[derive(Debug, Deserialize)]
pub(crate) struct Choose {
    code: SecretString,
    password: SecretString,
}

/// `POST /choose-password`: stores the password, and signs the person in.
pub(crate) async fn choose(
    db: Data<Db>,
    access: Data<Access>,
    request: HttpRequest,
    from: Origin,
    Form(form): Form<Choose>,
) -> Answer<HttpResponse, ChoosePage> {
    let lifetimes = access.lifetimes;
    let (code, password) = (&form.code, &form.password);
    let begun =
        once::choose_password(&db, &access.passwords, code, password, (&from, lifetimes)).await;
    let again = async |refusal| {
        let refusal = Some(refusal);
        let page = ChoosePage::read(&db, code).await?;
        Ok(ChoosePage { refusal, ..page })
    };
    let answer = forms::answer(begun, again).await?;
    let_in(&db, &request, answer, (lifetimes, &links::home())).await
}

/// What `templates/choose_password.hbs` can show.
#[derive(Serialize)]
pub(crate) struct ChoosePage {
    code: String,
    account: String,
    shortest: usize,
    refusal: Option<Refusal>,
}

impl View for ChoosePage {
    const TEMPLATE: &'static str = "choose_password";

    fn title(&self) -> &'static str {
        "Choose a password"
    }

    fn section(&self) -> Option<Section> {
        Some(Section::WayIn)
    }

    fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }
}

impl ChoosePage {
    async fn read(db: &Db, code: &SecretString) -> Result<Self, Failure> {
        match once::find(db, code, chrono::Utc::now()).await? {
            Purpose::Choose(account) => Ok(Self {
                code: code.expose_secret().to_owned(),
                account: account.name,
                shortest: Password::SHORTEST,
                refusal: None,
            }),
            Purpose::SetUp => Err(auth::Error::SpentLink.into()),
        }
    }
}
