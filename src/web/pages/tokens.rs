//! One's own tokens: what there are, a form for another one, and how a program uses it.

use actix_web::HttpRequest;
use actix_web::web::{Data, Form, Path};
use chrono::Utc;
use serde::Serialize;
use uuid::Uuid;

use super::credentials::{Example, SecretPage, TokenForm, TokenLine};
use super::parts::More;
use crate::auth::sessions::SignedIn;
use crate::auth::{self, tokens};
use crate::db::Db;
use crate::web::access::Person;
use crate::web::failure::Failure;
use crate::web::forms::{self, Answer, Fields};
use crate::web::links;
use crate::web::parameters::Parameters;
use crate::web::view::{Once, Page, Refusal, Section, SeeOther, View};

/// So many tokens are listed at once.
const TOKENS: usize = 50;

/// `GET /profile/tokens`: one's own tokens.
pub(crate) async fn show(
    db: Data<Db>,
    Person(person): Person,
    request: HttpRequest,
    parameters: Parameters,
) -> Result<Page<TokensPage>, Failure> {
    let nothing = Parameters::default();
    let page = TokensPage::read(&db, &person, &request, (&parameters, &nothing)).await?;
    Ok(Page(page))
}

/// `POST /profile/tokens`: makes a token, and shows it this once.
pub(crate) async fn make(
    db: Data<Db>,
    Person(person): Person,
    request: HttpRequest,
    Form(fields): Form<Fields>,
) -> Answer<Once<SecretPage>, TokensPage> {
    let typed = Parameters::from(fields);
    let made = match TokenForm::read(&typed) {
        Ok(new) => tokens::make(&db, &person.actor, person.account.id, &new, Utc::now()).await,
        Err(error) => Err(error),
    };
    let shown = |made| {
        let back = links::profile_part("tokens");
        Once(SecretPage::of_token(
            &made,
            &request,
            (back, Section::Tokens),
        ))
    };
    answer(&db, &person, &request, &typed, made.map(shown)).await
}

/// `POST /profile/tokens/{id}/revoke`: makes a token worthless.
pub(crate) async fn revoke(
    db: Data<Db>,
    Person(person): Person,
    request: HttpRequest,
    token: Path<Uuid>,
) -> Answer<SeeOther, TokensPage> {
    let done = tokens::revoke(&db, &person.actor, *token, Utc::now()).await;
    let done = done.map(|()| SeeOther(links::profile_part("tokens")));
    answer(&db, &person, &request, &Parameters::default(), done).await
}

async fn answer<T>(
    db: &Db,
    person: &SignedIn,
    request: &HttpRequest,
    typed: &Parameters,
    done: Result<T, auth::Error>,
) -> Answer<T, TokensPage> {
    let again = async |refusal| {
        let first = Parameters::default();
        let page = TokensPage::read(db, person, request, (&first, typed)).await?;
        let refusal = Some(refusal);
        Ok(TokensPage { refusal, ..page })
    };
    forms::answer(done, again).await
}

/// What `templates/people/tokens.hbs` can show.
#[derive(Debug, Serialize)]
pub(crate) struct TokensPage {
    tokens: Vec<TokenLine>,
    more: More,
    token_form: TokenForm,
    example: Example,
    refusal: Option<Refusal>,
}

impl View for TokensPage {
    const TEMPLATE: &'static str = "people/tokens";

    fn title(&self) -> &'static str {
        "Tokens"
    }

    fn section(&self) -> Option<Section> {
        Some(Section::Tokens)
    }

    fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_ref()
    }
}

impl TokensPage {
    async fn read(
        db: &Db,
        person: &SignedIn,
        request: &HttpRequest,
        (parameters, typed): (&Parameters, &Parameters),
    ) -> Result<Self, Failure> {
        let id = person.account.id;
        let tokens = tokens::list(db, &person.actor, id, &parameters.page(TOKENS)?).await?;
        let here = links::profile_part("tokens");
        let line = |token: &tokens::Token| {
            let revoke = links::profile_part(&format!("tokens/{}/revoke", token.id));
            TokenLine::new(token, revoke)
        };
        Ok(Self {
            tokens: tokens.items.iter().map(line).collect(),
            more: More::of(&tokens, "Show older tokens", |after| {
                links::with_query(&here, [("after", after.as_str())])
            }),
            token_form: TokenForm::new(here.clone(), typed),
            example: Example::new(request, None),
            refusal: None,
        })
    }
}
